"""What became of an event: the one table of outcomes, and which steps lead to which.

The page shows each event by a row of `OUTCOMES`. `FACTS` says what each step shows, and `RULES` what the facts mean.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

from bot.messenger import errors
from bot.messenger.news import OTHERWISE

Json = dict[str, Any]


class Outcome(NamedTuple):
    """One outcome.

    Attributes:
        name: its name.
        word: what the page calls it.
        colour: `good` only where everything arrived; `quiet`, `works`, `waits`, `code`, `lost` or `bad`.
        mark: the sign under the person's message.
        final: nothing more happens by itself.
        countdown: what the page says until the time that it ends, with `{}` for the seconds left.
    """

    name: str
    word: str
    colour: str
    mark: str
    final: bool = False
    countdown: str = ""


NEXT_TRY = "next try in {} s"
OUTCOMES = {
    each.name: each
    for each in (
        Outcome("delivering", "Being delivered", "works", "○"),
        Outcome("refused", "Not acknowledged yet", "waits", "↻"),
        Outcome("abandoned", "Never acknowledged", "bad", "!", final=True),
        Outcome("queued", "In the queue", "works", "✓"),
        Outcome("answering", "Being answered", "works", "✓"),
        Outcome("again", "Waits for another try", "waits", "✓", countdown=NEXT_TRY),
        Outcome("down", "Facebook is down", "waits", "✓", countdown=NEXT_TRY),
        Outcome("throttled", "Too many calls", "waits", "✓", countdown=NEXT_TRY),
        Outcome("limited", "Facebook limits the page", "waits", "✓", countdown=NEXT_TRY),
        Outcome("token", "Token refused", "waits", "✓", countdown=NEXT_TRY),
        Outcome("setting", "A page setting is in the way", "waits", "✓", countdown=NEXT_TRY),
        Outcome("unclear", "Refused for an unclear reason", "waits", "✓", countdown=NEXT_TRY),
        Outcome("rejected", "Message rejected", "waits", "✓", countdown=NEXT_TRY),
        Outcome("unanswered", "No answer from Facebook", "waits", "✓", countdown=NEXT_TRY),
        Outcome("echo", "Waits for the echo", "waits", "✓", countdown="looking for the echo for {} s more"),
        Outcome("ledger", "The ledger does not answer", "waits", "✓", countdown=NEXT_TRY),
        Outcome("killed", "The function was killed", "waits", "✓"),
        Outcome("code_again", "Your code failed, tried again", "code", "✓", countdown=NEXT_TRY),
        Outcome("redriven", "Sent back to the queue", "works", "↻"),
        Outcome("answered", "Answered", "good", "✓", final=True),
        Outcome("code", "Your code failed", "code", "!", final=True),
        Outcome("update", "Sent as an update", "good", "✓", final=True),
        Outcome("utility", "Sent as a utility message", "good", "✓", final=True),
        Outcome("consent", "Sent by consent", "good", "✓", final=True),
        Outcome("silent", "No answer needed", "quiet", "✓", final=True),
        Outcome("joined", "Part of an earlier message", "quiet", "✓", final=True),
        Outcome("human", "A human answers", "quiet", "✓", final=True),
        Outcome("unreachable", "Person unreachable", "lost", "!", final=True),
        Outcome("closed", "Window closed", "lost", "!", final=True),
        Outcome("elsewhere", "Another app answers", "lost", "!", final=True),
        Outcome("not_allowed", "Not allowed", "lost", "!", final=True),
        Outcome("already", "Done already", "quiet", "✓", final=True),
        Outcome("partly", "Partly delivered", "lost", "!", final=True),
        Outcome("nothing", "Done, not delivered", "lost", "!", final=True),
        Outcome("dead", "Dead letter", "bad", "!", final=True),
        Outcome("dropped", "Dropped", "quiet", "!", final=True),
        Outcome("forgotten", "Forgotten", "quiet", "!", final=True),
    )
}

SENDS = ("down", "throttled", "limited", "token", "setting", "unclear", "rejected", "unanswered")
TRIES = (*SENDS, "ledger", "killed", "again")
STOPPED = ("unreachable", "closed", "elsewhere", "not_allowed", "already")
ENDED = ("joined", "done", "dead", "silent", "unlogged", "dropped", "forgotten")

# Step → the facts that it shows, and those that it ends.
FACTS: dict[str, tuple[Collection[str], Collection[str]]] = {
    "refused": (["refused"], []),
    "posted": ([], ["refused"]),
    "abandoned": (["abandoned"], []),
    "queued": (["queued"], ["refused", "abandoned"]),
    "taken": (["taken"], [*TRIES, *ENDED, *STOPPED, "waiting", "redriven"]),
    "taken_settled": (["done"], ["waiting", "dead"]),
    "planned": ([], ["silent", "code"]),
    "silent": (["silent"], ["waiting"]),
    "joined": (["joined"], ["waiting", "taken"]),
    "human_answered": (["human"], ["unlogged"]),
    "sending": ([], ["echo"]),
    "arrived": (["some"], [*TRIES, "echo", "waiting"]),
    "arrived_last": (["some", "all"], [*TRIES, "echo", "waiting"]),
    **{f"send_{reason}": ([reason], []) for reason in (*SENDS, *STOPPED)},
    "ledger_failed": (["ledger"], []),
    "awaiting_echo": (["echo"], ["unanswered"]),
    "fault_counted": (["again"], []),
    "delayed": (["waiting"], []),
    "killed": (["killed"], []),
    "code_failed": (["code"], []),
    "done": (["done", "unlogged"], [*TRIES, "echo", "waiting"]),
    "logged": ([], ["unlogged"]),
    **{f"way_{way}": ([way], []) for way in ("update", "utility", "consent")},
    "dead": (["dead"], ["waiting"]),
    "redriven": (["redriven"], [*ENDED, "code", "taken"]),
    "dropped": (["dropped"], ["redriven"]),
    "forgotten": (["forgotten"], ["redriven"]),
}

# The facts that must hold → the outcome. The first that fits counts.
RULES: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(facts.split()), outcome)
    for facts, outcome in (
        ("forgotten", "forgotten"),
        ("dropped", "dropped"),
        ("dead", "dead"),
        ("joined", "joined"),
        ("done human", "human"),
        ("silent human", "human"),
        ("done unlogged all", "answering"),  # the log shows whether it was the author's answer
        ("done code all", "code"),
        *((f"done all {way}", way) for way in ("update", "utility", "consent")),
        ("done all", "answered"),
        *((f"done {reason} some", "partly") for reason in STOPPED),
        *((f"done {reason}", reason) for reason in STOPPED),
        ("done unlogged", "answering"),  # the log shows whether a human answered
        ("done", "nothing"),
        ("silent code", "code"),
        ("silent", "silent"),
        ("waiting echo", "echo"),
        ("waiting ledger", "ledger"),
        *((f"waiting {reason}", reason) for reason in SENDS),
        ("waiting code", "code_again"),
        ("waiting", "again"),
        ("killed", "killed"),
        ("redriven", "redriven"),
        ("taken", "answering"),
        ("queued", "queued"),
        ("abandoned", "abandoned"),
        ("refused", "refused"),
        ("", "delivering"),
    )
)

# The first that fits counts: a subclass stands before its base.
_SEND_STEPS: tuple[tuple[type[errors.SendError], str], ...] = (
    (errors.SlowDown, "limited"),
    (errors.WindowClosed, "closed"),
    (errors.OtherApp, "elsewhere"),
    (errors.Unreachable, "unreachable"),
    (errors.PersonOrToken, "unreachable"),
    (errors.AlreadyDone, "already"),
    (errors.NotAllowed, "not_allowed"),
    (errors.Credentials, "token"),
    (errors.PageSetting, "setting"),
    (errors.Unclear, "unclear"),
    (errors.Ambiguous, "unanswered"),
    (errors.Rejected, "rejected"),
    (errors.Transient, "down"),
)


def send_step(status: int, answer: bytes) -> str:
    """The step of a call that Facebook refused, told by the bot's own reading of the answer.

    Args:
        status: the answer's.
        answer: its body.
    """
    error = errors.from_response(status, answer)
    if isinstance(error, errors.Transient) and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return "send_throttled"
    return "send_" + next((reason for kind, reason in _SEND_STEPS if isinstance(error, kind)), "unclear")


def outcome(facts: Collection[str]) -> Outcome:
    """What the facts of an event mean."""
    return next(OUTCOMES[name] for wanted, name in RULES if wanted <= set(facts))


class Story:
    """One event so far.

    Args:
        key: the ledger's key of the event.
        person: whose event it is.
        began: when it began, in seconds since 1970.

    Attributes:
        facts: what its steps have shown.
        state: of the person before the event, as the function read it.
        wanted: the numbers of the planned answers that are messages; none before the plan. Of several ways to send one
            message, the number of the first stands for all.
        said: the texts of the planned messages.
        arrivals: for each message that Facebook took: its number and when.
        public: the number of the planned answer that is a public reply; below 0 if none is.
        place: in the order of acceptance; 0 until it is accepted.
        until: when its wait ends, in seconds since 1970; 0 if it does not wait.
        ended: when its last step ended.
        faults: the names of the faults that hit it.
        code: what the author's code raised, once it is known.
    """

    def __init__(self, key: str, person: str, began: float) -> None:
        self.key, self.person, self.began, self.ended = key, person, began, began
        self.facts: set[str] = set()
        self.state: Json = {}
        self.wanted: frozenset[int] = frozenset()
        self.said: list[str] = []
        self._first: dict[int, int] = {}  # an answer that is another way of a message → the first way's number
        self.arrivals: list[tuple[int, float]] = []
        self.place, self.until, self.public = 0, 0.0, -1
        self.faults: set[str] = set()
        self.code: Json | None = None

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        return outcome(self.facts)

    def take(self, step: str, until: float = 0.0) -> None:
        """Take a step.

        Args:
            step: one of `FACTS`.
            until: when the wait that begins with it ends.
        """
        shown, ended = FACTS[step]
        self.facts = (self.facts - set(ended)) | set(shown)
        # A wait for an echo is made of several short ones.
        if step == "awaiting_echo" or (step == "delayed" and "echo" not in self.facts):
            self.until = until

    def plan(self, answers: Iterable[Json]) -> str:
        """Note the planned answers; the step that this is."""
        messages: dict[int, Json] = {}
        self._first.clear()
        for number, each in enumerate(answers):
            if OTHERWISE in each:
                self._first[number] = self._first.get(number - 1, number - 1)
            elif "message" in each:
                messages[number] = each["message"]
            elif "public_reply" in each:
                messages[number], self.public = {"text": each["public_reply"]}, number
        self.wanted = frozenset(messages)
        self.said = [str(each.get("text", "")) for each in messages.values()]
        return "planned" if messages else "silent"

    def arrive(self, number: int, at: float) -> str:
        """Note a message that Facebook took; the step that this is."""
        self.arrivals.append((self._first.get(number, number), at))
        return "arrived_last" if self.wanted <= {each for each, _ in self.arrivals} else "arrived"

    def described(self) -> Json:
        """What the page shows of it."""
        return {
            "key": self.key,
            "person": self.person,
            "outcome": self.outcome.name,
            "until": self.until,
            "seconds": max(0.0, self.ended - self.began),
            "faults": sorted(self.faults),
        }


class Promise(NamedTuple):
    """What was kept since the faults changed, counted.

    Attributes:
        messages: how many events there were.
        answers: how many planned answers arrived.
        twice: how many arrived more than once.
        waiting: how many events are not at their end.
        lost: how many answers are missing although their event is done as if they were there.
        undelivered: how many answers were not delivered, for a reason that their event shows.
        in_order: whether each person's answers came in the order in which their events were accepted.
    """

    messages: int
    answers: int
    twice: int
    waiting: int
    lost: int
    undelivered: int
    in_order: bool

    @classmethod
    def of(cls, stories: Collection[Story]) -> "Promise":
        """Count what was kept of these events."""
        missing = {each.key: len(each.wanted - {number for number, _ in each.arrivals}) for each in stories}
        lost = sum(missing[each.key] for each in stories if each.outcome.name in ("nothing", "silent"))
        final = sum(missing[each.key] for each in stories if each.outcome.final)
        copies = Counter((each.key, number) for each in stories for number, _ in each.arrivals)
        arrivals: dict[str, list[tuple[float, int, int]]] = {}
        for each in stories:
            first = dict(reversed(each.arrivals))
            arrivals.setdefault(each.person, []).extend((at, each.place, number) for number, at in first.items())
        places = [[place for _, *place in sorted(each)] for each in arrivals.values()]
        return cls(
            messages=len(stories),
            answers=len(copies),
            twice=sum(1 for count in copies.values() if count > 1),
            waiting=sum(1 for each in stories if not each.outcome.final),
            lost=lost,
            undelivered=final - lost,
            in_order=all(each == sorted(each) for each in places),
        )

    @property
    def state(self) -> str:
        """`broken`, `open` while something waits, or `kept`."""
        if self.twice or self.lost or not self.in_order:
            return "broken"
        return "open" if self.waiting else "kept"

    @property
    def sentence(self) -> str:
        """The count in words."""
        counted = [
            _count(self.messages, "message"),
            _count(self.answers, "answer"),
            *([f"{self.waiting} still waiting"] if self.waiting else []),
            *([f"{self.undelivered} not delivered"] if self.undelivered else []),
            *([f"{self.lost} lost"] if self.lost else []),
            f"{self.twice} twice",
            "in order" if self.in_order else "out of order",
        ]
        begin = {"kept": "Promise kept", "open": "So far", "broken": "Promise broken"}[self.state]
        return f"{begin}: {', '.join(counted)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
