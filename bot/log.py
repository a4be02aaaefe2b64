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
