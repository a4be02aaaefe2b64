"""What people wrote and the bot did not understand: how often, each day, and by nobody in particular.

One DynamoDB table with the key `id`: the day, and the fingerprint of the text without regard to case and spaces. An
item holds the text as it was last written, `said`, and how often it came that day, `asked`. It does not say who wrote.
"""

import time
from collections.abc import Callable

from bot.aws.client import Aws, AwsError
from bot.aws.queues import fingerprint
from bot.log import log

DAY_SECONDS = 24 * 60 * 60
CALL_SECONDS = 1.0
# Enough of a long text to see what it is about.
CHARACTERS = 500


class Questions:
    """Writes the table; the bot never reads it.

    Args:
        aws: the client.
        table: its name.
        days: how many days a text is kept.
        now: the clock, in seconds since the epoch.
    """

    def __init__(self, aws: Aws, table: str, days: int, now: Callable[[], float] = time.time) -> None:
        self._aws, self._table, self._days, self._now = aws, table, days, now

    def count(self, text: str) -> None:
        """Count a text. If AWS does not take it, it is not counted: no answer has to wait for that."""
        now = self._now()
        day = time.strftime("%Y-%m-%d", time.gmtime(now))
        said = text[:CHARACTERS]
        request = {
            "TableName": self._table,
            "Key": {"id": {"S": f"{day}#{fingerprint(' '.join(said.casefold().split()))}"}},
            "UpdateExpression": "SET said = :said, expires = :expires ADD asked :one",
            "ExpressionAttributeValues": {
                ":said": {"S": said},
                ":expires": {"N": str(round(now) + self._days * DAY_SECONDS)},
                ":one": {"N": "1"},
            },
        }
        try:
            self._aws.call("dynamodb", "UpdateItem", request, timeout=CALL_SECONDS, repeatable=False)
        except AwsError as error:
            log("WARN", "not_counted", reason=str(error))
