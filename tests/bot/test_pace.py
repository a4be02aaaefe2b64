"""Sends are kept below what Facebook allows a page."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.pace import MEDIA_PER_SECOND, TEXTS_PER_SECOND, Pace

TEXT = {"message": {"text": "hello"}}
IMAGE = {"message": {"attachment": {"type": "image", "payload": {"url": "https://example.org/i.png"}}}}
TEMPLATE = {"message": {"attachment": {"type": "template", "payload": {}}}}
TYPING = {"sender_action": "typing_on"}


class Clock:
    """A clock that only goes on when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.mark.parametrize(
    ("request_", "rate"),
    [(TEXT, TEXTS_PER_SECOND), (TEMPLATE, TEXTS_PER_SECOND), (TYPING, TEXTS_PER_SECOND), (IMAGE, MEDIA_PER_SECOND)],
)
@pytest.mark.parametrize("runs", [1, 5])
def test_all_runs_together_stay_below_the_pages_rate(request_: dict[str, object], rate: int, runs: int) -> None:
    clocks = [Clock() for _ in range(runs)]
    paces = [Pace(runs, clock.time, clock.wait) for clock in clocks]
    for pace in paces:
        for _ in range(100):
            pace.wait(request_)
    taken = max(clock.now for clock in clocks) - 100.0
    assert (runs * 100 - runs) / taken == pytest.approx(rate, rel=0.02)


def test_the_first_send_after_a_while_does_not_wait() -> None:
    clock = Clock()
    pace = Pace(5, clock.time, clock.wait)
    pace.wait(IMAGE)
    clock.now += 10
    pace.wait(IMAGE)
    assert clock.now == 110


def test_a_text_after_media_waits_as_long_as_media_needs() -> None:
    clock = Clock()
    pace = Pace(2, clock.time, clock.wait)
    pace.wait(IMAGE)
    pace.wait(TEXT)
    assert clock.now == pytest.approx(100 + 2 / MEDIA_PER_SECOND)


def test_threads_of_one_run_share_its_rate() -> None:
    waits: list[float] = []
    pace = Pace(2, lambda: 100.0, waits.append)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(pace.wait, [TEXT] * 50))
    assert sorted(waits) == pytest.approx([number * 2 / TEXTS_PER_SECOND for number in range(1, 50)])
