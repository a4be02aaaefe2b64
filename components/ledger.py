"""The ledger: what was seen, planned and sent, and each user's state. One table, paid by use."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import dynamodb

from components.policy import Statement

KEY = "id"
EXPIRES = "expires"


@dataclass(frozen=True, kw_only=True)
class LedgerArgs:
    """What `Ledger` needs.

    Attributes:
        point_in_time_recovery: Can the table be put back to any second of the last 35 days?
        deletion_protection: Does DynamoDB refuse to delete the table?
        tags: Tags of the table.
    """

    point_in_time_recovery: bool
    deletion_protection: bool
    tags: Mapping[str, str]


class Ledger(pulumi.ComponentResource):
    """A table with the key `id` (a string), whose items go when the time in `expires` (Unix seconds) is past.

    Attributes:
        name: The table's name.
        user_statement: The right to read and write items; a transaction is authorised by its items' actions.
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
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = table.name
        self.user_statement = Statement(
            sid="UseLedger",
            actions=[
                "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
            ],
            resources=[table.arn],
        )  # fmt: skip
        self.register_outputs({"name": self.name})
