"""The queue's side of the function: take an event, consult the ledger, converse, send.

An event goes forward by steps, each recorded before the next, so that a later run goes on where an earlier one stopped.
Whatever has to wait goes back to the queue, with all later events of its user; only an event that is itself at fault,
several times, leaves the order and goes to the dead letters.
"""

import contextlib
import json
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from bot.aws.client import AwsError
from bot.aws.ledger import DEAD, SETTLED, Key, Ledger, Reading, Record, Stale
from bot.aws.queues import NotQueued, Queues, dead_letter, fingerprint, unusable_letters
from bot.aws.secrets import SecretMissing
from bot.dialogue import Answer, Context
from bot.log import log
from bot.messenger import errors, events
from bot.pace import Pace
from bot.recently_answered import RecentlyAnswered

Json = dict[str, Any]

SEND_SECONDS = 8.0
# A send, and the ledger's writes before and after it, each with its second try.
STEP_SECONDS = SEND_SECONDS + 6.0
FAULTS = 3
ATTEMPTS = 5
# Tries of one send in one run, and the longest pause before the second; it doubles before the next.
TRIES = 3
RETRY_SECONDS = 0.5
PAUSE_SECONDS = 60
# For a dead letter to reach its queue.
QUEUE_SECONDS = 4.0
# Facebook hands an event over within an hour ("Webhooks"): an older time, or none, is no time to count a window from.
OLDEST_MILLISECONDS = 60 * 60 * 1000
# Of an answer's number, in the key that its echo brings back: what is longer is no key of ours.
ANSWER_DIGITS = 4
# How long an event waits in the queue: a quarter of its age.
SHORTEST_WAIT, LONGEST_WAIT, WAIT_SHARE = 2, 1800, 0.25
# After 1,000 receives SQS itself makes a dead letter of a message, whatever it waited for; it keeps one for 14 days. To
# wait for at least 14 days times (receives / 1,000)**4, so 2 s after the 36th and 30 min after the 196th, takes 900.
MOST_RECEIVES, RETENTION_SECONDS = 1000, 14 * 24 * 60 * 60
# An echo that was held up by the same outage as its event comes at the latest when as long again has passed; Facebook
# tries for an hour ("Webhooks"), and the queue lets it wait for less.
LONGEST_ECHO_WAIT = 3600.0


class Later(Exception):
    """An event has to wait.

    Attributes:
        seconds: how long; nothing for as long as its age suggests.
    """

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Unstorable(Exception):
    """DynamoDB will never take what the conversation planned; the text says why."""


# What says nothing about the event: AWS, Facebook or a missing secret is in the way, or another run was quicker.
WAITS = (Later, AwsError, NotQueued, Stale, SecretMissing)


class Conversation(Protocol):
    """What the worker needs of a bot."""

    def answer(self, event: events.Event, state: Json, context: Context[Any]) -> Answer:
        """The messages that answer an event, and the user's new state; see `bot.dialogue.Bot`."""


class Sender(Protocol):
    """What the worker needs of the Send API."""

    def send(self, request: Json, timeout: float | None = None) -> str:
        """Send one request; see `bot.messenger.client.GraphApi`."""


class Together(Protocol):
    """What the worker needs of a thread pool."""

    def __call__(self, work: Callable[[list[Json]], list[str]], groups: Iterable[list[Json]], /) -> Iterable[list[str]]:
        """Apply `work` to each group and give the results in the order of the groups."""


class Task(NamedTuple):
    """One event as the queue handed it over.

    Attributes:
        event: what happened.
        key: its records in the ledger.
        message: a queue message with this event alone.
        delivery: the queue's record that brought it.
    """

    event: events.Event
    key: Key
    message: Json
    delivery: Json

    @property
    def occasion(self) -> str:
        """Which receipt of which message of the queue this is."""
        return f"{self.delivery['messageId']}:{self.delivery['attributes']['ApproximateReceiveCount']}"


class Worker:
    """Works on batches from the event queue.

    Args:
        ledger: what was seen, planned and sent.
        queues: where what has to wait, or is at fault, goes.
        conversation: what the bot says.
        context: what it may know beside event and state, at a time in seconds since the epoch.
        sender: gives the Send API with the page's token; told `True`, it looks the token up again first.
        recent: what this instance has dealt with.
        pace: keeps sends apart.
        echo_seconds: how long the echo of a send that may have arrived is waited for before it is sent again.
        now: the clock, in seconds since the epoch.
        pause: waits so many seconds.
        together: works on several groups at the same time, as a thread pool's `map` does, or one after the other.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        queues: Queues,
        conversation: Conversation,
        context: Callable[[float], Context[Any]],
        sender: Callable[[bool], Sender],
        recent: RecentlyAnswered,
        pace: Pace,
        echo_seconds: float,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        together: Together = map,
    ) -> None:
        self._together, self._recent = together, recent
        self._ledger, self._queues, self._conversation, self._context = ledger, queues, conversation, context
        self._sender, self._pace, self._echo_seconds, self._now, self._pause = sender, pace, echo_seconds, now, pause
        self._new: dict[Key, Reading] = {}

    def handle(self, batch: Json, remaining: Callable[[], float]) -> Json:
        """Work on one batch.

        Args:
            batch: Lambda's event for an SQS event source.
            remaining: how many seconds this run has left.

        Returns:
            The partial batch response: what goes back to the queue.
        """
        groups: dict[str, list[Json]] = {}
        for delivery in batch["Records"]:
            groups.setdefault(delivery["attributes"]["MessageGroupId"], []).append(delivery)
        self._new = self._read_new([deliveries[0] for deliveries in groups.values()]) if len(groups) > 1 else {}
        failed = self._together(lambda deliveries: self._in_order(deliveries, remaining), groups.values())
        return {"batchItemFailures": [{"itemIdentifier": each} for group in failed for each in group]}

    def _read_new(self, deliveries: Sequence[Json]) -> dict[Key, Reading]:
        """One reading of the ledger for the first events of several groups: of those that it does not know yet.

        Whatever is in the way here, each group meets by itself.
        """
        pages: dict[Key, str] = {}
        for delivery in deliveries:
            with contextlib.suppress(Exception):
                task = _task(message := _message(delivery), message["items"][0], delivery)
                if not isinstance(task.event, events.Echo):
                    pages[task.key] = task.event.page
        try:
            found = self._ledger.read_all(pages) if pages else {}
        except AwsError:
            return {}
        return {key: reading for key, reading in found.items() if reading.record == Record()}

    def _in_order(self, deliveries: Sequence[Json], remaining: Callable[[], float]) -> list[str]:
        """Work on the messages of one group, one after the other; the ids of those that go back to the queue."""
        for number, delivery in enumerate(deliveries):
            try:
                self._deliver(delivery, remaining)
            except WAITS as reason:
                self._hand_back(deliveries[number:], str(reason), reason.seconds if isinstance(reason, Later) else None)
            except Exception as defect:  # noqa: BLE001  it must not take along what is done for other users meanwhile
                log("ERROR", "defect", reason=type(defect).__name__, at=_where(defect))
                self._hand_back(deliveries[number:], "a defect of the worker", None)
            else:
                continue
            return [each["messageId"] for each in deliveries[number:]]
        return []

    def _hand_back(self, deliveries: Sequence[Json], reason: str, seconds: float | None) -> None:
        """Let a message and all later ones of its group wait in the queue, for so long or as its age suggests."""
        age = self._now() - int(deliveries[0]["attributes"]["SentTimestamp"]) / 1000
        if seconds is None:
            seconds = age * WAIT_SHARE
        receives = int(deliveries[0]["attributes"]["ApproximateReceiveCount"])
        least = max(SHORTEST_WAIT, RETENTION_SECONDS * (receives / MOST_RECEIVES) ** 4)
        seconds = min(max(seconds, least), LONGEST_WAIT) * random.uniform(1, 1.2)  # noqa: S311  no secret
        log("WARN", "handed_back", reason=reason, seconds=round(seconds), messages=len(deliveries))
        try:
            self._queues.hide([each["receiptHandle"] for each in deliveries], round(seconds))
        except AwsError as error:
            log("WARN", "not_hidden", reason=str(error))

    def _deliver(self, delivery: Json, remaining: Callable[[], float]) -> None:
        """Work on one message of the queue: the events of one user in one request of Facebook's."""
        try:
            message = _message(delivery)
        except (ValueError, KeyError, TypeError):
            self._queues.bury(
                unusable_letters("not a message of ours", delivery["body"].encode()),
                self._queues.deadline(QUEUE_SECONDS),
            )
            log("ERROR", "dead_letter", reason="not a message of ours")
            return
        for item in message["items"]:
            if remaining() < STEP_SECONDS:
                raise Later("no time is left in this run", 0)
            task = _task(message, item, delivery)
            if isinstance(task.event, events.Echo):
                self._note_echo(task.event, task.key.user)
            else:
                self._answer(task, remaining)

    def _note_echo(self, echo: events.Echo, user: str) -> None:
        """Record that one of our messages arrived."""
        event, _, number = echo.metadata.partition(":")
        if number.isdecimal() and len(number) <= ANSWER_DIGITS and not self._recent.knows(echo.metadata):
            self._ledger.echoed(Key(user, event), int(number))

    def _answer(self, task: Task, remaining: Callable[[], float]) -> None:
        """Bring one event as far as it gets now."""
        reading = self._new.pop(task.key, None) or self._ledger.read(task.key, task.event.page)
        record = reading.record
        if record.outcome:
            log("INFO", "seen_before", event=task.key.event)
            return
        self._look_ahead(reading)
        try:
            begun = record.answers is None
            if begun:
                record = self._plan(task, reading)
            if not record.outcome:
                self._send_rest(task, record, begun, remaining)
        except WAITS:
            raise
        except errors.Rejected as error:
            self._fault(task, str(error), {"fbtrace_id": error.fbtrace_id})
        except Unstorable as error:
            self._fault(task, str(error), {})
        except Exception as error:  # noqa: BLE001  whatever a conversation raises is the event's own fault
            self._fault(task, f"{type(error).__name__} in the conversation", {"at": _where(error)})

    def _look_ahead(self, reading: Reading) -> None:
        """Raise what is sure to be in the way of a send, before it is recorded that one is tried.

        Without the secrets the webhook takes no echo either: no wait for one may begin, or end, until they are there.
        """
        if (paused := reading.paused_until / 1000 - self._now()) > 0:
            raise Later("the page is paused", paused)
        with contextlib.suppress(errors.Credentials):  # the send itself then looks for a newer token
            self._sender(False)

    def _plan(self, task: Task, reading: Reading) -> Record:
        """Work out the answers to an event and store them, with the user's new state."""
        # A first delivery is trusted to end well. A later one is counted first: if the event kills the function, only
        # this count will tell.
        if int(task.delivery["attributes"]["ApproximateReceiveCount"]) == 1:
            return self._converse(task, reading, counted=False)
        try:
            if self._ledger.add(task.key, "attempts", task.occasion) > ATTEMPTS:
                return self._bury(task, "the function ended without an outcome, several times", {})
            return self._converse(task, reading, counted=True)
        except Exception:  # whatever it was, it did not end the function
            with contextlib.suppress(AwsError):
                self._ledger.take_back(task.key, "attempts", task.occasion)
            raise

    def _converse(self, task: Task, reading: Reading, *, counted: bool) -> Record:
        """Ask the conversation for its answers and store them; if an event was `counted`, also that there are none."""
        answer = self._conversation.answer(task.event, reading.state, self._context(self._now()))
        if answer.defect is not None:
            log("ERROR", "defect", event=task.key.event, reason=type(answer.defect).__name__, at=_where(answer.defect))
        requests = [each.to_request(task.event.user) for each in answer.messages]
        for number, request in enumerate(requests):
            if isinstance(message := request.get("message"), dict):
                request["message"] = message | {"metadata": f"{task.key.event}:{number}"}
        if answer.forget:
            self._forget(task)
        state = {} if answer.forget else answer.state
        changed = state != reading.state
        if not requests and not changed and not counted:
            return Record(outcome=SETTLED)
        try:
            return self._ledger.plan(task.key, requests, state if changed else None, reading.version)
        except AwsError as error:
            if error.invalid:
                raise Unstorable("Answers and state are larger than the ledger can store.") from None
            raise

    def _send_rest(self, task: Task, record: Record, begun: bool, remaining: Callable[[], float]) -> None:
        """Send the planned answers that were not sent yet; `begun` says that this very run began with the next one."""
        answers, first = record.answers or (), record.next
        if first in record.echoed:
            first += 1
        elif record.since is not None and not begun and "message" in answers[first]:
            self._await_echo(task, record, record.since / 1000)
        for number in range(first, len(answers)):
            if not (begun and number == 0):
                if remaining() < STEP_SECONDS:
                    if number > record.next:
                        self._ledger.stopped(task.key, record, number)
                    raise Later("no time is left in this run", 0)
                record = self._ledger.sending(task.key, record, number)
            try:
                self._send(task, record, remaining)
            except (errors.Unreachable, errors.WindowClosed) as error:
                log("WARN", "given_up", reason=str(error), messages=len(answers) - number)
                break
        self._ledger.settle(task.key, record)
        self._recent.add(task.key.event)
        log("INFO", "answered", event=task.key.event, messages=len(answers), milliseconds=self._age(task))

    def _await_echo(self, task: Task, record: Record, since: float) -> None:
        """Let an event wait for the echo of an answer that may have been sent; return once that was long enough.

        The time begins only when a run looks for the echo, and so finds that ledger and secrets can be read: what kept
        that run away may have kept the echo away as well, and for as long. It begins anew if the run that comes after
        its end was kept away for longer than it took.
        """
        now, until = self._now(), (record.awaited or 0) / 1000
        if now - until > until - since:
            until = now + self._echo_seconds + min(now - since, LONGEST_ECHO_WAIT)
            self._ledger.awaiting(task.key, record, until)
        if until > now:
            raise Later("the echo of a message that may have arrived is awaited", min(until - now, SHORTEST_WAIT))

    def _send(self, task: Task, record: Record, remaining: Callable[[], float]) -> None:
        """Send the answer that the record says is being sent."""
        request = (record.answers or ())[record.next]
        renew = False
        for tried in range(1, TRIES + 1):
            self._pace.wait(request)
            try:
                self._sender(renew).send(request, SEND_SECONDS)
            except errors.Ambiguous as error:
                if "message" not in request:  # whether somebody saw the bot typing is not worth waiting for
                    return
                raise Later(str(error), SHORTEST_WAIT) from None
            except errors.SlowDown as error:
                log("ERROR", "slow_down", reason=str(error))
                self._ledger.stopped(task.key, record, record.next)
                self._ledger.pause(task.event.page, PAUSE_SECONDS)
                raise Later(str(error), PAUSE_SECONDS) from None
            except errors.Rejected:
                self._ledger.stopped(task.key, record, record.next)
                raise
            except (errors.Transient, errors.Credentials) as error:
                refused = isinstance(error, errors.Credentials)
                if tried == TRIES or remaining() < STEP_SECONDS or (refused and renew):
                    if refused:
                        log("ERROR", "credentials", reason=str(error))
                    self._ledger.stopped(task.key, record, record.next)
                    raise Later(str(error)) from None
                renew = refused
                self._pause(RETRY_SECONDS * 2 ** (tried - 1) * random.uniform(0.5, 1))  # noqa: S311  no secret
            else:
                return

    def _fault(self, task: Task, reason: str, detail: Json) -> None:
        """Count an event's own fault; after several, take it out of the order."""
        log("ERROR", "fault", event=task.key.event, reason=reason, **detail)
        if self._ledger.add(task.key, "faults", task.occasion) < FAULTS:
            raise Later(reason)
        self._bury(task, reason, detail)

    def _bury(self, task: Task, reason: str, detail: Json) -> Record:
        """Put an event on the dead-letter queue; only then does it count as dead."""
        group = task.delivery["attributes"]["MessageGroupId"]
        identity = f"{task.delivery['messageId']}:{task.key.event}"
        self._queues.bury(
            [dead_letter(reason, detail, task.message, group, identity)], self._queues.deadline(QUEUE_SECONDS)
        )
        self._ledger.bury(task.key)
        log("ERROR", "dead_letter", event=task.key.event, reason=reason)
        return Record(outcome=DEAD)

    def _forget(self, task: Task) -> None:
        """Let go of what is kept about a user beside the state: their dead letters, and what was planned for those."""
        for body, receipt in self._queues.letters(task.key.user):
            letter = json.loads(body)
            message = letter.get("message", letter)  # a message that SQS itself moved here is as it was
            for item in message["items"]:
                event = events.parse(item, message["page"], platform=message["object"])
                self._ledger.forget(Key(task.key.user, fingerprint(message["page"], event.id)))
            self._queues.drop(receipt)

    def _age(self, task: Task) -> int:
        return round(self._now() * 1000) - int(task.message["received"])


def _message(delivery: Json) -> Json:
    """The message that the queue delivers.

    Raises:
        ValueError, KeyError, TypeError: it is none of ours.
    """
    message = json.loads(delivery["body"])
    page, platform, items = str(message["page"]), str(message["object"]), list(message["items"])
    return {"object": platform, "page": page, "received": int(message["received"]), "items": items}


def _task(message: Json, item: Any, delivery: Json) -> Task:  # noqa: ANN401  as of `events.parse`
    """One event of a message of the queue."""
    page = message["page"]
    event = events.parse(item, page, platform=message["object"])
    if event.timestamp is None or event.timestamp < message["received"] - OLDEST_MILLISECONDS:
        event = event.replace(timestamp=message["received"])
    key = Key(fingerprint(page, event.user), fingerprint(page, event.id))
    return Task(event, key, message | {"items": [item]}, delivery)


def _where(error: Exception) -> str:
    """The file and line that raised: an exception's own text may hold what a user wrote."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else ""
