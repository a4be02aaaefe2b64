"""Delivers what people do, each person's in order, unless told to deliver twice or in disorder."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sandbox.errors import SandboxError
from sandbox.facebook.webhooks import Item

HOUR_SECONDS = 3600.0  # for so long Facebook delivers again
TOGETHER_SECONDS = 1.5  # what comes within is mixed up when the order is to be wrong
AT_ONCE = 16

Deliver = Callable[[Sequence[Item], float], object]


class Mailbox:
    """One outbox a person, on the event loop; each delivery takes a thread until it is acknowledged.

    Args:
        deliver: sends items in one webhook until acknowledged, for so many seconds.
        failed: told what was given up, and why.

    Attributes:
        copies: how often each webhook is delivered.
        disorder: mix up what comes at about the same time.
    """

    def __init__(self, deliver: Deliver, failed: Callable[[Sequence[Item], str], None]) -> None:
        self._deliver, self._failed = deliver, failed
        self._threads = ThreadPoolExecutor(AT_ONCE, "sandbox-mail")
        self._boxes: dict[str, asyncio.Queue[list[Item]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.copies = 1
        self.disorder = False

    def put(self, person: str, items: Sequence[Item]) -> None:
        """Have items delivered, after what the same person did before."""
        if person not in self._boxes:
            self._boxes[person] = asyncio.Queue()
            self._tasks.append(asyncio.create_task(self._work(self._boxes[person])))
        self._boxes[person].put_nowait(list(items))

    async def _work(self, box: asyncio.Queue[list[Item]]) -> None:
        while True:
            waiting = [await box.get()]
            if self.disorder:
                await asyncio.sleep(TOGETHER_SECONDS)
                while not box.empty():
                    waiting.append(box.get_nowait())
                waiting.reverse()
            for items in waiting:
                await asyncio.gather(*(self._send(items) for _ in range(self.copies)))

    async def _send(self, items: list[Item]) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._threads, self._deliver, items, HOUR_SECONDS)
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
