"""Delivers what people do: each person's events in order, unless a fault repeats or reorders them."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sandbox.errors import SandboxError
from sandbox.facebook.webhooks import Item

DELIVERY_SECONDS = 3600.0  # Facebook delivers again for an hour
REORDER_SECONDS = 1.5  # events that come within this time are delivered in reverse order
PARALLEL_DELIVERIES = 16

Deliver = Callable[[Sequence[Item], float], object]


class Outbox:
    """One queue per person, on the event loop; each delivery uses a thread until it is acknowledged.

    Args:
        deliver: sends items in one webhook until it is acknowledged, for a number of seconds at most.
        failed: takes the items that were not delivered, and why.

    Attributes:
        copies: how often each webhook is delivered.
        reorder: whether events that come at about the same time are delivered in reverse order.
    """

    def __init__(self, deliver: Deliver, failed: Callable[[Sequence[Item], str], None]) -> None:
        self._deliver, self._failed = deliver, failed
        self._threads = ThreadPoolExecutor(PARALLEL_DELIVERIES, "sandbox-webhooks")
        self._queues: dict[str, asyncio.Queue[list[Item]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.copies = 1
        self.reorder = False

    def put(self, person: str, items: Sequence[Item]) -> None:
        """Deliver items after everything that this person did before."""
        if person not in self._queues:
            self._queues[person] = asyncio.Queue()
            self._tasks.append(asyncio.create_task(self._work(self._queues[person])))
        self._queues[person].put_nowait(list(items))

    async def _work(self, queue: asyncio.Queue[list[Item]]) -> None:
        while True:
            waiting = [await queue.get()]
            if self.reorder:
                await asyncio.sleep(REORDER_SECONDS)
                while not queue.empty():
                    waiting.append(queue.get_nowait())
                waiting.reverse()
            for items in waiting:
                await asyncio.gather(*(self._send(items) for _ in range(self.copies)))

    async def _send(self, items: list[Item]) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._threads, self._deliver, items, DELIVERY_SECONDS)
        except SandboxError as error:
            self._failed(items, str(error))

    async def stop(self) -> None:
        """Deliver nothing more."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._threads.shutdown(wait=False, cancel_futures=True)
