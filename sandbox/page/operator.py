"""What an operator does by hand, done from the chat page: the commands of `ops`, and what only a sandbox can do."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bot.aws.client import AwsError
from bot.aws.compact import compact
from bot.aws.ledger import Ledger
from bot.aws.queues import fingerprint
from bot.registration import RegistrationError
from ops import reply
from ops.aws import OperatorAws
from ops.dead_letter_queue import DeadLetterQueue
from ops.errors import OpsError
from ops.forget import Memory
from ops.letters import EventLetter, Letter
from ops.notify import PAGE, NewNotice, message, send
from ops.redrive import chosen, drop, redrive
from ops.registered import graph_api, read_secrets
from ops.stack import Stack, from_described
from sandbox.errors import SandboxError
from sandbox.local import Sandbox

DAY_SECONDS = 24 * 3600
YEAR_SECONDS = 366 * DAY_SECONDS

Json = dict[str, Any]


class Operator:
    """Acts on a sandbox's stack as the account's owner.

    Args:
        sandbox: the sandbox.

    Every method raises `SandboxError` with the sentence that says why it could not be done.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def notify(self, person: str, topic: str, data: Mapping[str, str]) -> Json:
        """Send the bot a notice about a person; its item."""
        notice = NewNotice(person=person, platform=PAGE, account=self._sandbox.page_id, topic=topic, data=dict(data))
        with explained():
            made = message(notice, time.time())
            send(made, self._aws, self._stack)
        item: Json = json.loads(made.body)["items"][0]
        return item

    def reply(self, person: str, text: str) -> None:
        """Write to a person in the page's name, as a human does with `ops reply`."""
        with explained():
            graph = graph_api(self._stack, read_secrets(self._aws, self._stack.secrets_path))
            reply.send(graph, person, text, reply.writer(self._aws))

    def redrive(self, wanted: str) -> list[str]:
        """Send a dead letter's events back to be answered; their keys.

        Args:
            wanted: the letter's id, or the key of one of its events.
        """
        with explained(), DeadLetterQueue(self._aws, self._stack) as queue:
            letter = _letter(queue, wanted)
            for each in chosen([letter.id], queue, self._stack.page_id):
                redrive(each, queue, self._ledger)
            return _keys(letter)

    def drop(self, wanted: str) -> list[str]:
        """Delete a dead letter; the keys of its events. Arguments as of `redrive`."""
        with explained(), DeadLetterQueue(self._aws, self._stack) as queue:
            letter = _letter(queue, wanted)
            drop(letter, queue, self._ledger)
            return _keys(letter)

    def forget(self, person: str) -> str:
        """Delete everything that is kept about a person; what it was, in words."""
        with explained():
            gone = Memory(person, self._sandbox.page_id, self._aws, self._stack, self._ledger).forget()
        state = "their state" if gone.state else "no state"
        return f"deleted: {state}, the records of {gone.plans} events, {gone.letters} dead letters"

    def day_later(self, person: str) -> None:
        """Move all stored times of a person back by a day, and the messaging window with them."""
        key = {"id": {"S": f"user#{fingerprint(self._sandbox.page_id, person)}"}}
        table, dynamodb = self._sandbox.outputs["ledgerTable"], self._sandbox.client("dynamodb")
        item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        if item:
            version, earlier = int(item["version"]["N"]), moved_back(json.loads(item["state"]["S"]), time.time())
            changed = {"state": {"S": compact(earlier)}, "version": {"N": str(version + 1)}}
            try:
                dynamodb.put_item(
                    TableName=table,
                    Item=item | changed | {"expires": {"N": str(int(item["expires"]["N"]) - DAY_SECONDS)}},
                    ConditionExpression="version = :version",
                    ExpressionAttributeValues={":version": {"N": str(version)}},
                )
            except dynamodb.exceptions.ConditionalCheckFailedException:
                raise SandboxError("The bot is answering this person just now: try again.") from None
        self._sandbox.graph.windows.move_back(person, DAY_SECONDS)

    def clear(self) -> None:
        """Empty both queues and the ledger."""
        for output in ("queueUrl", "deadLetterQueueUrl"):
            self._sandbox.client("sqs").purge_queue(QueueUrl=self._sandbox.outputs[output])
        table, dynamodb = self._sandbox.outputs["ledgerTable"], self._sandbox.client("dynamodb")
        for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="id"):
            for item in page["Items"]:
                dynamodb.delete_item(TableName=table, Key=item)

    @property
    def _stack(self) -> Stack:
        return from_described(self._sandbox.described() | {"outputs": self._sandbox.outputs}, "The sandbox")

    @property
    def _aws(self) -> OperatorAws:
        return OperatorAws(self._stack.region, self._stack.endpoint, self._stack.key)

    @property
    def _ledger(self) -> Ledger:
        return Ledger(self._aws, self._stack.ledger_table, state_days=0)


@contextmanager
def explained() -> Iterator[None]:
    """Raise the errors of `ops` as the sandbox's own."""
    try:
        yield
    except (OpsError, RegistrationError, AwsError) as error:
        raise SandboxError(str(error)) from None


def _keys(letter: Letter) -> list[str]:
    return [each.event for each in letter.ledger_keys()] if isinstance(letter, EventLetter) else []


def _letter(queue: DeadLetterQueue, wanted: str) -> Letter:
    for letter in queue.look():
        if wanted == letter.id or wanted in _keys(letter):
            return letter
    raise SandboxError("This dead letter is gone: it was redriven or dropped already.")


def moved_back(value: Any, now: float) -> Any:
    """A state in which every time is a day earlier. A number within a year of now, in seconds, is taken for a time."""
    if isinstance(value, dict):
        return {name: moved_back(each, now) for name, each in value.items()}
    if isinstance(value, list):
        return [moved_back(each, now) for each in value]
    is_time = isinstance(value, int | float) and abs(value - now) < YEAR_SECONDS
    return value - DAY_SECONDS if is_time else value
