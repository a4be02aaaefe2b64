"""The errors of the Graph API. Each class stands for what to do about them; one table says which error is which.

`docs/errors.md` is written from the table.
"""

import json
import re
from http import HTTPStatus
from typing import NamedTuple

_TRACE = 300  # characters of an `fbtrace_id` that are kept: real ones have about eleven
# Numbers this long mean the same as code and as subcode. "Common Error Codes" (2026-06-25) prints some of them alone.
_LONG = 10_000


class SendError(Exception):
    """A call that failed.

    Attributes:
        alarm: the kind of the log line that raises an alarm; "" for none.
        status: the HTTP status; 0 if there was no answer.
        code: Facebook's error code; 0 if there is none.
        subcode: its subcode; 0 if there is none.
        fbtrace_id: the id that Facebook's support asks for; "" if there is none.
        reason: what happened, without the `fbtrace_id`.
    """

    meaning = "The call failed."
    alarm = ""

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
    alarm = "slow_down"


class Unreachable(SendError):
    """This person cannot be written to now, with no message: they blocked the page or deleted the thread."""

    meaning = "This person cannot be reached."


class WindowClosed(Unreachable):
    """The messaging window is over: too long has passed since the person's last message."""

    meaning = "The messaging window of this person is closed: only what they opted in to may be sent."


class OtherApp(Unreachable):
    """Another app, or Facebook itself, has the conversation with this person."""

    meaning = "Another app has the conversation with this person: stay silent."


class NotAllowed(SendError):
    """This person may not get this kind of message. Others may, and this person may get others."""

    meaning = "Facebook does not allow this kind of message to this person."


class AlreadyDone(NotAllowed):
    """What was asked for has happened, or the person has decided: never repeat it."""

    meaning = "This was done already, or the person has decided about it: it is not repeated."


class Credentials(SendError):
    """The token is invalid, has expired or lacks a permission, or the app secret is not the app's present one."""

    meaning = (
        "Facebook refuses the page access token or the app secret: set the present ones, and check that the token has "
        "the permission pages_messaging."
    )
    alarm = "credentials"


class PageSetting(SendError):
    """A setting of the page or the account is in the way of all its messages. They can be sent once it is changed."""

    meaning = "A setting of the page or the account is in the way: change it there."
    alarm = "page_setting"


class PersonOrToken(SendError):
    """Facebook answers the same for a person who cannot be reached and for a wrong token: ask about the token."""

    meaning = "Either the person cannot be reached, or the token is wrong."


class Rejected(SendError):
    """The request itself is wrong: a defect of the bot."""

    meaning = "Facebook refuses the request as it is: a defect of the bot."


class Unclear(SendError):
    """An error that nobody has documented, or whose cause can be anywhere: the same call may succeed later."""

    meaning = "Facebook refuses the call, and it is not known whether trying again helps."


class Source(NamedTuple):
    """Where a row comes from: the page, and its date or, where it has none, the day on which it was read."""

    page: str
    date: str


class Row(NamedTuple):
    """A documented error.

    Attributes:
        code: its code, or all codes from one to another.
        subcode: its subcode; 0 if it has none; `ANY` for every subcode that has no row of its own.
        kind: what to do.
        meaning: what happened, for the log.
        source: where it is documented.
        says: words in Facebook's message, where they decide; "" where the numbers do.
    """

    code: int | range
    subcode: int
    kind: type[SendError]
    meaning: str
    source: Source
    says: str = ""


ANY = -1

_COMMON = Source("Messenger Platform, Common Error Codes", "2026-06-25")
_ERRORS = Source("Messenger Platform, Error Codes", "2026-11-25")
_SEND = Source("Messenger Platform, Send a Message", "2026-05-05")
_MEDIA = Source("Messenger Platform, Media template", "2026-11-25")
_FORM = Source("Messenger Platform, Instant Form Template", "2026-11-25")
_PAGE = Source("Graph API Reference, Page Messages", "2026-11-25")
_GRAPH = Source("Graph API, Handling Errors", "2026-11-25")
_LIMITS = Source("Graph API, Rate Limits", "2026-11-25")
_SECURE = Source("Graph API, Secure Graph API Calls", "2026-11-25")
_TESTS = Source("public tests of several projects", "2026-11-25")
_RUBY = Source("jgorset/facebook-messenger, error_parser.rb", "2024-09-03")
# Messenger's page on utility messages prints no codes. Inferred: Meta reviews templates of both products alike.
_CLOUD = Source("WhatsApp Business Platform, Error codes (inferred for Messenger)", "2026-05-15")
_COURIER = Source("nyaruka/courier, facebook_test.go", "2026-08-11")

TABLE = (
    # Where the words decide.
    Row(100, ANY, Credentials, "The proof was made with another app secret.", _SECURE, "appsecret_proof"),
    Row(100, 0, Unreachable, "Nobody has this id.", _TESTS, "cannot send messages to this id"),
    Row(100, 0, NotAllowed, "The opt-in has expired.", _COMMON, "notification_messages_token` has expired"),
    Row(10, 0, Unreachable, "The person only came through an instant game.", _COMMON, "Instant Games"),
    # Facebook is out of order or busy. With a subcode of no row, it may be something else that never ends.
    Row(-1, 0, Transient, "Something went wrong inside Facebook.", _ERRORS),
    Row(1, 0, Transient, "Something went wrong inside Facebook.", _GRAPH),
    Row(1, 1357046, Ambiguous, "The message was sent although an error came back.", _COMMON),
    Row(1, 99, Credentials, "The app lacks a permission or its advanced access.", _COMMON),
    Row(1, 2018382, Rejected, "The form's id is wrong, or the form is not for conversations.", _FORM),
    Row(2, 0, Transient, "The service is out of order for a moment.", _GRAPH),
    Row(2, 2018344, PageSetting, "The page's administrator must accept the terms for labels.", _COMMON),
    Row(4, 0, Transient, "The app's limit of calls is reached.", _COMMON),
    Row(4, 2018022, Transient, "Too many messages to phone numbers.", _RUBY),
    Row(17, 0, Transient, "The user's limit of calls is reached.", _GRAPH),
    Row(32, 0, Transient, "The page's limit of calls is reached.", _LIMITS),
    Row(341, 0, Transient, "The app's limit is reached.", _GRAPH),
    Row(613, 0, Transient, "The limit of calls is reached.", _COMMON),
    Row(613, 2534040, Transient, "Instagram's limit of calls is reached.", _COMMON),
    Row(1200, 0, Transient, "Something went wrong inside Facebook.", _ERRORS),
    Row(range(80000, 80015), ANY, Transient, "The business's limit of calls is reached.", _LIMITS),
    # The page is limited.
    Row(10, 1893063, SlowDown, "The page may send no messages for a while.", _COMMON),
    Row(100, 2534029, SlowDown, "The business may send no messages on Instagram.", _COMMON),
    Row(368, ANY, SlowDown, "The page broke a rule.", _PAGE),
    Row(613, 2018338, SlowDown, "A warning: people find the page's messages bothersome.", _COMMON),
    Row(2022, ANY, SlowDown, "The page may send no messages about business for a while.", _COMMON),
    # This person.
    Row(10, 2018065, WindowClosed, "The window is over, and only news pages may write now.", _COMMON),
    Row(10, 2018278, WindowClosed, "The window is over.", _SEND),
    Row(10, 2534022, WindowClosed, "Instagram's window is over.", _COMMON),
    Row(10, 2018108, Unreachable, "The person cannot receive messages of the page now.", _COMMON),
    Row(100, 2018001, Unreachable, "The page knows no such person.", _COMMON),
    Row(100, 2534001, Unreachable, "The person has archived or deleted the conversation.", _TESTS),
    Row(200, 1545041, Unreachable, "The person is not available now.", _COMMON),
    Row(551, ANY, Unreachable, "The person blocked the page or is gone.", _COMMON),
    Row(2018300, ANY, OtherApp, "Another app controls the conversation.", _COMMON),
    Row(2018321, ANY, OtherApp, "The person is in the questions of a lead ad.", _COMMON),
    Row(100, 2534037, OtherApp, "The app does not own the conversation.", _COMMON),
    Row(2018171, ANY, OtherApp, "The app has no part in the conversation.", _COMMON),
    Row(100, 33, PersonOrToken, "The person or the page is unknown, or the token may not see it.", _GRAPH),
    Row(100, 2534014, PersonOrToken, "No such person for this Instagram account.", _COMMON),
    Row(230, 0, PersonOrToken, "The permission to write to this person is missing.", _PAGE),
    # This kind of message, for this person.
    Row(9, 2018352, NotAllowed, "Too many requests to opt in.", _COMMON),
    Row(10, ANY, NotAllowed, "Not for this person, or not this kind of message.", _COMMON),
    Row(10, 1404170, NotAllowed, "The page may not ask for opt-ins for a while.", _COMMON),
    Row(10, 2018336, NotAllowed, "A feature that the rules for Europe and Japan exclude.", _COMMON),
    Row(100, 2534025, NotAllowed, "The comment is too old, answered already, or gone.", _COMMON),
    Row(200, 2018021, NotAllowed, "Messages to phone numbers are not paid for.", _COMMON),
    Row(200, 2018027, NotAllowed, "The permission for phone numbers is missing.", _COMMON),
    Row(10303, ANY, NotAllowed, "The token of the account's linking has expired.", _COMMON),
    Row(10903, ANY, NotAllowed, "This comment cannot be answered privately.", _PAGE),
    Row(2018218, ANY, NotAllowed, "This person has no profile to read.", _COMMON),
    Row(2018247, ANY, NotAllowed, "The app may not read this part of the profile.", _COMMON),
    Row(132001, ANY, NotAllowed, "The template does not exist in this language, or is not approved.", _CLOUD),
    Row(132015, ANY, NotAllowed, "Facebook has paused the template.", _CLOUD),
    Row(132016, ANY, NotAllowed, "Facebook has disabled the template.", _CLOUD),
    Row(-1, 2534023, AlreadyDone, "The conversation was passed on already.", _ERRORS),
    Row(4, 2018354, AlreadyDone, "The person was asked already.", _ERRORS),
    Row(10, 1893015, AlreadyDone, "The person has stopped these messages.", _ERRORS),
    Row(613, 1893016, AlreadyDone, "The person was asked about this topic already.", _COMMON),
    Row(10900, ANY, AlreadyDone, "The comment was answered already.", _ERRORS),
    # The token, or the page.
    Row(3, ANY, Credentials, "The app may not make this call.", _GRAPH),
    Row(10, 0, Credentials, "The app lacks the permission.", _GRAPH),
    Row(101, ANY, Credentials, "The app's id or secret is wrong.", _GRAPH),
    Row(102, ANY, Credentials, "The session of the token has ended.", _GRAPH),
    Row(104, ANY, Credentials, "The call has no token, or no proof of the secret.", _GRAPH),
    Row(190, ANY, Credentials, "The token is invalid or has expired.", _COMMON),
    Row(range(200, 300), 0, Credentials, "A permission is missing.", _GRAPH),
    Row(10, 2534077, PageSetting, "Page and Instagram account are not linked.", _COMMON),
    Row(200, 2534041, PageSetting, "The owner has switched Instagram's messages off for apps.", _COMMON),
    Row(10904, ANY, PageSetting, "The page has messages switched off.", _PAGE),
    # The request. Facebook may also fail to fetch what is there, so that one is not certain.
    Row(100, 2018008, Unclear, "Facebook could not fetch the file from its URL.", _COMMON),
    Row(100, 2018014, Rejected, "A message and a sender action in one request.", _COMMON),
    Row(100, 2018074, Rejected, "The attachment is another page's, or older than 90 days.", _COMMON),
    Row(100, 2018109, Rejected, "The attachment is too large.", _COMMON),
    Row(100, 2018164, Rejected, "The conversation was passed to an app that does not exist.", _COMMON),
    Row(100, 2018320, Rejected, "Not a product of the page's catalogue.", _COMMON),
    Row(100, 2018328, Rejected, "The version of the Graph API is too old.", _COMMON),
    Row(100, 2534015, Rejected, "Instagram does not take this content.", _COMMON),
    Row(2018182, ANY, Rejected, "A media template takes an image or a video only.", _MEDIA),
    Row(2018186, ANY, Rejected, "The URL on Facebook is not public, or gone.", _MEDIA),
    Row(2018187, ANY, Rejected, "A media template needs a URL or an attachment's id.", _MEDIA),
    Row(132000, ANY, Rejected, "The template has another number of placeholders.", _CLOUD),
    Row(132012, ANY, Rejected, "The template's placeholders have another format.", _CLOUD),
    Row(36000, ANY, Rejected, "The image is too large.", _COURIER),
)
_BY_NUMBERS = {
    (code, row.subcode): row
    for row in reversed(TABLE)  # an earlier row is more specific than a later one
    if not row.says
    for code in ([row.code] if isinstance(row.code, int) else row.code)
}
_BY_WORDS = [row for row in TABLE if row.says]
_BY_LONG_NUMBER = {number: row for numbers, row in _BY_NUMBERS.items() for number in numbers if number >= _LONG}
# Code 100 for a parameter of the request ("Graph API, Handling Errors", read on 2026-11-25): the message names it.
_PARAMETER = re.compile(r"\b(param(eter)?s?|must (be|provide|have))\b|cannot be empty|is required", re.IGNORECASE)
# The rest of such a message can quote what a person wrote, or a token: so only the name is kept, and only in its place.
_NAMED = re.compile(
    r"(?:\(#100\) )?(?:The |Length of )?[Pp]aram(?:eter)? ([a-z_]{1,40}(?:[.\[][a-z0-9_]{1,40}\]?){0,8})"
)
_BY_STATUS: dict[int, type[SendError]] = {
    401: Credentials,
    403: Credentials,
    408: Transient,
    429: Transient,
}


def from_response(status: int, body: bytes) -> SendError:
    """The error in an answer, whatever its body.

    Args:
        status: the HTTP status; with 200, too, the body can hold an error.
        body: as received: Facebook's error object, or what some proxy answers.
    """
    error = _error(body)
    code, subcode, trace = _number(error.get("code")), _number(error.get("error_subcode")), error.get("fbtrace_id")
    message = text if isinstance(text := error.get("message"), str) else ""
    row = _row(code, subcode, message)
    transient = error.get("is_transient")
    kind = row.kind if row else _unlisted(status, code, subcode, message, transient)
    if code in {1, 2} and transient is False and not (row and row.subcode):
        kind = Unclear
    detail = row.meaning if row and kind is row.kind else _parameter(message) if kind in {Rejected, Unclear} else ""
    return kind(
        detail,
        status=status,
        code=code,
        subcode=subcode,
        fbtrace_id=trace[:_TRACE] if isinstance(trace, str) else "",
    )


def _row(code: int, subcode: int, message: str) -> Row | None:
    """The row of an error, if it is documented."""
    for row in _BY_WORDS:
        if row.code == code and row.subcode in (subcode, ANY) and row.says in message:
            return row
    return (
        _BY_NUMBERS.get((code, subcode))
        or _BY_LONG_NUMBER.get(subcode)
        or _BY_LONG_NUMBER.get(code)
        or _BY_NUMBERS.get((code, ANY))
    )


def _unlisted(status: int, code: int, subcode: int, message: str, is_transient: object) -> type[SendError]:
    """What to do about an error that has no row. An unknown one is never held against the event at once."""
    if is_transient is True or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Transient
    if code:
        names_parameter = code == 100 and not subcode and _PARAMETER.search(message)
        return Rejected if names_parameter else Unclear
    if status < HTTPStatus.BAD_REQUEST:
        return Ambiguous  # success, but not in Facebook's words
    return _BY_STATUS.get(status, Unclear)


def _error(body: bytes) -> dict[str, object]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _parameter(message: str) -> str:
    named = _NAMED.match(message)
    return f"The parameter is {named[1]}." if named else ""
