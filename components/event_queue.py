"""The queue between acknowledging an event and answering it: in order per user, kept for as long as SQS allows."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import sqs

from components.errors import require_within
from components.policy import Statement, actions

# Amazon SQS Developer Guide, "Amazon SQS message quotas" and "SetQueueAttributes".
RETENTION_SECONDS = 14 * 24 * 60 * 60
MAX_VISIBILITY_SECONDS = 12 * 60 * 60

VISIBILITY_PER_TIMEOUT = 6
"""Lambda Developer Guide, "Using Lambda with Amazon SQS": at least six times the function's timeout."""

CONSUMER_TIMEOUT_SECONDS = range(1, MAX_VISIBILITY_SECONDS // VISIBILITY_PER_TIMEOUT + 1)

MAX_MESSAGE_BYTES = 1024 * 1024
"""SQS's highest. The default of Pulumi's AWS provider is a quarter of it, and a user's joined events would not fit."""
MAX_RECEIVE_COUNT = 1000
"""SQS's highest. It is only a backstop: events held back behind another's failure are received often."""


@dataclass(frozen=True, kw_only=True)
class EventQueueArgs:
    """What `EventQueue` needs.

    Attributes:
        consumer_timeout_seconds: The timeout of the function that reads the queue; the visibility timeout is six times
            as long.

    Raises:
        InvalidArgs: If no visibility timeout is that long.
    """

    consumer_timeout_seconds: int

    def __post_init__(self) -> None:
        require_within(CONSUMER_TIMEOUT_SECONDS, self.consumer_timeout_seconds, "timeout in seconds of a consumer")


class EventQueue(pulumi.ComponentResource):
    """A FIFO queue and its dead-letter queue. With `protect`, Pulumi neither deletes nor replaces them.

    Attributes:
        arn, url, name: Of the queue.
        message_bytes: The longest message that the queues take, as text; read back from the queue's own attribute.
        dead_letter_url, dead_letter_name: Of the dead-letter queue.
        producer_statement: Permission to send to the queue.
        consumer_statement: What Lambda's poller and the worker need: receive, delete, look, and set the backoff.
        dead_letter_statement: Permission to put an event on the dead-letter queue, and to take out the events of a
            person who wants to be forgotten.
    """

    arn: pulumi.Output[str]
    url: pulumi.Output[str]
    name: pulumi.Output[str]
    message_bytes: pulumi.Output[str]
    dead_letter_url: pulumi.Output[str]
    dead_letter_name: pulumi.Output[str]
    producer_statement: Statement
    consumer_statement: Statement
    dead_letter_statement: Statement

    def __init__(self, name: str, args: EventQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:EventQueue", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)

        def fifo(logical_name: str, policy: pulumi.Input[str] | None) -> sqs.Queue:
            return sqs.Queue(
                logical_name,
                fifo_queue=True,
                # High throughput: limits and de-duplication count per user, not per queue.
                deduplication_scope="messageGroup",
                fifo_throughput_limit="perMessageGroupId",
                message_retention_seconds=RETENTION_SECONDS,
                visibility_timeout_seconds=args.consumer_timeout_seconds * VISIBILITY_PER_TIMEOUT,
                max_message_size=MAX_MESSAGE_BYTES,
                sqs_managed_sse_enabled=True,
                redrive_policy=policy,
                opts=child,
            )

        dead_letters = fifo(f"{name}-dead-letters", None)
        queue = fifo(f"{name}-queue", dead_letters.arn.apply(redrive_policy))
        sqs.RedriveAllowPolicy(
            f"{name}-redrive-allow",
            queue_url=dead_letters.url,
            redrive_allow_policy=queue.arn.apply(redrive_allow_policy),
            opts=child,
        )
        self.arn, self.url, self.name = queue.arn, queue.url, queue.name
        self.message_bytes = queue.max_message_size.apply(lambda size: f"{size:.0f}")
        self.dead_letter_url, self.dead_letter_name = dead_letters.url, dead_letters.name
        self.producer_statement = Statement(sid="SendEvents", actions=["sqs:SendMessage"], resources=[queue.arn])
        self.consumer_statement = Statement(
            sid="TakeEvents",
            actions=actions("sqs", "ReceiveMessage DeleteMessage GetQueueAttributes ChangeMessageVisibility"),
            resources=[queue.arn],
        )
        self.dead_letter_statement = Statement(
            sid="KeepDeadLetters",
            actions=actions("sqs", "SendMessage ReceiveMessage DeleteMessage GetQueueAttributes"),
            resources=[dead_letters.arn],
        )
        self.register_outputs({"url": self.url, "deadLetterUrl": self.dead_letter_url})


def redrive_policy(dead_letters_arn: str) -> str:
    """The policy of the queue that says where dead letters go, as JSON.

    Args:
        dead_letters_arn: The dead-letter queue's ARN.
    """
    return json.dumps({"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": MAX_RECEIVE_COUNT})


def redrive_allow_policy(queue_arn: str) -> str:
    """The policy of the dead-letter queue that accepts dead letters from one queue, as JSON.

    Args:
        queue_arn: The queue's ARN.
    """
    return json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [queue_arn]})
