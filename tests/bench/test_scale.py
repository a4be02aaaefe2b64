"""The model of how far the bot scales says what the real code does, and docs/scale.md says what the model does."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import scale
from bench.scale import (
    DEFAULTS,
    DEVIATION,
    Check,
    Machine,
    at_once,
    batch_seconds,
    capacity,
    holds,
    limits,
    model_section,
    people_in_a_batch,
    run,
    settings_for,
    units,
    worker_calls,
)
from bench.stubs import Stubs
from bot.pace import TEXTS_PER_SECOND
from tests.harness import ROOT

ROW = re.compile(r"\| 10 people, (\d) answers? each, [^|]*\|[^|]*\| \d+ \| (\d+) \|")
BENCHMARKS = ROW.findall(Path(ROOT, "docs/benchmarks.md").read_text(encoding="utf-8"))
ALONE = Machine(1.0)


@pytest.mark.parametrize(("answers", "calls"), BENCHMARKS)
def test_the_model_makes_the_calls_that_were_counted_on_lambdas_runtime_client(answers: str, calls: str) -> None:
    to_aws = worker_calls(10, int(answers)).total() - 10 * int(answers)
    # How many writes it takes to settle all depends on time.
    assert to_aws == pytest.approx(int(calls), abs=2)


@pytest.fixture(scope="module")
def at() -> Iterator[Stubs]:
    with Stubs() as started:
        yield started


def test_one_message_makes_the_calls_and_writes_of_the_model(at: Stubs) -> None:
    found = run(at, 2, at_once(1), 0.0, running=1)

    assert found.calls == worker_calls(1, 1) + Counter({"sqs:SendMessageBatch": 1})
    assert found.write_units == units(1, 1, ALONE, 512).write_units - 1
    assert found.log_bytes == pytest.approx(scale.MESSAGE_LOG_BYTES + 180, rel=0.1)


def test_ten_people_in_a_batch_make_the_calls_of_the_model(at: Stubs) -> None:
    found = run(at, 2, at_once(10), 0.3, running=1)

    model = worker_calls(10, 1)
    for name in ("dynamodb:BatchGetItem", "graph:send"):
        assert found.calls.pop(name) == model.pop(name)
    assert found.calls.pop("sqs:SendMessageBatch") == 1
    # Each has a write before the send. Those after it settle as many as have come meanwhile, so only time says how few.
    for writes in (found.calls.total(), model.total()):
        assert 10 + 1 <= writes <= 10 + 10


@pytest.mark.parametrize(("rate", "people"), [(15, 1), (16, 2), (100, 7), (5000, 10)])
def test_a_batch_has_as_few_messages_as_keep_up(rate: float, people: int) -> None:
    machine, environments = Machine.of_lambda(), DEFAULTS["concurrency"]
    assert people_in_a_batch(rate, environments, 1, machine) == people
    if 1 < people < 10:
        assert environments * (people - 1) / batch_seconds(people - 1, 1, machine) < rate


@pytest.mark.parametrize("rate", scale.RATES)
def test_the_least_settings_are_enough_and_one_less_is_not(rate: int) -> None:
    machine, chosen = Machine.of_lambda(), settings_for(rate, 1, Machine.of_lambda())
    served = min(rate, TEXTS_PER_SECOND)
    assert capacity(chosen["concurrency"], 1, machine) >= served
    if chosen["concurrency"] > DEFAULTS["concurrency"]:
        assert capacity(chosen["concurrency"] - 1, 1, machine) < served
    _, _, requests, *_ = limits(rate, 1, machine, chosen["concurrency"], chosen["throttleRate"])
    assert requests.used <= requests.allowed or chosen["throttleRate"] == 10_000


def test_a_figure_too_far_from_the_model_fails_the_comparison() -> None:
    assert holds([Check("near", 1.0, 1.0 + DEVIATION / 2)])
    assert not holds([Check("near", 1.0, 1.0), Check("far", 1.0, 1.0 + DEVIATION * 1.1)])
    assert not holds([Check("far", 1.0, 1.0 - DEVIATION * 1.1)])


def test_the_page_has_what_the_model_says() -> None:
    assert len(BENCHMARKS) >= 5
    assert model_section() in Path(ROOT, "docs/scale.md").read_text(encoding="utf-8")
