"""The sandbox as a whole: an emulated AWS with a stack deployed on it, and Facebook before it.

with Sandbox(stack="local") as sandbox:
    print(sandbox.say("status"))
"""

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from sandbox import assets as pictures
from sandbox.aws.clients import Clients
from sandbox.aws.cloud import OWNER, Cloud
from sandbox.aws.proxy import Proxy
from sandbox.background import Background
from sandbox.configuration import Configuration, read
from sandbox.control import Door
from sandbox.engine.deployment import Deployed, Observer, Run, State
from sandbox.errors import SandboxError
from sandbox.facebook.graph import Graph
from sandbox.facebook.send_api import AlwaysOpen
from sandbox.facebook.webhooks import Delivery, Facebook, Item, text_item
from sandbox.serving import Server

if TYPE_CHECKING:
    from sandbox.page.page import ChatPage

PROJECT = Path(__file__).resolve().parent.parent
APP_ID = "200000000000001"
ANSWER_SECONDS = 60.0
POLL_SECONDS, MOST_POLL_SECONDS = 0.01, 0.1
WAITING_MESSAGES = (
    "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
)  # fmt: skip


def _ignore(_: Mapping[str, Any]) -> None:
    """Observe nothing."""


class Sandbox:
    """One sandbox; several can run side by side.

    Args:
        stack: which stack's settings to deploy with.
        folder: where the Pulumi program is.
        settings: settings in place of the stack's own, as text (what is not text as JSON).
        key: whose access key deploys: id and secret; the account's owner if not given.
        cloud_port: where the emulated AWS listens; 0 for a free port.
        graph_port: where the stand-in for the Graph API listens; 0 for a free port.
        chat_port: where the chat page listens, if there is to be one; 0 for a free port.
        functions_endpoint: where functions send their AWS calls: to the proxy that faults are put in, if not given;
            ``""`` for straight to the emulated AWS, which knows no Lex.
        observe: told what happens while it starts: the events of ``sandbox.engine.embedded``, and
            ``{"event": "stage", "name", "seconds"}``.

    Attributes:
        app_secret: what webhooks are signed with.
        verify_token: what the handshake asks for.
        page_id: the page.
        deployed: the stack's outputs and resources.
        graph: the stand-in for the Graph API.
        facebook: the sender of webhooks; there is none for a stack without a bot.
        page: the chat page, if there is one.
    """

    def __init__(
        self,
        stack: str = "local",
        *,
        folder: Path = PROJECT,
        settings: Mapping[str, str] | None = None,
        key: tuple[str, ...] = OWNER,
        cloud_port: int = 0,
        graph_port: int = 0,
        chat_port: int | None = None,
        functions_endpoint: str | None = None,
        observe: Observer = _ignore,
    ) -> None:
        self.stack, self._folder, self._key = stack, folder, key
        self._settings = {stack: dict(settings or {})}
        self._ports = (cloud_port, graph_port)
        self._chat_port, self._functions_endpoint, self._observe = chat_port, functions_endpoint, observe
        self.page: ChatPage | None = None
        self._ending: list[Callable[[], None]] = []
        self._clients: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._clients_lock = threading.Lock()
        self._states: dict[str, State] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        self._deploying = threading.Lock()
        self.app_secret = self._settings[stack].get("appSecret") or secrets.token_hex(16)
        self.verify_token = self._settings[stack].get("verifyToken") or secrets.token_hex(16)
        self.page_token = self._settings[stack].get("pageAccessToken") or f"EAA{secrets.token_hex(40)}"
        self.page_id = ""
        self.deployed = Deployed()
        self.facebook: Facebook | None = None
        self.graph: Graph
        self._proxy = Proxy()
        self._cloud: Cloud
        self._graph_server: Server

    def start(self) -> None:
        """Bring everything up.

        Raises:
            SandboxError: with the sentence that says why not; nothing is left behind.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        began = time.monotonic()

        def stage(name: str) -> None:
            self._observe({"event": "stage", "name": name, "seconds": round(time.monotonic() - began, 3)})

        configuration = self._configured(self.stack)
        self.page_id = configuration.get("pageId")
        background = Background()
        self._ending.append(background.stop)
        background.run(self._proxy.start())
        self._ending.append(lambda: background.run(self._proxy.stop()))
        endpoint = self._proxy.url if self._functions_endpoint is None else self._functions_endpoint
        self._cloud = Cloud(configuration.region, endpoint, self._ports[0])
        self._ending.append(self._cloud.stop)
        self._proxy.upstream_port = self._cloud.port
        self._cloud.start()
        run = Run()
        self._ending.append(run.stop)
        self._ending.append(self._stop_facebook)
        self.graph = Graph(
            self.page_id, APP_ID, self.page_token, self.app_secret, echo=self._echo, aws_faults=self._proxy.set_faults
        )
        self._graph_server = Server(Door(self.graph.app, self), self._ports[1], "the stand-in for the Graph API")
        self._ending.append(lambda: background.run(self._graph_server.stop()))
        background.run(self._graph_server.start())
        stage("Facebook's stand-in")
        self.configuration: Configuration = configuration
        page = self._new_page(background)
        self._cloud.wait_until_ready()
        stage("emulated AWS")
        with self._deploying:
            self._deploy(run, self.stack, self._key)
        run.stop()
        stage("stack")
        if page and self.facebook:
            self.page = page
            page.start()
            stage("chat page")

    def _new_page(self, background: Background) -> "ChatPage | None":
        """The chat page, if there is to be one: before the stack, so that whatever is saved from now on is noticed."""
        if self._chat_port is None:
            return None
        from sandbox.page.page import ChatPage  # noqa: PLC0415 - only who looks at the page waits for it

        page = ChatPage(self, self._proxy, background, self._chat_port)
        self._ending.append(page.stop)
        return page

    def _configured(self, stack: str) -> Configuration:
        """A stack's settings, with the sandbox's own secrets and, over all, what was given for this stack."""
        own = {
            "appSecret": self.app_secret,
            "verifyToken": self.verify_token,
            "pageAccessToken": self.page_token,
        }
        return read(self._folder, stack).with_values(**own | self._settings.get(stack, {}))

    def _deploy(self, run: Run, stack: str, key: tuple[str, ...]) -> Deployed:
        configuration = self._configured(stack).with_values(graphApiUrl=self.graph_url)
        if self._chat_port is not None and not configuration.get(pictures.SETTING):
            # Only who looks at the page sees pictures; others read what is said.
            configuration = configuration.with_values(assetsUrl=self.graph_url + pictures.PATH)
        state = self._states.setdefault(stack, {})
        deployed = run.deploy(configuration, self.cloud_url, self._observe, key, state)
        if stack == self.stack:
            self.configuration, self.deployed = configuration, deployed
            self._face_webhook()
        return deployed

    def _face_webhook(self) -> None:
        """Let Facebook send to where the webhook is now, if anywhere."""
        url = str(self.outputs.get("webhookUrl", ""))
        if self.facebook and self.facebook.url == url:
            return
        if self.facebook:
            self.facebook.stop()
        self.facebook = Facebook(url, self.app_secret, self.page_id) if url else None
        if self.page and self.facebook:
            self.page.watch(self.facebook)

    def _stop_facebook(self) -> None:
        if self.facebook:
            self.facebook.stop()

    def stop(self) -> None:
        """End everything, and leave nothing behind. Harmless if repeated."""
        while self._ending:
            self._ending.pop()()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Where things are

    @property
    def cloud_url(self) -> str:
        """Where the emulated AWS answers."""
        return self._cloud.url

    @property
    def graph_url(self) -> str:
        """Where the stand-in for the Graph API answers."""
        return self._graph_server.url

    @property
    def chat_url(self) -> str | None:
        """Where the chat page answers, if there is one."""
        return self.page.url if self.page else None

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return self.deployed.outputs

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The stack's resources, secrets masked: ``urn``, ``type``, ``name``, ``id``, ``inputs``."""
        return self.deployed.resources

    @property
    def webhook_url(self) -> str:
        """The webhook's URL.

        Raises:
            SandboxError: the stack holds no bot.
        """
        if "webhookUrl" not in self.outputs:
            raise SandboxError(
                f"The stack {self.stack} holds no bot: it has no webhook. Set `bot` to true, or choose another."
            )
        return str(self.outputs["webhookUrl"])

    def described(self) -> dict[str, Any]:
        """Where everything is, for those who drive the sandbox from outside."""
        return {
            "stack": self.stack,
            "webhookUrl": self.outputs.get("webhookUrl"),
            "cloudUrl": self.cloud_url,
            "graphUrl": self.graph_url,
            **({"chatUrl": self.chat_url} if self.page else {}),
            "awsFaultsUrl": f"{self.graph_url}/_sandbox/aws-faults",
            "appSecret": self.app_secret,
            "verifyToken": self.verify_token,
            "pageId": self.page_id,
            "appId": APP_ID,
            "functionName": self.outputs.get("functionName"),
            "region": self.configuration.region,
            "outputs": self.deployed.shown_outputs,
        }

    # What one can do with the stack

    def update(
        self, settings: Mapping[str, str] | None = None, *, stack: str | None = None, key: tuple[str, ...] = OWNER
    ) -> Deployed:
        """Deploy again, in place: what is new is made, what differs changed, what is gone deleted, all else left alone.

        Args:
            settings: settings in place of those so far, as text (what is not text as JSON); they stay for later runs.
            stack: which stack; its own if not given. Another is deployed beside it, in the same account.
            key: whose access key deploys: see ``key_of`` and ``session_of``.

        Returns:
            What the stack is now, and what was done with each resource.

        Raises:
            SandboxError: with the sentence that says why not; what was done until then stays.
        """
        stack = stack or self.stack
        with self._deploying:
            before = self._settings.get(stack, {})
            self._settings[stack] = before | dict(settings or {})
            run = Run()
            try:
                return self._deploy(run, stack, key)
            except SandboxError:
                self._settings[stack] = before
                raise
            finally:
                run.stop()

    def destroy(self, *, stack: str | None = None, key: tuple[str, ...] = OWNER) -> Deployed:
        """Delete all that a stack holds, dependents first; what is to be retained is only forgotten.

        Args:
            stack: which stack; its own if not given.
            key: whose access key deletes.

        Raises:
            SandboxError: something is protected (then nothing is deleted), or AWS refuses.
        """
        stack = stack or self.stack
        with self._deploying:
            run = Run()
            try:
                state = self._states.setdefault(stack, {})
                destroyed = run.destroy(self._configured(stack), self.cloud_url, self._observe, key, state)
            finally:
                run.stop()
            if stack == self.stack:
                self.deployed = destroyed
                self._face_webhook()
            return destroyed

    def key_of(self, user: str) -> tuple[str, ...]:
        """An access key of a user's: id and secret; made at the first call.

        Raises:
            SandboxError: there is no such user.
        """
        if user not in self._keys:
            iam = self.client("iam")
            try:
                made = iam.create_access_key(UserName=user)["AccessKey"]
            except iam.exceptions.NoSuchEntityException:
                raise SandboxError(f"There is no user {user}: name them in adminMembers of the stack.") from None
            self._keys[user] = (made["AccessKeyId"], made["SecretAccessKey"])
        return self._keys[user]

    def session_of(self, user: str) -> tuple[str, ...]:
        """The key of a session that a user began with the code of their MFA device: id, secret and token.

        Raises:
            SandboxError: there is no such user.
        """
        iam, key = self.client("iam"), self.key_of(user)
        devices = iam.list_mfa_devices(UserName=user)["MFADevices"]
        serial = devices[0]["SerialNumber"] if devices else self._add_mfa_device(user)
        given = self.client("sts", key).get_session_token(SerialNumber=serial, TokenCode="123456")["Credentials"]
        return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]

    def _add_mfa_device(self, user: str) -> str:
        iam = self.client("iam")
        serial = str(iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"])
        iam.enable_mfa_device(
            UserName=user, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
        return serial

    def decisions(self) -> list[dict[str, Any]]:
        """What was decided of each different call that was not the owner's: see ``Cloud.decisions``."""
        return self._cloud.decisions()

    # What one can do with the bot

    def client(self, service: str, key: tuple[str, ...] = OWNER) -> Any:  # noqa: ANN401 - boto3 makes its clients' types at run time
        """A boto3 client on the emulated AWS.

        Args:
            service: as boto3 names it.
            key: whose access key: id, secret, and a session's token; the account's owner if not given.
        """
        with self._clients_lock:
            if ("", key) not in self._clients:
                self._clients["", key] = Clients(self.cloud_url, self.configuration.region, key)
        return self._clients["", key](service)

    def _facebook(self) -> Facebook:
        if self.facebook is None:
            raise SandboxError(f"The stack {self.stack} holds no bot: set `bot` to true, or choose another stack.")
        return self.facebook

    def _echo(self, item: Item, delay: float) -> None:
        if self.facebook:
            self.facebook.echo(item, delay)

    def deliver(self, items: Sequence[Item], seconds: float = ANSWER_SECONDS) -> Delivery:
        """Send items as Facebook does: signed, in one webhook, until acknowledged. Whoever sent one has now written.

        Raises:
            SandboxError: not acknowledged within ``seconds``.
        """
        for item in items:
            sender = (item.get("sender") or {}).get("id")
            if isinstance(sender, str) and sender != self.page_id:
                self.graph.note_message(sender)
        return self._facebook().deliver(items, seconds)

    def waiting(self) -> int:
        """How many messages are in the bot's queue, those that are being worked on included."""
        attributes = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["queueUrl"], AttributeNames=list(WAITING_MESSAGES)
        )["Attributes"]
        return sum(int(attributes[name]) for name in WAITING_MESSAGES)

    def settle(self, seconds: float = ANSWER_SECONDS) -> None:
        """Wait until all that was accepted has been dealt with: the queue is empty, and no echo is on its way.

        Raises:
            SandboxError: not within ``seconds``.
        """
        facebook = self._facebook()
        deadline = time.monotonic() + seconds
        while True:
            accepted = facebook.accepted
            waiting = self.waiting()
            # With an empty queue no worker runs. What the last one sent shows as an echo that has come since or is on
            # its way; an echo that was acknowledged after the queue was read is in the queue now.
            still = facebook.idle() and facebook.accepted == accepted and self.graph.quiet_seconds() > 0
            if not waiting and still and not self.waiting():
                return
            if time.monotonic() > deadline:
                self._cloud.check()
                failure = self._cloud.last_failure()
                raise SandboxError(
                    f"The bot had not dealt with everything within {seconds:.0f} s: "
                    f"{waiting} messages are still in its queue." + (f" Its last failure: {failure}" if failure else "")
                )
            # To ask takes the longer, the more there is.
            time.sleep(min(MOST_POLL_SECONDS, POLL_SECONDS * max(1, waiting)))

    def say(self, text: str, person: str | None = None, seconds: float = ANSWER_SECONDS) -> list[dict[str, Any]]:
        """Send a text as one person, and wait for its answers.

        Args:
            text: what to say.
            person: the page-scoped id of who says it; somebody new if not given.
            seconds: how long to wait at most.

        Returns:
            The Send API request bodies that were taken for this person, in order.

        Raises:
            SandboxError: not acknowledged, or not dealt with, in time.
        """
        person = person or new_person()
        before = len(self.requests())
        self.deliver([text_item(self.page_id, person, text)], seconds)
        self.settle(seconds)
        return [
            request["body"]
            for request in self.requests()[before:]
            if request["path"].endswith("/messages")
            and request["status"] == 200  # noqa: PLR2004 - HTTP's OK
            and request["body"]["recipient"].get("id") == person
        ]

    def requests(self) -> list[dict[str, Any]]:
        """What the stand-in for the Graph API received, in order."""
        return self.graph.requests()

    def faults(self, described: object) -> None:
        """Set the faults of the Graph API from now on; ``{}`` for none."""
        self.graph.set_faults(described)

    def aws_faults(self, described: object) -> None:
        """Set the faults between function and AWS from now on; ``{}`` for none."""
        self._proxy.set_faults(described)

    def function_workers(self) -> list[int]:
        """The process ids of the functions that run just now: see ``Cloud.function_workers``."""
        return self._cloud.function_workers()

    def kill_functions(self) -> None:
        """End the functions that run just now: see ``Cloud.kill_functions``."""
        self._cloud.kill_functions()

    def wait(self) -> None:
        """Wait for as long as the emulated AWS runs.

        Raises:
            SandboxError: it has ended.
        """
        self._cloud.wait()


def new_person() -> str:
    """A page-scoped id that nobody has yet."""
    return str(secrets.randbelow(9 * 10**15) + 10**15)


class BareCloud:
    """The emulated AWS and the stand-in with nothing deployed, where ``Pulumi.local.yaml`` says: for the real CLI.

    Args:
        folder: where the Pulumi program is.
    """

    def __init__(self, folder: Path = PROJECT) -> None:
        self._folder = folder
        self._ending: list[Callable[[], None]] = []

    def start(self) -> None:
        """Bring both up.

        Raises:
            SandboxError: a port is taken, or the settings name none; nothing is left behind.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        configuration = read(self._folder, "local")
        endpoints = json.loads(configuration.values.get("aws:endpoints", "[]"))
        cloud_port = next((urlsplit(url).port for each in endpoints for url in each.values()), None)
        graph_port = urlsplit(configuration.get("graphApiUrl")).port
        if not cloud_port or not graph_port:
            raise SandboxError("Pulumi.local.yaml names no ports: it needs aws:endpoints and graphApiUrl.")
        background = Background()
        self._ending.append(background.stop)
        proxy = Proxy()
        background.run(proxy.start())
        self._ending.append(lambda: background.run(proxy.stop()))
        self._cloud = Cloud(configuration.region, proxy.url, cloud_port)
        self._ending.append(self._cloud.stop)
        proxy.upstream_port = cloud_port
        self._cloud.start()
        graph = Graph(
            configuration.get("pageId"), APP_ID, configuration.get("pageAccessToken"), configuration.get("appSecret"),
            aws_faults=proxy.set_faults, windows=AlwaysOpen(),
        )  # fmt: skip
        server = Server(graph.app, graph_port, "the stand-in for the Graph API")
        self._ending.append(lambda: background.run(server.stop()))
        background.run(server.start())
        self.graph_url = server.url
        self._cloud.wait_until_ready()
        iam = Clients(self.cloud_url, configuration.region, OWNER)("iam")
        for user in configuration.members():
            iam.create_user(UserName=user)
        self.region, self.page_id = configuration.region, configuration.get("pageId")
        self.app_secret, self.verify_token = configuration.get("appSecret"), configuration.get("verifyToken")

    @property
    def cloud_url(self) -> str:
        """Where the emulated AWS answers."""
        return self._cloud.url

    def described(self) -> dict[str, Any]:
        """Where everything is."""
        return {
            "cloudUrl": self.cloud_url,
            "graphUrl": self.graph_url,
            "awsFaultsUrl": f"{self.graph_url}/_sandbox/aws-faults",
            "appSecret": self.app_secret,
            "verifyToken": self.verify_token,
            "pageId": self.page_id,
            "appId": APP_ID,
            "region": self.region,
        }

    def wait(self) -> None:
        """Wait for as long as the emulated AWS runs.

        Raises:
            SandboxError: it has ended.
        """
        self._cloud.wait()

    def stop(self) -> None:
        """End both, and leave nothing behind. Harmless if repeated."""
        while self._ending:
            self._ending.pop()()
