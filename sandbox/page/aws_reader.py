"""Reads what AWS holds: a user's state, an event's record, both queues, the log; as the account's owner."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bot.aws.queues import fingerprint
from sandbox.page.acts import letter
from sandbox.page.witness import readable

Json = dict[str, Any]
COUNTS = {
    "waiting": "ApproximateNumberOfMessages",
    "inHand": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}
UNREADABLE = (BotoCoreError, ClientError, KeyError)
"""What reading raises while the stack is being changed, or after it was deleted."""

MOST_LETTERS = 10
OVERLAP_MS = 2_000  # lines that are written late bear an earlier time


class Memory:
    """What is known where.

    Args:
        client: gives the owner's client for a service.
        outputs: gives the stack's, which an update can change.
    """

    def __init__(self, client: Callable[[str], Any], outputs: Callable[[], Json]) -> None:
        self._client, self._outputs = client, outputs
        self._last_line = 0
        self._known_lines: set[str] = set()

    def of_person(self, page: str, person: str) -> Json | None:
        """What the bot remembers of a person: state, version, when it goes; nothing if nothing."""
        return self._item(f"user#{fingerprint(page, person)}")

    def of_event(self, key: str) -> Json | None:
        """The ledger's record of an event."""
        return self._item(f"event#{key}")

    def _item(self, name: str) -> Json | None:
        answer = self._client("dynamodb").get_item(
            TableName=self._outputs()["ledgerTable"], Key={"id": {"S": name}}, ConsistentRead=True
        )
        return readable(answer["Item"]) if "Item" in answer else None

    def counts(self) -> Json:
        """How many messages are in both queues."""
        return {
            "events": self._counts(self._outputs()["queueUrl"]),
            "deadLetters": self._counts(self._outputs()["deadLetterQueueUrl"]),
        }

    def _counts(self, url: str) -> Json:
        answer = self._client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS.values()))
        return {name: int(answer["Attributes"][attribute]) for name, attribute in COUNTS.items()}

    def dead_letters(self) -> list[Json]:
        """The dead letters, the first ten, left where they are."""
        answer = self._client("sqs").receive_message(
            QueueUrl=self._outputs()["deadLetterQueueUrl"], MaxNumberOfMessages=MOST_LETTERS, VisibilityTimeout=0,
            AttributeNames=["SentTimestamp"],
        )  # fmt: skip
        return [
            {"sent": int(each["Attributes"]["SentTimestamp"]) / 1000, **letter(each["Body"])}
            for each in answer.get("Messages", [])
        ]

    def new_lines(self) -> list[Json]:
        """The function's log lines since the last asking."""
        answer = self._client("logs").filter_log_events(
            logGroupName=self._outputs()["logGroupName"], startTime=max(0, self._last_line - OVERLAP_MS)
        )
        lines: list[Json] = []
        for each in answer["events"]:
            identity = f"{each['logStreamName']} {each['timestamp']} {each['message']}"
            if identity in self._known_lines:
                continue
            self._known_lines.add(identity)
            self._last_line = max(self._last_line, each["timestamp"])
            lines.append({"time": each["timestamp"] / 1000, "text": each["message"].rstrip()})
        return lines

    def wait_until_updated(self, function: str, seconds: float = 10.0) -> None:
        """Wait until the function's last update has come through."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self._client("lambda").get_function_configuration(FunctionName=function)
            if state.get("LastUpdateStatus", "Successful") == "Successful":
                return
            time.sleep(0.02)
