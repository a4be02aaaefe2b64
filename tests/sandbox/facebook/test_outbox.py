import asyncio
import queue
from collections.abc import Sequence

import pytest

from sandbox.errors import SandboxError
from sandbox.facebook.outbox import Outbox
from sandbox.facebook.webhooks import Item

A, B, C = ({"number": number} for number in range(3))


async def delivered(*puts: tuple[str, Item], copies: int = 1, reorder: bool = False) -> list[Item | str]:
    """What became of each delivery, in order: the item, or why it was not delivered."""
    outcomes: queue.Queue[Item | str] = queue.Queue()

    def deliver(items: Sequence[Item], _: float) -> None:
        if items == [C]:
            raise SandboxError("never acknowledged")
        outcomes.put(items[0])

    outbox = Outbox(deliver, lambda _, sentence: outcomes.put(sentence))
    outbox.copies, outbox.reorder = copies, reorder
    for person, item in puts:
        outbox.put(person, [item])
    found = [await asyncio.to_thread(outcomes.get, timeout=5) for _ in range(len(puts) * copies)]
    await outbox.stop()
    return found


@pytest.mark.parametrize(
    ("copies", "reorder", "expected"), [(1, False, [A, B]), (2, False, [A, A, B, B]), (1, True, [B, A])]
)
def test_a_persons_events_are_delivered_in_order_unless_a_fault_repeats_or_reorders_them(
    copies: int, reorder: bool, expected: list[Item]
) -> None:
    assert asyncio.run(delivered(("7", A), ("7", B), copies=copies, reorder=reorder)) == expected


def test_an_event_that_is_not_delivered_is_reported_and_the_next_one_is_delivered() -> None:
    assert asyncio.run(delivered(("7", C), ("7", A))) == ["never acknowledged", A]
