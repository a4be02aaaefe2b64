"""The bot's ledger: what was seen, planned and sent, and each user's state. One table, billed per request."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import dynamodb

from components.policy import Statement, actions

KEY = "id"
EXPIRES = "expires"
BACKUP_DAYS = 35
"""How far back point-in-time recovery reaches: "Point-in-time recovery", DynamoDB Developer Guide, read 2026-11."""


@dataclass(frozen=True, kw_only=True)
class LedgerArgs:
    """What `Ledger` needs.

    Attributes:
        point_in_time_recovery: Can the table be restored to any second of the last 35 days?
        deletion_protection: Does DynamoDB refuse to delete the table?
    """

    point_in_time_recovery: bool
    deletion_protection: bool


class Ledger(pulumi.ComponentResource):
    """A table with the key `id` (a string). DynamoDB deletes an item once the time in `expires` (Unix seconds) is past.

    Attributes:
        name: The table's name.
        user_statement: Permission to read and write items; a transaction is authorised by the actions on its items.
    """

    name: pulumi.Output[str]
    user_statement: Statement

    def __init__(self, name: str, args: LedgerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:Ledger", name, None, opts)
        table = dynamodb.Table(
            f"{name}-table",
            billing_mode="PAY_PER_REQUEST",
            hash_key=KEY,
            attributes=[{"name": KEY, "type": "S"}],
            ttl={"attribute_name": EXPIRES, "enabled": True},
            point_in_time_recovery={"enabled": args.point_in_time_recovery},
            deletion_protection_enabled=args.deletion_protection,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = table.name
        self.user_statement = user_statement(table.arn)
        self.register_outputs({"name": self.name})


def user_statement(table_arn: pulumi.Output[str]) -> Statement:
    """The statement that lets a role read and write items, and look through all of them.

    Args:
        table_arn: The table's ARN.
    """
    return Statement(
        sid="UseLedger",
        actions=actions("dynamodb", "BatchGetItem PutItem UpdateItem DeleteItem Scan"),
        resources=[table_arn],
    )
