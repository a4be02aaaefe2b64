"""The entry point: events go by their source, which tests of whole stacks prove, and a batch knows its time."""

from collections.abc import Callable

import pytest

from bot import handler

Json = dict[str, object]


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 12_500


class Worker:
    def handle(self, batch: Json, remaining: Callable[[], float]) -> Json:
        return {"batch": batch, "seconds": remaining()}


def test_a_batch_goes_to_the_worker_with_the_remaining_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "_worker", Worker)
    event: Json = {"Records": []}

    assert handler.handle(event, Context()) == {"batch": event, "seconds": 12.5}
