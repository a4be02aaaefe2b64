"""One event: consult the ledger, ask the conversation, send its answers.

An event goes forward by steps, each recorded before the next, so that a later run goes on where an earlier one stopped.
"""

import contextlib
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import islice
from typing import Any, NamedTuple, Protocol, Self

from bot import dead_letters
from bot.aws.client import AwsError
from bot.aws.ledger import DEAD, SETTLED, Key, Ledger, Reading, Record, Stale, Template
from bot.aws.queues import NotQueued, Queues, dead_letter, fingerprint
from bot.aws.secrets import SecretMissing
from bot.fault import ConversationFault
from bot.log import Field, about, log
from bot.messenger import errors, events
from bot.messenger.human import HOUR, INBOXES, METADATA, NAME, Human
from bot.messenger.messages import Message
from bot.messenger.news import OTHERWISE
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
# Messages that are answered together, at most. One write plans all of them, and a record takes 400 kB
# ("Quotas in Amazon DynamoDB").
MOST_TOGETHER = 20
# For a dead letter to reach its queue.
QUEUE_SECONDS = 4.0
# Facebook delivers an event within an hour ("Webhooks"): an older timestamp, or none, cannot start the window.
OLDEST_MILLISECONDS = 60 * 60 * 1000
# The metadata in an echo of ours: the event's fingerprint and the answer's number. Anything else is another app's.
ANSWER_KEY = "(?P<event>[0-9a-f]{64}):(?P<number>[0-9]{1,4})"
# What Facebook calls a template that may be sent ("Send a utility message", 2026-03-13).
APPROVED = "APPROVED"
# The way of news that reached nobody.
NO_WAY = "none"
# The kind of the log line about messages that were not sent, because a human wrote to the person.
HUMAN_ANSWERED = "human_answered"
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
    def together(self) -> int:
        """How many of the event's `waiting` are answered as well."""

    @property
    def not_understood(self) -> str:
        """The text that the bot did not understand; empty if it did."""


Converse = Callable[[events.Event, Json, float], Answer]
"""What the bot answers to an event, given the user's state and the time in seconds since the epoch."""


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
        silenced: how many of its messages were not sent, because a human wrote to the person.
    """

    task: Task
    record: Record
    milliseconds: int
    silenced: int = 0


class Sent(Enum):
    """What became of a send."""

    TAKEN = "taken"
    NOT_TAKEN = "not taken"
    NOT_THIS_WAY = "not in this way: the next answer is another way of the same message"
    TO_NOBODY = "not taken, and nothing else will be by this person"


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
        converse_seconds: how long `converse` may take, if it waits for anything.
        human_hours: for how long the bot is silent after a human wrote to a person.
        questions: where texts that the bot does not understand are counted; None for nowhere.
        now: the clock, in seconds since the epoch.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        queues: Queues,
        converse: Converse,
        senders: Senders,
        recent: RecentlyAnswered,
        pace: Pace,
        echo_seconds: float,
        human_hours: float,
        converse_seconds: float = 0.0,
        questions: Questions | None = None,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger, self._queues, self._converse, self._recent = ledger, queues, converse, recent
        self._senders, self._pace, self._echo_seconds, self._now, self._pause = senders, pace, echo_seconds, now, pause
        self._converse_seconds = converse_seconds
        self._human_hours = human_hours
        self._questions = questions

    def respond(
        self,
        task: Task,
        reading: Reading | None,
        remaining: Callable[[], float],
        behind: Iterable[Task] = (),
    ) -> Answered | None:
        """Bring one event as far as it gets now.

        If the conversation answers it together with events behind it, the ledger has settled those by then.

        Args:
            task: the event.
            reading: of the ledger, made for this run; None to read it now.
            remaining: how many seconds this run has left.
            behind: the events that wait behind it in its message group, in order.

        Returns:
            What is left to be settled; None if nothing is.

        Raises:
            RetryLater, AwsError, NotQueued, Stale, SecretMissing: the event has to wait.
        """
        if remaining() < STEP_SECONDS:
            raise RetryLater("no time is left in this run", 0)
        if self._noted(task):
            return None
        reading = reading or self._ledger.read(task.key, task.event.page)
        record = reading.record
        if record.outcome:
            log("INFO", "seen_before")
            return None
        planned_now = record.answers is None
        if planned_now and remaining() < self._converse_seconds + STEP_SECONDS:
            raise RetryLater("no time is left in this run", 0)
        self._look_ahead(reading)
        try:
            if planned_now:
                record = self._plan(task, reading, behind)
            if not record.outcome:
                return self._send_rest(task, reading._replace(record=record), remaining, planned_now=planned_now)
            if record.outcome == SETTLED:
                log("INFO", "silent")
        except RETRIABLE:
            raise
        except Exception as error:  # noqa: BLE001  whatever a conversation raises is the event's own fault
            self._fault(task, record, error)
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
        for task, record, milliseconds, silenced in answered:
            self._recent.add(task.key.event)
            about(**task.ids)
            if silenced:
                log("INFO", HUMAN_ANSWERED, messages=silenced)
                continue
            messages = sum(OTHERWISE not in each for each in record.answers or ())
            ids = [task.key.event, *(event for event, _ in record.together)]
            others: dict[str, Field] = {"together": len(ids), "ids": ids} if record.together else {}
            log("INFO", "answered", messages=messages, milliseconds=milliseconds, **others)

    def _noted(self, task: Task) -> bool:
        """Record what an event says of the page's own messages or templates; False if it is about something else."""
        if isinstance(task.event, events.Echo):
            self._note_echo(task.event, task.key.user)
            return True
        if isinstance(task.event, events.TemplateReviewed):
            self._note_review(task.event, int(task.message["received"]))
            return True
        return False

    def _note_echo(self, echo: events.Echo, user: str) -> None:
        """Record that one of our messages arrived, or that somebody else wrote to the person."""
        if ours := re.fullmatch(ANSWER_KEY, echo.metadata):
            if not self._recent.knows(echo.metadata):
                self._ledger.echoed(Key(user, ours["event"]), int(ours["number"]))
        elif echo.user and echo.timestamp and _by_another(echo):
            when, hours, person = echo.timestamp / 1000, self._human_hours, echo.user
            if when + hours * HOUR > self._now():
                self._ledger.change_state(user, lambda state: Human.of(state).written(person, when, hours).put(state))
                by = echo.metadata.removeprefix(METADATA) if echo.metadata.startswith(METADATA) else ""
                log("INFO", "human_wrote", person=user, app=echo.app_id, **({"by": by} if by else {}))

    def _note_review(self, review: events.TemplateReviewed, received: int) -> None:
        """Record whether a template may be sent."""
        self._ledger.template_reviewed(Template(review.page, review.name, review.language), review.status, received)
        facts = {"template": review.name, "language": review.language, "status": review.status}
        log("INFO" if review.status == APPROVED else "WARN", "template_reviewed", **facts, reason=review.reason)

    def _look_ahead(self, reading: Reading) -> None:
        """Raise what would certainly prevent a send, before it is recorded that one is tried.

        Without the secrets, the webhook cannot accept an echo either. So no wait begins or ends until they can be read.
        """
        if (paused := reading.paused_until / 1000 - self._now()) > 0:
            raise RetryLater("the page is paused", paused)
        with contextlib.suppress(errors.Credentials):  # the send itself then looks for a newer token
            self._senders.get()

    def _plan(self, task: Task, reading: Reading, behind: Iterable[Task]) -> Record:
        """Work out the answers to an event and store them, with the user's new state; arguments as of `respond`."""
        # A text that was at fault with others is answered alone: the fault may be another's.
        fresh = isinstance(task.event, events.TextMessage) and reading.record == Record()
        waiting = list(_texts(task, behind)) if fresh else []
        # A first delivery is trusted to end well. A later one is counted first: if the event kills the function, only
        # this count will show it.
        if task.receives == 1:
            return self._answer(task, reading, waiting) or Record(outcome=SETTLED)
        try:
            if self._ledger.add(task.key, "attempts", task.occasion) > ATTEMPTS:
                return self._bury(task, "the function ended without an outcome, several times", {})
            # The event has a record now, so it is settled even if there is nothing to store.
            return self._answer(task, reading, waiting) or self._ledger.plan(task.key, [], None, reading.version)
        except Exception:  # whatever it was, it did not end the function
            with contextlib.suppress(AwsError):
                self._ledger.take_back(task.key, "attempts", task.occasion)
            raise

    def _answer(self, task: Task, reading: Reading, waiting: Sequence[Task]) -> Record | None:
        """Ask the conversation and store what it answers; None if there is nothing to store.

        Args:
            task: the event.
            reading: of the ledger.
            waiting: the texts behind it, which the conversation may answer as well.
        """
        event = task.event.replace(waiting=tuple(each.event for each in waiting)) if waiting else task.event
        answer = self._converse(event, reading.state, self._now())
        together = [(each.key.event, each.message["items"][0]) for each in waiting[: answer.together]]
        if answer.defect is not None:
            log("ERROR", "defect", reason=type(answer.defect).__name__, at=where(answer.defect))
        # Whether a human has the conversation is for the bot to say, but not for it to forget by accident.
        told = answer.forget or NAME in answer.state
        human = Human.of(answer.state if told else reading.state)
        requests = self._requests(task, answer, silent=human.talks(self._now()))
        if answer.forget:
            self._forget(task)
        state = {} if answer.forget else human.put(answer.state)
        # Of an event without a user nothing is kept: nobody could find it again.
        changed = state if task.event.user and state != reading.state else None
        record = None
        try:
            if requests or together or changed is not None:
                record = self._ledger.plan(task.key, requests, changed, reading.version, together)
        except Stale:
            if not together:
                raise
            # The ledger may know one of the others, which Facebook sent twice.
            return self._answer(task, reading, ())
        except AwsError as error:
            if error.invalid:
                raise TooLarge("Answers and state are larger than the ledger can store.") from None
            raise
        if answer.not_understood:
            log("INFO", "not_understood")
            if self._questions:
                self._questions.count(answer.not_understood)
        return record

    def _requests(self, task: Task, answer: Answer, *, silent: bool) -> list[Json]:
        """The requests of an answer, each message with its key. A silent bot only sends those of thread control."""
        if late := answer.outside_window:
            reason = "the messaging window is closed"
            log("WARN", "not_delivered", reason=reason, messages=late)
        planned: list[Json] = [dict(each.to_request(task.event.user)) for each in answer.messages]
        requests = [each for each in planned if any(each["recipient"].values())]
        if unsent := len(planned) - len(requests):
            log("WARN", "not_delivered", reason="nobody is known to send it to", messages=unsent)
        if silent:
            if silenced := sum(map(_is_message, requests)):
                log("INFO", HUMAN_ANSWERED, messages=silenced)
            requests = [each for each in requests if "control" in each]
        for number, request in enumerate(requests):
            if isinstance(message := request.get("message"), dict):
                request["message"] = message | {"metadata": f"{task.key.event}:{number}"}
        if not requests:
            note_way(task, NO_WAY)
        return requests

    def _send_rest(
        self, task: Task, reading: Reading, remaining: Callable[[], float], *, planned_now: bool
    ) -> Answered:
        """Send the planned answers that were not sent yet; one planned now is already being sent.

        Once a human has written to the person, the messages that are left are not sent: the human answered.
        """
        record = reading.record
        answers, first = record.answers or (), self._first(task, reading, planned_now=planned_now)
        arrived = first > record.next
        anything = any(OTHERWISE not in each for each in answers[1 : first + 1]) or arrived
        silenced = 0
        for number in range(first, len(answers)):
            if arrived and OTHERWISE in answers[number]:
                continue
            recorded = planned_now and number == 0
            if not recorded and "control" not in answers[number] and self._human_talks(task):
                silenced += _is_message(answers[number])
                continue
            if remaining() < STEP_SECONDS:
                if recorded or number > record.next:
                    self._ledger.stopped(task.key, record, number)
                raise RetryLater("no time is left in this run", 0)
            if not recorded:
                record = self._ledger.sending(task.key, record, number)
            sent = self._deliver(task, record, remaining)
            if sent is Sent.TO_NOBODY:
                break
            arrived = sent is not Sent.NOT_THIS_WAY
            anything = anything or sent is Sent.TAKEN
        if not anything:
            note_way(task, NO_WAY)
        return Answered(task, record, round(self._now() * 1000) - int(task.message["received"]), silenced)

    def _first(self, task: Task, reading: Reading, *, planned_now: bool) -> int:
        """The number of the first answer to be sent, once it is known that it did not arrive."""
        record, answers = reading.record, reading.record.answers or ()
        if record.next in record.echoed:
            note_way(task, way(answers[record.next]))
            return record.next + 1
        if record.since is None or planned_now or not _speaks(answers[record.next]):
            return record.next
        if Human.of(reading.state).talks(self._now()):
            return record.next + 1  # it may have arrived, and a human has answered since
        self._await_echo(task, record, record.since / 1000)
        return record.next

    def _human_talks(self, task: Task) -> bool:
        """Whether a human has written to the person, as far as the ledger knows by now."""
        return Human.of(self._ledger.state(task.key.user)).talks(self._now())

    def _deliver(self, task: Task, record: Record, remaining: Callable[[], float]) -> Sent:
        """Send the answer that the record says is being sent, and say what became of it."""
        answers, number = record.answers or (), record.next
        other_way = OTHERWISE in (answers[number + 1] if number + 1 < len(answers) else ())
        try:
            self._check_template(task, answers[number])
            self._send(task, record, remaining)
        except errors.AlreadyDone as error:
            log("INFO", "already_done", reason=str(error))
            return Sent.NOT_TAKEN
        except (errors.WindowClosed, errors.NotAllowed, errors.Rejected, errors.Unclear) as error:
            if other_way:
                log("INFO", "way_refused", way=way(answers[number]), reason=str(error))
                return Sent.NOT_THIS_WAY
            if isinstance(error, errors.WindowClosed):
                self._give_up(answers[number:], error)
                return Sent.TO_NOBODY
            if not isinstance(error, errors.NotAllowed):
                self._ledger.stopped(task.key, record, number)
                raise
            self._give_up(answers[number : number + 1], error)
            self._count_refusal(task, error)
            return Sent.NOT_TAKEN
        except errors.Unreachable as error:
            self._give_up(answers[number:], error)
            return Sent.TO_NOBODY
        note_way(task, way(answers[number]))
        return Sent.TAKEN

    def _check_template(self, task: Task, request: Json) -> None:
        """Raise `NotAllowed` for a template of which Facebook has reported that it is not approved."""
        if template := request.get("message", {}).get("template"):
            known = Template(task.event.page, template["name"], template["language"]["code"])
            if (status := self._ledger.template_status(known)) not in ("", APPROVED):
                raise errors.NotAllowed(f"Its template {known.name} in {known.language} is {status}.")

    @staticmethod
    def _give_up(requests: Sequence[Json], error: errors.SendError) -> None:
        """Log how many messages are not delivered; several ways of one message are one."""
        messages = 1 + sum(OTHERWISE not in each for each in requests[1:])
        log("WARN", "not_delivered", reason=str(error), messages=messages)

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
        planned = (record.answers or ())[record.next]
        request = {name: value for name, value in planned.items() if name != OTHERWISE}
        renew = False
        for tried in range(1, TRIES + 1):
            self._keep_pace(task, record, remaining() - STEP_SECONDS)
            began = self._now()
            try:
                sender = self._senders.renewed() if renew else self._senders.get()
                sender.send(request, SEND_SECONDS)
            except errors.Ambiguous as error:
                if not _speaks(request):  # a typing indicator is not worth waiting for
                    return
                raise RetryLater(str(error), ECHO_RETRY_SECONDS) from None
            except errors.SlowDown as error:
                log("ERROR", error.alarm, reason=str(error))
                self._ledger.stopped(task.key, record, record.next)
                self._ledger.pause(task.event.page, PAUSE_SECONDS)
                raise RetryLater(str(error), PAUSE_SECONDS) from None
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

    def _fault(self, task: Task, record: Record, error: Exception) -> None:
        """Count an event's fault; after several, take it out of the order.

        A fault that may not be the event's own gets minutes to pass, however old the event is.
        """
        reason, detail, said, tries = str(error), {}, {}, FAULTS
        if isinstance(error, errors.SendError):
            reason, detail = error.reason, {"fbtrace_id": error.fbtrace_id}
        elif isinstance(error, ConversationFault):
            reason, detail, said = f"{error.kind} in the conversation", {"at": error.at}, {"message": error.message}
        elif not isinstance(error, TooLarge):
            reason, detail = f"{type(error).__name__} in the conversation", {"at": where(error)}
        if unclear := isinstance(error, errors.Unclear):
            tries = UNCLEAR_TRIES
            self._count_refusal(task, error)
        log("ERROR", "fault", reason=reason, **detail)
        faults = self._ledger.add(task.key, "faults", task.occasion)
        if faults < tries:
            raise RetryLater(reason, UNCLEAR_SECONDS * 2 ** (faults - 1) if unclear else None)
        self._bury(task, reason, detail | said, record.together)

    def _bury(self, task: Task, reason: str, detail: Json, together: Sequence[tuple[str, Json]] = ()) -> Record:
        """Put an event, and those that its plan answers as well, on the dead-letter queue; only then is it dead."""
        group = task.delivery["attributes"]["MessageGroupId"]
        identity = f"{task.delivery['messageId']}:{task.key.event}"
        message = task.message | {"items": [*task.message["items"], *(item for _, item in together)]}
        letter = dead_letter(reason, detail, message, group, identity)
        self._queues.bury([letter], self._queues.deadline(QUEUE_SECONDS))
        self._ledger.bury(task.key)
        log("ERROR", "dead_letter", reason=reason)
        return Record(outcome=DEAD)

    def _forget(self, task: Task) -> None:
        """Delete what is kept about a user beside the state: their dead letters, and what was planned for those."""
        page, person = task.event.page, task.event.user
        for body, receipt in self._queues.letters() if person else ():
            if (found := dead_letters.about(body, page, person)) is not None:
                for each in found:
                    self._ledger.forget(Key(task.key.user, fingerprint(page, each)))
                self._queues.drop(receipt)


def way(request: Json) -> str:
    """How a request reaches a user: `response`, `update`, `utility` or `consent`."""
    by_consent = "notification_messages_token" in request["recipient"]
    return "consent" if by_consent else str(request.get("messaging_type", "")).lower()


def note_way(task: Task, used: str) -> None:
    """Log how a notice reached its user: see `way`; `NO_WAY` if it did not."""
    if isinstance(task.event, events.Notice):
        log("INFO", "news", way=used)


def _texts(task: Task, behind: Iterable[Task]) -> Iterator[Task]:
    """The texts right behind an event in its message group, and so of the same user; none of them twice."""
    seen = {task.key}
    for each in islice(behind, MOST_TOGETHER - 1):
        if each.key in seen or not isinstance(each.event, events.TextMessage):
            return
        seen.add(each.key)
        yield each


def _speaks(request: Json) -> bool:
    """Whether people read what a request sends."""
    return "message" in request or "public_reply" in request


def _is_message(request: Json) -> bool:
    """Whether a request is a message of its own, and not another way of the one before it."""
    return _speaks(request) and OTHERWISE not in request


def _by_another(echo: events.Echo) -> bool:
    """Whether an echo that does not carry the key of an answer shows that somebody else wrote to the person.

    On Instagram, echoes carry neither metadata nor, as a rule, an app: those of our own messages look like a human's.
    Source: "Webhooks for Instagram Messaging", 2026-11-25.
    """
    return echo.platform == "page" or echo.app_id in INBOXES


def where(error: Exception) -> str:
    """The file and line that raised: an exception's own text may hold what a user wrote."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else ""
