"""The page of Facebook's errors, from the table that the bot sorts them by."""

from bot.messenger.errors import ANY, TABLE, Row, SendError
from tools.docs.table import code, table

INTRODUCTION = """# Errors of Facebook

Written by `make docs` from the table in `bot/messenger/errors.py`; change it there.

A row whose subcode is *any* counts for all subcodes without a row of their own. A row without a subcode counts only for
errors without one. A number of five digits or more means the same as code and as subcode. Facebook's message decides
only where it is quoted. Whatever is in no row:

- with `is_transient`, or with an HTTP status of 500 or more: *Transient*;
- code 100 whose message names a parameter of the request: *Rejected*;
- code 1 or 2 with `is_transient` false, and every other error: *Unclear*.

"""
DONE = {
    "Transient": "retried with growing pauses, for up to 14 days",
    "Ambiguous": "the page's echo is awaited; only without one the message is sent again",
    "SlowDown": "the page sends nothing for a minute; alarm *slow-down*; the event waits",
    "Unreachable": "the person's messages of this event are not delivered, and counted as `not_delivered`",
    "WindowClosed": "as *Unreachable*",
    "OtherApp": "as *Unreachable*",
    "NotAllowed": "this message is left out, and counted as `not_delivered`; for three people within minutes: alarm "
    "*refused*",
    "AlreadyDone": "this message counts as sent",
    "Credentials": "alarm *credentials*; the event waits for up to 14 days",
    "PageSetting": "alarm *page-setting*; the event waits for up to 14 days",
    "PersonOrToken": "`debug_token` is asked once: *Unreachable* if the token is valid, of this page and may send; "
    "otherwise *Credentials*; *Unclear* if the question itself is refused",
    "Rejected": "a dead letter after three tries",
    "Unclear": "tried six times within eight minutes, then a dead letter that says so; for three people within "
    "minutes: alarm *refused*",
}


def page() -> str:
    """The page, as Markdown."""
    kinds = [[name, _class(name).meaning, done] for name, done in DONE.items()]
    classes = table(["Class", "What it means", "What the bot does"], kinds)
    rows = sorted(TABLE, key=lambda row: list(DONE).index(row.kind.__name__))
    errors = table(["Code", "Subcode", "Class", "What happened", "Source", "Date"], map(_row, rows))
    return f"{INTRODUCTION}{classes}\nA date is that of the page, or of the day on which it was read.\n\n{errors}"


def _class(name: str) -> type[SendError]:
    return next(row.kind for row in TABLE if row.kind.__name__ == name)


def _row(row: Row) -> list[str]:
    numbers = str(row.code) if isinstance(row.code, int) else f"{row.code.start} to {row.code.stop - 1}"
    subcode = {ANY: "any", 0: ""}.get(row.subcode, str(row.subcode))
    meaning = f"{row.meaning} Its message has {code(row.says.replace('`', ''))}." if row.says else row.meaning
    return [numbers, subcode, row.kind.__name__, meaning, *row.source]
