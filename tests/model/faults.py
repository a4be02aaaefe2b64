"""What goes wrong in a storm, where and when, as plain values that can be drawn, shrunk, printed and repeated."""

from dataclasses import dataclass, field
from enum import StrEnum

from tests.model.world import BEGIN, World


class How(StrEnum):
    """How a call fails. After the first four nothing was done. Some make sense for some calls only."""

    REFUSED = "refused"  # a server error
    THROTTLED = "throttled"
    DENIED = "denied"  # AWS: the right is missing; Facebook: the token is not accepted
    UNSENT = "unsent"  # no connection
    LOST = "lost"  # done, but the answer is lost
    LATE = "late"  # done seconds after the caller gave up waiting
    VANISHED = "vanished"  # not done, and no answer
    KILLED = "killed"  # the caller is killed before it is done
    KILLED_AFTER = "killed after"  # it is done, and the caller is killed
    ENDED = "ended"  # the called function ends in the middle
    PARTIAL = "partial"  # SQS takes a part of a batch
    SLOW_DOWN = "slow down"
    AMBIGUOUS = "ambiguous"  # Facebook's own "may have been sent"; it was
    REJECTED = "rejected"
    UNCLEAR = "unclear"  # an error that nobody has documented
    NOT_ALLOWED = "not allowed"
    ALREADY_DONE = "already done"
    PAGE_SETTING = "page setting"
    UNREACHABLE = "unreachable"
    WINDOW_CLOSED = "window closed"


@dataclass(frozen=True)
class Fault:
    """Some calls of one kind fail.

    Attributes:
        call: such as `UpdateItem` or `send`.
        how: how they fail.
        skip: so many calls of that kind succeed before.
        times: so many calls in a row fail.
    """

    call: str
    how: How
    skip: int = 0
    times: int = 1


@dataclass(frozen=True)
class Outage:
    """All calls to one service, or to all of AWS, fail for a while.

    Attributes:
        service: `sqs`, `ssm`, `dynamodb`, `aws` or `graph`.
        how: how they fail.
        start: seconds after the beginning.
        seconds: its length.
    """

    service: str
    how: How
    start: int
    seconds: int


@dataclass
class Faults:
    """Decides how each call fails."""

    world: World
    planned: tuple[Fault, ...]
    outages: tuple[Outage, ...]
    calls: dict[str, int] = field(default_factory=dict)

    def of(self, service: str, call: str) -> How | None:
        """How a call fails that is made now; None if it does not."""
        number = self.calls.get(call, 0)
        self.calls[call] = number + 1
        for fault in self.planned:
            if fault.call == call and fault.skip <= number < fault.skip + fault.times:
                return fault.how
        return self.outage(service)

    def outage(self, service: str) -> How | None:
        """How an outage makes a service's calls fail now."""
        at = self.world.now - BEGIN
        for outage in self.outages:
            if outage.service in {service, "aws" if service != "graph" else "graph"} and (
                outage.start <= at < outage.start + outage.seconds
            ):
                return outage.how
        return None

    def end(self, service: str) -> float:
        """When the outage of a service that is on now is over, in seconds from now."""
        at = self.world.now - BEGIN
        ends = [
            each.start + each.seconds - at
            for each in self.outages
            if each.service in {service, "aws"} and each.start <= at < each.start + each.seconds
        ]
        return max(ends, default=0.0)
