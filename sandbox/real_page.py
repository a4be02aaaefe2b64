"""A real Facebook page in place of the stand-in: `python -m sandbox up --page`."""

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from getpass import getpass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, PrivateAttr, ValidationError

from bot.aws.secrets import SecretValues
from bot.registration import Registration, Subscriptions, wanted_scopes
from ops.aws import OperatorAws
from ops.registered import RegisteredToken
from ops.stack import from_described
from sandbox.chat import ChatSandbox
from sandbox.control import SECRETS
from sandbox.errors import SandboxError
from sandbox.facebook.real import RealGraph
from sandbox.facebook.webhooks import Facebook
from sandbox.page.aws_reader import UNREADABLE
from sandbox.page.operator import explained
from sandbox.page.page import ChatPage
from sandbox.page.real import RealChatPage
from sandbox.takeover import PAGES, Takeover
from sandbox.tunnel import PATH, TunnelProxy

ANSWERING_SECONDS = 10.0
POLL_SECONDS = 0.1


class RealPage(BaseModel, extra="forbid", strict=True, frozen=True):
    """A page and its app, with what opens them. No field is shown by `repr`.

    Attributes:
        page_id: the page's id.
        app_id: the app's id.
        page_access_token: the page's access token.
        app_secret: the app's secret.
        previous_verify_token: of the webhook that the app has now; "" if it is not known.
    """

    page_id: str = Field(alias="pageId", pattern="^[0-9]{1,20}$", repr=False)
    app_id: str = Field(alias="appId", pattern="^[0-9]{1,20}$", repr=False)
    page_access_token: str = Field(alias="pageAccessToken", pattern="^[!-~]+$", repr=False)
    app_secret: str = Field(alias="appSecret", pattern="^[!-~]+$", repr=False)
    previous_verify_token: str = Field("", alias="previousVerifyToken", pattern="^[!-~]*$", repr=False)
    _verify_token: str = PrivateAttr(default_factory=lambda: secrets.token_hex(16))

    @property
    def verify_token(self) -> str:
        """That of this sandbox's own webhook."""
        return self._verify_token

    def secret_values(self) -> SecretValues:
        """Its secrets, as the bot reads them."""
        return SecretValues(
            {
                "page-access-token": self.page_access_token,
                "app-secret": self.app_secret,
                "verify-token": self.verify_token,
            }
        )

    def takeover(self, graph_api_url: str, version: str, folder: Path = PAGES) -> Takeover:
        """Takes this page over.

        Args:
            graph_api_url: of the real Graph API.
            version: of it, such as `v26.0`.
            folder: where what was registered is remembered.

        Raises:
            SandboxError: the page access token cannot be one.
        """
        with explained():
            subscriptions = Subscriptions(graph_api_url, version, self.page_id, self.app_id, self.secret_values())
        path = folder / f"{self.app_id}-{self.page_id}.json"
        return Takeover(subscriptions, path, self.previous_verify_token, _secret)


def from_descriptor(number: int) -> RealPage:
    """The page that a JSON object in a file descriptor describes, by the aliases of `RealPage`.

    Raises:
        SandboxError: it is not open, or holds something else.
    """
    try:
        with os.fdopen(number, encoding="utf-8") as stream:
            return RealPage.model_validate_json(stream.read())
    except (OSError, UnicodeDecodeError):
        raise SandboxError(f"File descriptor {number} cannot be read: open it, as in {number}< <(COMMAND).") from None
    except ValidationError as error:
        raise SandboxError(f"File descriptor {number}: {_mistakes(error)}.") from None


def from_prompt() -> RealPage:
    """The page that the person at the terminal describes; what they type for a secret is not shown.

    Raises:
        SandboxError: there is no terminal, or an answer is not valid.
    """
    if not sys.stdin.isatty():
        raise SandboxError("There is no terminal to ask at: give --secrets-fd N, and the secrets in that descriptor.")
    answers = {"pageId": _line("Page id: "), "appId": _line("App id: ")}
    answers |= {"pageAccessToken": getpass("Page access token: "), "appSecret": getpass("App secret: ")}
    try:
        return RealPage.model_validate(answers)
    except ValidationError as error:
        raise SandboxError(f"These answers are not valid: {_mistakes(error)}.") from None


def _line(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)  # standard output is for programs
    return sys.stdin.readline().strip()


def _secret(question: str) -> str:
    return getpass(question) if sys.stdin.isatty() else ""


def _mistakes(error: ValidationError) -> str:
    """What is wrong, without the values: they are secret."""
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'the text'}: {each['msg']}" for each in error.errors())


class PageSandbox(ChatSandbox):
    """A sandbox that a real page's events come to, and that answers there; see `ChatSandbox` for other arguments.

    Args:
        page: the page.
        takeover: registers the sandbox's webhook, and restores what was registered before.
        public_url: where the tunnel begins.
        graph_api_url: of the real Graph API.
        tunnel_port: where the tunnel ends.

    Attributes:
        tunnel: the proxy at the tunnel's end.
    """

    FACEBOOK = "way to Facebook"

    def __init__(
        self,
        *arguments: Any,
        page: RealPage,
        takeover: Takeover,
        public_url: str,
        graph_api_url: str,
        tunnel_port: int,
        settings: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        self._real, self._takeover, self._graph_api_url = page, takeover, graph_api_url
        self._public_url, self._tunnel_port = public_url + PATH, tunnel_port
        own = {
            "pageId": page.page_id,
            "pageAccessToken": page.page_access_token,
            "appSecret": page.app_secret,
            "appSecretPrevious": "",
            "verifyToken": page.verify_token,
        }
        super().__init__(*arguments, settings={**(settings or {}), **own}, **options)
        self.page: RealChatPage
        self.tunnel: TunnelProxy

    def _new_graph(self) -> RealGraph:
        page = self._real
        return RealGraph(self._graph_api_url, page.page_id, page.app_id, page.page_access_token, page.app_secret)

    def _new_page(self) -> ChatPage:
        return RealChatPage(self, self.proxy, self.background, self._chat_port, self._observe)

    def _serve_assets(self) -> None:
        """Nothing: Facebook could not fetch them from here."""

    def start_servers(self) -> None:
        """Start the tunnel's end too."""
        super().start_servers()
        self.tunnel = TunnelProxy(self._tunnel_port, lambda: self.webhook_url, self.app_secret)
        self._ending.callback(lambda: self.background.run(self.tunnel.stop()))
        self.background.run(self.tunnel.start())

    def bring_up(self) -> None:
        """Deploy the stack, and have Facebook send to it."""
        super().bring_up()
        self.tunnel.observe = self.page.posted
        self._ending.callback(self._answer_the_last)
        with explained():
            self._register()
        self._note_stage("registration with Facebook")

    def _register(self) -> None:
        stack = replace(
            from_described(self.described() | {"outputs": self.outputs}, "The sandbox"),
            graph_api_url=self._graph_api_url,
        )
        registration = Registration(
            stack,
            self._real.secret_values(),
            RegisteredToken(OperatorAws(stack.region, stack.endpoint, stack.key), stack),
            app_id=self._real.app_id,
            profile=None,
            objects=("page",),
            scopes=wanted_scopes(),
        )
        if wrong := [f"{each.what} {each.found}" for each in registration.check_stack() if not each.fine]:
            raise SandboxError(
                f"The page cannot be served yet: {'; '.join(wrong)}. The tunnel must pass {self._public_url} on to "
                f"{self.tunnel.url}."
            )
        self._ending.callback(self._give_back)
        self._takeover.begin(self._public_url)
        list(registration.register())

    def _give_back(self) -> None:
        if remark := self._takeover.end():
            self._warn(remark)

    def _answer_the_last(self) -> None:
        """Answer what was acknowledged, once Facebook sends nothing more."""
        deadline = time.monotonic() + ANSWERING_SECONDS
        with contextlib.suppress(*UNREADABLE):  # the stack may have been deleted
            while (waiting := self.waiting()) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            if waiting:
                self._warn(f"{waiting} acknowledged messages are not answered: they end with this sandbox.")

    def _warn(self, sentence: str) -> None:
        self._observe({"event": "log", "severity": "warning", "message": sentence})

    def _sender(self) -> Facebook:
        raise SandboxError("This sandbox serves a real page: write to it in Messenger.")

    def described(self) -> dict[str, Any]:
        """Where everything is, without a secret."""
        described = super().described() | {"appId": self._real.app_id, "publicUrl": self._public_url}
        return {name: each for name, each in described.items() if name not in SECRETS}
