"""Reads what people asked and the bot did not understand: see `bot/aws/questions.py`."""

from dataclasses import dataclass
from typing import Any

from bot.aws.client import Aws
from ops.errors import OpsError
from ops.stack import Stack


@dataclass(frozen=True)
class Question:
    """A text that the bot did not understand.

    Attributes:
        said: the text as it was last written.
        asked: how often, on all days that are kept.
        last: the last day on which it came, such as `2026-11-25`.
    """

    said: str
    asked: int
    last: str


def questions(aws: Aws, stack: Stack, now: float) -> list[Question]:
    """All texts that are kept, the most frequent first.

    Args:
        aws: calls AWS.
        stack: names the table.
        now: the time, in seconds since the epoch.

    Raises:
        OpsError: the stack keeps none.
    """
    if not stack.questions_table:
        raise OpsError("This stack keeps no questions: set unknownDays and run `pulumi up`.")
    found: dict[str, Question] = {}
    request: dict[str, Any] = {"TableName": stack.questions_table}
    while True:
        answer = aws.call("dynamodb", "Scan", request)
        for item in answer["Items"]:
            # DynamoDB deletes what has expired within days, not at once.
            if int(item["expires"]["N"]) > now:
                day, _, text = item["id"]["S"].partition("#")
                known = found.get(text, Question("", 0, ""))
                said = item["said"]["S"] if day > known.last else known.said
                found[text] = Question(said, known.asked + int(item["asked"]["N"]), max(day, known.last))
        if "LastEvaluatedKey" not in answer:
            break
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return sorted(found.values(), key=lambda each: (-each.asked, each.said))
