"""Queue, dead-letter queue and consumer fit each other by construction."""

import json
from collections.abc import Callable
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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: make_queue(0), "choose 1 to 7200"),
        (lambda: make_queue(7201), "choose 1 to 7200"),
        (lambda: consumer(batch_size=11), "choose 1 to 10"),
        (lambda: consumer(maximum_concurrency=1), "choose 2 to 1000"),
    ],
)
def test_what_sqs_or_lambda_would_not_take_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgs, match=message):
        make()


def test_the_consumer_reports_each_failed_event_and_is_bounded() -> None:
    graph = run_program(lambda: QueueConsumer("consumer", consumer()))

    mapping = graph.one("aws:lambda/eventSourceMapping:EventSourceMapping")
    assert mapping.inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping.inputs["scalingConfig"] == {"maximumConcurrency": 5}
    assert mapping.inputs["batchSize"] == 10
    assert mapping.inputs["eventSourceArn"] == QUEUE_ARN
    assert mapping.inputs["functionName"] == "bot"
