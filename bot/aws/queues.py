"""The two queues: what the messages on them hold, and how they get there.

A message on the event queue holds all events of one user in one request of Facebook's, so that no partial failure can
reorder them: `{"object": "page", "page": PAGE, "received": ms, "items": [item, …]}`. A dead letter holds the reason
beside such a message with one event, or with those that were answered together, `{"reason": …, "detail": {…},
"message": {…}}`. For bytes that are not an event it holds these: `{"reason": …, "part": 1, "of": 1, "base64": …}`.
"""

import base64
import hashlib
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from bot.aws.client import Aws, AwsError
from bot.aws.compact import compact

# "Message quotas" in the SQS developer guide: what a batch may have, however little its queue allows a message.
BATCH_BYTES = 1024 * 1024
BATCH_MESSAGES = 10
# What a message weighs beside its body (ids, envelope), generously, so that no batch is ever too large.
OVERHEAD_BYTES = 1024
CALL_SECONDS = 1.0
# A call has two tries and a pause between them; with less time than this none is made.
LEAST_SECONDS = 0.5
PAUSE_SECONDS = 0.15
# Looking through the dead letters: at most so many calls, each of which hides what it receives for so long.
SWEEP_RECEIVES = 100
SWEEP_SECONDS = 10
# SQS asks all its servers only if it may wait ("Short and long polling" in the developer guide).
WAIT_SECONDS = 1
RECEIVE_SECONDS = 4.0


class NotQueued(Exception):
    """A queue did not take a message, or there was no time left to ask it; the text says which."""


class Message(NamedTuple):
    """One message to be put on a FIFO queue.

    Attributes:
        group: messages of one group are delivered in order.
        deduplication: a second message with this id within five minutes is dropped by SQS.
        body: JSON, escaped to ASCII: SQS refuses some control characters.
    """

    group: str
    deduplication: str
    body: str


def fingerprint(*parts: str) -> str:
    """The SHA-256 of some ids, in hex: the platform's ids can be longer than the 128 characters that SQS allows."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def event_bytes(message_bytes: int) -> int:
    """How long the JSON of events, together, may be in one message: as a dead letter it has two envelopes.

    Args:
        message_bytes: the longest message that the queues take.
    """
    return message_bytes - 2 * OVERHEAD_BYTES


def event_messages(
    head: dict[str, Any], group: str, items: Iterable[tuple[str, str]], message_bytes: int
) -> Iterator[Message]:
    """The messages for the events of one group in one request: one, unless they weigh more than the queue takes.

    Args:
        head: the other fields: `object`, `page`, `received`.
        group: their message group.
        items: identity and JSON of each event, in order; none longer than `event_bytes`.
        message_bytes: the longest message that the queue takes.
    """
    ids: list[str] = []
    texts: list[str] = []
    size = 0
    for identity, text in items:
        if texts and size + len(text) > event_bytes(message_bytes):
            yield _event_message(head, group, ids, texts)
            ids, texts, size = [], [], 0
        ids.append(identity)
        texts.append(text)
        size += len(text) + 1
    if texts:
        yield _event_message(head, group, ids, texts)


def _event_message(head: dict[str, Any], group: str, ids: Sequence[str], texts: Sequence[str]) -> Message:
    return Message(group, fingerprint(group, *ids), f'{compact(head)[:-1]},"items":[{",".join(texts)}]}}')


def dead_letter(reason: str, detail: dict[str, Any], message: dict[str, Any], group: str, identity: str) -> Message:
    """The dead letter for an event.

    Args:
        reason: why, in a word that an operator can look up.
        detail: what else is known, such as Facebook's `fbtrace_id`.
        message: a queue message with this event, and those answered with it, to be put back by a redrive.
        group: the event's message group.
        identity: a second letter with the same one within five minutes is dropped.
    """
    body = compact({"reason": reason, "detail": detail, "message": message})
    return Message(group, fingerprint("dead", identity), body)


def unusable_letters(reason: str, content: bytes, message_bytes: int) -> Iterator[Message]:
    """The dead letters for bytes that are not an event: as few as can hold them, numbered.

    Args:
        reason: why.
        content: the bytes as received.
        message_bytes: the longest message that the dead-letter queue takes.
    """
    whole = hashlib.sha256(content).hexdigest()
    step = event_bytes(message_bytes) // 4 * 3  # base64 makes four bytes of three
    parts = [content[start : start + step] for start in range(0, len(content), step)] or [b""]
    for number, part in enumerate(parts, 1):
        text = base64.b64encode(part).decode()
        body = compact({"reason": reason, "part": number, "of": len(parts), "base64": text})
        yield Message(fingerprint("unusable"), fingerprint("unusable", whole, str(number)), body)


class Queues:
    """The event queue and its dead-letter queue.

    Args:
        aws: the client.
        events: URL of the event queue.
        dead_letters: URL of the dead-letter queue.
        now: a clock in seconds that never goes back.
    """

    def __init__(self, aws: Aws, events: str, dead_letters: str, now: Callable[[], float] = time.monotonic) -> None:
        self._aws, self._events, self._dead_letters, self._now = aws, events, dead_letters, now

    def deadline(self, seconds: float) -> float:
        """When so many seconds will have passed, on this queue's clock."""
        return self._now() + seconds

    def put(self, messages: Iterable[Message], deadline: float) -> None:
        """Put messages on the event queue, in order, all of them.

        Args:
            messages: what to put there.
            deadline: on this queue's clock.

        Raises:
            NotQueued: at least one was not taken; those before it may have been.
        """
        self._send(self._events, messages, deadline)

    def bury(self, letters: Iterable[Message], deadline: float) -> None:
        """Put letters on the dead-letter queue; arguments and errors as of `put`."""
        self._send(self._dead_letters, letters, deadline)

    def hide(self, receipts: Sequence[str], seconds: int) -> None:
        """Set the visibility timeout of received messages of the event queue, from now.

        Args:
            receipts: their receipt handles, at most ten.
            seconds: 0 to 43,200.

        Raises:
            AwsError: AWS refused or did not answer; each then stays invisible for the queue's own timeout.
        """
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, receipt in enumerate(receipts)
        ]
        self._aws.call("sqs", "ChangeMessageVisibilityBatch", {"QueueUrl": self._events, "Entries": entries})

    def letters(self, group: str) -> Iterator[tuple[str, str]]:
        """The dead letters of one message group, each with its body and receipt handle.

        All others are hidden for some seconds. Errors as of `hide`.

        Args:
            group: the fingerprint of a page and a user.
        """
        request = {
            "QueueUrl": self._dead_letters,
            "MaxNumberOfMessages": BATCH_MESSAGES,
            "MessageSystemAttributeNames": ["MessageGroupId"],
            "VisibilityTimeout": SWEEP_SECONDS,
            "WaitTimeSeconds": WAIT_SECONDS,
        }
        for _ in range(SWEEP_RECEIVES):
            # With it, a second try gets what the first one received and hid ("ReceiveMessage" in the API reference).
            attempt = {"ReceiveRequestAttemptId": uuid.uuid4().hex}
            answer = self._aws.call("sqs", "ReceiveMessage", request | attempt, timeout=RECEIVE_SECONDS)
            letters = answer.get("Messages", [])
            if not letters:
                return
            for letter in letters:
                if letter["Attributes"]["MessageGroupId"] == group:
                    yield letter["Body"], letter["ReceiptHandle"]

    def drop(self, receipt: str) -> None:
        """Delete a dead letter; errors as of `hide`.

        Args:
            receipt: as `letters` gave it.
        """
        self._aws.call("sqs", "DeleteMessage", {"QueueUrl": self._dead_letters, "ReceiptHandle": receipt})

    def _send(self, url: str, messages: Iterable[Message], deadline: float) -> None:
        for batch in _batches(messages):
            left = deadline - self._now()
            if left < LEAST_SECONDS:
                raise NotQueued("no time was left to put all events on the queue")
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": message.body,
                    "MessageGroupId": message.group,
                    "MessageDeduplicationId": message.deduplication,
                }
                for number, message in enumerate(batch)
            ]
            timeout = min(CALL_SECONDS, (left - PAUSE_SECONDS) / 2)
            try:
                answer = self._aws.call(
                    "sqs", "SendMessageBatch", {"QueueUrl": url, "Entries": entries}, timeout=timeout
                )
            except AwsError as error:
                raise NotQueued(str(error)) from None
            if failed := answer.get("Failed"):
                raise NotQueued(f"SQS took only a part of a batch: {failed[0].get('Code')}")


def _batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    batch: list[Message] = []
    size = 0
    for message in messages:
        weight = len(message.body) + OVERHEAD_BYTES
        if batch and (len(batch) == BATCH_MESSAGES or size + weight > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += weight
    if batch:
        yield batch
