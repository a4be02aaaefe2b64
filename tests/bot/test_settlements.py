"""What several threads have answered is settled together."""

from collections.abc import Sequence

import pytest

from bot.aws.client import AwsError
from bot.aws.ledger import Key, Record, Stale
from bot.messenger import events
from bot.responder import Answered, Task
from bot.settlements import Settlements


def answered(name: str) -> Answered:
    item = {"sender": {"id": name}, "timestamp": 1, "message": {"mid": name, "text": "hello"}}
    event = events.parse(item, "page")
    return Answered(Task(event, Key(name, name), {}, {}), Record(answers=()), 0)


A, B, C = (answered(name) for name in "abc")


@pytest.mark.parametrize(
    ("error", "left"), [(Stale(), [B]), (AwsError("TransactWriteItems", "InternalServerError", 500), [B, C])]
)
def test_only_what_was_not_written_stays_open(error: Exception, left: list[Answered]) -> None:
    def settle(together: Sequence[Answered]) -> None:
        if A in together:
            settlements.add(B)
            settlements.add(C)
        if B in together:
            raise error

    settlements = Settlements(settle)
    settlements.add(A)
    assert settlements.open == left


def test_a_defect_leaves_everything_open_that_was_not_written() -> None:
    def settle(_together: Sequence[Answered]) -> None:
        raise ZeroDivisionError

    settlements = Settlements(settle)
    with pytest.raises(ZeroDivisionError):
        settlements.add(A)
    settlements.add(B)
    assert settlements.open == [A, B]
