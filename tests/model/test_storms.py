"""Storms drawn at random: 100 in each test run, as many as `STORMS` says for `make storms`."""

import os
import random
from collections import Counter
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.model import storm
from tests.model.faults import Fault, How, Outage
from tests.model.storm import Post, Said, Storm, storms

SHARES = 4
EXAMPLES = int(os.environ.get("STORMS", "100")) // SHARES
SEED = int(os.environ.get("STORM_SEED", random.SystemRandom().randrange(10**9)))


@pytest.mark.timeout(24 * 3600 if "STORMS" in os.environ else 120)
@pytest.mark.parametrize("share", range(SHARES))
def test_every_answer_comes_once_and_in_order_whatever_goes_wrong(share: int) -> None:
    totals: Counter[str] = Counter()

    @seed(SEED + share)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(storms)
    def run_storm(drawn: Storm) -> None:
        totals.update(asdict(storm.run(drawn)), storms=1)

    print(f"To repeat: STORM_SEED={SEED} STORMS={EXAMPLES * SHARES}")
    run_storm()
    print(dict(totals))
    assert totals["answers"] > totals["storms"]
    assert totals["joined"]


def test_a_storm_goes_the_same_way_each_time() -> None:
    drawn = Storm(
        (Post(0, (Said(0, 2), Said(1, 1))),),
        (Fault("send", How.REFUSED), Fault("send", How.LOST, skip=2)),
        (Outage("dynamodb", How.THROTTLED, 1, 100),),
    )
    assert storm.run(drawn) == storm.run(drawn)
