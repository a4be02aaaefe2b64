"""Virtual time, and runs of real code in it that can be interleaved and killed wherever they wait."""

import heapq
import itertools
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")

BEGIN = 1_800_000_000.0
# A world that is still busy after so many steps will never come to rest.
STEPS = 400_000


class Killed(BaseException):
    """The process ends here and now: no handler of the bot's may catch it."""


class StillBusy(AssertionError):
    """The world did not come to rest."""


class Entry(NamedTuple):
    """A line of the timeline: when, whom it is about ("" for nobody), and what happened."""

    time: float
    about: str
    text: str


class Run:
    """One thread of an invocation of the function. It and the world take turns: only one of them runs at a time.

    Attributes:
        alive: whether it is still under way.
        about: what its lines of the timeline are about.
        process: all threads of the invocation: if one is killed, all are.
    """

    def __init__(self, world: "World", work: Callable[[], None], about: str, process: "list[Run]") -> None:
        self.alive, self.about, self.process = True, about, process
        process.append(self)
        self._world, self._killed = world, False
        self._turn, self._world_turn = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work, args=(work,), daemon=True)

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Killed:
            self._world.note(self.about, "killed")
            for other in self.process:
                if other is not self:
                    self._world.after(0, other.kill)
        except BaseException as error:  # noqa: BLE001  it is a failure of the test, which the world raises
            self._world.failure = error
        finally:
            self.alive = False
            self._world_turn.release()

    def resume(self) -> None:
        """Let it go on until it waits again."""
        if self.alive:
            self._world.running = self
            if self._thread.ident is None:
                self._thread.start()
            else:
                self._turn.release()
            self._world_turn.acquire()
            self._world.running = None

    def wait(self) -> None:
        """Let the world go on; called by the run itself."""
        self._world_turn.release()
        self._turn.acquire()
        if self._killed:
            raise Killed

    def kill(self) -> None:
        """End it, and its process, where it waits."""
        if self._thread.ident is None:
            self.alive = False
        self._killed = True
        self.resume()


class World:
    """A clock that goes on when nothing is left to do now.

    Attributes:
        now: seconds since the epoch.
        timeline: what happened.
        running: the run that is being executed.
        failure: what a run raised, which no code of the bot's may.
    """

    def __init__(self) -> None:
        self.now = BEGIN
        self.timeline: list[Entry] = []
        self.running: Run | None = None
        self.failure: BaseException | None = None
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._number = itertools.count()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something in so many seconds; what is due at the same time is done in the order of asking."""
        heapq.heappush(self._due, (self.now + max(seconds, 0.0), next(self._number), action))

    def start(self, work: Callable[[], None], about: str = "") -> Run:
        """Start an invocation now."""
        run = Run(self, work, about, [])
        self.after(0, run.resume)
        return run

    def map(self, work: Callable[[T], R], each: Iterable[T]) -> list[R]:
        """Do some work on each of some things at the same time, in threads of the run that is being executed."""
        run = self.running
        assert run is not None, "only a run has threads"
        things = list(each)
        results: dict[int, R] = {}

        def thread(number: int) -> Callable[[], None]:
            def whole() -> None:
                results[number] = work(things[number])
                self.after(0, run.resume)

            return whole

        for number in range(len(things)):
            self.after(0, Run(self, thread(number), run.about, run.process).resume)
        while len(results) < len(things):
            run.wait()
        return [results[number] for number in range(len(things))]

    def sleep(self, seconds: float) -> None:
        """Let the run that is being executed wait; others go on meanwhile."""
        run = self.running
        assert run is not None, "only a run can wait"
        self.after(seconds, run.resume)
        run.wait()

    def time(self) -> float:
        """The clock, as the bot takes it."""
        return self.now

    def note(self, about: str, text: str) -> None:
        """Write a line into the timeline."""
        self.timeline.append(Entry(self.now, about, text))

    def run(self) -> None:
        """Go on until nothing is left to be done."""
        for _ in range(STEPS):
            if not self._due:
                return
            self.now, _, action = heapq.heappop(self._due)
            action()
            if self.failure is not None:
                raise self.failure
        raise StillBusy(f"Still busy after {STEPS} steps, {self.now - BEGIN:.0f} s after the beginning.")
