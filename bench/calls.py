"""Counts what one message calls: AWS through the sandbox's proxy, Facebook at the stand-in for the Graph API."""

from collections import Counter

from sandbox.aws.proxy import Called
from sandbox.facebook.webhooks import text_item
from sandbox.local import Sandbox, new_person

MESSAGES = 20


def counted(messages: int) -> Counter[str]:
    """The calls of some messages, their answers and the echoes of these, by name.

    Args:
        messages: how many, each a request of its own.
    """
    calls: Counter[str] = Counter()

    def note(call: Called) -> None:
        calls[call.name] += 1

    with Sandbox() as sandbox:
        person = new_person()
        sandbox.say("status", person)  # a function's first request also reads the secrets, and keeps them
        sandbox.settle()
        sent, invoked = len(sandbox.requests()), invocations(sandbox)
        proxy = sandbox.proxy
        proxy.observe = note
        for _ in range(messages):
            sandbox.deliver([text_item(sandbox.page_id, person, "status")])
            sandbox.settle()
        proxy.observe = None
        calls["facebook:send"] = len(sandbox.requests()) - sent
        calls["lambda:Invoke"] = invocations(sandbox) - invoked
    return calls


def invocations(sandbox: Sandbox) -> int:
    """How often the function ran, by its log."""
    pages = sandbox.client("logs").get_paginator("filter_log_events")
    return sum(
        event["message"].startswith("REPORT ")
        for page in pages.paginate(logGroupName=sandbox.outputs["logGroupName"])
        for event in page["events"]
    )


def section() -> str:
    """The figures as a section of a page."""
    rows = "\n".join(f"| `{name}` | {count / MESSAGES:.2f} |" for name, count in sorted(counted(MESSAGES).items()))
    return f"""## What one message calls

A person's text, its answer, and the page's echo of the answer, which is a webhook of its own: the mean of {MESSAGES}
messages. An event costs the ledger three calls. The echo costs one more, or none if it reaches the instance that
answered. The worker reads the events of several users in a batch with one call. `tests/bot/test_worker.py` holds these
counts; [operations](operations.md#what-it-costs) says what AWS bills for them.

| call | per message |
|---|---:|
{rows}
"""
