"""The function's log: the bot's own lines and Lambda's, each with the version that wrote it."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from bot.aws.client import Aws

Json = dict[str, Any]

# A log stream is named YYYY/MM/DD/FUNCTION[VERSION]ID, in a function's own log group without FUNCTION (Lambda
# Developer Guide, "Configuring CloudWatch log groups", read 2026-11).
VERSION = re.compile(r"\[([0-9]+)\]")


class Line(NamedTuple):
    """One line.

    Attributes:
        version: the number of the version that wrote it; 0 if unknown.
        content: as JSON.
    """

    version: int
    content: Json


def lines(aws: Aws, log_group: str, since: float, pattern: str = "") -> Iterator[Line]:
    """The lines that are JSON, in order.

    Args:
        aws: the stack's.
        log_group: the function's.
        since: in seconds since the epoch.
        pattern: of CloudWatch, which the lines match; empty for all.
    """
    request: Json = {"logGroupName": log_group, "startTime": int(since * 1000), "filterPattern": pattern}
    while True:
        answer = aws.call("logs", "FilterLogEvents", request)
        for event in answer["events"]:
            try:
                content = json.loads(event["message"])
            except ValueError:
                continue
            if isinstance(content, dict):
                wrote = VERSION.search(event["logStreamName"])
                yield Line(int(wrote[1]) if wrote else 0, content)
        if not (more := answer.get("nextToken")):
            return
        request["nextToken"] = more
