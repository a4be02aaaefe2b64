"""Where the bot's log goes: a log group made before the function, so that retention holds from the first line."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch

from components.errors import require
from components.policy import Statement

RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""What CloudWatch Logs can keep (API reference, `PutRetentionPolicy`)."""


@dataclass(frozen=True, kw_only=True)
class BotLogsArgs:
    """What `BotLogs` needs.

    Attributes:
        retention_days: How long a line is kept; one of `RETENTION_DAYS`.
        tags: Tags of the log group.

    Raises:
        InvalidArgs: If the retention is none that CloudWatch knows.
    """

    retention_days: int
    tags: Mapping[str, str]

    def __post_init__(self) -> None:
        require(
            self.retention_days in RETENTION_DAYS,
            f"A log group cannot keep lines for {self.retention_days} days: choose one of {RETENTION_DAYS}.",
        )


class BotLogs(pulumi.ComponentResource):
    """A log group with retention.

    Attributes:
        name: The log group's name.
        arn: Its ARN, without `:*`.
        writer_statement: The right to write into it. `CreateLogGroup` is left out: a late flush after the stack's
            deletion would make the group anew, without retention.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    writer_statement: Statement

    def __init__(self, name: str, args: BotLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:BotLogs", name, None, opts)
        group = cloudwatch.LogGroup(
            f"{name}-group",
            retention_in_days=args.retention_days,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = group.name
        self.arn = group.arn
        self.writer_statement = Statement(
            sid="WriteLog",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            # Log streams are named below the group: <group's ARN>:log-stream:<name>.
            resources=[pulumi.Output.concat(group.arn, ":*")],
        )
        self.register_outputs({"name": self.name, "arn": self.arn})
