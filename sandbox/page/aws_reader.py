"""Reads what AWS holds, as the account's owner: a user's state, an event's record, both queues, the log."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bot.aws.queues import fingerprint
from sandbox.page.records import dead_letter, ledger_record

Json = dict[str, Any]
COUNTS = {
    "waiting": "ApproximateNumberOfMessages",
    "inFlight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}
UNREADABLE = (BotoCoreError, ClientError, KeyError)
"""What reading raises while the stack is being changed, or after it was deleted."""

MOST_DEAD_LETTERS = 10
OVERLAP_MS = 2_000  # a line that is written late has an earlier time


class AwsReader:
    """Reads the bot's resources.

    Args:
        client: gives the owner's client for a service.
        outputs: gives the stack's outputs, which an update can change.
    """

    def __init__(self, client: Callable[[str], Any], outputs: Callable[[], Json]) -> None:
        self._client, self._outputs = client, outputs
        self._last_line = 0
        self._known_lines: set[str] = set()

    def user(self, page: str, person: str) -> Json | None:
        """What the ledger holds of a person: state, version, expiry."""
        return self._record(f"user#{fingerprint(page, person)}")

    def event(self, key: str) -> Json | None:
        """The ledger's record of an event."""
        return self._record(f"event#{key}")

    def _record(self, name: str) -> Json | None:
        answer = self._client("dynamodb").get_item(
            TableName=self._outputs()["ledgerTable"], Key={"id": {"S": name}}, ConsistentRead=True
        )
        return ledger_record(answer["Item"]) if "Item" in answer else None

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
        """The first dead letters; they stay in their queue."""
        url, sent = self._outputs()["deadLetterQueueUrl"], "SentTimestamp"
        answer = self._client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=MOST_DEAD_LETTERS, VisibilityTimeout=0, AttributeNames=[sent]
        )
        return [
            {"id": each["MessageId"], "sent": int(each["Attributes"][sent]) / 1000, **dead_letter(each["Body"])}
            for each in answer.get("Messages", [])
        ]

    def new_lines(self) -> list[Json]:
        """The function's log lines since the last call."""
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

    def variables(self) -> Json:
        """The function's environment."""
        found = self._client("lambda").get_function_configuration(FunctionName=self._outputs()["functionName"])
        return dict(found["Environment"]["Variables"])

    def wait_until_updated(self, function: str, seconds: float = 10.0) -> None:
        """Wait until the function's last update has taken effect."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self._client("lambda").get_function_configuration(FunctionName=function)
            if state.get("LastUpdateStatus", "Successful") == "Successful":
                return
            time.sleep(0.02)
