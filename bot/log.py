"""One JSON line for each thing that happens: ids, counts and durations, never a text, a token or a whole payload."""

import json

# The kinds of lines at level ERROR that only a person can help with. Each gets an alarm, with what it says.
ALARM_KINDS = {
    "credentials": "Facebook refuses the page access token: events wait until it is replaced.",
    "slow_down": "Facebook asks the bot to send less: sending pauses.",
    "page_setting": "A setting of the page or the account keeps its messages back: events wait until it is changed.",
    "refused": "Facebook refuses several people's messages with one error: the log line `refused` names its code.",
}


def log(level: str, kind: str, **fields: str | float | None) -> None:
    """Write one line. Metric filters and alarms go by `level` and `kind`.

    Args:
        level: `INFO`, `WARN` or `ERROR`.
        kind: what happened, in one word or two joined by `_`.
        fields: ids, counts, durations.
    """
    # One write: lines of several threads must not run into each other.
    print(json.dumps({"level": level, "kind": kind, **fields}) + "\n", end="", flush=True)
