"""What goes wrong, and how the real engine gets out of it: each on a stack of its own."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ops.adopt import import_file
from ops.handmade import Group
from sandbox.aws.cloud import OWNER
from sandbox.engine.deployment import Run
from sandbox.errors import SandboxError
from tests.engine.place import Place, touched
from tests.inventory import everything

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

PREFIX = "innolab-fbm-dev-"
ALL_BUT_FUNCTIONS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "NotAction": ["lambda:CreateFunction"], "Resource": "*"}],
}


@pytest.fixture
def place() -> Iterator[Place]:
    with Place() as running:
        yield running


def test_a_change_by_hand_is_found_by_a_refresh_and_repaired_by_an_update(place: Place) -> None:
    stack, sqs = place.stack("dev"), place.owner("sqs")
    stack.run("up")
    url = next(each for each in sqs.list_queues()["QueueUrls"] if "events-queue" in each)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    alarm = place.owner("cloudwatch").describe_alarms()["MetricAlarms"][0]["AlarmName"]
    place.owner("cloudwatch").delete_alarms(AlarmNames=[alarm])
    title = alarm.rpartition("-")[0]

    assert touched(stack.run("refresh")) == {f"{PREFIX}events-queue": "changed", title: "deleted"}
    assert touched(stack.run("up")) == {f"{PREFIX}events-queue": "changed", title: "made"}
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["VisibilityTimeout"] != "7"
    assert touched(stack.run("refresh")) == {}


def test_a_group_that_exists_already_is_imported(place: Place) -> None:
    existing = place.owner("iam").create_group(GroupName="Innolab_FBM")["Group"]
    stack = place.stack("dev", bot="false")
    with pytest.raises(SandboxError, match="EntityAlreadyExists"):
        stack.run("up")

    file = place.folder / "import.json"
    file.write_text(json.dumps(import_file("dev", Group("Innolab_FBM", (), (), ()))), "utf-8")
    stack.cli("import", "--file", str(file), *["--stack", "dev", "--protect=false", "--generate-code=false", "--yes"])
    assert stack.run("up")[f"{PREFIX}admins-group"] == "same"
    assert place.owner("iam").get_group(GroupName="Innolab_FBM")["Group"]["GroupId"] == existing["GroupId"]


def test_after_a_refusal_in_the_middle_an_update_makes_what_is_missing(place: Place) -> None:
    place.owner("iam").put_user_policy(UserName="ben", PolicyName="most", PolicyDocument=json.dumps(ALL_BUT_FUNCTIONS))
    stack = place.stack("dev", place.key_of("ben"))
    with pytest.raises(SandboxError, match="lambda:CreateFunction"):
        stack.run("up")

    stack.set({}, OWNER)
    done = stack.run("up")

    assert done[f"{PREFIX}bot-function"] == "made"
    assert done[f"{PREFIX}ledger-table"] == "same"
    assert touched(stack.run("up")) == {}


class Killed(Exception):
    """Ends a run of the engine from within."""


def test_after_the_engine_was_killed_the_lock_is_cancelled_and_an_update_finishes(place: Place) -> None:
    stack, edit = place.stack("dev"), {"timeoutSeconds": "20", "concurrency": "4", "logRetentionDays": "60"}
    stack.run("up")
    stack.set(edit)
    announced = touched(stack.run("preview"))

    def kill(event: Mapping[str, Any]) -> None:
        if event["event"] == "resource" and event["what"] == "changed":
            raise Killed

    run = Run("pulumi", place.home)
    with pytest.raises(Killed):
        run.deploy(place.configuration("dev", edit), place.cloud.url, kill)
    run.stop()
    with pytest.raises(SandboxError, match="currently locked"):
        stack.run("up")

    stack.pulumi.engine.cancel()
    done = touched(stack.run("up"))

    assert len(done) > 0
    assert done.items() <= announced.items()
    assert touched(stack.run("refresh")) == touched(stack.run("up")) == {}


def test_what_a_destruction_without_a_preview_leaves_is_brought_back_by_an_update(place: Place) -> None:
    stack = place.stack("dev", protectData="true")
    created = stack.run("up")
    with pytest.raises(SandboxError, match="protected"):
        stack.run("preview_destroy")
    assert touched(stack.run("up")) == {}

    with pytest.raises(SandboxError, match="protected"):
        stack.run("destroy")
    brought_back = stack.run("up")

    kept = {f"{PREFIX}{name}" for name in ("events-queue", "events-dead-letters", "ledger-table")}
    assert {name for name, what in brought_back.items() if what == "same"} >= kept
    assert brought_back.keys() == created.keys()
    assert touched(stack.run("up")) == {}
    stack.set({"protectData": "false"})
    stack.run("up")
    assert set(stack.run("destroy").values()) == {"deleted"}
    assert [each for each in everything(place.owner) if PREFIX in each] == []
