"""Sends are kept below what Facebook allows a page."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.pace import AHEAD_SECONDS, MEDIA_PER_SECOND, TEXTS_PER_SECOND, Pace, UsedUp

TEXT = {"message": {"text": "hello"}}
IMAGE = {"message": {"attachment": {"type": "image", "payload": {"url": "https://example.org/i.png"}}}}
TEMPLATE = {"message": {"attachment": {"type": "template", "payload": {}}}}
PATIENCE = 1000.0


class Clock:
    """A clock that only moves when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.mark.parametrize(
    ("request_", "rate", "limit"),
    [
        (TEXT, TEXTS_PER_SECOND, 300),
        (TEMPLATE, TEXTS_PER_SECOND, 300),
        (IMAGE, MEDIA_PER_SECOND, 10),
    ],
)
@pytest.mark.parametrize("runs", [1, 5])
def test_all_runs_together_stay_below_the_pages_rate(
    request_: dict[str, object], rate: float, limit: int, runs: int
) -> None:
    sent: list[float] = []
    for _ in range(runs):
        clock = Clock()
        pace = Pace(runs, clock.time, clock.wait)
        for _ in range(200):
            pace.wait(request_, PATIENCE)
            sent.append(clock.now)
    assert max(sum(begin <= each < begin + 1 for each in sent) for begin in sent) <= limit
    assert len(sent) / (max(sent) + AHEAD_SECONDS - 100.0) == pytest.approx(rate, rel=0.02)


def test_a_batch_of_a_run_that_was_idle_is_answered_at_once_and_no_more_than_that() -> None:
    clock = Clock()
    pace = Pace(5, clock.time, clock.wait)
    pace.wait(IMAGE, PATIENCE)
    clock.now += 10
    for _ in range(round(AHEAD_SECONDS * TEXTS_PER_SECOND / 5)):
        pace.wait(TEXT, PATIENCE)
    assert clock.now == 110
    pace.wait(TEXT, PATIENCE)
    pace.wait(TEXT, PATIENCE)
    assert clock.now > 110


def test_a_text_after_media_waits_as_long_as_media_needs() -> None:
    clock = Clock()
    pace = Pace(2, clock.time, clock.wait)
    pace.wait(IMAGE, PATIENCE)
    pace.wait(TEXT, PATIENCE)
    assert clock.now == pytest.approx(100 + 2 / MEDIA_PER_SECOND - AHEAD_SECONDS)


def test_a_send_that_may_not_wait_for_so_long_takes_nothing_of_the_rate() -> None:
    clock = Clock()
    pace = Pace(1000, clock.time, clock.wait)
    pace.wait(TEXT, 0)
    for _ in range(3):
        with pytest.raises(UsedUp) as refused:
            pace.wait(TEXT, 3)
    assert refused.value.seconds == pytest.approx(1000 / TEXTS_PER_SECOND - AHEAD_SECONDS)
    pace.wait(TEXT, 5)
    assert clock.now == pytest.approx(100 + refused.value.seconds)


def test_threads_of_one_run_share_its_rate() -> None:
    waits: list[float] = []
    pace = Pace(2, lambda: 100.0, waits.append)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(pace.wait, [TEXT] * 50, [PATIENCE] * 50))
    shares = [number * 2 / TEXTS_PER_SECOND - AHEAD_SECONDS for number in range(50)]
    assert sorted(waits) == pytest.approx([wait for wait in shares if wait > 0])
