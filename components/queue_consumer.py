"""From the queue to the function: batches with partial failures, and no more at once than is good for Facebook."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import lambda_

from components.errors import require

# Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping".
BATCH_SIZE = range(1, 10 + 1)  # of a FIFO queue
CONCURRENCY = range(2, 1000 + 1)


@dataclass(frozen=True, kw_only=True)
class QueueConsumerArgs:
    """What `QueueConsumer` needs.

    Attributes:
        queue_arn: The queue that is read; its visibility must be six times the function's time-out.
        function_name: The function that gets the batches; its role must be able to read the queue already.
        tags: Tags of the mapping.
        batch_size: Messages a batch, 1 to 10.
        maximum_concurrency: Batches at once, 2 to 1,000. New accounts have 10 executions in all: 5 leave half of them
            to the webhook.

    Raises:
        InvalidArgs: If batch size or concurrency is outside what Lambda has.
    """

    queue_arn: pulumi.Input[str]
    function_name: pulumi.Input[str]
    maximum_concurrency: int
    tags: Mapping[str, str]
    batch_size: int = 10

    def __post_init__(self) -> None:
        require(self.batch_size in BATCH_SIZE, f"A FIFO queue has no batches of {self.batch_size}: choose 1 to 10.")
        require(
            self.maximum_concurrency in CONCURRENCY,
            f"A queue cannot be read {self.maximum_concurrency} at once: choose 2 to 1000.",
        )


class QueueConsumer(pulumi.ComponentResource):
    """The event source mapping.

    Attributes:
        uuid: The mapping's id.
    """

    uuid: pulumi.Output[str]

    def __init__(self, name: str, args: QueueConsumerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:QueueConsumer", name, None, opts)
        mapping = lambda_.EventSourceMapping(
            f"{name}-mapping",
            event_source_arn=args.queue_arn,
            function_name=args.function_name,
            batch_size=args.batch_size,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": args.maximum_concurrency},
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.uuid = mapping.uuid
        self.register_outputs({"uuid": self.uuid})
