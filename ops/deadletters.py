"""The dead-letter queue: looked through, sent back, dropped.

SQS cannot show a message without hiding it for a while. So whoever looks holds the letters, and gives back at the end
what is left of them. Of one message group SQS shows ten messages, and no more until those are gone.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

from bot.aws.client import Aws, AwsError
from bot.aws.queues import BATCH_MESSAGES, Message, NotQueued, Queues, fingerprint
from ops.errors import OpsError
from ops.interruption import uninterrupted
from ops.ledger import Fate, Ledger, fate
from ops.letters import EventLetter, Letter, UnusableLetter, earlier_left_out, read
from ops.stack import Stack

# What is held is hidden from everybody else, the bot's own "delete my data" included; this is for an operator's machine
# that dies, since else all is given back at once.
HOLD_SECONDS = 120
# Held at a time: what one can be sure to be done with while it is hidden.
ROUND = 200
# SQS asks all its servers only if it may wait ("Short and long polling" in the developer guide).
WAIT_SECONDS = 1
SEND_SECONDS = 60.0
LEAST_PREFIX = 4
WINDOW_MILLISECONDS = 24 * 60 * 60 * 1000


class Held:
    """Letters under one's eyes: within `with`, nobody else sees them.

    Args:
        aws: the door to AWS.
        stack: whose dead letters.

    Attributes:
        letters: those seen so far and not deleted, by their id.
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
        """Give back what is left. What cannot be given back shows itself again when its time is over."""
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
        """Hold letters that were not held yet, and return them, the oldest first.

        Args:
            most: about so many at most; all that SQS shows if not given.
        """
        new: dict[str, Letter] = {}
        while most is None or len(new) < most:
            with uninterrupted():  # what was received and is not noted could not be given back
                received = [read(each) for each in self._receive()]
                unknown = [each for each in received if each.id not in self.letters]
                self.letters |= {each.id: each for each in received}
            new |= {each.id: each for each in unknown}
            if not unknown:
                break
        return sorted(new.values(), key=lambda each: each.sequence)

    def _receive(self) -> list[dict[str, Any]]:
        request = {
            "QueueUrl": self._url,
            "MaxNumberOfMessages": BATCH_MESSAGES,
            "MessageSystemAttributeNames": ["All"],
            "VisibilityTimeout": HOLD_SECONDS,
            "WaitTimeSeconds": WAIT_SECONDS,
            # If the answer is lost, asking again with the same id shows the same letters.
            "ReceiveRequestAttemptId": uuid.uuid4().hex,
        }
        messages: list[dict[str, Any]] = self._aws.call("sqs", "ReceiveMessage", request).get("Messages", [])
        return messages

    def delete(self, letter: Letter) -> None:
        """Delete a letter for good."""
        self._queues.drop(self.letters[letter.id].receipt)
        del self.letters[letter.id]

    def send(self, letter: EventLetter) -> None:
        """Put a letter's events back on the event queue, in its group.

        The de-duplication id is the letter's own: another than that of any message before, so that SQS takes it; and
        the same if it is sent again because nobody knows whether it was.

        Raises:
            OpsError: SQS did not take it.
        """
        message = Message(letter.group, fingerprint("redrive", letter.id), letter.text)
        try:
            self._queues.put([message], time.monotonic() + SEND_SECONDS)
        except NotQueued as error:
            raise OpsError(
                f"The event queue did not take {letter.id} ({error}); its letter stays: redrive again."
            ) from None

    def unseen(self) -> int:
        """How many letters there are, by SQS's count, beside those held: behind ten others, or held by someone else."""
        return max(0, waiting(self._aws, self._url) - len(self.letters))


def waiting(aws: Aws, queue_url: str) -> int:
    """How many messages a queue has, by SQS's count, which can be a minute old."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = aws.call("sqs", "GetQueueAttributes", {"QueueUrl": queue_url, "AttributeNames": names})
    return sum(int(answer["Attributes"][name]) for name in names)


def obstacle(letter: Letter, page_id: str) -> str:
    """Why a letter cannot be redriven; "" if it can.

    Args:
        letter: which.
        page_id: the page that the stack answers for.
    """
    if isinstance(letter, UnusableLetter):
        return "it never was an event: look at it with `show`, then drop it"
    if not isinstance(letter, EventLetter):
        return "the bot did not write it: look at it with `show`, then drop it"
    if letter.message["object"] == "page" and letter.page != page_id:
        return (
            f"it is of page {letter.page} and the stack answers for {page_id}: correct the setting pageId and deploy, "
            "then redrive; or drop it"
        )
    return ""


def find(ids: Sequence[str], held: Held) -> list[Letter]:
    """The letters of these ids, in the queue's order.

    Args:
        ids: each whole, or as much of its beginning as is unique.
        held: what can be seen.

    Raises:
        OpsError: there is none, or more than one.
    """
    found: dict[str, Letter] = {}
    for given in ids:
        matches = [each for each in held.letters.values() if each.id.startswith(given)]
        if len(given) < LEAST_PREFIX or len(matches) > 1:
            raise OpsError(f"{given!r} is too short to be the id of one letter: give more of it, as `list` shows it.")
        if not matches:
            more = f" ({unseen} more cannot be seen now)" if (unseen := held.unseen()) else ""
            raise OpsError(f"There is no dead letter {given}{more}: see `python -m ops deadletters list`.")
        found[matches[0].id] = matches[0]
    return sorted(found.values(), key=lambda each: each.sequence)


class Redriven(NamedTuple):
    """What became of a letter, or would.

    Attributes:
        letter: which.
        fates: of its events, in order.
    """

    letter: EventLetter
    fates: tuple[Fate, ...]

    @property
    def late(self) -> bool:
        """Whether the 24 hours in which its answer may be sent are over, unless the person has written since.

        Source: Messenger Platform, "Messenger Platform Policy", the standard messaging window.
        """
        return time.time() * 1000 - self.letter.received > WINDOW_MILLISECONDS


def redrive_chosen(ids: Sequence[str], held: Held, ledger: Ledger, page_id: str, *, dry: bool) -> Iterator[Redriven]:
    """Redrive these letters: the oldest first, so each person's in their order.

    Args:
        ids: see `find`.
        held: where they are.
        ledger: the ledger.
        page_id: the page that the stack answers for.
        dry: change nothing, tell only what would become of them.

    Raises:
        OpsError: one of them cannot be redriven, or would overtake another; then none is.
    """
    held.look()
    chosen = find(ids, held)
    for letter in chosen:
        if why := obstacle(letter, page_id):
            raise OpsError(f"{letter.id} cannot be redriven: {why}.")
    for letter, other in earlier_left_out(chosen, list(held.letters.values())):
        raise OpsError(
            f"{letter.id} would overtake {other.id}, an older one of the same person: redrive that too, or drop it."
        )
    for letter in chosen:
        if isinstance(letter, EventLetter):
            yield redrive(letter, held, ledger, dry=dry)


def redrive_all(held: Held, ledger: Ledger, page_id: str, *, dry: bool) -> Iterator[Redriven]:
    """Redrive all letters that can be; arguments as of `redrive_chosen`.

    What is deleted makes room for more of the same person, so it looks again until nothing new shows. A dry run sees
    only ten of each person.
    """
    while new := held.look(ROUND):
        for letter in new:
            if isinstance(letter, EventLetter) and not obstacle(letter, page_id):
                yield redrive(letter, held, ledger, dry=dry)


def redrive(letter: EventLetter, held: Held, ledger: Ledger, *, dry: bool) -> Redriven:
    """Redrive one letter: the ledger first, then the event queue, and the letter goes last.

    Wherever this ends early, the letter is still there, and doing it all again does no harm: an event that is not dead
    is left as it is, the queue drops the second copy or the ledger tells the worker that it was dealt with.
    """
    if dry:
        return Redriven(letter, tuple(fate(ledger.record(key, letter.page)) for key in letter.ledger_keys()))
    with uninterrupted():
        fates = tuple(fate(ledger.revive(key, letter.page)) for key in letter.ledger_keys())
        if any(each is not Fate.DONE for each in fates):
            held.send(letter)
        held.delete(letter)
    return Redriven(letter, fates)


def drop(letter: Letter, held: Held, ledger: Ledger) -> None:
    """Delete a letter, and then what the ledger keeps of its events for a redrive."""
    with uninterrupted():
        held.delete(letter)
        for key in letter.ledger_keys() if isinstance(letter, EventLetter) else ():
            ledger.abandon(key)


def drop_all(held: Held, ledger: Ledger) -> Iterator[Letter]:
    """Drop all letters; those of one person that only show once others are gone too."""
    while new := held.look(ROUND):
        for letter in new:
            drop(letter, held, ledger)
            yield letter
