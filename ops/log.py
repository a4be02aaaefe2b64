"""Reads the bot's own lines in its log: see `bot/log.py`."""

import json
from collections.abc import Iterator
from typing import Any

from bot.aws.client import Aws

Json = dict[str, Any]


def lines(aws: Aws, request: Json) -> Iterator[Json]:
    """The lines that the bot wrote, in order; Lambda writes others between them.

    Args:
        aws: calls AWS.
        request: which lines, as for FilterLogEvents.
    """
    answer = aws.call("logs", "FilterLogEvents", request)
    for event in answer["events"]:
        try:
            line = json.loads(event["message"])
        except ValueError:
            continue
        if isinstance(line, dict) and "kind" in line:
            yield line
    if more := answer.get("nextToken"):
        yield from lines(aws, {**request, "nextToken": more})
