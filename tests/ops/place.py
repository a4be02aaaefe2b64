"""Queues and a ledger on the emulated AWS. The bot's real worker runs on them when a test says so."""

import itertools
import json
import os
import signal
import time
from dataclasses import dataclass, field
from typing import Any

from bot.aws.client import Aws
from bot.aws.compact import compact
from bot.aws.ledger import Key, Ledger
from bot.aws.queues import Message, Queues, dead_letter, event_messages, fingerprint
from bot.dialogue import Answer
from bot.messenger.errors import Rejected
from bot.messenger.events import Event, TextMessage, parse
from bot.messenger.messages import Text
from bot.pace import Pace
from bot.recently_answered import RecentlyAnswered
from bot.responder import Responder
from bot.worker import Worker
from ops.stack import Stack

MESSAGE_BYTES = 1024 * 1024
PAGE, ANNA, BEN = "4711", "1000000000000001", "1000000000000002"

Json = dict[str, Any]


class Conversation:
    """Answers each text twice, one with three dots together with the next; fails at a poison until it is corrected."""

    def __init__(self) -> None:
        self.corrected = False

    def answer(self, event: Event, state: Json, _now: float) -> Answer:
        text = event.text if isinstance(event, TextMessage) else event.kind
        if "poison" in text and not self.corrected:
            raise ValueError(text)
        behind = event.waiting[:1] if isinstance(event, TextMessage) and text.endswith("…") else ()
        text = "".join((text, *(each.text for each in behind)))
        said = Text(f"{text}: one"), Text(f"{text}: two")
        return Answer(said, {"count": state.get("count", 0) + 1}, together=len(behind))


@dataclass
class Facebook:
    """Accepts messages, or refuses them."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def get(self) -> "Facebook":
        return self

    renewed = get

    def send(self, request: Json, _timeout: float | None = None) -> str:
        text = request["message"]["text"]
        if text in self.refused:
            raise Rejected(code=100, fbtrace_id="Atrace")
        self.sent.append((request["recipient"]["id"], text))
        return "m"


def item(user: str, text: str, mid: str = "") -> Json:
    """A text message as a webhook contains it."""
    message = {"mid": mid or f"m_{user}_{text}", "text": text}
    return {"sender": {"id": user}, "recipient": {"id": PAGE}, "timestamp": 1, "message": message}


class Place:
    """A stack and its bot.

    Attributes:
        stack: for the operator's commands.
        aws: calls its AWS.
        ledger: the operator's.
        facebook: has what was sent.
        conversation: says what the bot answers.
    """

    def __init__(self, aws: Aws, stack: Stack) -> None:
        self.aws, self.stack = aws, stack
        self.queues = Queues(aws, stack.queue_url, stack.dead_letter_queue_url)
        self.ledger = Ledger(aws, stack.ledger_table, state_days=1)
        self.facebook, self.conversation = Facebook(), Conversation()
        self._numbers = itertools.count()

    def accept(self, *said: tuple[str, str]) -> None:
        """Put texts on the event queue, as the webhook does: person and text."""
        head = {"object": "page", "page": PAGE, "received": round(time.time() * 1000)}
        for user, text in said:
            written = item(user, text)
            messages = event_messages(
                head, fingerprint(PAGE, user), [(written["message"]["mid"], compact(written))], MESSAGE_BYTES
            )
            self.queues.put(messages, time.monotonic() + 10)

    def bury(self, *letters: Message) -> None:
        """Put letters on the dead-letter queue."""
        self.queues.bury(letters, time.monotonic() + 10)

    def die(self, user: str, text: str, *, answered: int = 0) -> None:
        """Let an event die as the worker does, after `answered` of its two answers were sent."""
        key, written = self.key(user, text), item(user, text)
        if answered:
            planned = self.conversation.answer(parse(written, PAGE), {}, 0.0)
            requests = [dict(each.to_request(user)) for each in planned.messages]
            self.ledger.stopped(key, self.ledger.plan(key, requests, None, 0), answered)
            self.facebook.sent += [(user, f"{text}: one")]
        message = {"object": "page", "page": PAGE, "received": round(time.time() * 1000), "items": [written]}
        self.bury(dead_letter("ValueError in the conversation", {"at": "conversation.py:7"}, message, key.user, text))
        self.ledger.bury(key)

    def work(self) -> None:
        """Run the worker, as Lambda does, until the event queue is empty. Nothing waits."""
        ledger = Ledger(self.aws, self.stack.ledger_table, state_days=1)
        responder = Responder(
            ledger=ledger,
            queues=self.queues,
            converse=self.conversation.answer,
            senders=self.facebook,
            recent=RecentlyAnswered(),
            pace=Pace(1),
            echo_seconds=0.0,
            human_hours=12.0,
            pause=lambda _: None,
        )
        worker = Worker(ledger, self.queues, responder, message_bytes=MESSAGE_BYTES)
        url = self.stack.queue_url
        while messages := self.receive(url):
            records = [
                {
                    "messageId": each["MessageId"],
                    "receiptHandle": each["ReceiptHandle"],
                    "body": each["Body"],
                    "attributes": each["Attributes"],
                }
                for each in messages
            ]
            failed = {
                each["itemIdentifier"]
                for each in worker.handle({"Records": records}, lambda: 100.0)["batchItemFailures"]
            }
            for each in messages:
                request: Json = {"QueueUrl": url, "ReceiptHandle": each["ReceiptHandle"]}
                if each["MessageId"] in failed:
                    self.aws.call("sqs", "ChangeMessageVisibility", request | {"VisibilityTimeout": 0})
                else:
                    self.aws.call("sqs", "DeleteMessage", request)

    def receive(self, url: str, visibility: int = 60) -> list[Json]:
        """Up to ten messages of a queue."""
        request = {
            "QueueUrl": url,
            "MaxNumberOfMessages": 10,
            "MessageSystemAttributeNames": ["All"],
            "VisibilityTimeout": visibility,
        }
        found: list[Json] = self.aws.call("sqs", "ReceiveMessage", request).get("Messages", [])
        return found

    def dead(self) -> list[str]:
        """The texts of the visible dead letters, in order."""
        bodies = [json.loads(each["Body"]) for each in self.receive(self.stack.dead_letter_queue_url, visibility=0)]
        return [each["message"]["items"][0]["message"]["text"] for each in bodies]

    def key(self, user: str, text: str) -> Key:
        """An event's key in the ledger."""
        return Key(fingerprint(PAGE, user), fingerprint(PAGE, f"m_{user}_{text}"))

    def items(self) -> dict[str, Json]:
        """Everything in the ledger, by id."""
        found = self.aws.call("dynamodb", "Scan", {"TableName": self.stack.ledger_table})["Items"]
        return {each["id"]["S"]: each for each in found}


class Broken(BaseException):
    """The operator's machine dies."""


class Breaking(Aws):
    """A client at whose call number `at` the operator's machine dies, once."""

    def __init__(self, aws: Aws, at: int) -> None:
        self._aws, self._left = aws, at

    def call(self, service: str, operation: str, request: Json, **options: Any) -> Json:
        self._left -= 1
        if self._left == -1:
            raise Broken
        return self._aws.call(service, operation, request, **options)


class Interrupted(Aws):
    """A client during whose calls of one operation Ctrl-C is pressed."""

    def __init__(self, aws: Aws, operation: str) -> None:
        self._aws, self._operation = aws, operation

    def call(self, service: str, operation: str, request: Json, **options: Any) -> Json:
        answer = self._aws.call(service, operation, request, **options)
        if operation == self._operation:
            os.kill(os.getpid(), signal.SIGINT)
        return answer
