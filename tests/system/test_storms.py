"""Storms over the whole sandbox: processes are killed, connections break, and every promise holds."""

import concurrent.futures
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from bench.load import BROKEN, Crowd, findings, killing, shorten_visibility
from sandbox.local import Sandbox, new_person

Json = dict[str, Any]

pytestmark = pytest.mark.long

STORMS = 10
VISIBILITY_SECONDS = 3
PEOPLE, EVENTS = 3, 2
GRAPH_FAULTS: tuple[Json, ...] = (
    {"dropAfter": True, "probability": 0.3},
    {"dropBefore": True, "probability": 0.3},
    {"error": {"status": 500, "code": 2, "message": "No."}, "probability": 0.5},
    {"error": {"status": 400, "code": 190, "message": "No."}, "count": 4},
    {"error": {"status": 500, "code": 1, "subcode": 1357046, "message": "No."}, "count": 1},
    {"delaySeconds": 0.4},
)
AWS_FAULTS: tuple[tuple[str, Json], ...] = (
    ("sqs:*", {"status": 503, "code": "ServiceUnavailable", "probability": 0.4}),
    ("sqs:SendMessageBatch", {"status": 503, "code": "ServiceUnavailable", "after": True, "count": 3}),
    ("dynamodb:*", {"status": 500, "code": "InternalServerError", "probability": 0.3}),
    ("dynamodb:UpdateItem", {"status": 500, "code": "InternalServerError", "after": True, "count": 4}),
    ("dynamodb:TransactWriteItems", {"status": 500, "code": "InternalServerError", "after": True, "count": 2}),
    ("ssm:*", {"status": 500, "code": "InternalServerError", "count": 4}),
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of its own, so that no other test meets what the storms leave behind."""
    with Sandbox(settings={"echoSeconds": "6"}) as running:
        shorten_visibility(running, VISIBILITY_SECONDS)
        yield running


def pass_storms(sandbox: Sandbox, storms: int, aws_faults: Sequence[tuple[str, Json]] = AWS_FAULTS) -> None:
    """Let people write while faults are on and functions are killed; every promise must hold."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    drawn, crowd = random.Random(seed), Crowd(sandbox, seed)
    with killing(crowd, (0.8, 3.0)), concurrent.futures.ThreadPoolExecutor(storms) as pool:
        posts = []
        for _ in range(storms):
            graph = drawn.sample(GRAPH_FAULTS, 2)
            sandbox.faults([fault | {"seed": drawn.randrange(10**6)} for fault in graph])
            sandbox.aws_faults({call: [fault] for call, fault in drawn.sample(aws_faults, 2)})
            people = [new_person() for _ in range(PEOPLE)]
            # What fails in this storm is still being retried in the next one.
            posts.append(pool.submit(crowd.write, people, EVENTS))
            time.sleep(drawn.uniform(0.8, 1.6))
        sandbox.faults({})
        sandbox.aws_faults({})
        for post in posts:
            post.result()
    assert crowd.kills, "no function was killed"
    sandbox.settle(120)

    found = findings(crowd)
    assert found["accepted"] == storms * PEOPLE * EVENTS
    assert [found[promise] for promise in BROKEN] == [0, 0, 0, 0]


@pytest.mark.timeout(240)
def test_ten_storms_with_killed_functions_lose_repeat_and_reorder_nothing(sandbox: Sandbox) -> None:
    pass_storms(sandbox, STORMS)
