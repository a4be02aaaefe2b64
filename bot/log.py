"""One JSON line for each thing that happens: ids, counts and durations, never a text, a token or a whole payload."""

import json
import threading
import time
from collections.abc import Sequence
from typing import Literal

Level = Literal["INFO", "WARN", "ERROR"]
"""As Lambda names it ("Using Lambda advanced logging controls" in its Developer Guide, read 2026-11)."""

# The kinds of lines at level ERROR that only a person can help with. Each gets an alarm, with what it says.
ALARM_KINDS = {
    "credentials": "Facebook refuses the page access token: events wait until it is replaced.",
    "slow_down": "Facebook asks the bot to send less: sending pauses.",
    "page_setting": "A setting of the page or account blocks its messages: events wait until it is changed.",
    "refused": "Facebook refuses several people's messages with one error: the log line `refused` names its code.",
}
# What the dashboard reads in the log: kind of line → where its value is, and the value's unit in CloudWatch.
MEASURED = {
    "accepted": ("$.events", "Count"),
    "answered": ("$.milliseconds", "Milliseconds"),
    "silent": ("1", "Count"),
    "sent": ("$.milliseconds", "Milliseconds"),
    "not_delivered": ("$.messages", "Count"),
    "fault": ("1", "Count"),
    "not_understood": ("1", "Count"),
}
# What the hourly check finds, as kinds of lines: only a person can help. Each gets an alarm, with what it says.
FINDING_KINDS = {
    "unsubscribed": "Facebook does not send the bot all its events: run `python -m ops check`, then "
    "`python -m ops register`.",
    "resubscribed": "Facebook had stopped sending events, and was made to send them again. Answer what people wrote "
    "meanwhile in the page's inbox; `python -m ops check` shows that all is well.",
    "token_fails": "The page access token is invalid, ends within 14 days, or lacks a permission, or the app's id and "
    "secret do not fit: run `python -m ops check`, then `pulumi config set --secret pageAccessToken` and `pulumi up`.",
    "webhook_fails": "The webhook does not answer as Facebook needs it: run `python -m ops check`, and read the "
    "function's log.",
    "version_ends": "The Graph API's version has ended or ends within 120 days: "
    "`pulumi config set graphApiVersion` to the newest one, then `pulumi up`.",
    "waiting_for_human": "Somebody has waited for a human for longer than `humanMinutes`: answer them in the page's "
    "inbox.",
}
# The same, where the queues' own alarms, or the alarm for missing checks, watch already.
COUNTED_FINDING_KINDS = ("dead_letters", "waiting_events", "check_failed")
# The kind of line at the end of each check, and of each accepted request, whose field `events` counts its events.
CHECKED_KIND = "checked"
ACCEPTED_KIND = "accepted"
# The alarms' kinds that each mean that nobody is answered.
NO_ANSWER_KINDS = ("credentials", "page_setting", "unsubscribed", "token_fails", "webhook_fails")
# The kind of line that says, in its field `age`, for how many seconds an event has waited in the queue.
WAITING_KIND = "handed_back"


Field = str | float | Sequence[str] | None

_about = threading.local()


def about(**ids: str | Sequence[str]) -> None:
    """Set the ids that each further line of this thread has, in place of those before; an empty one is left out.

    They make the path of one event: `request` is API Gateway's id of the webhook request that brought it, `event` the
    event's fingerprint, `ids` the fingerprints of all events that a line is about.
    """
    _about.ids = {name: value for name, value in ids.items() if value}


def log(level: Level, kind: str, **fields: Field) -> None:
    """Write one line. Metric filters and alarms go by `level` and `kind`.

    Args:
        level: Lambda filters lines by it.
        kind: what happened, in one word or two joined by `_`.
        fields: ids, counts, durations.
    """
    now = time.time()
    # RFC 3339. Lambda treats a line whose time it cannot read as INFO, and may drop it.
    timestamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03}Z"
    line = {"timestamp": timestamp, "level": level, "kind": kind, **getattr(_about, "ids", {}), **fields}
    # One write: lines of several threads must not run into each other.
    print(json.dumps(line) + "\n", end="", flush=True)
