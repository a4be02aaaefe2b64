"""The real engine and a release: it leaves the alias alone, and takes no version that was released for drift."""

import re
from collections.abc import Iterator

import pytest

from tests.engine.place import Place, Real, touched
from tests.harness import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

WORKFLOW = (ROOT / ".github" / "workflows" / "drift.yml").read_text("utf-8")
DRIFT = [each.replace('"$STACK"', "dev") for each in re.findall(r"pulumi (refresh .+?) 2>&1", WORKFLOW)[0].split()]
"""What runs every night."""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with Place() as running:
        yield running


@pytest.fixture(scope="module")
def stack(place: Place) -> Real:
    stack = place.stack("dev", releaseMinutes="10")
    stack.run("up")
    return stack


def test_a_released_version_is_no_drift_and_the_next_update_leaves_it_alone(place: Place, stack: Real) -> None:
    functions = place.owner("lambda")
    name = functions.list_functions()["Functions"][0]["FunctionName"]
    stack.set({"memoryMb": "1024"})
    assert touched(stack.run("up")) == {"innolab-fbm-dev-bot-function": "changed"}
    assert functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"

    functions.update_alias(FunctionName=name, Name="live", FunctionVersion="2", Description="rolled back: 1")

    stack.cli(*DRIFT)
    stack.set({"memoryMb": "768"})
    assert touched(stack.run("up")) == {"innolab-fbm-dev-bot-function": "changed"}
    released = functions.get_alias(FunctionName=name, Name="live")
    assert (released["FunctionVersion"], released["Description"]) == ("2", "rolled back: 1")


def test_the_nightly_command_finds_what_was_changed_by_hand(place: Place, stack: Real) -> None:
    alarm = place.owner("cloudwatch").describe_alarms()["MetricAlarms"][0]["AlarmName"]
    place.owner("cloudwatch").delete_alarms(AlarmNames=[alarm])

    with pytest.raises(AssertionError, match="no changes were expected"):
        stack.cli(*DRIFT)
