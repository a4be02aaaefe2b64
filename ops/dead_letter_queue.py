"""The dead-letter queue: look at its letters, delete them, send their events back.

SQS cannot show a message without hiding it from others for a while. So an operator's command holds the letters it looks
at, and releases the rest at the end. SQS shows at most ten messages of one message group until those are deleted.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from bot.aws.client import Aws, AwsError
from bot.aws.queues import BATCH_MESSAGES, Message, NotQueued, Queues, fingerprint
from ops.errors import OpsError
from ops.interruption import uninterrupted
from ops.letters import EventLetter, Letter, read
from ops.stack import Stack

# Held letters are hidden from everybody else, including the bot when a person deletes their data. They are released at
# the end; this limit matters only if the operator's machine dies.
HOLD_SECONDS = 120
# So many letters at a time can surely be handled while they are hidden.
ROUND = 200
# SQS asks all its servers only if it may wait ("Short and long polling" in the developer guide).
WAIT_SECONDS = 1
SEND_SECONDS = 60.0
SHORTEST_PREFIX = 4


class DeadLetterQueue:
    """Holds letters: within `with`, nobody else sees those that were looked at.

    Args:
        aws: the client.
        stack: the stack that the queue belongs to.

    Attributes:
        letters: those seen so far and not deleted, by id.
    """

    def __init__(self, aws: Aws, stack: Stack) -> None:
        self._aws, self._url = aws, stack.dead_letter_queue_url
        self._queues = Queues(aws, stack.queue_url, stack.dead_letter_queue_url)
        self.letters: dict[str, Letter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Release the letters that are left. If that fails, they reappear after `HOLD_SECONDS`."""
        with uninterrupted():
            receipts = [each.receipt for each in self.letters.values()]
            for start in range(0, len(receipts), BATCH_MESSAGES):
                entries = [
                    {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                    for number, receipt in enumerate(receipts[start : start + BATCH_MESSAGES])
                ]
                with suppress(AwsError, OpsError):
                    self._aws.call("sqs", "ChangeMessageVisibilityBatch", {"QueueUrl": self._url, "Entries": entries})

    def look(self, most: int | None = None) -> list[Letter]:
        """Hold letters that are not held yet, and return them, oldest first.

        Args:
            most: roughly how many; all that SQS shows if not given.
        """
        new: dict[str, Letter] = {}
        while most is None or len(new) < most:
            with uninterrupted():  # a letter that was received but not noted could not be released
                received = [read(each) for each in self._receive()]
                unknown = [each for each in received if each.id not in self.letters]
                self.letters |= {each.id: each for each in received}
            new |= {each.id: each for each in unknown}
            if not unknown:
                break
        return sorted(new.values(), key=lambda each: each.sequence)

    def every(self) -> Iterator[Letter]:
        """All letters, oldest first, in rounds. Whoever deletes letters meanwhile also gets those behind them."""
        while new := self.look(ROUND):
            yield from new

    def find(self, ids: Sequence[str]) -> list[Letter]:
        """The held letters with these ids, in the queue's order.

        Args:
            ids: whole ids, or the first characters, as many as make them unique.

        Raises:
            OpsError: an id matches no letter, or several.
        """
        found: dict[str, Letter] = {}
        for given in ids:
            matches = [each for each in self.letters.values() if each.id.startswith(given)]
            if len(given) < SHORTEST_PREFIX or len(matches) > 1:
                raise OpsError(f"{given!r} is too short to identify one letter: give more of the id that `list` shows.")
            if not matches:
                more = f" ({unseen} more cannot be seen now)" if (unseen := self.unseen()) else ""
                raise OpsError(f"There is no dead letter {given}{more}: see `python -m ops deadletters list`.")
            found[matches[0].id] = matches[0]
        return sorted(found.values(), key=lambda each: each.sequence)

    def _receive(self) -> list[dict[str, Any]]:
        request = {
            "QueueUrl": self._url,
            "MaxNumberOfMessages": BATCH_MESSAGES,
            "MessageSystemAttributeNames": ["All"],
            "VisibilityTimeout": HOLD_SECONDS,
            "WaitTimeSeconds": WAIT_SECONDS,
            # If the answer gets lost, a retry with the same id receives the same letters.
            "ReceiveRequestAttemptId": uuid.uuid4().hex,
        }
        messages: list[dict[str, Any]] = self._aws.call("sqs", "ReceiveMessage", request).get("Messages", [])
        return messages

    def delete(self, letter: Letter) -> None:
        """Delete a letter for good."""
        self._queues.drop(self.letters[letter.id].receipt)
        del self.letters[letter.id]

    def send_back(self, letter: EventLetter) -> None:
        """Put a letter's events back on the event queue, in their message group.

        The de-duplication id is made from the letter's id. So SQS accepts the message, as no earlier one had this id,
        and drops a second copy if the call is repeated.

        Raises:
            OpsError: SQS did not accept it.
        """
        message = Message(letter.group, fingerprint("redrive", letter.id), letter.text)
        try:
            self._queues.put([message], time.monotonic() + SEND_SECONDS)
        except NotQueued as error:
            raise OpsError(
                f"The event queue did not accept {letter.id} ({error}); its letter stays: redrive again."
            ) from None

    def unseen(self) -> int:
        """How many letters SQS counts beyond those held: behind ten others, or held by someone else."""
        return max(0, message_count(self._aws, self._url) - len(self.letters))


def message_count(aws: Aws, queue_url: str) -> int:
    """How many messages a queue has, by SQS's count, which can be a minute old."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = aws.call("sqs", "GetQueueAttributes", {"QueueUrl": queue_url, "AttributeNames": names})
    return sum(int(answer["Attributes"][name]) for name in names)
