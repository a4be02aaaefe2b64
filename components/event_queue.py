"""The queue between acknowledging an event and answering it: in order per user, kept for as long as SQS can."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import sqs

from components.errors import require
from components.policy import Statement

# Amazon SQS Developer Guide, "Amazon SQS message quotas" and "SetQueueAttributes".
RETENTION_SECONDS = 14 * 24 * 60 * 60
MAX_VISIBILITY_SECONDS = 12 * 60 * 60

VISIBILITY_PER_TIMEOUT = 6
"""Lambda Developer Guide, "Using Lambda with Amazon SQS": at least six times the function's time-out."""

MAX_MESSAGE_BYTES = 1024 * 1024
"""SQS's highest. Pulumi's AWS provider would set a quarter of it, and a user's joined events would not fit."""
MAX_RECEIVE_COUNT = 1000
"""SQS's highest: a backstop only. Events held back behind another's failure are received often, without fault."""


@dataclass(frozen=True, kw_only=True)
class EventQueueArgs:
    """What `EventQueue` needs.

    Attributes:
        consumer_timeout_seconds: The time-out of the function that reads the queue; its visibility follows from it.
        tags: Tags of both queues.

    Raises:
        InvalidArgs: If six times the time-out is longer than a message can be invisible.
    """

    consumer_timeout_seconds: int
    tags: Mapping[str, str]

    def __post_init__(self) -> None:
        require(
            0 < self.consumer_timeout_seconds * VISIBILITY_PER_TIMEOUT <= MAX_VISIBILITY_SECONDS,
            f"A function with a time-out of {self.consumer_timeout_seconds} s cannot read a queue: choose 1 to 7200.",
        )


class EventQueue(pulumi.ComponentResource):
    """A FIFO queue and its dead-letter queue. Made with `protect`, both refuse to be deleted or replaced.

    Attributes:
        arn, url, name: Of the queue.
        dead_letter_arn, dead_letter_url, dead_letter_name: Of the dead-letter queue.
        producer_statement: The right to send to the queue.
        consumer_statement: What Lambda's poller and the worker need: receive, delete, look, and set the backoff.
        dead_letter_statement: The right to put an event on the dead-letter queue, and to take out those of a person
            who wants to be forgotten.
    """

    def __init__(self, name: str, args: EventQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:EventQueue", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        visibility = args.consumer_timeout_seconds * VISIBILITY_PER_TIMEOUT

        def fifo(logical_name: str, redrive_policy: pulumi.Input[str] | None) -> sqs.Queue:
            return sqs.Queue(
                logical_name,
                fifo_queue=True,
                # High throughput: limits and de-duplication count per user, not per queue.
                deduplication_scope="messageGroup",
                fifo_throughput_limit="perMessageGroupId",
                message_retention_seconds=RETENTION_SECONDS,
                visibility_timeout_seconds=visibility,
                max_message_size=MAX_MESSAGE_BYTES,
                sqs_managed_sse_enabled=True,
                redrive_policy=redrive_policy,
                tags=args.tags,
                opts=child,
            )

        dead_letters = fifo(f"{name}-dead-letters", None)
        queue = fifo(
            f"{name}-queue",
            pulumi.Output.json_dumps({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": MAX_RECEIVE_COUNT}),
        )
        sqs.RedriveAllowPolicy(
            f"{name}-redrive-allow",
            queue_url=dead_letters.url,
            redrive_allow_policy=queue.arn.apply(
                lambda arn: json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn]})
            ),
            opts=child,
        )
        self.arn, self.url, self.name = queue.arn, queue.url, queue.name
        self.dead_letter_arn, self.dead_letter_url = dead_letters.arn, dead_letters.url
        self.dead_letter_name = dead_letters.name
        self.producer_statement = Statement(sid="SendEvents", actions=["sqs:SendMessage"], resources=[queue.arn])
        self.consumer_statement = Statement(
            sid="TakeEvents",
            actions=[
                "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility",
            ],
            resources=[queue.arn],
        )  # fmt: skip
        self.dead_letter_statement = Statement(
            sid="KeepDeadLetters",
            actions=["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"],
            resources=[dead_letters.arn],
        )
        self.register_outputs({"url": self.url, "deadLetterUrl": self.dead_letter_url})
