"""Queue, dead-letter queue and consumer fit each other by construction."""

import json
from typing import Any

import pulumi
import pytest

from components.errors import InvalidArgs
from components.event_queue import EventQueue, EventQueueArgs
from components.queue_consumer import QueueConsumer, QueueConsumerArgs
from tests.harness import run_program
from tools import recorder

QUEUE_ARN = "arn:aws:sqs:eu-central-1:111122223333:events-queue-1a2b3c4.fifo"
DEAD_LETTERS_ARN = "arn:aws:sqs:eu-central-1:111122223333:events-dead-letters-1a2b3c4.fifo"


def make_queue(timeout: int = 30) -> EventQueue:
    return EventQueue("events", EventQueueArgs(consumer_timeout_seconds=timeout))


def consumer(**changes: int) -> QueueConsumerArgs:
    values = {"maximum_concurrency": 5, **changes}
    return QueueConsumerArgs(queue_arn=QUEUE_ARN, function_name="bot", **values)


@pytest.mark.parametrize("timeout", [1, 30, 900])
def test_an_event_stays_invisible_for_six_timeouts(timeout: int) -> None:
    queue = run_program(lambda: make_queue(timeout)).one("aws:sqs/queue:Queue", "-queue")

    assert queue.inputs["visibilityTimeoutSeconds"] == 6 * timeout


def test_a_message_may_be_as_large_as_sqs_allows() -> None:
    queues = run_program(make_queue).of("aws:sqs/queue:Queue")

    assert [each.inputs["maxMessageSize"] for each in queues] == [1024 * 1024] * 2


def test_the_largest_message_is_the_queues_own_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    created = recorder.created

    def smaller(type_: str, *rest: Any) -> tuple[str, dict[str, Any]]:
        resource_id, outputs = created(type_, *rest)
        return resource_id, outputs | ({"maxMessageSize": 262_144} if type_ == "aws:sqs/queue:Queue" else {})

    monkeypatch.setattr(recorder, "created", smaller)
    graph = run_program(lambda: pulumi.export("size", make_queue().message_bytes))

    assert graph.outputs["size"] == "262144"


def test_an_event_received_a_thousand_times_becomes_a_dead_letter() -> None:
    queue = run_program(make_queue).one("aws:sqs/queue:Queue", "-queue")

    assert json.loads(queue.inputs["redrivePolicy"]) == {
        "deadLetterTargetArn": DEAD_LETTERS_ARN,
        "maxReceiveCount": 1000,
    }


def test_the_dead_letter_queue_accepts_from_this_queue_only_and_passes_nothing_on() -> None:
    graph = run_program(make_queue)

    allow = graph.one("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy")
    assert allow.inputs["queueUrl"].endswith("/events-dead-letters-1a2b3c4.fifo")
    assert json.loads(allow.inputs["redriveAllowPolicy"]) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [QUEUE_ARN],
    }
    assert "redrivePolicy" not in graph.one("aws:sqs/queue:Queue", "-dead-letters").inputs


@pytest.mark.parametrize("timeout", [0, -1, 7201])
def test_a_timeout_too_long_for_any_visibility_timeout_is_refused(timeout: int) -> None:
    with pytest.raises(InvalidArgs, match="choose 1 to 7200"):
        EventQueueArgs(consumer_timeout_seconds=timeout)


def test_the_consumer_reports_each_failed_event_and_is_bounded() -> None:
    graph = run_program(lambda: QueueConsumer("consumer", consumer()))

    mapping = graph.one("aws:lambda/eventSourceMapping:EventSourceMapping")
    assert mapping.inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping.inputs["scalingConfig"] == {"maximumConcurrency": 5}
    assert mapping.inputs["batchSize"] == 10
    assert mapping.inputs["eventSourceArn"] == QUEUE_ARN
    assert mapping.inputs["functionName"] == "bot"


@pytest.mark.parametrize("changes", [{"batch_size": 0}, {"batch_size": 11}])
def test_a_batch_size_outside_the_limits_of_a_fifo_queue_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(InvalidArgs, match="choose 1 to 10"):
        consumer(**changes)


@pytest.mark.parametrize("changes", [{"maximum_concurrency": 1}, {"maximum_concurrency": 1001}])
def test_a_concurrency_outside_lambdas_limits_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(InvalidArgs, match="choose 2 to 1000"):
        consumer(**changes)
