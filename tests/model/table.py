"""The ledger's table: MiniStack's DynamoDB in this very process, so that expressions are judged by code not ours."""

import json
from typing import Any

from ministack.services import dynamodb

from bot.http import Response

Json = dict[str, Any]

NAME = "ledger"
CALLS = frozenset({"BatchGetItem", "TransactWriteItems", "PutItem", "UpdateItem"})


class Table:
    """A fresh table with the key `id`; there is only one at a time."""

    def __init__(self) -> None:
        dynamodb.reset()
        made = self.call(
            "CreateTable",
            {
                "TableName": NAME,
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            },
        )
        assert made.status == 200, made.body

    @staticmethod
    def call(operation: str, request: Json) -> Response:
        """Carry out one call as DynamoDB would."""
        answering = dynamodb.handle_request(
            "POST", "/", {"x-amz-target": f"DynamoDB_20120810.{operation}"}, json.dumps(request).encode(), {}
        )
        try:
            answering.send(None)
        except StopIteration as ended:
            status, headers, body = ended.value
            return Response(status, {name.lower(): value for name, value in headers.items()}, body)
        raise AssertionError("MiniStack's DynamoDB waits for something")

    def items(self) -> dict[str, Json]:
        """Everything in the table, by its key."""
        found = json.loads(self.call("Scan", {"TableName": NAME}).body)["Items"]
        return {item["id"]["S"]: item for item in found}
