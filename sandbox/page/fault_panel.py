"""The faults that the chat page can switch on, and the promise that each puts to the test."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sandbox import faults

Effects = Mapping[str, Any]
"""A fault as a control endpoint takes it."""

SLOW_SECONDS = 3.0
VISIBILITY_SECONDS = 3  # while the function is killed: the stack's own value is minutes


class Fault(NamedTuple):
    """One fault.

    Attributes:
        name: its name.
        group: the part that it is in.
        title: what goes wrong.
        promise: what holds nevertheless, in one sentence.
        shows: the outcome that an event has, or soon gets, while the fault is on.
        hits: whether a step of an event, and what was observed of it, shows the fault.
        graph: its effects on the Graph API.
        aws: its effects on AWS calls, by call.
    """

    name: str
    group: str
    title: str
    promise: str
    shows: str
    hits: Callable[[str, Mapping[str, Any]], bool]
    graph: Effects | None = None
    aws: Mapping[str, Effects] | None = None


def _error(status: int, code: int, message: str, **more: object) -> Effects:
    return {"error": {"status": status, "code": code, "message": message, **more}}


def _is(*steps: str) -> Callable[[str, Mapping[str, Any]], bool]:
    return lambda step, _: step in steps


FACEBOOK, AWS, FUNCTION, WEBHOOKS = "Facebook's API", "AWS", "The function", "Webhooks"
EVERY_SECOND = {"every": 2}
REFUSED: Effects = {"status": 503, "code": "ServiceUnavailable"}
FAULTS = (
    Fault(
        "slow",
        FACEBOOK,
        f"Answers after {SLOW_SECONDS:.0f} seconds",
        "A slow Facebook never slows the acknowledgement: the webhook answers at once, only sending takes longer.",
        "answered",
        lambda _, seen: seen.get("seconds", 0) >= SLOW_SECONDS,
        {"delaySeconds": SLOW_SECONDS},
    ),
    Fault(
        "down",
        FACEBOOK,
        "Is down (HTTP 500)",
        "Events wait, for up to 14 days, and are answered once Facebook is back. None becomes a dead letter.",
        "down",
        _is("send_down"),
        _error(500, 2, "Service temporarily unavailable", isTransient=True),
    ),
    Fault(
        "throttled",
        FACEBOOK,
        "Too many calls (error 613)",
        "The bot tries again after growing pauses, and keeps each person's order.",
        "throttled",
        _is("send_throttled"),
        _error(400, 613, "(#613) Calls to this api have exceeded the rate limit.", isTransient=True),
    ),
    Fault(
        "token",
        FACEBOOK,
        "Refuses the token (error 190)",
        "The event is kept, an alarm goes off, and the answer is sent once the token works again.",
        "token",
        _is("send_token"),
        _error(401, 190, "Error validating access token: the session has been invalidated."),
    ),
    Fault(
        "unreachable",
        FACEBOOK,
        "This person cannot be reached (error 551)",
        "The answer is not delivered, and is counted. There is no dead letter, and nobody else waits.",
        "unreachable",
        _is("send_unreachable"),
        _error(400, 551, "(#551) This person isn't available right now."),
    ),
    Fault(
        "rejected",
        FACEBOOK,
        "Rejects the message (error 100)",
        "After three tries the event is a dead letter with its reason, and the next events are answered.",
        "dead",
        _is("send_rejected"),
        _error(400, 100, "(#100) Param message is not valid."),
    ),
    Fault(
        "drop_before",
        FACEBOOK,
        "Drops every second call before taking it",
        "A call that never arrived is made again: no answer is missing.",
        "echo",
        lambda step, seen: step == "send_unanswered" and not seen["status"],
        {"dropBefore": True, **EVERY_SECOND},
    ),
    Fault(
        "drop_after",
        FACEBOOK,
        "Takes every second call, but its answer is lost",
        "Nothing is sent twice: the page's own echo shows the bot that its message arrived.",
        "answered",
        lambda step, seen: step == "send_unanswered" and bool(seen["status"]),
        {"dropAfter": True, **EVERY_SECOND},
    ),
    Fault(
        "no_echoes",
        FACEBOOK,
        "Sends no echoes",
        "Echoes are needed only where an answer was lost. Everything else works without them.",
        "answered",
        _is("arrived", "arrived_last"),
        {"loseEchoes": True},
    ),
    Fault(
        "queue_refuses",
        AWS,
        "The queue refuses new events",
        "The webhook acknowledges only what the queue has: it answers 503, and Facebook delivers again.",
        "refused",
        _is("refused"),
        aws={"sqs:SendMessageBatch": REFUSED},
    ),
    Fault(
        "queue_lost",
        AWS,
        "The queue takes events, but its answer is lost",
        "The event is put on the queue twice and answered once.",
        "answered",
        lambda step, seen: step == "queued" and bool(seen["lost"]),
        aws={"sqs:SendMessageBatch": {"after": True, **EVERY_SECOND}},
    ),
    Fault(
        "ledger_refuses",
        AWS,
        "The ledger refuses every call",
        "Without its ledger the bot says nothing rather than something twice. The event waits in the queue.",
        "ledger",
        _is("ledger_failed"),
        aws={"dynamodb:*": REFUSED},
    ),
    Fault(
        "ledger_lost",
        AWS,
        "Every second answer of the ledger is lost",
        "A repeated write counts once. An answer that may be out waits for its echo, and is sent if none comes.",
        "answered",
        lambda _, seen: bool(seen.get("lost")) and seen.get("call", "").startswith("dynamodb:"),
        aws={"dynamodb:*": {"after": True, **EVERY_SECOND}},
    ),
    Fault(
        "paused",
        FUNCTION,
        "Does not read the queue",
        "Acknowledged events are kept, and answered in order once the queue is read again.",
        "queued",
        _is("queued"),
    ),
    Fault(
        "killed",
        FUNCTION,
        "Is killed at every second send",
        "The next run finds in the ledger how far the killed one got, and continues from there. "
        f"(Here the event is visible again after {VISIBILITY_SECONDS} s, in AWS after minutes.)",
        "answered",
        _is("killed"),
    ),
    Fault(
        "duplicates",
        WEBHOOKS,
        "Each is delivered three times",
        "An event is answered once, however often it is delivered.",
        "answered",
        _is("posted"),
    ),
    Fault(
        "disorder",
        WEBHOOKS,
        "Come in the wrong order",
        "Answers come in the order of acceptance. Nothing is lost or doubled.",
        "answered",
        _is("posted"),
    ),
)


class FaultPanel:
    """Which faults are on.

    Args:
        offered: those that can be switched on.
        set_graph: sets the faults of the Graph API.
        set_aws: sets the faults between the function and AWS.
        switches: for a fault that is neither, what switches it on (`True`) or off.
        kill: kills every instance of the function.

    Attributes:
        on: the names of the faults that are on.
    """

    def __init__(
        self,
        offered: Sequence[Fault],
        set_graph: Callable[[object], None],
        set_aws: Callable[[object], None],
        switches: Mapping[str, Callable[[bool], None]],
        kill: Callable[[], None],
    ) -> None:
        self._offered = offered
        self._set_graph, self._set_aws, self._switches, self._kill = set_graph, set_aws, switches, kill
        self.on: frozenset[str] = frozenset()
        self._killing = faults.Fault({}, **EVERY_SECOND)

    def hits(self, step: str, seen: Mapping[str, Any]) -> frozenset[str]:
        """The names of the faults that are on and that a step of an event shows."""
        return frozenset(each.name for each in self._offered if each.name in self.on and each.hits(step, seen))

    def set(self, names: Iterable[str]) -> None:
        """Switch exactly these faults on, at once."""
        wanted = set(names)
        chosen = [fault for fault in self._offered if fault.name in wanted]
        before, self.on = self.on, frozenset(fault.name for fault in chosen)
        self._set_graph(graph_faults(chosen))
        self._set_aws({call: effects for each in chosen for call, effects in (each.aws or {}).items()})
        for name, switch in self._switches.items():
            if (name in before) != (name in self.on):
                switch(name in self.on)

    def sent(self) -> bool:
        """Facebook has just taken a message: the worst moment for the function to be killed. Whether it was."""
        killed = "killed" in self.on and self._killing.fires()
        if killed:
            self._kill()
        return killed

    def described(self) -> list[dict[str, str]]:
        """All faults as the page shows them."""
        return [{name: getattr(each, name) for name in ("name", "group", "title", "promise")} for each in self._offered]


def graph_faults(chosen: Iterable[Fault]) -> list[Effects]:
    """The faults of the Graph API. A call meets one of them: so those that only delay are added to each."""
    delays: Effects = {}
    others: list[Effects] = []
    for fault in chosen:
        if fault.graph and fault.name in ("slow", "no_echoes"):
            delays = {**delays, **fault.graph}
        elif fault.graph:
            others.append(fault.graph)
    return [{**delays, **effects} for effects in others] + ([delays] if delays else [])
