"""What one message calls, counted on the wire: AWS through the sandbox's proxy, Facebook at its stand-in.

Example:
    python -m bench.calls --json > usage.json
"""

import json
import re
import sys
from collections import Counter
from typing import Any

from bench.command import command
from sandbox.aws.proxy import Called
from sandbox.facebook.webhooks import text_item
from sandbox.local import Sandbox, new_person

MESSAGES = 20
REPORT = re.compile(r"^REPORT .*Billed Duration: (\d+) ms.*Memory Size: (\d+) MB")
# CloudWatch Logs, "PutLogEvents": what a log event weighs beside its text.
LOG_EVENT_BYTES = 26

Json = dict[str, Any]


def counted(messages: int) -> Json:
    """What messages take in a sandbox: their answers and the echoes of these included.

    Args:
        messages: how many, each a request of its own.

    Returns:
        `messages`, `requests` (webhooks), `invocations`, `milliseconds`, `memoryMb`, `logBytes` and `calls` by name,
        all of all messages.
    """
    calls: Counter[str] = Counter()

    def note(call: Called) -> None:
        calls[call.name] += 1

    with Sandbox() as sandbox:
        person = new_person()
        sandbox.say("status", person)  # the first request of a function reads the secrets, which are then kept
        sandbox.settle()
        before, sent = len(logged(sandbox)), len(sandbox.requests())
        proxy = sandbox.proxy
        proxy.observe = note
        for _ in range(messages):
            sandbox.deliver([text_item(sandbox.page_id, person, "status")])
            sandbox.settle()
        proxy.observe = None
        calls["facebook:send"] = len(sandbox.requests()) - sent
        lines = logged(sandbox)[before:]
    reports = [found for line in lines if (found := REPORT.match(line))]
    return {
        "messages": messages,
        "requests": sum('"kind": "accepted"' in line for line in lines),
        "invocations": len(reports),
        "milliseconds": sum(int(each[1]) for each in reports),
        "memoryMb": int(reports[0][2]),
        "logBytes": sum(len(line.encode()) + LOG_EVENT_BYTES for line in lines),
        "calls": dict(sorted(calls.items())),
    }


def logged(sandbox: Sandbox) -> list[str]:
    """All lines of the function's log, in order."""
    pages = sandbox.client("logs").get_paginator("filter_log_events")
    return [
        event["message"]
        for page in pages.paginate(logGroupName=sandbox.outputs["logGroupName"])
        for event in page["events"]
    ]


def section(usage: Json) -> str:
    """The figures as a section of a page."""
    messages = usage["messages"]
    rows = "\n".join(f"| `{name}` | {count / messages:.2f} |" for name, count in usage["calls"].items())
    return f"""## What one message calls

A person's text, its answer, and the page's echo of the answer, which comes as a webhook of its own: calls of the
function a message, mean of {messages}; {usage["invocations"] / messages:.1f} invocations with
{usage["milliseconds"] / messages:.0f} ms in all. An event costs the ledger three calls, and the echo one more, or none
where it meets the instance that answered; the first events of several users in a batch are read by one call:
`tests/bot/test_worker.py` holds these counts. What it costs: `python -m ops cost`.

| call | a message |
|---|---:|
{rows}
"""


def main() -> int:
    """Count and print."""
    parser = command("bench.calls", "What one message calls.", __doc__)
    parser.add_argument("--json", action="store_true", help="as JSON, for `python -m ops cost --usage`")
    options = parser.parse_args()
    usage = counted(MESSAGES)
    sys.stdout.write(json.dumps(usage) + "\n" if options.json else section(usage))
    return 0


if __name__ == "__main__":
    sys.exit(main())
