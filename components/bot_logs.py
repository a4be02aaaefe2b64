"""The bot's log: a log group that exists before the function, so that its retention applies from the first line."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch

from components.errors import require
from components.policy import Statement

# CloudWatch Logs API reference, `PutRetentionPolicy`.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180),
    *(365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


@dataclass(frozen=True, kw_only=True)
class BotLogsArgs:
    """What `BotLogs` needs.

    Attributes:
        retention_days: How long a line is kept; one of `RETENTION_DAYS`.

    Raises:
        InvalidArgs: If CloudWatch does not offer this retention.
    """

    retention_days: int

    def __post_init__(self) -> None:
        require(
            self.retention_days in RETENTION_DAYS,
            f"A log group cannot keep lines for {self.retention_days} days: choose one of {RETENTION_DAYS}.",
        )


class BotLogs(pulumi.ComponentResource):
    """A log group with retention.

    Attributes:
        name: The log group's name.
        writer_statement: Permission to write to it. `CreateLogGroup` is left out: a late line after the stack's
            deletion would create the group again, without retention.
    """

    name: pulumi.Output[str]
    writer_statement: Statement

    def __init__(self, name: str, args: BotLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:BotLogs", name, None, opts)
        group = cloudwatch.LogGroup(
            f"{name}-group", retention_in_days=args.retention_days, opts=pulumi.ResourceOptions(parent=self)
        )
        self.name = group.name
        self.writer_statement = writer_statement(group.arn)
        self.register_outputs({"name": self.name})


def writer_statement(group_arn: pulumi.Output[str]) -> Statement:
    """The statement that lets a role write to a log group.

    Args:
        group_arn: The log group's ARN, without `:*`.
    """
    return Statement(
        sid="WriteLog",
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        # A log stream's ARN is <the group's ARN>:log-stream:<name>.
        resources=[pulumi.Output.concat(group_arn, ":*")],
    )
