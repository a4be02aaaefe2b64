"""Checks a bot's registration with Facebook, and makes it what it should be.

`pulumi up`, `python -m ops` and the function's own hourly check all use it.

Sources: Messenger Platform, "Webhooks" and "Messenger Profile API"; Graph API, "Subscriptions", "Debug Token".
"""

import calendar
import secrets as random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

from bot.aws.secrets import SecretValues
from bot.http import Connection, NotSent, Unanswered
from bot.messenger.client import GraphApi
from bot.messenger.errors import SendError
from bot.messenger.news import UtilityTemplate
from bot.messenger.profile import Profile, difference
from bot.messenger.signature import sign
from bot.messenger.versions import NEWEST_VERSION, VERSION_ENDS

SUBSCRIBED = (
    # what the bot answers
    "messages",
    "messaging_postbacks",
    "messaging_optins",
    "messaging_referrals",
    "messaging_account_linking",
    "message_reactions",
    "message_edits",
    "messaging_feedback",
    # what shows that a message arrived, even while another app has the thread
    "message_echoes",
    "standby",
    # what happens to the page
    "messaging_handovers",
    "messaging_policy_enforcement",
    # comments, which the bot can answer privately
    "feed",
    # whether Facebook approves a template of utility messages
    "message_template_status_update",
)
"""The webhook fields that the bot needs. It has no use for receipts (message_deliveries, message_reads)."""
# Instagram Platform, "Webhooks", read on 2026-11-25: some fields have names of their own.
SUBSCRIBED_INSTAGRAM = (
    "messages",
    "messaging_postbacks",
    "messaging_optins",
    "messaging_referral",
    "message_reactions",
    "message_edit",
    "messaging_handover",
    "standby",
    "comments",
    "live_comments",
)
# "Page Subscribed Apps", read on 2026-11-25: the last one is needed to read the subscription back.
SCOPES = ("pages_messaging", "pages_manage_metadata", "pages_show_list")
UTILITY_SCOPE = "page_utility_messaging"
"""For a conversation with templates: "Send a utility message", 2026-03-13."""
VERSION_SECONDS = 120 * 24 * 60 * 60
EMPTY = b'{"object":"page","entry":[]}'
"""A webhook without an event: the bot accepts it and does nothing."""
SOON_SECONDS = 14 * 24 * 60 * 60
# As long as Facebook waits: "Webhooks" of the Messenger Platform.
WEBHOOK_SECONDS = 5.0
OK, FORBIDDEN = 200, 403

APP, INSTAGRAM, PAGE, PROFILE = (
    "app's subscription",
    "app's subscription to Instagram",
    "page's subscription",
    "profile",
)
VERSION = "Graph API"


class Subscribed(NamedTuple):
    """What the app's webhook is registered for: its name in a report, and the fields that the bot needs."""

    what: str
    fields: Sequence[str]


OBJECTS = {"page": Subscribed(APP, SUBSCRIBED), "instagram": Subscribed(INSTAGRAM, SUBSCRIBED_INSTAGRAM)}


class RegistrationError(Exception):
    """The registration could not be read or changed. The message says what is wrong and what to do.

    Args:
        message: the message.
        error: Facebook's error; None if it was another.
    """

    def __init__(self, message: str, error: SendError | None = None) -> None:
        super().__init__(message)
        self.error = error


class Bot(Protocol):
    """What the registration is about: the page, the webhook, and where Facebook answers."""

    @property
    def page_id(self) -> str:
        """The page that the bot answers for."""

    @property
    def webhook_url(self) -> str:
        """Where Facebook sends events."""

    @property
    def graph_api_url(self) -> str:
        """Where the Graph API answers."""

    @property
    def graph_api_version(self) -> str:
        """Such as `v26.0`."""


class Verdict(NamedTuple):
    """The result of one check.

    Attributes:
        what: what was checked.
        fine: whether it is as it should be.
        found: what was found and, if that is wrong, what to do.
    """

    what: str
    fine: bool
    found: str


class Change(NamedTuple):
    """Something that was written to Facebook, or would be.

    Attributes:
        what: what is registered.
        needed: whether it differed.
        found: the difference, or that there was none.
    """

    what: str
    needed: bool
    found: str


class Registered(NamedTuple):
    """Where Facebook sends a page's events: the webhook's URL, the app's fields, and the page's."""

    url: str
    fields: tuple[str, ...]
    page_fields: tuple[str, ...]


class Part(NamedTuple):
    """One part of the registration.

    Attributes:
        what: its name.
        about: the webhook's object that it belongs to; empty for none.
        fine: the sentence if it is as it should be.
        difference: how it differs from what it should be; empty if it does not.
        write: makes it what it should be.
    """

    what: str
    about: str
    fine: str
    difference: Callable[[], str]
    write: Callable[[], object]


def wanted_profile() -> Profile | None:
    """The Messenger profile that the conversation defines as `PROFILE`; None if it defines none."""
    from bot import conversation  # here: most commands need no conversation that can be loaded

    found = getattr(conversation, "PROFILE", None)
    return found if isinstance(found, Profile) else None


def wanted_templates() -> Sequence[UtilityTemplate[Any]]:
    """The templates that the conversation defines as `TEMPLATES`; none if it defines none."""
    from bot import conversation  # here: most commands need no conversation that can be loaded

    return tuple(getattr(conversation, "TEMPLATES", ()))


def wanted_scopes() -> tuple[str, ...]:
    """The permissions that the page's token needs for the conversation in this package."""
    return (*SCOPES, UTILITY_SCOPE) if wanted_templates() else SCOPES


class TokenMemory(Protocol):
    """Remembers which verify token the webhook was registered with. Facebook checks it only then, and never shows it.

    Its methods raise `RegistrationError`.
    """

    def is_present(self, about: str) -> bool:
        """Whether the webhook about this object was registered with the present verify token."""

    def remember(self, about: str) -> None:
        """Remember that it was."""


class PulumiRemembers:
    """The memory of a stack with `appId`: Pulumi registers again whenever the verify token changes."""

    def is_present(self, about: str) -> bool:  # noqa: ARG002 - as the protocol has it
        """Always."""
        return True

    def remember(self, about: str) -> None:
        """Pulumi's state has it."""


class Subscriptions:
    """Where Facebook sends the events of a page.

    Args:
        url: of the Graph API.
        version: of the Graph API.
        page_id: the page.
        app_id: the Facebook app's id; empty for the app that the page's token belongs to.
        secrets: the app's and the page's.

    Raises:
        RegistrationError: the page access token cannot be one.
    """

    def __init__(self, url: str, version: str, page_id: str, app_id: str, secrets: SecretValues) -> None:
        self._given_app_id = app_id
        try:
            self._graph = GraphApi(url, version, page_id, secrets.page_access_token, secrets.app_secrets[0])
        except SendError as error:
            raise RegistrationError(f"{error} Set pageAccessToken, and deploy.", error) from None

    @cached_property
    def _app_id(self) -> str:
        return self._given_app_id or self._graph.app()

    def found(self) -> Registered:
        """What is registered now; empty where nothing is.

        Raises:
            RegistrationError: Facebook refused.
        """
        with _refusal(APP):
            known = self._graph.webhook(self._app_id, "page")
        with _refusal(PAGE):
            page_fields = self._graph.page_subscription(self._app_id)
        return Registered(str(known.get("callback_url", "")), _names(known.get("fields")), page_fields)

    def other_apps(self) -> list[str]:
        """The ids of the other apps that get the page's events; errors as for `found`."""
        with _refusal(PAGE):
            return [each for each in self._graph.subscribed_apps() if each != self._app_id]

    def put_back(self, before: Registered, verify_token: str) -> None:
        """Register exactly what was registered before.

        The page's fields come first: a bot that never got echoes of its own messages might answer them.

        Args:
            before: what was registered.
            verify_token: that of the webhook before; "" if there was none.

        Raises:
            RegistrationError: Facebook refused.
        """
        with _refusal(PAGE):
            if before.page_fields:
                self._graph.subscribe_page(before.page_fields)
            else:
                self._graph.unsubscribe_page()
        with _refusal(APP):
            if before.url:
                self._graph.register_webhook(self._app_id, "page", before.url, verify_token, before.fields)
            else:
                self._graph.unregister_webhook(self._app_id, "page")


class Registration(Subscriptions):
    """A bot's registration with Facebook.

    Args:
        bot: the bot.
        secrets: its secrets.
        registered: the verify token that the webhook was registered with.
        app_id: the Facebook app's id; empty for the app that the page's token belongs to.
        profile: the Messenger profile that the page should have; None to leave it as it is.
        objects: what the webhook is registered for: `page`, and `instagram` if the bot answers there too; None to ask
            Facebook whether an Instagram account is linked to the page.
        scopes: the permissions that the page's token needs: `SCOPES`, or `wanted_scopes()`.

    Raises:
        RegistrationError: no header takes the token, or Facebook refused.
    """

    def __init__(
        self,
        bot: Bot,
        secrets: SecretValues,
        registered: TokenMemory,
        *,
        app_id: str,
        profile: Profile | None,
        objects: Sequence[str] | None,
        scopes: Sequence[str],
    ) -> None:
        super().__init__(bot.graph_api_url, bot.graph_api_version, bot.page_id, app_id, secrets)
        self._bot, self._registered = bot, registered
        self._profile, self._objects, self._scopes = profile, objects, scopes
        self._verify_token = secrets.verify_token
        self._app_secret = secrets.app_secrets[0]

    @cached_property
    def _parts(self) -> Sequence[Part]:
        objects, profile = self._objects, self._profile
        if objects is None:
            with _refusal(PAGE):
                objects = ("page", "instagram") if self._graph.instagram_account() else ("page",)
        # The app comes first: Facebook sends the webhook a handshake, and refuses if nothing answers.
        parts = [
            Part(
                OBJECTS[each].what,
                each,
                "sends its events to the webhook",
                partial(self._app_difference, each),
                partial(self._write_app, each),
            )
            for each in objects
        ]
        parts += [Part(PAGE, "page", "sends its events to the app", self._page_difference, self._write_page)]
        if profile:
            parts.append(
                Part(
                    PROFILE,
                    "",
                    "is what the conversation defines",
                    lambda: self._profile_difference(profile),
                    lambda: self._graph.apply_profile(profile),
                )
            )
        return parts

    def check(self) -> Iterator[Verdict]:
        """Check everything, even where something fails."""
        yield from self.check_stack()
        yield version_verdict(self._bot.graph_api_version)
        yield from self.check_parts()

    def check_parts(self) -> Iterator[Verdict]:
        """Check what is registered, even where something fails."""
        for part in self._parts:
            try:
                found = part.difference()
            except (SendError, RegistrationError) as error:
                yield Verdict(part.what, fine=False, found=_explained(error, part.what))
            else:
                yield Verdict(part.what, not found, f"{found}: run `python -m ops register`" if found else part.fine)

    def check_stack(self) -> Iterator[Verdict]:
        """Check what Facebook's events need, wherever they go now: the webhook and the token."""
        yield from self.check_webhook()
        try:
            yield from self.check_token()
        except RegistrationError as error:
            yield Verdict("token", fine=False, found=str(error))

    def preview(self) -> Iterator[Change]:
        """What `register` would write now; errors as for `register`."""
        for part in self._parts:
            with _refusal(part.what):
                found = part.difference()
            yield Change(part.what, bool(found), found or "is as it should be")

    def register(self) -> Iterator[Change]:
        """Write whatever differs.

        Raises:
            RegistrationError: Facebook refused.
        """
        for part in self._parts:
            yield from self._register(part)

    def _register(self, part: Part) -> Iterator[Change]:
        with _refusal(part.what):
            found = part.difference()
            if found:
                part.write()
        yield Change(part.what, bool(found), found or "is as it should be")

    def heal(self) -> Iterator[Change]:
        """Write whatever is missing of a registration for this webhook. One for another webhook stays: it is a choice.

        Raises:
            RegistrationError: Facebook refused.
        """
        for part in self._parts:
            if part.about and not self._is_elsewhere(part):
                yield from self._register(part)

    def remove(self) -> None:
        """Remove the registration for this webhook. One for another webhook stays.

        Raises:
            RegistrationError: Facebook refused.
        """
        for part in reversed(self._parts):
            if part.about and not self._is_elsewhere(part):
                with _refusal(part.what):
                    if part.what == PAGE:
                        self._graph.unsubscribe_page()
                    elif self._graph.webhook(self._app_id, part.about):
                        self._graph.unregister_webhook(self._app_id, part.about)

    def _is_elsewhere(self, part: Part) -> bool:
        """Whether the app sends what a part is about to another webhook."""
        with _refusal(part.what):
            known = self._graph.webhook(self._app_id, part.about)
        return known.get("callback_url", self._bot.webhook_url) != self._bot.webhook_url

    def check_webhook(self) -> Iterator[Verdict]:
        """Check what Facebook needs of the webhook: the handshake, and that a signed request is accepted."""
        challenge = str(random.randbelow(10**10))
        status, text = handshake(self._bot.webhook_url, self._verify_token, challenge)
        if not status:
            yield Verdict("webhook", fine=False, found=f"does not answer at {self._bot.webhook_url} ({text})")
            return
        fine = status == OK and text == challenge
        found = "answers the handshake" if fine else f"answers the handshake with {status}: see the function's log"
        yield Verdict("webhook", fine, found)
        status, _ = handshake(self._bot.webhook_url, random.token_hex(8), challenge)
        fine = status == FORBIDDEN
        found = "refuses a wrong verify token" if fine else f"answers a wrong verify token with {status}, not 403"
        yield Verdict("webhook", fine, found)
        # HTTP/2 writes names in lower case: nothing on the way may insist on another spelling.
        began = time.monotonic()
        status, _ = call_webhook(
            self._bot.webhook_url, "POST", "", {"x-hub-signature-256": sign(EMPTY, self._app_secret)}, EMPTY
        )
        seconds = time.monotonic() - began
        fine = status == OK
        wrong = (
            f"answers a signed request with {status}, not 200: see the function's log; if it has no line, the gateway's"
        )
        yield Verdict("webhook", fine, f"accepts a signed request, in {seconds:.1f} s" if fine else wrong)

    def check_token(self) -> Iterator[Verdict]:
        """Check the page's token.

        Raises:
            RegistrationError: Facebook refused.
        """
        try:
            token = self._graph.token(self._app_id)
        except SendError as error:
            raise RegistrationError(_explained(error, "token"), error) from None
        if not token.valid:
            yield Verdict("token", fine=False, found="is invalid: make a new one, set pageAccessToken, and deploy")
            return
        owners = {"app": (token.app_id, self._app_id), "page": (token.page_id, self._bot.page_id)}
        wrong = [
            f"{what} {actual}, not {wanted}" for what, (actual, wanted) in owners.items() if actual not in ("", wanted)
        ]
        yield Verdict("token", not wrong, f"is of {' and '.join(wrong)}" if wrong else "is valid, of this app and page")
        missing = [scope for scope in self._scopes if scope not in token.scopes]
        found = f"lacks {', '.join(missing)}: make one with these permissions" if missing else "has its permissions"
        yield Verdict("token", not missing, found)
        if not token.expires:
            yield Verdict("token", fine=True, found="never expires")
            return
        on = time.strftime("%Y-%m-%d", time.gmtime(token.expires))
        fine = token.expires - time.time() > SOON_SECONDS
        yield Verdict(
            "token", fine, f"expires on {on}{'' if fine else ': use the one of a system user, which never does'}"
        )

    def _app_difference(self, about: str) -> str:
        known = self._graph.webhook(self._app_id, about)
        if not known:
            return "does not exist"
        if known.get("callback_url") != self._bot.webhook_url:
            return f"is for {known.get('callback_url')}, not {self._bot.webhook_url}"
        if known.get("active") is False:
            return "is not active"
        if not self._registered.is_present(about):
            return "may still have an older verify token"
        return _missing(_names(known.get("fields")), OBJECTS[about].fields)

    def _page_difference(self) -> str:
        fields = self._graph.page_subscription(self._app_id)
        if fields:
            return _missing(fields, SUBSCRIBED)
        ended = self._graph.webhook(self._app_id, "page")  # Facebook leaves the app's subscription
        return "does not exist: Facebook ends it after an hour of failures" if ended else "does not exist"

    def _profile_difference(self, profile: Profile) -> str:
        changed, gone = difference(profile, self._graph.profile())
        return f"differs in {', '.join([*changed, *gone])}" if changed or gone else ""

    def _write_app(self, about: str) -> None:
        known = _names(self._graph.webhook(self._app_id, about).get("fields"))
        fields = _with_needed_fields(known, OBJECTS[about].fields)
        self._graph.register_webhook(self._app_id, about, self._bot.webhook_url, self._verify_token, fields)
        self._registered.remember(about)

    def _write_page(self) -> None:
        known = self._graph.page_subscription(self._app_id)
        self._graph.subscribe_page(_with_needed_fields(known, SUBSCRIBED))


def handshake(url: str, token: str, challenge: str) -> tuple[int, str]:
    """Send a webhook Facebook's handshake: status and text of the answer, or 0 and why there is none."""
    query = urlencode({"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge})
    return call_webhook(url, "GET", f"?{query}", {}, b"")


def confirms(url: str, token: str) -> bool:
    """Whether a webhook answers Facebook's handshake with this verify token."""
    challenge = str(random.randbelow(10**10))
    return handshake(url, token, challenge) == (OK, challenge)


def call_webhook(url: str, method: str, query: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
    """Send a webhook one request: status and text of the answer, or 0 and why there is none."""
    try:
        connection = Connection(url)
        answer = connection.request(method, query, headers, body, WEBHOOK_SECONDS)
    except (NotSent, Unanswered, ValueError) as error:
        return 0, str(error)
    connection.close()
    return answer.status, answer.body.decode("utf-8", "replace")


@contextmanager
def _refusal(what: str) -> Iterator[None]:
    try:
        yield
    except SendError as error:
        raise RegistrationError(f"The {what} could not be set: {_explained(error, what)}", error) from None


def version_verdict(version: str) -> Verdict:
    """How long the stack's version of the Graph API will be there."""
    advice = f"set graphApiVersion to {NEWEST_VERSION}, and deploy"
    if float(version[1:]) < min(float(known[1:]) for known in VERSION_ENDS):
        return Verdict(VERSION, fine=False, found=f"{version} has ended: {advice}")
    end = VERSION_ENDS.get(version)
    if end is None:
        return Verdict(VERSION, fine=True, found=f"{version} has no date yet on which it ends")
    left = calendar.timegm(time.strptime(end, "%Y-%m-%d")) - time.time()
    if left < 0:
        return Verdict(VERSION, fine=False, found=f"{version} ended on {end}: {advice}")
    soon = left < VERSION_SECONDS
    return Verdict(VERSION, not soon, f"{version} ends on {end}{f': {advice}' if soon else ''}")


def _missing(fields: tuple[str, ...], needed: Sequence[str]) -> str:
    missing = [field for field in needed if field not in fields]
    return f"lacks {', '.join(missing)}" if missing else ""


def _with_needed_fields(known: tuple[str, ...], needed: Sequence[str]) -> list[str]:
    """The needed fields and the known ones: writing replaces them all, and somebody may need more than the bot."""
    return list(dict.fromkeys((*needed, *known)))


def _names(fields: object) -> tuple[str, ...]:
    """The fields' names: in an app's subscription, Facebook adds each field's version."""
    found = fields if isinstance(fields, list) else []
    return tuple(str(each.get("name", "")) if isinstance(each, dict) else str(each) for each in found)


def _explained(error: SendError | RegistrationError, what: str) -> str:
    """An error in an operator's words. Calls in the app's own name fail for other reasons than those with a token."""
    if isinstance(error, RegistrationError):
        return str(error)
    if error.code == 190 and what in {"token", APP, INSTAGRAM}:  # "Error Codes": access token
        return f"Facebook refuses the app's id and secret: check the app's id and the setting appSecret. ({error})"
    if error.code == 2200:  # "Subscriptions": the callback could not be validated
        return f"Facebook got no right answer from the webhook: run `python -m ops check`. ({error})"
    return str(error)
