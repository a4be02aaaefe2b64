"""The Graph API, as far as the bot needs it.

Sources: Messenger Platform, "Send API", "Messenger Profile API", "Attachment Upload API"; Graph API, "Secure Graph API
Calls".
"""

import hmac
import json
from urllib.parse import quote, urlencode

from bot.http import Connection, NotSent, Requester, Unanswered
from bot.messenger.errors import Ambiguous, Credentials, Transient, from_response

_OK = 200
_TIMEOUT = 8.0  # seconds: a send takes well below one; longer means that something is wrong


class GraphApi:
    """Calls in the name of one page, over one kept connection. No error holds the token or the secret.

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
        if any(
            sign <= " " or sign > "~" for sign in token
        ):  # a header takes no other, and its own error would quote the token
            raise Credentials("The token holds a blank, a line break or another sign that no token has: set it again.")
        self._version, self._page, self._token, self._timeout = version, page_id, token, timeout
        self._proof = hmac.digest(app_secret.encode(), token.encode(), "sha256").hex() if app_secret else ""
        self._connection = connection or Connection(url)

    def send(self, request: dict[str, object], timeout: float | None = None) -> str:
        """Send one request of the Send API, and give the message's id ("" for a sender action, which makes no message).

        Args:
            request: the body, as a message's `to_request` makes it.
            timeout: seconds for this call.

        Raises:
            SendError: by class, what is to be done. `Ambiguous` means that it may have been sent.
        """
        answer = self._call("POST", f"{self._page}/messages", request, timeout)
        message_id = answer.get("message_id")
        return message_id if isinstance(message_id, str) else ""

    def _call(
        self, method: str, path: str, body: dict[str, object] | None, timeout: float | None, **query: str
    ) -> dict[str, object]:
        if self._proof:
            query["appsecret_proof"] = self._proof
        target = f"/{quote(self._version)}/{quote(path)}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        content = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        try:
            response = self._connection.request(method, target, headers, content, timeout or self._timeout)
        except NotSent as error:
            raise Transient(f"Nothing was sent: {error}.") from None
        except Unanswered as error:
            raise Ambiguous(f"No answer came: {error}.") from None
        answer = _parsed(response.body)
        if response.status != _OK or answer is None or "error" in answer:
            raise from_response(response.status, response.body)
        return answer


def _parsed(body: bytes) -> dict[str, object] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
