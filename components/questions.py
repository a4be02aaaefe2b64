"""What people asked and the bot did not understand. One table, billed per request, which the bot only writes."""

import pulumi
from pulumi_aws import dynamodb

from components.policy import Statement

KEY, EXPIRES = "id", "expires"
DAYS = range(366)
"""For how many days a text may be kept; 0 keeps none."""


class Questions(pulumi.ComponentResource):
    """A table with the key `id` (a string). DynamoDB deletes an item once the time in `expires` (Unix seconds) is past.

    It has no backups: a text that has expired is gone.

    Attributes:
        name: The table's name.
        counter_statement: Permission to count a text, and not to read any.
    """

    name: pulumi.Output[str]
    counter_statement: Statement

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:Questions", name, None, opts)
        table = dynamodb.Table(
            f"{name}-table",
            billing_mode="PAY_PER_REQUEST",
            hash_key=KEY,
            attributes=[{"name": KEY, "type": "S"}],
            ttl={"attribute_name": EXPIRES, "enabled": True},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = table.name
        self.counter_statement = Statement(sid="CountQuestions", actions=["dynamodb:UpdateItem"], resources=[table.arn])
        self.register_outputs({"name": self.name})
