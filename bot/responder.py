"""One event: consult the ledger, ask the conversation, send its answers.

An event goes forward by steps, each recorded before the next, so that a later run goes on where an earlier one stopped.
"""

import contextlib
import json
import random
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, Self

from bot.aws.client import AwsError
from bot.aws.ledger import DEAD, SETTLED, Key, Ledger, Reading, Record, Stale
from bot.aws.queues import NotQueued, Queues, dead_letter, fingerprint
from bot.aws.secrets import SecretMissing
from bot.log import about, log
from bot.messenger import errors, events
from bot.messenger.messages import Message
from bot.pace import Pace, UsedUp
from bot.recently_answered import RecentlyAnswered

Json = dict[str, Any]

SEND_SECONDS = 8.0
# A send, the ledger's writes before and after it, and the write of another thread that the last may have to wait for,
# each with its second try.
STEP_SECONDS = SEND_SECONDS + 7.0
FAULTS = 3
ATTEMPTS = 5
# How often an unclear error is tried: for eight minutes, after 15 s, 30 s, 1 min and so on.
UNCLEAR_TRIES = 6
UNCLEAR_SECONDS = 15
# If one error refuses messages to this many people within minutes, it is about the page, whatever it says.
SEVERAL_PEOPLE = 3
# Tries of one send in one run, and the longest pause before the second; it doubles before the next.
TRIES = 3
RETRY_SECONDS = 0.5
PAUSE_SECONDS = 60
# For a dead letter to reach its queue.
QUEUE_SECONDS = 4.0
# Facebook delivers an event within an hour ("Webhooks"): an older timestamp, or none, cannot start the window.
OLDEST_MILLISECONDS = 60 * 60 * 1000
# The metadata in an echo of ours: the event's fingerprint and the answer's number. Anything else is another app's.
ANSWER_KEY = "(?P<event>[0-9a-f]{64}):(?P<number>[0-9]{1,4})"
# Before the next look for an echo.
ECHO_RETRY_SECONDS = 2.0
# An echo held up by the same outage as its event arrives, at the latest, after as long again. Facebook tries for an
# hour ("Webhooks"), and the queue lets it wait for less.
LONGEST_ECHO_WAIT = 3600.0


class RetryLater(Exception):
    """An event has to wait in the queue.

    Attributes:
        seconds: how long; None for a time that grows with its age.
    """

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class TooLarge(Exception):
    """DynamoDB will never store what the conversation answered; the text says why."""


# These say nothing about the event: AWS, Facebook or a missing secret is in the way, or another run was quicker.
RETRIABLE = (RetryLater, AwsError, NotQueued, Stale, SecretMissing)


class Sender(Protocol):
    """What is needed of the Send API."""

    def send(self, request: Json, timeout: float | None = None, /) -> str:
        """Send one request; see `bot.messenger.client.GraphApi`."""


class Senders(Protocol):
    """Gives the Send API with the page's token. Both raise `Credentials` for a token that no header takes."""

    def get(self) -> Sender:
        """With the token as it was last read."""

    def renewed(self) -> Sender:
        """With the token looked up again."""


class Questions(Protocol):
    """What is needed to count what the bot does not understand."""

    def count(self, text: str, /) -> None:
        """Count a text; see `bot.aws.questions.Questions`."""


class Answer(Protocol):
    """What is needed of a conversation's answer; see `bot.dialogue.Answer`."""

    @property
    def messages(self) -> Sequence[Message]:
        """To be sent in this order."""

    @property
    def state(self) -> Json:
        """The user's new state."""

    @property
    def forget(self) -> bool:
        """Whether to delete everything that is known about the user."""

    @property
    def defect(self) -> Exception | None:
        """What a handler raised, although there is an answer."""

    @property
    def outside_window(self) -> int:
        """How many messages are left out, because the messaging window is closed."""

    @property
    def not_understood(self) -> str:
        """The text that the bot did not understand; empty if it did."""


class Task(NamedTuple):
    """One event as the queue delivered it.

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

    @classmethod
    def of(cls, message: Json, item: object, delivery: Json) -> Self:
        """One item of a queue message."""
        page = message["page"]
        event = events.parse(item, page, platform=message["object"])
        if event.timestamp is None or event.timestamp < message["received"] - OLDEST_MILLISECONDS:
            event = event.replace(timestamp=message["received"])
        key = Key(fingerprint(page, event.owner), fingerprint(page, event.id))
        return cls(event, key, message | {"items": [item]}, delivery)

    @property
    def ids(self) -> dict[str, str]:
        """What the log lines about it have."""
        return {"request": self.message["request"], "event": self.key.event}

    @property
    def receives(self) -> int:
        """How often the queue has delivered it."""
        return int(self.delivery["attributes"]["ApproximateReceiveCount"])

    @property
    def occasion(self) -> str:
        """Which receipt of which message of the queue this is."""
        return f"{self.delivery['messageId']}:{self.receives}"


class Answered(NamedTuple):
    """An event whose answers were all sent, which the ledger does not know yet.

    Attributes:
        task: the event.
        record: as the ledger has it.
        milliseconds: from its acceptance to its last answer.
    """

    task: Task
    record: Record
    milliseconds: int


class Responder:
    """Responds to events, one at a time.

    Args:
        ledger: what was seen, planned and sent.
        queues: where an event goes that is at fault.
        converse: what the bot answers to an event, given the user's state and the time in seconds since the epoch.
        senders: give the Send API.
        recent: what this instance has answered.
        pace: keeps sends apart.
        echo_seconds: how long to wait for the echo of a send that may have arrived, before it is sent again.
        questions: where texts that the bot does not understand are counted; None for nowhere.
        now: the clock, in seconds since the epoch.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        queues: Queues,
        converse: Callable[[events.Event, Json, float], Answer],
        senders: Senders,
        recent: RecentlyAnswered,
        pace: Pace,
        echo_seconds: float,
        questions: Questions | None = None,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger, self._queues, self._converse, self._recent = ledger, queues, converse, recent
        self._senders, self._pace, self._echo_seconds, self._now, self._pause = senders, pace, echo_seconds, now, pause
        self._questions = questions

    def respond(self, task: Task, reading: Reading | None, remaining: Callable[[], float]) -> Answered | None:
        """Bring one event as far as it gets now.

        Args:
            task: the event.
            reading: of the ledger, made for this run; None to read it now.
            remaining: how many seconds this run has left.

        Returns:
            What is left to be settled; None if nothing is.

        Raises:
            RetryLater, AwsError, NotQueued, Stale, SecretMissing: the event has to wait.
        """
        if remaining() < STEP_SECONDS:
            raise RetryLater("no time is left in this run", 0)
        if isinstance(task.event, events.Echo):
            self._note_echo(task.event, task.key.user)
            return None
        reading = reading or self._ledger.read(task.key, task.event.page)
        record = reading.record
        if record.outcome:
            log("INFO", "seen_before")
            return None
        self._look_ahead(reading)
        try:
            planned_now = record.answers is None
            if planned_now:
                record = self._plan(task, reading)
            if not record.outcome:
                return self._send_rest(task, record, remaining, planned_now=planned_now)
            if record.outcome == SETTLED:
                log("INFO", "silent")
        except RETRIABLE:
            raise
        except Exception as error:  # noqa: BLE001  whatever a conversation raises is the event's own fault
            self._fault(task, error)
        return None

    def settle(self, answered: Sequence[Answered]) -> None:
        """Record that events need no more answers: all of them, or none.

        Raises:
            AwsError, Stale: they have to wait.
        """
        if len(answered) == 1:
            self._ledger.settle(answered[0].task.key, answered[0].record)
        else:
            self._ledger.settle_all({each.task.key: each.record for each in answered})
        for task, record, milliseconds in answered:
            self._recent.add(task.key.event)
            messages = len(record.answers or ())
            about(**task.ids)
            log("INFO", "answered", messages=messages, milliseconds=milliseconds)

    def _note_echo(self, echo: events.Echo, user: str) -> None:
        """Record that one of our messages arrived."""
        ours = re.fullmatch(ANSWER_KEY, echo.metadata)
        if ours and not self._recent.knows(echo.metadata):
            self._ledger.echoed(Key(user, ours["event"]), int(ours["number"]))

    def _look_ahead(self, reading: Reading) -> None:
        """Raise what would certainly prevent a send, before it is recorded that one is tried.

        Without the secrets, the webhook cannot accept an echo either. So no wait begins or ends until they can be read.
        """
        if (paused := reading.paused_until / 1000 - self._now()) > 0:
            raise RetryLater("the page is paused", paused)
        with contextlib.suppress(errors.Credentials):  # the send itself then looks for a newer token
            self._senders.get()

    def _plan(self, task: Task, reading: Reading) -> Record:
        """Work out the answers to an event and store them, with the user's new state."""
        # A first delivery is trusted to end well. A later one is counted first: if the event kills the function, only
        # this count will show it.
        if task.receives == 1:
            return self._answer(task, reading) or Record(outcome=SETTLED)
        try:
            if self._ledger.add(task.key, "attempts", task.occasion) > ATTEMPTS:
                return self._bury(task, "the function ended without an outcome, several times", {})
            # The event has a record now, so it is settled even if there is nothing to store.
            return self._answer(task, reading) or self._ledger.plan(task.key, [], None, reading.version)
        except Exception:  # whatever it was, it did not end the function
            with contextlib.suppress(AwsError):
                self._ledger.take_back(task.key, "attempts", task.occasion)
            raise

    def _answer(self, task: Task, reading: Reading) -> Record | None:
        """Ask the conversation and store what it answers; None if there is nothing to store."""
        answer = self._converse(task.event, reading.state, self._now())
        if answer.defect is not None:
            log("ERROR", "defect", reason=type(answer.defect).__name__, at=where(answer.defect))
        if late := answer.outside_window:
            reason = "the messaging window is closed"
            log("WARN", "not_delivered", reason=reason, messages=late)
        planned: list[Json] = [each.to_request(task.event.user) for each in answer.messages]
        requests = [each for each in planned if any(each["recipient"].values())]
        if unsent := len(planned) - len(requests):
            log("WARN", "not_delivered", reason="nobody is known to send it to", messages=unsent)
        for number, request in enumerate(requests):
            if isinstance(message := request.get("message"), dict):
                request["message"] = message | {"metadata": f"{task.key.event}:{number}"}
        if answer.forget:
            self._forget(task)
        state = {} if answer.forget else answer.state
        # Of an event without a user nothing is kept: nobody could find it again.
        changed = state if task.event.user and state != reading.state else None
        record = self._store(task, requests, changed, reading.version) if requests or changed is not None else None
        if answer.not_understood:
            log("INFO", "not_understood")
            if self._questions:
                self._questions.count(answer.not_understood)
        return record

    def _store(self, task: Task, requests: Sequence[Json], state: Json | None, version: int) -> Record:
        try:
            return self._ledger.plan(task.key, requests, state, version)
        except AwsError as error:
            if error.invalid:
                raise TooLarge("Answers and state are larger than the ledger can store.") from None
            raise

    def _send_rest(self, task: Task, record: Record, remaining: Callable[[], float], *, planned_now: bool) -> Answered:
        """Send the planned answers that were not sent yet; one planned now is already being sent."""
        answers, first = record.answers or (), record.next
        if first in record.echoed:
            first += 1
        elif record.since is not None and not planned_now and "message" in answers[first]:
            self._await_echo(task, record, record.since / 1000)
        for number in range(first, len(answers)):
            recorded = planned_now and number == 0
            if remaining() < STEP_SECONDS:
                if recorded or number > record.next:
                    self._ledger.stopped(task.key, record, number)
                raise RetryLater("no time is left in this run", 0)
            if not recorded:
                record = self._ledger.sending(task.key, record, number)
            try:
                self._send(task, record, remaining)
            except errors.Unreachable as error:
                log("WARN", "not_delivered", reason=str(error), messages=len(answers) - number)
                break
            except errors.AlreadyDone as error:
                log("INFO", "already_done", reason=str(error))
            except errors.NotAllowed as error:
                log("WARN", "not_delivered", reason=str(error), messages=1)
                self._count_refusal(task, error)
        return Answered(task, record, round(self._now() * 1000) - int(task.message["received"]))

    def _await_echo(self, task: Task, record: Record, since: float) -> None:
        """Let an event wait for the echo of an answer that may have been sent; return once that was long enough.

        The wait starts only once a run can read ledger and secrets. Whatever delayed that run may have delayed the echo
        for as long. If the next run comes more than one whole wait too late, the wait starts again.
        """
        now, until = self._now(), (record.awaited or 0) / 1000
        if now - until > until - since:
            until = now + self._echo_seconds + min(now - since, LONGEST_ECHO_WAIT)
            self._ledger.awaiting(task.key, record, until)
        if until > now:
            left = min(until - now, ECHO_RETRY_SECONDS)
            raise RetryLater("the echo of a message that may have arrived is awaited", left)

    def _send(self, task: Task, record: Record, remaining: Callable[[], float]) -> None:
        """Send the answer that the record says is being sent."""
        request = (record.answers or ())[record.next]
        renew = False
        for tried in range(1, TRIES + 1):
            self._keep_pace(task, record, remaining() - STEP_SECONDS)
            began = self._now()
            try:
                sender = self._senders.renewed() if renew else self._senders.get()
                sender.send(request, SEND_SECONDS)
            except errors.Ambiguous as error:
                if "message" not in request:  # a typing indicator is not worth waiting for
                    return
                raise RetryLater(str(error), ECHO_RETRY_SECONDS) from None
            except errors.SlowDown as error:
                log("ERROR", error.alarm, reason=str(error))
                self._ledger.stopped(task.key, record, record.next)
                self._ledger.pause(task.event.page, PAUSE_SECONDS)
                raise RetryLater(str(error), PAUSE_SECONDS) from None
            except (errors.Rejected, errors.Unclear):
                self._ledger.stopped(task.key, record, record.next)
                raise
            except (errors.Transient, errors.Credentials, errors.PageSetting) as error:
                refused = isinstance(error, errors.Credentials)
                if tried == TRIES or remaining() < STEP_SECONDS or (refused and renew):
                    if error.alarm:
                        log("ERROR", error.alarm, reason=str(error))
                    self._ledger.stopped(task.key, record, record.next)
                    raise RetryLater(str(error)) from None
                renew = refused
                self._pause(RETRY_SECONDS * 2 ** (tried - 1) * random.uniform(0.5, 1))
            else:
                log("INFO", "sent", number=record.next, milliseconds=round((self._now() - began) * 1000))
                return

    def _keep_pace(self, task: Task, record: Record, most: float) -> None:
        """Wait until the page's rate allows the next answer; if that takes more seconds than `most`, in the queue."""
        try:
            self._pace.wait((record.answers or ())[record.next], most)
        except UsedUp as error:
            self._ledger.stopped(task.key, record, record.next)
            raise RetryLater(str(error), error.seconds) from None

    def _count_refusal(self, task: Task, error: errors.SendError) -> None:
        """Raise an alarm if an error that seems to be about one person comes for several of them."""
        number = error.subcode or error.code
        with contextlib.suppress(AwsError):
            people = self._ledger.refused(task.event.page, number, task.key.user)
            if people >= SEVERAL_PEOPLE:
                log("ERROR", "refused", code=number, people=people, reason=str(error))

    def _fault(self, task: Task, error: Exception) -> None:
        """Count an event's fault; after several, take it out of the order.

        A fault that may not be the event's own gets minutes to pass, however old the event is.
        """
        reason, detail, tries = str(error), {}, FAULTS
        if isinstance(error, errors.SendError):
            reason, detail = error.reason, {"fbtrace_id": error.fbtrace_id}
        elif not isinstance(error, TooLarge):
            reason, detail = f"{type(error).__name__} in the conversation", {"at": where(error)}
        if unclear := isinstance(error, errors.Unclear):
            tries = UNCLEAR_TRIES
            self._count_refusal(task, error)
        log("ERROR", "fault", reason=reason, **detail)
        faults = self._ledger.add(task.key, "faults", task.occasion)
        if faults < tries:
            raise RetryLater(reason, UNCLEAR_SECONDS * 2 ** (faults - 1) if unclear else None)
        self._bury(task, reason, detail)

    def _bury(self, task: Task, reason: str, detail: Json) -> Record:
        """Put an event on the dead-letter queue; only then does it count as dead."""
        group = task.delivery["attributes"]["MessageGroupId"]
        identity = f"{task.delivery['messageId']}:{task.key.event}"
        letter = dead_letter(reason, detail, task.message, group, identity)
        self._queues.bury([letter], self._queues.deadline(QUEUE_SECONDS))
        self._ledger.bury(task.key)
        log("ERROR", "dead_letter", reason=reason)
        return Record(outcome=DEAD)

    def _forget(self, task: Task) -> None:
        """Delete what is kept about a user beside the state: their dead letters, and what was planned for those."""
        for body, receipt in self._queues.letters(task.key.user):
            letter = json.loads(body)
            message = letter.get("message", letter)  # a message that SQS itself moved here is unchanged
            for item in message["items"]:
                event = events.parse(item, message["page"], platform=message["object"])
                self._ledger.forget(Key(task.key.user, fingerprint(message["page"], event.id)))
            self._queues.drop(receipt)


def where(error: Exception) -> str:
    """The file and line that raised: an exception's own text may hold what a user wrote."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else ""
