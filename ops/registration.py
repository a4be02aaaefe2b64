"""Is the bot registered with Facebook as it should be, and making it so.

Sources: Messenger Platform, "Webhooks" and "Messenger Profile API"; Graph API, "Subscriptions", "Debug Token".
"""

import secrets as random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from bot import conversation
from bot.aws.client import Aws, AwsError
from bot.aws.secrets import SecretMissing, SecretValues
from bot.http import Connection, NotSent, Unanswered
from bot.messenger.client import GraphApi
from bot.messenger.errors import SendError
from bot.messenger.profile import Profile, difference
from ops.errors import OpsError
from ops.stack import Stack

SUBSCRIBED = (
    # What the bot answers,
    "messages", "messaging_postbacks", "messaging_optins", "messaging_referrals", "messaging_account_linking",
    "message_reactions", "message_edits", "messaging_feedback",
    # what tells that a send arrived, also while another app has the thread,
    "message_echoes", "standby",
    # and what happens to the page. Receipts (message_deliveries, message_reads) would be counted and no more.
    "messaging_handovers", "messaging_policy_enforcement",
)  # fmt: skip
"""The webhook fields that the bot needs."""
SCOPES = ("pages_messaging", "pages_manage_metadata")
PARAMETERS = ("page-access-token", "app-secret", "app-secret-previous", "verify-token")
SOON_SECONDS = 14 * 24 * 60 * 60
# What Facebook waits for, "Webhooks" of the Messenger Platform.
WEBHOOK_SECONDS = 5.0
OK, FORBIDDEN = 200, 403

Json = dict[str, Any]


class Verdict(NamedTuple):
    """What one look found.

    Attributes:
        what: that was looked at.
        fine: whether it is as it should be.
        found: what was found and, if it is not fine, what to do.
    """

    what: str
    fine: bool
    found: str


class Change(NamedTuple):
    """One thing that was written to Facebook, or would be; `found` says why, or that nothing had to be."""

    what: str
    needed: bool
    found: str


def read_secrets(aws: Aws, path: str) -> SecretValues:
    """The stack's secrets, from SSM.

    Raises:
        OpsError: one is missing.
        AwsError: AWS refuses them.
    """
    found: dict[str, str] = {}
    for name in PARAMETERS:
        try:
            answer = aws.call("ssm", "GetParameter", {"Name": f"{path}/{name}", "WithDecryption": True})
            found[name] = answer["Parameter"]["Value"]
        except AwsError as error:
            if error.code != "ParameterNotFound":
                raise
    try:
        return SecretValues(found)
    except SecretMissing as error:
        raise OpsError(str(error)) from None


class Registration:
    """A stack's registration with Facebook.

    Args:
        stack: the stack.
        secrets: its secrets.
        app_id: the Facebook app's id.
        profile: the messenger profile that the page is to have; None to leave it as it is.
    """

    def __init__(self, stack: Stack, secrets: SecretValues, app_id: str, profile: Profile | None) -> None:
        self._stack, self._app_id, self._profile = stack, app_id, profile
        self._verify_token = secrets.verify_token
        try:
            self._graph = GraphApi(
                stack.graph_api_url,
                stack.graph_api_version,
                stack.page_id,
                secrets.page_access_token,
                secrets.app_secrets[0],
            )
        except SendError as error:
            raise OpsError(f"{error} Set pageAccessToken, and deploy.") from None

    # Looking

    def check(self) -> Iterator[Verdict]:
        """Look at everything, one after the other, whatever the others say."""
        looks: Mapping[str, Callable[[], Iterator[Verdict]]] = {
            "webhook": self._check_webhook,
            "token": self._check_token,
            "app's subscription": self._check_app,
            "page's subscription": self._check_page,
            "profile": self._check_profile,
        }
        for what, look in looks.items():
            try:
                yield from look()
            except SendError as error:
                yield Verdict(what, fine=False, found=_plain(error, what))

    def _check_webhook(self) -> Iterator[Verdict]:
        challenge = str(random.randbelow(10**10))
        status, text = self._handshake(self._verify_token, challenge)
        if not status:
            yield Verdict("webhook", fine=False, found=f"does not answer at {self._stack.webhook_url} ({text})")
            return
        fine = status == OK and text == challenge
        found = "answers the handshake" if fine else f"answers the handshake with {status}: see the function's log"
        yield Verdict("webhook", fine, found)
        status, _ = self._handshake(random.token_hex(8), challenge)
        fine = status == FORBIDDEN
        found = "refuses a wrong verify token" if fine else f"answers a wrong verify token with {status}, not 403"
        yield Verdict("webhook", fine, found)

    def _handshake(self, token: str, challenge: str) -> tuple[int, str]:
        """Ask as Facebook does: status and text, or 0 and why there is no answer."""
        parts = urlsplit(self._stack.webhook_url)
        query = urlencode({"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge})
        try:
            connection = Connection(f"{parts.scheme}://{parts.netloc}")
            answer = connection.request("GET", f"{parts.path}?{query}", {}, b"", WEBHOOK_SECONDS)
        except (NotSent, Unanswered, ValueError) as error:
            return 0, str(error)
        connection.close()
        return answer.status, answer.body.decode("utf-8", "replace")

    def _check_token(self) -> Iterator[Verdict]:
        token = self._graph.token(self._app_id)
        if not token.valid:
            yield Verdict("token", fine=False, found="is not valid: make a new one, set pageAccessToken, and deploy")
            return
        whose = {"app": (token.app_id, self._app_id), "page": (token.page_id, self._stack.page_id)}
        wrong = [f"{what} {is_}, not {shall}" for what, (is_, shall) in whose.items() if is_ and is_ != shall]
        yield Verdict("token", not wrong, f"is of {' and '.join(wrong)}" if wrong else "is valid, of this app and page")
        missing = [scope for scope in SCOPES if scope not in token.scopes]
        found = f"lacks {', '.join(missing)}: make one with these permissions" if missing else "has its permissions"
        yield Verdict("token", not missing, found)
        left = token.expires - time.time()
        if not token.expires:
            yield Verdict("token", fine=True, found="never expires")
        else:
            on = time.strftime("%Y-%m-%d", time.gmtime(token.expires))
            advice = "" if left > SOON_SECONDS else ": make one of a system user's, which never does"
            yield Verdict("token", left > SOON_SECONDS, f"expires on {on}{advice}")

    def _check_app(self) -> Iterator[Verdict]:
        yield Verdict("app's subscription", *_verdict(self._app_lack(), "sends its events to the webhook"))

    def _check_page(self) -> Iterator[Verdict]:
        yield Verdict("page's subscription", *_verdict(self._page_lack(), "sends its events to the app"))

    def _check_profile(self) -> Iterator[Verdict]:
        if self._profile is None:
            yield Verdict(
                "profile", fine=True, found="bot/conversation defines none: the page's is left as it is"
            )
        else:
            yield Verdict("profile", *_verdict(self._profile_lack(), "is what bot/conversation defines"))

    # What is missing, in words; "" if nothing is

    def _app_lack(self) -> str:
        known = self._graph.webhook(self._app_id)
        if not known:
            return "does not exist"
        if known.get("callback_url") != self._stack.webhook_url:
            return f"is for {known.get('callback_url')}, not {self._stack.webhook_url}"
        if known.get("active") is False:
            return "is not active"
        return _lacking(_names(known.get("fields")))

    def _page_lack(self) -> str:
        fields = self._graph.page_subscription(self._app_id)
        return _lacking(fields) if fields else "does not exist (any longer): Facebook ends it after an hour of failures"

    def _profile_lack(self) -> str:
        if self._profile is None:
            return ""
        changed, gone = difference(self._profile, self._graph.profile())
        return f"differs in {', '.join([*changed, *gone])}" if changed or gone else ""

    # Writing

    def register(self, *, dry: bool) -> Iterator[Change]:
        """Make everything as it should be; write only where something differs.

        Args:
            dry: write nothing, tell only what would be written.

        Raises:
            OpsError: Facebook does not take it.
        """
        steps: Mapping[str, tuple[Callable[[], str], Callable[[], None]]] = {
            # Facebook asks the webhook for the handshake before it takes this: it must be up.
            "app's subscription": (self._app_lack, self._write_app),
            "page's subscription": (self._page_lack, self._write_page),
            "profile": (self._profile_lack, self._write_profile),
        }
        for what, (lack, write) in steps.items():
            try:
                lacking = lack()
                if lacking and not dry:
                    write()
            except SendError as error:
                raise OpsError(f"The {what} could not be set: {_plain(error, what)}") from None
            yield Change(what, bool(lacking), lacking or "is as it should be")

    def _write_app(self) -> None:
        known = _names(self._graph.webhook(self._app_id).get("fields"))
        self._graph.register_webhook(
            self._app_id, self._stack.webhook_url, self._verify_token, _together(SUBSCRIBED, known)
        )

    def _write_page(self) -> None:
        self._graph.subscribe_page(_together(SUBSCRIBED, self._graph.page_subscription(self._app_id)))

    def _write_profile(self) -> None:
        if self._profile is not None:
            self._graph.apply_profile(self._profile)


def wanted_profile() -> Profile | None:
    """The messenger profile that the conversation defines as `PROFILE`; None if it defines none."""
    found = getattr(conversation, "PROFILE", None)
    return found if isinstance(found, Profile) else None


def _verdict(lack: str, fine: str) -> tuple[bool, str]:
    return not lack, f"{lack}: run `python -m ops register`" if lack else fine


def _lacking(fields: tuple[str, ...]) -> str:
    missing = [field for field in SUBSCRIBED if field not in fields]
    return f"lacks {', '.join(missing)}" if missing else ""


def _together(needed: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
    """All fields, once each: writing them replaces what was there, and somebody may need more than the bot."""
    return list(dict.fromkeys((*needed, *known)))


def _names(fields: object) -> tuple[str, ...]:
    """The fields of an app's subscription: Facebook tells each with its version."""
    found = fields if isinstance(fields, list) else []
    return tuple(str(each.get("name", "")) if isinstance(each, dict) else str(each) for each in found)


def _plain(error: SendError, what: str) -> str:
    """An error in an operator's words: those that go in the app's own name fail for reasons of their own."""
    if error.code == 190 and what in {"token", "app's subscription"}:  # noqa: PLR2004  "Error Codes": access token
        return f"Facebook does not take the app's id with its secret: is --app-id right, and appSecret? ({error})"
    if error.code == 2200:  # noqa: PLR2004  "Subscriptions": the callback could not be validated
        return f"Facebook got no right answer from the webhook: run `python -m ops check`. ({error})"
    return str(error)
