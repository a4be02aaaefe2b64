"""The errors of the Graph API. Each class stands for what to do about them.

Sources: Graph API, "Handling Errors"; Messenger Platform, "Error Codes".
"""

import json
from http import HTTPStatus

_SENTENCE = 300  # characters of Facebook's message that are kept
_PROOF = "appsecret_proof"
_WORD = 24  # characters: a longer word is a token, an id or a signature


class SendError(Exception):
    """A call that failed.

    Attributes:
        status: the HTTP status; 0 if there was no answer.
        code: Facebook's error code; 0 if there is none.
        subcode: its subcode; 0 if there is none.
        fbtrace_id: the id that Facebook's support asks for; "" if there is none.
        reason: what happened, without the `fbtrace_id`.
    """

    meaning = "The call failed."

    def __init__(
        self, detail: str = "", *, status: int = 0, code: int = 0, subcode: int = 0, fbtrace_id: str = ""
    ) -> None:
        facts = [
            f"{name} {value}" for name, value in (("status", status), ("code", code), ("subcode", subcode)) if value
        ]
        trace = [f"fbtrace_id {fbtrace_id}"] if fbtrace_id else []
        sentence = f"{self.meaning} {detail}".strip()
        super().__init__(_with_facts(sentence, facts + trace))
        self.reason = _with_facts(sentence, facts)
        self.status, self.code, self.subcode, self.fbtrace_id = status, code, subcode, fbtrace_id


def _with_facts(sentence: str, facts: list[str]) -> str:
    return f"{sentence} ({', '.join(facts)})" if facts else sentence


class Transient(SendError):
    """Nothing was sent. The same call can succeed later."""

    meaning = "Facebook cannot be reached, or is out of order at the moment: try again later."


class Ambiguous(SendError):
    """The message may have been sent. Only the page's echo shows whether it was."""

    meaning = "Facebook may have accepted the call: wait for the echo before trying again."


class SlowDown(SendError):
    """Facebook limits the page. Sending more makes it worse."""

    meaning = "Facebook limits the page: pause sending, and see the page's quality and rate limits."


class Unreachable(SendError):
    """This user cannot be reached: they blocked the page or deleted the thread."""

    meaning = "This user cannot be reached."


class WindowClosed(SendError):
    """More than 24 hours have passed since the user's last message."""

    meaning = "The user's last message is more than 24 hours old: only what they opted in to may be sent."


class Credentials(SendError):
    """The token is invalid, has expired or lacks a permission, or the app secret is not the app's present one."""

    meaning = (
        "Facebook refuses the page access token or the app secret: set the present ones, and check that the token has "
        "the permission pages_messaging."
    )


class Rejected(SendError):
    """The request itself is wrong: a defect of the bot."""

    meaning = "Facebook refuses the request as it is: a defect of the bot."


_BY_SUBCODE: dict[tuple[int, int], type[SendError]] = {
    (1, 1357046): Ambiguous,
    (613, 2018338): SlowDown,
    (10, 1893063): SlowDown,
    (200, 1545041): Unreachable,
    (10, 2018108): Unreachable,
    (100, 2018001): Unreachable,
    (10, 2018278): WindowClosed,
    (10, 2534022): WindowClosed,
}
_BY_CODE: dict[int, type[SendError]] = {
    **dict.fromkeys((4, 17, 32, 341, 613, 1200, 80006), Transient),  # 80006: the Messenger API's own rate limit
    368: SlowDown,
    551: Unreachable,
    190: Credentials,
    102: Credentials,
    10: Credentials,
    **dict.fromkeys(range(200, 300), Credentials),  # Graph API, "Handling Errors": 200 to 299 are missing permissions
}
_BY_STATUS: dict[int, type[SendError]] = {
    401: Credentials,
    403: Credentials,
    408: Transient,
    429: Transient,
}


def from_response(status: int, body: bytes) -> SendError:
    """The error in an answer, whatever its body.

    Args:
        status: the HTTP status.
        body: as received: Facebook's error object, or what some proxy answers.
    """
    error = _error(body)
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    trace = error.get("fbtrace_id")
    kind = _kind(status, code, subcode, error.get("is_transient"))
    # "Secure Graph API Calls": a proof made with a wrong app secret has no error code of its own.
    if kind is Rejected and _PROOF in str(error.get("message")):
        kind = Credentials
    return kind(
        _scrubbed(error.get("message")) if kind is Rejected else "",
        status=status,
        code=code,
        subcode=subcode,
        fbtrace_id=trace[:_SENTENCE] if isinstance(trace, str) else "",
    )


def _kind(status: int, code: int, subcode: int, is_transient: object) -> type[SendError]:
    known = _BY_SUBCODE.get((code, subcode)) or _BY_CODE.get(code)
    if known is not None:
        return known
    if code in {1, 2}:
        return Rejected if is_transient is False else Transient
    if is_transient is True or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Transient
    if status < HTTPStatus.BAD_REQUEST:
        return Rejected if code else Ambiguous  # success, but not in Facebook's words
    return Rejected if code else _BY_STATUS.get(status, Rejected)


def _error(body: bytes) -> dict[str, object]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _scrubbed(message: object) -> str:
    """Facebook's message without possible secrets: it quotes tokens and parameters of the request."""
    if not isinstance(message, str):
        return ""
    words = [word if len(word) <= _WORD else "…" for word in message.split()]
    return " ".join(words)[:_SENTENCE]
