"""However long an outage is, no event is lost, answered twice, or made a dead letter."""

import pytest

from tests.model import storm
from tests.model.faults import Fault, How, Outage
from tests.model.storm import Post, Said, Storm

HOUR = 3600
DAYS = 24 * HOUR
SERVICES = {
    "graph": (How.REFUSED, How.DENIED, How.VANISHED, How.SLOW_DOWN),
    "dynamodb": (How.REFUSED, How.DENIED, How.LOST, How.VANISHED),
    "sqs": (How.REFUSED, How.LOST, How.VANISHED),
    "ssm": (How.REFUSED, How.VANISHED),
    "aws": (How.UNSENT, How.VANISHED),
}
POSTS = (
    Post(0, (Said(0, 3), Said(1, 2), Said(0, 1), Said(2, 1, "shy"))),
    Post(2, (Said(1, 1), Said(3, 2))),
)


@pytest.mark.parametrize(("service", "how"), [(service, how) for service, hows in SERVICES.items() for how in hows])
def test_an_outage_of_an_hour_makes_no_dead_letter_and_no_second_answer(service: str, how: How) -> None:
    # A minute less: Facebook sends a request that nobody acknowledges for an hour.
    outcome = storm.run(Storm(POSTS, outages=(Outage(service, how, 1, HOUR - 60),), latencies=(60, 250)))
    assert outcome.accepted >= 4
    assert (outcome.dead, outcome.doubled, outcome.unreachable) == (0, 0, 0)


@pytest.mark.parametrize(
    ("service", "how"),
    [("graph", How.SLOW_DOWN), ("dynamodb", How.VANISHED), ("sqs", How.REFUSED), ("ssm", How.DENIED)],
)
def test_an_outage_of_13_days_makes_no_dead_letter_and_no_second_answer(service: str, how: How) -> None:
    posts = (Post(0, (Said(0, 3),)), Post(0, (Said(0, 1),)))
    outcome = storm.run(Storm(posts, outages=(Outage(service, how, 1, 13 * DAYS),), latencies=(250,)))
    assert (outcome.accepted, outcome.answers) == (2, 4)
    assert (outcome.dead, outcome.doubled, outcome.unreachable) == (0, 0, 0)


@pytest.mark.parametrize("start", [0, 2])
def test_an_outage_of_everything_at_once_does_no_harm(start: int) -> None:
    outages = (Outage("aws", How.VANISHED, start, 900), Outage("graph", How.VANISHED, start, 1800))
    outcome = storm.run(Storm(POSTS, outages=outages, latencies=(60, 250)))
    assert (outcome.dead, outcome.doubled) == (0, 0)


@pytest.mark.parametrize("seconds", [600, 2000])
def test_an_outage_that_begins_while_an_echo_is_awaited_makes_no_second_answer(seconds: int) -> None:
    lost, outage = Fault("send", How.LOST), Outage("aws", How.REFUSED, 11, seconds)
    outcome = storm.run(Storm((Post(0, (Said(0, 1),)),), (lost,), (outage,), echoes=(14,)))
    assert (outcome.answers, outcome.doubled) == (1, 0)


@pytest.mark.parametrize("seconds", [300, 2300])
def test_an_outage_in_which_nobody_has_the_secrets_makes_no_second_answer(seconds: int) -> None:
    # The second request begins another instance, which has not read the secrets when they go.
    posts, silent = (Post(0, (Said(0, 3),), again=(1,)),), Outage("aws", How.REFUSED, 2, 10)
    outages = (silent, Outage("ssm", How.THROTTLED, 1, seconds))
    outcome = storm.run(Storm(posts, outages=outages, latencies=(250,), concurrency=5))
    assert (outcome.answers, outcome.doubled) == (3, 0)
