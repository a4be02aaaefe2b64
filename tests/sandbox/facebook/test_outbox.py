import asyncio
import queue
from collections.abc import Sequence

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


def test_a_persons_events_are_delivered_in_order() -> None:
    assert asyncio.run(delivered(("7", A), ("7", B))) == [A, B]


def test_a_fault_delivers_each_event_several_times() -> None:
    assert asyncio.run(delivered(("7", A), ("7", B), copies=2)) == [A, A, B, B]


def test_a_fault_delivers_events_in_the_wrong_order() -> None:
    assert asyncio.run(delivered(("7", A), ("7", B), reorder=True)) == [B, A]


def test_an_event_that_is_not_delivered_is_reported_and_the_next_one_is_delivered() -> None:
    assert asyncio.run(delivered(("7", C), ("7", A))) == ["never acknowledged", A]
