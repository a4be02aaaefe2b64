"""The registration with Facebook as a Pulumi resource: what `python -m ops register` does, as a part of the stack.

Pulumi runs the provider in a process of its own, in the project's folder and with the project's Python.
"""

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import pulumi
from pulumi import dynamic
from pulumi.runtime.rpc import UNKNOWN

from bot.aws.secrets import SecretValues
from bot.registration import (
    SCOPES,
    PulumiRemembers,
    Registration,
    RegistrationError,
    TokenMemory,
    wanted_profile,
)

IDENTITY = frozenset({"appId", "pageId"})
SECRETS = ("pageAccessToken", "appSecret", "verifyToken")
DRIFT = "changesAtFacebook"
"""The property that says how Facebook differs from what is wanted: a preview shows it."""

Properties = Mapping[str, Any]


class RegisteredBot(NamedTuple):
    """What is registered; see `bot.registration.Bot`."""

    page_id: str
    webhook_url: str
    graph_api_url: str
    graph_api_version: str


class FacebookProvider(dynamic.ResourceProvider):
    """Creates, reads, changes and deletes a registration."""

    def configure(self, req: dynamic.ConfigureRequest) -> None:  # noqa: ARG002 - as Pulumi calls it
        """Let a failure be its sentence: Pulumi shows the whole traceback, as far as this process makes one."""
        sys.tracebacklimit = 0

    def check(self, _olds: Properties, news: Properties) -> dynamic.CheckResult:
        """Add how Facebook differs, so that `pulumi preview` shows it."""
        known = {name: value for name, value in news.items() if name != DRIFT}
        drift = [] if UNKNOWN in known.values() else _drift(known)
        return dynamic.CheckResult({**known, DRIFT: drift}, [])

    def diff(self, _id: str, olds: Properties, news: Properties) -> dynamic.DiffResult:
        """Compare with what was registered, and with what Facebook has now."""
        changed = {name for name in news if name != "__provider" and olds.get(name) != news[name]}
        if news[DRIFT]:  # a refresh may have noted the same
            changed.add(DRIFT)
        # What belongs to the old page goes first: both may share the app's webhook.
        return dynamic.DiffResult(bool(changed), sorted(changed & IDENTITY), [], delete_before_replace=True)

    def create(self, props: Properties) -> dynamic.CreateResult:
        """Register whatever differs, and in any case this verify token, which Facebook does not show."""
        return dynamic.CreateResult(f"{props['appId']}-{props['pageId']}", _registered(props, NewToken()))

    def read(self, id_: str, props: Properties) -> dynamic.ReadResult:
        """See how Facebook differs now."""
        return dynamic.ReadResult(id_, {**props, DRIFT: _differences(_registration(props))})

    def update(self, _id: str, olds: Properties, news: Properties) -> dynamic.UpdateResult:
        """Register whatever differs."""
        same_token = olds.get("verifyToken") == news["verifyToken"]
        return dynamic.UpdateResult(_registered(news, PulumiRemembers() if same_token else NewToken()))

    def delete(self, _id: str, props: Properties) -> None:
        """Let Facebook send nothing to this webhook, which goes too. A registration for another webhook stays."""
        try:
            _registration(props).remove()
        except RegistrationError as error:
            raise RegistrationError(
                f"{error} Run the same command again once this is repaired. To leave Facebook as it is, remove the "
                "resource from Pulumi's state: pulumi state delete, with its URN."
            ) from None


class FacebookRegistration(dynamic.Resource):
    """What Facebook sends to the bot's webhook, and the page's Messenger profile.

    Args:
        name: the resource's name.
        app_id, page_id: the Facebook app, and the page.
        webhook_url: where Facebook sends events; it must answer already.
        graph_api_url, graph_api_version: where the Graph API answers.
        page_access_token, app_secret, verify_token: secrets, encrypted in Pulumi's state.
        opts: Pulumi's options.
    """

    def __init__(
        self,
        name: str,
        *,
        app_id: str,
        page_id: str,
        webhook_url: pulumi.Input[str],
        graph_api_url: str,
        graph_api_version: str,
        page_access_token: str,
        app_secret: str,
        verify_token: str,
        opts: pulumi.ResourceOptions,
    ) -> None:
        secrets = dict(zip(SECRETS, (page_access_token, app_secret, verify_token), strict=True))
        properties: dict[str, pulumi.Input[Any]] = {
            "appId": app_id,
            "pageId": page_id,
            "webhookUrl": webhook_url,
            "graphApiUrl": graph_api_url,
            "graphApiVersion": graph_api_version,
            **{each: pulumi.Output.secret(value) for each, value in secrets.items()},
            DRIFT: [],
        }
        encrypted = pulumi.ResourceOptions(additional_secret_outputs=list(SECRETS))
        super().__init__(FacebookProvider(), name, properties, pulumi.ResourceOptions.merge(opts, encrypted))


class NewToken:
    """The memory of a webhook that was registered with another verify token, or by somebody else."""

    def __init__(self) -> None:
        self._registered: set[str] = set()

    def is_present(self, about: str) -> bool:
        """Whether it was registered since."""
        return about in self._registered

    def remember(self, about: str) -> None:
        """Remember that it was."""
        self._registered.add(about)


def _registration(props: Properties, memory: TokenMemory | None = None) -> Registration:
    names = {"page-access-token": "pageAccessToken", "app-secret": "appSecret", "verify-token": "verifyToken"}
    return Registration(
        RegisteredBot(props["pageId"], props["webhookUrl"], props["graphApiUrl"], props["graphApiVersion"]),
        SecretValues({name: props[property_name] for name, property_name in names.items()}),
        memory or PulumiRemembers(),
        app_id=props["appId"],
        profile=wanted_profile(),
        objects=None,
        scopes=SCOPES,
    )


def _registered(props: Properties, memory: TokenMemory) -> dict[str, Any]:
    """Register whatever differs, and return the properties of the registration."""
    for _ in _registration(props, memory).register():
        pass
    return {**props, DRIFT: []}


def _differences(registration: Registration) -> list[str]:
    return [f"the {each.what} {each.found}" for each in registration.preview() if each.needed]


def _drift(props: Properties) -> list[str]:
    try:
        return _differences(_registration(props))
    except RegistrationError as error:
        # A preview goes on without Facebook; `pulumi up` then fails with the same sentence.
        return [f"unknown: {error}"]
