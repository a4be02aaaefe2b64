"""The entry point: it is put together once. That events go by their source is proved by tests of whole stacks."""

from collections.abc import Callable

import pytest

from bot import handler
from bot.environment import variables
from tests.bot.environment import VALUES

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


def test_the_function_is_put_together_once(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    for name, value in (variables(**VALUES) | keys).items():
        monkeypatch.setenv(name, value)
    parts = (handler._shared, handler._webhook, handler._worker)
    for part in parts:
        part.cache_clear()
        assert part() is part()
    for part in parts:
        part.cache_clear()
