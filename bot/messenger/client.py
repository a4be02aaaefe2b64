"""The Graph API, as far as the bot needs it.

Sources: Messenger Platform, "Send API", "Messenger Profile API", "Webhooks"; Graph API, "Secure Graph API Calls",
"Debug Token", "Page Subscribed Apps", "App Subscriptions".
"""

import hmac
import json
import time
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from bot.http import Connection, NotSent, Requester, Unanswered
from bot.messenger.errors import (
    Ambiguous,
    Credentials,
    NotAllowed,
    PersonOrToken,
    SendError,
    SlowDown,
    Transient,
    Unclear,
    Unreachable,
    from_response,
)
from bot.messenger.messages import Json, Refused
from bot.messenger.profile import FIELDS, Profile, difference
from bot.messenger.record import Record

SENDING = "pages_messaging"  # the permission to send
_PERMISSION = frozenset({3, 10, *range(200, 300)})  # "Graph API, Handling Errors", 2026-11-25
_OK = 200
# "Messenger Business Template" of the Graph API's reference, 2026-11-25.
_TEMPLATE_FIELDS = ("name", "language", "status", "rejected_reason", "parameter_format", "components")
_SHORTEST = 1.0  # seconds for a call, however late it is
_TIMEOUT = 8.0  # seconds: a send takes well below one


class Token(Record):
    """What Facebook says about a token.

    Attributes:
        valid: True if it works.
        scopes: its permissions.
        expires: when it expires, in seconds since 1970; 0 for never.
        app_id: the app it belongs to.
        page_id: the page it belongs to.
    """

    valid: bool
    scopes: tuple[str, ...] = ()
    expires: int = 0
    app_id: str = ""
    page_id: str = ""


class _Call(Record, kw_only=True):
    """One call: as the app if `app_id` is given, or else as the page."""

    method: str
    path: str
    body: Mapping[str, object] | None = None
    query: Mapping[str, str] = {}
    app_id: str = ""


class GraphApi:
    """Calls in the name of one page, over one kept connection. No error contains the token or the secret.

    Every call raises a `SendError`, whose class says what to do.

    Args:
        url: such as `https://graph.facebook.com`.
        version: such as `v26.0`.
        page_id: the page's id.
        token: the page access token.
        app_secret: with it each call proves that it comes from the app's own servers.
        timeout: seconds that a call may take, unless the call has its own limit.
        connection: used instead of a new one to `url`.
    """

    def __init__(
        self,
        url: str,
        version: str,
        page_id: str,
        token: str,
        app_secret: str,
        *,
        timeout: float = _TIMEOUT,
        connection: Requester | None = None,
    ) -> None:
        # A header allows no other characters, and the error of `http.client` would quote the token.
        if not token or any(not "!" <= character <= "~" for character in token):
            raise Credentials("The token is empty, or contains a space or another invalid character: set it again.")
        self._version, self._page, self._token, self._secret = version, page_id, token, app_secret
        self._timeout = timeout
        self._proof = hmac.digest(app_secret.encode(), token.encode(), "sha256").hex()
        self._connection = connection or Connection(url)

    def send(self, request: Mapping[str, object], timeout: float | None = None) -> str:
        """Send one request and return the message's id; "" for a sender action or thread control, which have none.

        A public reply to a comment is made at most once: if the page has replied with these words, nothing is sent.

        Args:
            request: the body, as a message's `to_request` makes it; `control` names another call than the Send API's.
            timeout: seconds for this call.

        Raises:
            SendError: `Ambiguous` means that the message may have been sent.
        """
        seconds = timeout or self._timeout
        until = seconds + time.monotonic()
        try:
            if "public_reply" in request:
                return self._reply_publicly(request, until)
            body = dict(request)
            path = f"{self._page}/{body.pop('control', 'messages')}"
            return _text(self._call(_Call(method="POST", path=path, body=body), seconds), "message_id")
        except PersonOrToken as error:
            raise _as(Unreachable if self._token_sends(until) else Credentials, error) from None
        except Credentials as error:
            # Utility messages need a permission of their own ("Send a utility message"), and the others do not.
            of_its_own = request.get("messaging_type") == "UTILITY" and error.code in _PERMISSION
            raise (_as(NotAllowed, error) if of_its_own and self._token_sends(until) else error) from None

    def _reply_publicly(self, request: Mapping[str, object], until: float) -> str:
        """Reply under a comment, unless the page has done so with the same words, and return the reply's id.

        No webhook brings back a key of ours, as an echo does. But the replies can be read, so no doubt is left.
        """
        path, words = _text(request, "path"), _text(request, "public_reply")
        query = {"fields": "id,message,from", "order": "reverse_chronological", "limit": "100"}
        if path.endswith("/replies"):  # on Instagram
            query = {"fields": "id,text"}
        for each in self._ask(path, query, timeout=max(until - time.monotonic(), _SHORTEST)):
            author = each.get("from", {"id": self._page})
            said = _text(each, "message") or _text(each, "text")
            if said.strip() == words.strip() and isinstance(author, dict) and author.get("id") == self._page:
                return _text(each, "id")
        call = _Call(method="POST", path=path, body={"message": words})
        return _text(self._call(call, max(until - time.monotonic(), _SHORTEST)), "id")

    def _token_sends(self, until: float) -> bool:
        """Whether Facebook says that the token is valid, of this page, and may send messages.

        The app's id is asked first: its own token must ask about the page's ("Debug Token"). What is wrong with these
        calls says nothing about the message.
        """

        def left() -> float:
            return max(until - time.monotonic(), _SHORTEST)

        try:
            token = self.token(self.app(left()), left())
        except (Transient, SlowDown, Credentials):
            raise
        except SendError as error:
            raise _as(Unclear, error) from None
        return token.valid and token.page_id in ("", self._page) and SENDING in token.scopes

    def person(self, psid: str, fields: Sequence[str], timeout: float | None = None) -> dict[str, str]:
        """These fields of a person's profile; without those that they do not show. Source: "User Profile API".

        Args:
            psid: their page-scoped id.
            fields: such as `first_name`, or `locale`, which needs the permission `pages_user_locale`.
            timeout: seconds for this call.
        """
        found = self._repeatable(_Call(method="GET", path=psid, query={"fields": ",".join(fields)}), timeout)
        return {name: text for name in fields if (text := _text(found, name))}

    def facts(self, fields: Sequence[str], app_id: str = "") -> Json:
        """These fields of the page, or of the app. Sources: Graph API reference, "Page" and "Application".

        Args:
            fields: such as `is_published` of a page, or `privacy_policy_url` of an app.
            app_id: the app's id; empty for the page.
        """
        call = _Call(method="GET", path=app_id or self._page, query={"fields": ",".join(fields)}, app_id=app_id)
        return self._repeatable(call)

    # The profile

    def profile(self) -> Json:
        """The page's present Messenger profile."""
        found = self._ask(f"{self._page}/messenger_profile", {"fields": ",".join(FIELDS)})
        return found[0] if found else {}

    def apply_profile(self, wanted: Profile) -> tuple[str, ...]:
        """Change the page's profile to the wanted one, and return the names of the fields that had to be changed."""
        changed, gone = difference(wanted, self.profile())
        path = f"{self._page}/messenger_profile"
        if gone:
            self._repeatable(_Call(method="DELETE", path=path, body={"fields": list(gone)}))
        if changed:
            self._repeatable(_Call(method="POST", path=path, body=changed))
        return (*gone, *changed)

    # Templates of utility messages

    def templates(self) -> list[Json]:
        """The page's templates, each with `id`, `name`, `language`, `status`, `rejected_reason` and `components`."""
        found: list[Json] = []
        after = ""
        while True:
            query = {"fields": ",".join(_TEMPLATE_FIELDS)} | ({"after": after} if after else {})
            answer = self._repeatable(_Call(method="GET", path=f"{self._page}/message_templates", query=query))
            found += _objects(answer.get("data"))
            paging = answer.get("paging")
            cursors = paging.get("cursors") if isinstance(paging, dict) and "next" in paging else None
            if not isinstance(cursors, dict) or not (after := _text(cursors, "after")):
                return found

    def create_template(self, request: Json) -> str:
        """Create a template and return its status; see `bot.messenger.news.UtilityTemplate.to_request`.

        Raises:
            SendError: `Ambiguous` means that it may have been created.
        """
        call = _Call(method="POST", path=f"{self._page}/message_templates", body=request)
        return _text(self._call(call, self._timeout), "status")

    def update_template(self, identity: str, request: Json) -> None:
        """Replace what a template says. Facebook reviews it again. Arguments as of `create_template`, and its id."""
        changed = {name: request[name] for name in ("components", "parameter_format")}
        self._repeatable(_Call(method="POST", path=identity, body=changed))

    # Registration

    def subscribe_page(self, fields: Sequence[str]) -> None:
        """Subscribe the app's webhook to these fields of the page."""
        if not fields:
            raise Refused("A subscription needs fields: name at least one field, such as messages.")
        body: Json = {"subscribed_fields": list(fields)}
        self._repeatable(_Call(method="POST", path=f"{self._page}/subscribed_apps", body=body))

    def unsubscribe_page(self) -> None:
        """Subscribe the app to nothing of the page any more."""
        self._repeatable(_Call(method="DELETE", path=f"{self._page}/subscribed_apps"))

    def subscribed_apps(self) -> dict[str, tuple[str, ...]]:
        """The id of each app that is subscribed to the page, and the fields to which it is."""
        apps = self._ask(f"{self._page}/subscribed_apps")
        return {str(app.get("id")): _texts(app.get("subscribed_fields")) for app in apps}

    def instagram_account(self) -> str:
        """The id of the Instagram account that is linked to the page; "" if there is none, or the token may not know.

        Source: Instagram Platform, "Get started" with Facebook Login, read on 2026-11-25: `instagram_business_account`.
        """
        field = "instagram_business_account"
        linked = self._repeatable(_Call(method="GET", path=self._page, query={"fields": field})).get(field)
        return _text(linked, "id") if isinstance(linked, dict) else ""

    def app(self, timeout: float | None = None) -> str:
        """The id of the app that the page's token belongs to."""
        return _text(self._repeatable(_Call(method="GET", path="app", query={"fields": "id"}), timeout), "id")

    def page_subscription(self, app_id: str) -> tuple[str, ...]:
        """The fields of the page to which this app is subscribed."""
        return self.subscribed_apps().get(app_id, ())

    def register_webhook(
        self, app_id: str, about: str, callback_url: str, verify_token: str, fields: Sequence[str]
    ) -> None:
        """Register the app's webhook. Facebook verifies it with a handshake before this call returns.

        Args:
            app_id: the app's id.
            about: what it is about, `page` or `instagram`.
            callback_url: the webhook.
            verify_token: what it knows Facebook by.
            fields: what is sent to it.
        """
        body: Json = {
            "object": about,
            "callback_url": callback_url,
            "verify_token": verify_token,
            "fields": ",".join(fields),
        }
        self._repeatable(_Call(method="POST", path=f"{app_id}/subscriptions", body=body, app_id=app_id))

    def unregister_webhook(self, app_id: str, about: str) -> None:
        """Have nothing sent about `page` or `instagram` any more."""
        query = {"object": about}
        self._repeatable(_Call(method="DELETE", path=f"{app_id}/subscriptions", query=query, app_id=app_id))

    def webhook(self, app_id: str, about: str) -> Json:
        """The app's webhook for `page` or `instagram`: `callback_url`, `active`, `fields`; empty if there is none."""
        known = self._ask(f"{app_id}/subscriptions", app_id=app_id)
        return next((each for each in known if each.get("object") == about), {})

    def token(self, app_id: str, timeout: float | None = None) -> Token:
        """What Facebook says about the page access token; arguments as of `send` and `webhook`."""
        call = _Call(method="GET", path="debug_token", query={"input_token": self._token}, app_id=app_id)
        data = self._repeatable(call, timeout).get("data")
        facts: Json = data if isinstance(data, dict) else {}
        expires = facts.get("expires_at")
        return Token(
            facts.get("is_valid") is True,
            _texts(facts.get("scopes")),
            expires if isinstance(expires, int) else 0,
            _text(facts, "app_id"),
            _text(facts, "profile_id"),
        )

    def _ask(
        self, path: str, query: Mapping[str, str] | None = None, app_id: str = "", timeout: float | None = None
    ) -> list[Json]:
        """The objects in an answer's `data`."""
        call = _Call(method="GET", path=path, query=query or {}, app_id=app_id)
        return _objects(self._repeatable(call, timeout).get("data"))

    # The calls themselves

    def _repeatable(self, call: _Call, timeout: float | None = None) -> Json:
        """A call that may be made twice. So without an answer it can simply be tried again."""
        try:
            return self._call(call, timeout or self._timeout)
        except Ambiguous as error:
            raise _as(Transient, error) from None

    def _call(self, call: _Call, timeout: float) -> Json:
        token = f"{call.app_id}|{self._secret}" if call.app_id else self._token
        query = urlencode(call.query if call.app_id else {**call.query, "appsecret_proof": self._proof})
        target = f"/{quote(self._version)}/{quote(call.path)}" + (f"?{query}" if query else "")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        content = b""
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(call.body).encode()
        try:
            response = self._connection.request(call.method, target, headers, content, timeout)
        except NotSent as error:
            raise Transient(f"Nothing was sent: {error}.") from None
        except Unanswered as error:
            raise Ambiguous(f"No answer came: {error}.") from None
        answer = _parsed(response.body)
        if response.status != _OK or answer is None or "error" in answer:
            raise from_response(response.status, response.body)
        return answer


def _as(kind: type[SendError], error: SendError) -> SendError:
    return kind(status=error.status, code=error.code, subcode=error.subcode, fbtrace_id=error.fbtrace_id)


def _parsed(body: bytes) -> Json | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _objects(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(answer: Mapping[str, object], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
