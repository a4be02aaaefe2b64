"""What the bot did not understand: counted by the bot, read by an operator."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.aws.client import Aws, AwsError
from bot.aws.questions import CHARACTERS, Questions
from ops.aws import OperatorAws
from ops.errors import OpsError
from ops.questions import Question, questions
from ops.stack import Stack
from tests.ops.place import Place

NOON = 1_800_000_000.0
DAY = 24 * 3600


@pytest.fixture
def stack(place: Place, aws: OperatorAws) -> Iterator[Stack]:
    """A stack with an empty table of questions."""
    name = f"questions-{secrets.token_hex(4)}"
    key = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
    attributes = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
    aws.call("dynamodb", "CreateTable", {"TableName": name, "BillingMode": "PAY_PER_REQUEST"} | key | attributes)
    yield replace(place.stack, questions_table=name)
    aws.call("dynamodb", "DeleteTable", {"TableName": name})


def ask(aws: Aws, stack: Stack, text: str, day: int = 0) -> None:
    Questions(aws, stack.questions_table, 7, lambda: NOON + day * DAY).count(text)


def test_the_same_words_count_together_on_all_days_and_the_most_frequent_come_first(
    aws: OperatorAws, stack: Stack
) -> None:
    ask(aws, stack, "opening hours?")
    for day, text in enumerate(("a Unicorn", " a  unicorn", "A UNICORN")):
        ask(aws, stack, text, day)

    assert questions(aws, stack, NOON + 2 * DAY) == [
        Question("A UNICORN", 3, "2027-01-17"),
        Question("opening hours?", 1, "2027-01-15"),
    ]


def test_each_days_count_expires_by_itself(aws: OperatorAws, stack: Stack) -> None:
    ask(aws, stack, "a unicorn", day=0)
    ask(aws, stack, "a unicorn", day=3)

    assert [each.asked for each in questions(aws, stack, NOON + 6.9 * DAY)] == [2]
    assert [each.asked for each in questions(aws, stack, NOON + 7.1 * DAY)] == [1]
    assert questions(aws, stack, NOON + 10.1 * DAY) == []


def test_only_the_beginning_of_a_long_text_is_kept(aws: OperatorAws, stack: Stack) -> None:
    ask(aws, stack, "x" * 20_000)

    assert [len(each.said) for each in questions(aws, stack, NOON)] == [CHARACTERS]


def test_a_text_that_aws_does_not_take_is_only_not_counted(capsys: pytest.CaptureFixture[str], stack: Stack) -> None:
    class Refusing(Aws):
        def __init__(self) -> None:
            pass

        def call(self, service: str, operation: str, request: dict[str, Any], **_: object) -> dict[str, Any]:  # noqa: ARG002 - as its base has them
            raise AwsError(operation, "ThrottlingException", 400)

    ask(Refusing(), stack, "a unicorn")

    line = capsys.readouterr().out
    assert '"not_counted"' in line
    assert "unicorn" not in line


def test_a_stack_that_keeps_none_says_how_to_keep_them(place: Place, aws: OperatorAws) -> None:
    with pytest.raises(OpsError, match="set unknownDays"):
        questions(aws, place.stack, time.time())
