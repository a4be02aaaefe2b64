"""The Graph API, as far as the bot needs it.

Sources: Messenger Platform, "Send API", "Messenger Profile API", "Attachment Upload API", "Webhooks"; Graph API,
"Secure Graph API Calls", "Debug Token".
"""

import hmac
import json
import os
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from bot.http import Connection, NotSent, Requester, Unanswered
from bot.messenger.errors import Ambiguous, Credentials, Transient, from_response
from bot.messenger.messages import Json, Media, Refused
from bot.messenger.profile import FIELDS, Profile, difference
from bot.messenger.record import Record

# What the bot listens to: "Webhooks", section "Messaging webhook fields". Without `message_echoes` an ambiguous send
# could not be settled.
WEBHOOK_FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_optins",
    "messaging_referrals",
    "messaging_account_linking",
    "messaging_feedback",
    "messaging_handovers",
    "messaging_policy_enforcement",
    "message_echoes",
    "message_edits",
    "message_reactions",
    "standby",
)
_OK = 200
_TIMEOUT = 8.0  # seconds: a send takes well below one; longer means that something is wrong
UPLOAD = 25 * 1024 * 1024  # bytes: "Attachment Upload API"


class Token(Record):
    """What Facebook says of a token.

    Attributes:
        valid: True if it works.
        scopes: its permissions; the bot needs `pages_messaging`, its registration `pages_manage_metadata`.
        expires: when it ends, in seconds since 1970, 0 for never.
        app_id: the app that it was made for.
        page_id: the page that it is for.
    """

    valid: bool
    scopes: tuple[str, ...] = ()
    expires: int = 0
    app_id: str = ""
    page_id: str = ""


class _Call(Record, kw_only=True):
    """One call: as the page, or as the app if its id is given."""

    method: str
    path: str
    body: Json | bytes | None = None
    query: Mapping[str, str] = {}
    app_id: str = ""
    content_type: str = "application/json"


class GraphApi:
    """Calls in the name of one page, over one kept connection. No error holds the token or the secret.

    Every call raises a `SendError` by class of what is to be done.

    Args:
        url: such as `https://graph.facebook.com`.
        version: such as `v26.0`.
        page_id: the page's id.
        token: the page access token.
        app_secret: with which each call proves that it comes from the app's own servers.
        timeout: seconds that a call may take unless the call says otherwise.
        connection: to use instead of a new one to `url`.
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
        # A header takes no other signs, and its own error would quote the token.
        if not token or any(not "!" <= sign <= "~" for sign in token):
            raise Credentials("The token is empty, or holds a blank or another sign that no token has: set it again.")
        self._version, self._page, self._token, self._secret = version, page_id, token, app_secret
        self._timeout = timeout
        self._proof = hmac.digest(app_secret.encode(), token.encode(), "sha256").hex()
        self._connection = connection or Connection(url)

    def send(self, request: Json, timeout: float | None = None) -> str:
        """Send one request of the Send API, and give the message's id.

        A sender action makes no message: its id is "".

        Args:
            request: the body, as a message's `to_request` makes it.
            timeout: seconds for this call.

        Raises:
            SendError: `Ambiguous` means that it may have been sent.
        """
        call = _Call(method="POST", path=f"{self._page}/messages", body=request)
        return _text(self._call(call, timeout or self._timeout), "message_id")

    # The profile

    def profile(self) -> Json:
        """The page's messenger profile as it is."""
        found = self._ask(f"{self._page}/messenger_profile", {"fields": ",".join(FIELDS)})
        return found[0] if found else {}

    def apply_profile(self, wanted: Profile) -> tuple[str, ...]:
        """Make the page's profile the wanted one, and give the names of what was changed: nothing if it was so."""
        changed, gone = difference(wanted, self.profile())
        path = f"{self._page}/messenger_profile"
        if gone:
            self._repeatable(_Call(method="DELETE", path=path, body={"fields": list(gone)}))
        if changed:
            self._repeatable(_Call(method="POST", path=path, body=changed))
        return (*gone, *changed)

    # Registration

    def subscribe_page(self, fields: Sequence[str]) -> None:
        """Have the page's events of these kinds sent to the app's webhook; Facebook takes none without a field."""
        if not fields:
            raise Refused("A page is subscribed to nothing: name at least one field, such as messages.")
        body: Json = {"subscribed_fields": list(fields)}
        self._repeatable(_Call(method="POST", path=f"{self._page}/subscribed_apps", body=body))

    def page_subscription(self, app_id: str) -> tuple[str, ...]:
        """The fields that the page sends to this app; empty if it sends none any longer."""
        for app in self._ask(f"{self._page}/subscribed_apps"):
            if str(app.get("id")) == app_id:
                return _texts(app.get("subscribed_fields"))
        return ()

    def unsubscribe_page(self) -> None:
        """Have no events of the page sent to the app any longer."""
        self._repeatable(_Call(method="DELETE", path=f"{self._page}/subscribed_apps"))

    def register_webhook(self, app_id: str, callback_url: str, verify_token: str, fields: Sequence[str]) -> None:
        """Tell Facebook where the app's webhook is; it asks it for the handshake before this returns."""
        body: Json = {
            "object": "page",
            "callback_url": callback_url,
            "verify_token": verify_token,
            "fields": ",".join(fields),
        }
        self._repeatable(_Call(method="POST", path=f"{app_id}/subscriptions", body=body, app_id=app_id))

    def webhook(self, app_id: str) -> Json:
        """The app's webhook for pages as Facebook knows it (`callback_url`, `active`, `fields`), empty if none."""
        known = self._ask(f"{app_id}/subscriptions", app_id=app_id)
        return next((each for each in known if each.get("object") == "page"), {})

    def token(self, app_id: str) -> Token:
        """What Facebook says of the page access token."""
        call = _Call(method="GET", path="debug_token", query={"input_token": self._token}, app_id=app_id)
        data = self._repeatable(call).get("data")
        facts: Json = data if isinstance(data, dict) else {}
        expires = facts.get("expires_at")
        return Token(
            facts.get("is_valid") is True,
            _texts(facts.get("scopes")),
            expires if isinstance(expires, int) else 0,
            _text(facts, "app_id"),
            _text(facts, "profile_id"),
        )

    # Attachments

    def upload(self, medium: Media) -> str:
        """Have Facebook fetch and keep a medium, and give its id, with which it can be sent again and again."""
        body: Json = {"message": medium.replace(reusable=True).content()}
        return self._uploaded(_Call(method="POST", path=f"{self._page}/message_attachments", body=body))

    def upload_file(self, kind: str, name: str, content_type: str, content: bytes) -> str:
        """Upload a medium, and give its id.

        Args:
            kind: `image`, `audio`, `video` or `file`.
            name: the file's name, as a person sees it.
            content_type: such as `image/png`.
            content: at most 25 MB.
        """
        if len(content) > UPLOAD:
            raise Refused(
                f"{name!r} has {len(content)} bytes, and {UPLOAD} are allowed: make it smaller, or link to it."
            )
        if any(sign in '"\\' or not " " <= sign <= "~" for sign in name + content_type):
            raise Refused(f"The file is called {name!r} ({content_type}): use letters, digits, dots and dashes.")
        message = {"attachment": {"type": kind, "payload": {"is_reusable": True}}}
        boundary = os.urandom(16).hex()
        lines = (
            f"--{boundary}",
            'Content-Disposition: form-data; name="message"',
            "",
            json.dumps(message),
            f"--{boundary}",
            f'Content-Disposition: form-data; name="filedata"; filename="{name}"',
            f"Content-Type: {content_type}",
            "",
            "",
        )
        body = "\r\n".join(lines).encode() + content + f"\r\n--{boundary}--\r\n".encode()
        form = f"multipart/form-data; boundary={boundary}"
        return self._uploaded(
            _Call(method="POST", path=f"{self._page}/message_attachments", body=body, content_type=form)
        )

    def _uploaded(self, call: _Call) -> str:
        return _text(self._repeatable(call), "attachment_id")

    def _ask(self, path: str, query: Mapping[str, str] | None = None, app_id: str = "") -> list[Json]:
        """The objects in an answer's `data`."""
        data = self._repeatable(_Call(method="GET", path=path, query=query or {}, app_id=app_id)).get("data")
        return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []

    # The calls themselves

    def _repeatable(self, call: _Call) -> Json:
        """A call that does no harm if it is made twice: without an answer, it may simply be tried again."""
        try:
            return self._call(call, self._timeout)
        except Ambiguous as error:
            raise Transient(
                status=error.status, code=error.code, subcode=error.subcode, fbtrace_id=error.fbtrace_id
            ) from None

    def _call(self, call: _Call, timeout: float) -> Json:
        token = f"{call.app_id}|{self._secret}" if call.app_id else self._token
        query = urlencode(call.query if call.app_id else {**call.query, "appsecret_proof": self._proof})
        target = f"/{quote(self._version)}/{quote(call.path)}" + (f"?{query}" if query else "")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        content = b""
        if call.body is not None:
            headers["Content-Type"] = call.content_type
            content = call.body if isinstance(call.body, bytes) else json.dumps(call.body).encode()
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


def _parsed(body: bytes) -> Json | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _text(answer: Json, name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
