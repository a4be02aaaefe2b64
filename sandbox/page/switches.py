"""What can be broken with a switch, and the promise that each puts to the test."""

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

Fault = dict[str, Any]

SLOW_SECONDS = 3.0
KILLED_VISIBLE_SECONDS = 3  # instead of minutes, so that one can watch


class Switch(NamedTuple):
    """One thing to break.

    Attributes:
        name: by which it is set.
        group: with which it is shown.
        title: what is broken.
        promise: what holds nevertheless, in one sentence.
        graph: the fault of the Graph API.
        aws: the faults between function and AWS, by call.
    """

    name: str
    group: str
    title: str
    promise: str
    graph: Fault | None = None
    aws: Mapping[str, Fault] | None = None


def _error(status: int, code: int, message: str, **more: object) -> Fault:
    return {"error": {"status": status, "code": code, "message": message, **more}}


FACEBOOK, AWS, BOT, WEBHOOKS = "Facebook's API", "AWS", "The function", "Webhooks"
REFUSED: Fault = {"status": 503, "code": "ServiceUnavailable"}
SWITCHES = (
    Switch(
        "slow", FACEBOOK, f"Answers after {SLOW_SECONDS:.0f} seconds",
        "A slow Facebook never slows the acknowledgement: the webhook answers at once, only the sending takes longer.",
        {"delaySeconds": SLOW_SECONDS},
    ),
    Switch(
        "down", FACEBOOK, "Is down (HTTP 500)",
        "Events wait, for up to 14 days, and are answered once Facebook is back; none becomes a dead letter.",
        _error(500, 2, "Service temporarily unavailable", isTransient=True),
    ),
    Switch(
        "throttled", FACEBOOK, "Too many calls (error 613)",
        "What is refused for its rate is tried again with growing pauses, in each person's order.",
        _error(400, 613, "(#613) Calls to this api have exceeded the rate limit.", isTransient=True),
    ),
    Switch(
        "token", FACEBOOK, "Refuses the token (error 190)",
        "The event is kept, an alarm goes off, and the answer is sent once the token works again.",
        _error(401, 190, "Error validating access token: the session has been invalidated."),
    ),
    Switch(
        "unreachable", FACEBOOK, "This person cannot be reached (error 551)",
        "It is given up and counted: no dead letter, and nobody else waits.",
        _error(400, 551, "(#551) This person isn't available right now."),
    ),
    Switch(
        "rejected", FACEBOOK, "Finds the message wrong (error 100)",
        "After three tries the event is a dead letter with its reason, and the next ones are answered.",
        _error(400, 100, "(#100) Param message is not valid."),
    ),
    Switch(
        "drop_before", FACEBOOK, "Every second call breaks off, nothing taken",
        "A call that never arrived is made again: no answer is missing.",
        {"dropBefore": True, "probability": 0.5},
    ),
    Switch(
        "drop_after", FACEBOOK, "Every second call is taken, and its answer lost",
        "Nothing is sent twice: the page's own echo tells the bot that its message arrived.",
        {"dropAfter": True, "probability": 0.5},
    ),
    Switch(
        "no_echoes", FACEBOOK, "Sends no echoes",
        "Echoes are needed only where an answer was lost; all else goes on without them.",
        {"loseEchoes": True},
    ),
    Switch(
        "queue_refuses", AWS, "The queue refuses new events",
        "Nothing is acknowledged that the queue does not have: the webhook answers 503, and Facebook delivers again.",
        aws={"sqs:SendMessageBatch": REFUSED},
    ),
    Switch(
        "queue_lost", AWS, "The queue takes events, and its answer is lost",
        "The event is put on the queue twice and answered once.",
        aws={"sqs:SendMessageBatch": {"after": True, "probability": 0.5}},
    ),
    Switch(
        "ledger_refuses", AWS, "The ledger refuses every call",
        "Without its ledger the bot says nothing rather than something twice; the event waits in the queue.",
        aws={"dynamodb:*": REFUSED},
    ),
    Switch(
        "ledger_lost", AWS, "The ledger's every second answer is lost",
        "A write made twice counts once; an answer that may have left waits for its echo, and is sent if none comes.",
        aws={"dynamodb:*": {"after": True, "probability": 0.5}},
    ),
    Switch(
        "paused", BOT, "Does not read the queue",
        "What is acknowledged is kept: it is answered, in order, once the queue is read again.",
    ),
    Switch(
        "killed", BOT, "Is killed at every second send",
        "The next run finds in the ledger how far the killed one got, and goes on from there. "
        f"(What it held is shown again after {KILLED_VISIBLE_SECONDS} s here, minutes in AWS.)",
    ),
    Switch(
        "duplicates", WEBHOOKS, "Each is delivered three times",
        "However often an event is delivered, it is answered once.",
    ),
    Switch(
        "disorder", WEBHOOKS, "Come in the wrong order",
        "The order of acceptance is the order of the answers; nothing is lost or doubled.",
    ),
)  # fmt: skip
NAMES = frozenset(switch.name for switch in SWITCHES)


class Board:
    """Which switches are on, and what follows from it.

    Args:
        set_graph: takes the faults of the Graph API.
        set_aws: takes the faults between function and AWS.
        pause: has the queue read no more, or again.
        kill: prepares for the function to be killed, or ends that.
        kill_now: kills every instance of the function.
    """

    def __init__(
        self,
        set_graph: Callable[[object], None],
        set_aws: Callable[[object], None],
        pause: Callable[[bool], None],
        kill: Callable[[bool], None],
        kill_now: Callable[[], None],
    ) -> None:
        self._set_graph, self._set_aws, self._pause, self._kill, self._kill_now = (
            set_graph,
            set_aws,
            pause,
            kill,
            kill_now,
        )
        self.on: frozenset[str] = frozenset()
        self._random = random.Random(1)

    def set(self, names: Iterable[str]) -> None:
        """Have exactly these switches on; what they do begins at once."""
        before, self.on = self.on, frozenset(names) & NAMES
        self._set_graph(graph_faults(self.on))
        self._set_aws({call: fault for each in self._chosen() for call, fault in (each.aws or {}).items()})
        for name, act in (("paused", self._pause), ("killed", self._kill)):
            if (name in before) != (name in self.on):
                act(name in self.on)

    def _chosen(self) -> list[Switch]:
        return [switch for switch in SWITCHES if switch.name in self.on]

    def sent(self) -> None:
        """Facebook has just taken a message: the moment at which a function is best killed."""
        if "killed" in self.on and self._random.random() < 0.5:
            self._kill_now()

    def described(self) -> list[dict[str, Any]]:
        """All switches as the page shows them."""
        return [
            {"name": each.name, "group": each.group, "title": each.title, "promise": each.promise} for each in SWITCHES
        ]


def graph_faults(on: frozenset[str]) -> list[Fault]:
    """The stand-in's faults for these switches: slowness and missing echoes come with each other."""
    everywhere: Fault = {}
    each: list[Fault] = []
    for switch in SWITCHES:
        if switch.name in on and switch.graph is not None:
            if switch.name in ("slow", "no_echoes"):
                everywhere |= switch.graph
            else:
                each.append(dict(switch.graph))
    faults = [everywhere | fault for fault in each]
    return [*faults, everywhere] if everywhere else faults
