"""The function with its queue, secrets, table and Facebook: the bot's code, put together as `bot.compose` does."""

import contextlib
import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from bot.aws.client import Aws
from bot.aws.function import ANSWER_SECONDS, Function
from bot.aws.ledger import Ledger
from bot.aws.queues import Queues
from bot.aws.secrets import Secrets
from bot.compose import _Senders
from bot.dialogue import Answer, Context
from bot.dialogue.remote import RemoteConversation
from bot.http import Response
from bot.messenger import events
from bot.messenger.human import Human
from bot.messenger.messages import Action, Message, Notification, Text, Update
from bot.messenger.news import Otherwise
from bot.pace import Pace
from bot.recently_answered import RecentlyAnswered
from bot.responder import Converse, Responder
from bot.webhook import Webhook
from bot.worker import Worker
from tests.bot.environment import ENVIRONMENT
from tests.model.cloud import DEAD_LETTERS, EVENTS, Cloud, function_error
from tests.model.facebook import PAGE, Facebook
from tests.model.faults import Fault, Faults, Outage
from tests.model.queue import Fifo, Stored
from tests.model.world import Killed, Run, World

Json = dict[str, Any]

TIMEOUT_SECONDS = 30.0
VISIBILITY_SECONDS = 6 * TIMEOUT_SECONDS
MESSAGE_BYTES = 1024 * 1024
MOST_RECEIVES = 1000
ECHO_SECONDS = 20.0
# The natures of messages that a chatty one may draw into its turn: some of them break the whole turn.
CHATTY = frozenset({"chatty", "raises", "kills", "rejected"})
HUMAN_HOURS = 1.0
ENVIRON = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}


def count(event: events.Event, state: Json, _now: float) -> Answer:
    """A conversation that says in each answer how many events it had answered before, and remembers which.

    An event's text is JSON: `{"answers": 2, "nature": "good"}`. One that `raises` raises, one that `kills` ends the
    process, one that is `rejected` gets answers that Facebook refuses, one that is `shy` shows that the bot is typing
    before each answer, one that is `news` has two other ways to send each, and `back` calls the bot back from a human.
    One that is `chatty` is answered together with those that wait behind it, as far as they are `CHATTY`.
    """
    assert isinstance(event, events.TextMessage)
    asked = json.loads(event.text)
    burst, natures = [event.id], {asked["nature"]}
    for each in event.waiting if asked["nature"] == "chatty" else ():
        if (nature := json.loads(each.text)["nature"]) not in CHATTY:
            break
        burst.append(each.id)
        natures.add(nature)
    if "raises" in natures:
        raise ZeroDivisionError
    if "kills" in natures:
        raise Killed
    seen, bursts = state.get("seen", []), state.get("bursts", [])
    messages: list[Message] = []
    for number in range(asked["answers"]):
        if "shy" in natures:
            messages.append(Action("typing_on"))
        word = "REJECT " if "rejected" in natures else ""
        text = Text(f"{word}{'+'.join(burst)} {number} {len(seen)}")
        messages.append(text)
        if "news" in natures:
            messages += [Otherwise(Update(text)), Otherwise(Notification(text, event.user))]
    new: Json = {"seen": [*seen, *burst], "bursts": [*bursts, burst]}
    happened, human = (event.timestamp or 0) / 1000, Human.of(state)
    if "back" in natures and human.until and happened > human.wrote:
        new = human.back(happened).put(new)
    return Answer(tuple(messages), new, together=len(burst) - 1)


def count_elsewhere(turn: Json) -> Response:
    """The same conversation in a function of its own: what Lambda answers to a call with this turn."""
    first, *waiting = (
        events.TextMessage(each["text"], id=each["id"], user=each["user"])
        for each in (turn["event"], *turn["event"]["waiting"])
    )
    try:
        answer = count(first.replace(waiting=tuple(waiting)), turn["state"], 0)
    except ZeroDivisionError:
        return function_error("ZeroDivisionError")
    except Killed:
        return function_error("Runtime.ExitError")
    asked = json.loads(first.text)
    reply: Json = {"state": answer.state, "disclosed": True, "together": answer.together + 1}
    if asked["nature"] == "news":
        texts = [each.text for each in answer.messages if isinstance(each, Text)]
        reply["news"] = [
            {"message": each, "template": template(each), "token": turn["event"]["user"]} for each in texts
        ]
    else:
        requests = [each.to_request("") for each in answer.messages]
        reply["messages"] = [each.get("message", {"sender_action": each.get("sender_action")}) for each in requests]
    if asked["nature"] == "back":
        reply["handOver"] = False
    return Response(200, {}, json.dumps(reply).encode())


def template(text: str) -> Json:
    """A template that reads like the text."""
    return {"name": "news", "language": "en", "values": {"text": text}}


@dataclass
class Container:
    """One execution environment of the function, with what it keeps between invocations."""

    webhook: Webhook
    worker: Worker


@dataclass
class System:
    """Everything.

    Args:
        planned: faults of calls by their number.
        outages: faults of calls by their time.
        echoes: see `Facebook`.
        latencies: see `Cloud`.
        concurrency: batches at once.
        converse: see `bot.responder.Responder`; None for the conversation in a function of its own.
    """

    planned: tuple[Fault, ...] = ()
    outages: tuple[Outage, ...] = ()
    echoes: tuple[int, ...] = ()
    latencies: tuple[int, ...] = ()
    concurrency: int = 2
    converse: Converse | None = count
    world: World = field(default_factory=World)
    containers: list[Container] = field(default_factory=list)
    ended: dict[str, int] = field(default_factory=dict)
    busy: int = 0

    def __post_init__(self) -> None:
        self.faults = Faults(self.world, self.planned, self.outages)
        self.dead = Fifo(self.world, VISIBILITY_SECONDS)
        self.queue = Fifo(self.world, VISIBILITY_SECONDS, MOST_RECEIVES, self.dead)
        self.queue.on_change = self.poll
        self.cloud = Cloud(self.world, self.faults, self.latencies, self.queue, self.dead, count_elsewhere)
        self.facebook = Facebook(self.world, self.faults, self.echoes, self.call_webhook, self.cloud.latency)
        self.cloud.on_echo_failed = self.facebook.echo_failed

    def run(self) -> None:
        """Let everything happen, until nothing is left to do: in the same way each time, with all jitter of pauses."""
        chance = random.Random(0)
        with (
            contextlib.redirect_stdout(Log(self.world)),
            patch("bot.worker.random", chance),
            patch("bot.responder.random", chance),
            patch("bot.aws.client.os", SimpleNamespace(urandom=chance.randbytes)),
            patch("bot.webhook.time", self.world),
        ):
            self.world.run()

    def call_webhook(self, request: Json, about: str, answered: Callable[[int], None]) -> None:
        """Let API Gateway call the function; 502 if the function ends without an answer."""
        container = self._container()
        answers: list[int] = []

        def work() -> None:
            answers.append(container.webhook.handle(request)["statusCode"])

        def end() -> None:
            if answers:
                self.containers.append(container)
            answered(answers[0] if answers else 502)

        self._invoke(work, end, about)

    def poll(self) -> None:
        """Let the event source mapping take batches, as many as it may work on at once."""
        if self.faults.outage("sqs"):
            self.world.after(self.faults.end("sqs"), self.poll)
            return
        while self.busy < self.concurrency:
            batch = self.queue.receive(10)
            if not batch:
                return
            self.busy += 1
            self._work_on(batch)

    def _work_on(self, batch: Sequence[Stored]) -> None:
        container = self._container()
        receipts = {message.id: message.receipt for message in batch}
        event = {"Records": [Fifo.record(message) for message in batch]}
        deadline, away = self.world.now + TIMEOUT_SECONDS, self.world.now + VISIBILITY_SECONDS
        answers: list[Json] = []

        def work() -> None:
            answers.append(container.worker.handle(event, lambda: deadline - self.world.now))

        def end() -> None:
            self.busy -= 1
            if answers:
                self.containers.append(container)
                kept = {each["itemIdentifier"] for each in answers[0]["batchItemFailures"]}
                assert kept <= receipts.keys(), "the worker reports what it was not given"
                if not self.faults.outage("sqs"):
                    for message_id, receipt in receipts.items():
                        if message_id not in kept:
                            self.queue.delete(receipt)
            else:
                self._note_death(batch)
            self._note_held_up(batch, away)
            self.poll()

        self._invoke(work, end, "worker")

    def _invoke(self, work: Callable[[], None], end: Callable[[], None], about: str) -> None:
        def whole() -> None:
            try:
                work()
            finally:
                self.world.after(0, end)

        run: Run = self.world.start(whole, about)
        self.world.after(TIMEOUT_SECONDS, run.kill)

    def _note_death(self, batch: Sequence[Stored]) -> None:
        for message in batch:
            for item in json.loads(message.body)["items"]:
                name = item.get("message", {}).get("mid", "")
                self.ended[name] = self.ended.get(name, 0) + 1

    def _note_held_up(self, batch: Sequence[Stored], until: float) -> None:
        """Note the echoes that stay hidden for the whole visibility timeout: the worker neither ended nor hid them."""
        for message in batch:
            if message in self.queue.stored and message.visible == until:
                for item in json.loads(message.body)["items"]:
                    metadata = item.get("message", {}).get("metadata", "")
                    self.facebook.echo_failed(metadata, "hidden for long", until)

    def _container(self) -> Container:
        if self.containers:
            return self.containers.pop()
        clock, wait = self.world.time, self.world.sleep
        aws = Aws(ENVIRON, clock, lambda _origin: self.cloud, wait)
        secrets = Secrets(aws, "/secrets", clock)
        queues = Queues(aws, EVENTS, DEAD_LETTERS, clock)
        recent = RecentlyAnswered()
        senders = _Senders(secrets, ENVIRONMENT._replace(page_id=PAGE, graph_api_url="https://graph.test"))
        senders._pool = self.facebook  # type: ignore[assignment]  # it makes requests as a pool does
        ledger = Ledger(aws, "ledger", 30, clock)
        responder = Responder(
            ledger=ledger,
            queues=queues,
            converse=self.converse or _elsewhere(Function(aws, "conversation")),
            senders=senders,
            recent=recent,
            pace=Pace(self.concurrency, clock, wait),
            echo_seconds=ECHO_SECONDS,
            converse_seconds=0.0 if self.converse else ANSWER_SECONDS,
            human_hours=HUMAN_HOURS,
            now=clock,
            pause=wait,
        )
        worker = Worker(ledger, queues, responder, message_bytes=MESSAGE_BYTES, now=clock, mapper=self.world.map)
        return Container(Webhook(secrets, queues, recent, page_id=PAGE, message_bytes=MESSAGE_BYTES, now=clock), worker)


def _elsewhere(function: Function) -> Converse:
    conversation = RemoteConversation(function.invoke)
    return lambda event, state, now: conversation.answer(event, state, Context(now, None, human_hours=HUMAN_HOURS))


class Log(io.TextIOBase):
    """Takes what the bot logs into the timeline."""

    def __init__(self, world: World) -> None:
        self._world = world

    def write(self, text: str) -> int:
        """Take a line."""
        if text.strip():
            about = self._world.running.about if self._world.running else ""
            self._world.note(about, f"log {text.strip()}")
        return len(text)
