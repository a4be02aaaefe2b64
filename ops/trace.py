"""The path of one event, or of one request of Facebook's, by the lines that the function wrote about it."""

import re
from dataclasses import dataclass
from typing import Any

from bot.aws.client import Aws
from bot.aws.ledger import Key, Ledger, Record
from bot.aws.queues import fingerprint
from ops.errors import OpsError
from ops.function_log import lines
from ops.stack import Stack

EVENT = re.compile("[0-9a-f]{64}")
REQUEST = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Json = dict[str, Any]


@dataclass(frozen=True)
class Path:
    """What is known of an event or a request.

    Attributes:
        event: the event's fingerprint; empty for a request.
        lines: of the log, in order of their times.
        record: what the ledger knows of the event; None for a request.
    """

    event: str
    lines: tuple[Json, ...]
    record: Record | None


def trace(aws: Aws, ledger: Ledger, stack: Stack, identity: str, *, page: str, since: float) -> Path:
    """Follow an event, or all events of a request, from the webhook to the last answer.

    Args:
        aws: calls AWS.
        ledger: the stack's.
        stack: its log group.
        identity: an event's fingerprint, as the log has it in `event`; Facebook's id of the message (`mid`); or the
            request's id, as the log has it in `request`.
        page: the page or Instagram account of a `mid`.
        since: how far back to look, in seconds since the epoch.

    Raises:
        OpsError: the log has no such line, or the stack's log group is unknown.
    """
    if not stack.log_group:
        raise OpsError("The log group is unknown: the outputs lack logGroupName. Run `pulumi up` once.")
    request = REQUEST.fullmatch(identity) is not None
    known = request or EVENT.fullmatch(identity)
    wanted = identity if known else fingerprint(page, identity)
    found = (each.content for each in lines(aws, stack.log_group, since, f'"{wanted}"') if "kind" in each.content)
    # A line's own time is exact; CloudWatch has only that at which the line arrived there.
    path = tuple(sorted(found, key=lambda line: str(line.get("timestamp"))))
    if not path:
        raise OpsError(
            f"The log has no line about {identity} in this time: look further back with --hours, or check the id. It is"
            " the `event` or `request` of a log line, or the message's `mid` at Facebook."
        )
    return Path("", path, None) if request else Path(wanted, path, ledger.read(Key("", wanted), "").record)
