"""From the queue to the function: batches with partial failures, and a limit on how many run at once."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import lambda_

from components.errors import require_within

# Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping".
BATCH_SIZE = range(1, 10 + 1)  # of a FIFO queue
CONCURRENCY = range(2, 1000 + 1)


@dataclass(frozen=True, kw_only=True)
class QueueConsumerArgs:
    """What `QueueConsumer` needs.

    Attributes:
        queue_arn: The queue; its visibility timeout must be six times the function's timeout.
        function_name: The function that gets the batches, or the ARN of its alias. Its role must already be allowed to
            read the queue.
        maximum_concurrency: Batches at once, 2 to 1,000. New accounts have 10 executions in all: 5 leave half of them
            for the webhook.
        batch_size: Messages per batch, 1 to 10.

    Raises:
        InvalidArgs: If batch size or concurrency is outside Lambda's limits.
    """

    queue_arn: pulumi.Input[str]
    function_name: pulumi.Input[str]
    maximum_concurrency: int
    batch_size: int = 10

    def __post_init__(self) -> None:
        require_within(BATCH_SIZE, self.batch_size, "batch size of a FIFO queue")
        require_within(CONCURRENCY, self.maximum_concurrency, "number of batches at once")


class QueueConsumer(pulumi.ComponentResource):
    """The event source mapping."""

    def __init__(self, name: str, args: QueueConsumerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:QueueConsumer", name, None, opts)
        lambda_.EventSourceMapping(
            f"{name}-mapping",
            event_source_arn=args.queue_arn,
            function_name=args.function_name,
            batch_size=args.batch_size,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": args.maximum_concurrency},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
