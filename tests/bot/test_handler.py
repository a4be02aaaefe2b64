"""The entry point: events go by their source, and the function is put together once."""

from typing import Any

import pytest

from bot import handler


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 12_500


class Part:
    def __init__(self) -> None:
        self.handled: list[tuple[Any, ...]] = []

    def handle(self, *arguments: Any) -> dict[str, Any]:
        self.handled.append(arguments)
        return {"answered by": id(self)}


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Part]:
    made = {"webhook": Part(), "worker": Part()}
    monkeypatch.setattr(handler, "_webhook", lambda: made["webhook"])
    monkeypatch.setattr(handler, "_worker", lambda: made["worker"])
    return made


def test_a_request_goes_to_the_webhook(parts: dict[str, Part]) -> None:
    event = {"httpMethod": "GET"}

    assert handler.handle(event, Context()) == {"answered by": id(parts["webhook"])}
    assert parts["webhook"].handled == [(event,)]


def test_what_the_schedule_sends_goes_to_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    class Check:
        def run(self, order: dict[str, Any]) -> dict[str, Any]:
            return {"findings": [order]}

    monkeypatch.setattr(handler, "_self_check", Check)

    assert handler.handle({"check": {"webhook_url": "u"}}, Context()) == {"findings": [{"webhook_url": "u"}]}


def test_a_batch_goes_to_the_worker_with_the_remaining_seconds(parts: dict[str, Part]) -> None:
    event: dict[str, Any] = {"Records": []}

    assert handler.handle(event, Context()) == {"answered by": id(parts["worker"])}
    ((batch, remaining),) = parts["worker"].handled
    assert batch is event
    assert remaining() == 12.5


def test_the_function_is_put_together_once_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_REGION": "eu-central-1",
        "AWS_SECRET_ACCESS_KEY": "s",
        "CONCURRENCY": "5",
        "DEAD_LETTER_QUEUE_URL": "dead",
        "MESSAGE_BYTES": "1048576",
        "ECHO_SECONDS": "20",
        "HUMAN_HOURS": "12",
        "DISCLOSE_DAYS": "30",
        "GRAPH_API_URL": "https://graph.facebook.com",
        "GRAPH_API_VERSION": "v26.0",
        "LEDGER_TABLE": "table",
        "PAGE_ID": "1",
        "QUEUE_URL": "events",
        "SECRETS_PATH": "/secrets",
        "STATE_DAYS": "30",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    cached = [handler._shared, handler._webhook, handler._worker]
    for part in cached:
        part.cache_clear()

    assert handler._webhook() is handler._webhook()
    assert handler.handle({"Records": []}, Context()) == {"batchItemFailures": []}
    for part in cached:
        part.cache_clear()
