"""How resources live on in the sandbox: changed in place, replaced, deleted; and what a run does with all of them."""

import io
import json
import secrets
from pathlib import Path
from typing import Any

import pulumi
import pytest

from sandbox.engine.embedded import Report, State, delete_unnamed
from sandbox.errors import SandboxError
from sandbox.provider import changes, resources
from sandbox.provider.changes import Existing, changed_keys, replaced
from sandbox.provider.resources import MAKERS, Account

QUEUE = "aws:sqs/queue:Queue"


def existing(account: Account, resource_type: str, **inputs: object) -> Existing:
    name = f"t{secrets.token_hex(4)}"
    made = resources.make(account, resource_type, name, inputs)
    return Existing(resource_type, name, made.id, inputs, made.outputs)


def entry(name: str, *needs: str, **more: object) -> dict[str, Any]:
    return {
        "key": name, "urn": name, "type": QUEUE, "name": name, "id": f"https://none/{name}", "inputs": {},
        "outputs": {}, "dependencies": list(needs), "protect": False, "retain": False, **more,
    }  # fmt: skip


def state(*entries: dict[str, Any]) -> State:
    return State(entries, Report(io.StringIO()))


def test_every_type_that_can_be_made_can_be_changed_and_deleted() -> None:
    assert changes.LIVES.keys() == MAKERS.keys()


def test_an_input_of_another_value_changes_in_place_what_aws_can_change(account: Account) -> None:
    queue = existing(account, QUEUE, visibilityTimeoutSeconds=30, tags={"a": "1", "b": "2"})
    inputs = {"visibilityTimeoutSeconds": 60, "tags": {"b": "3", "c": "4"}}

    assert not replaced(queue, inputs)
    made = changes.change(account, queue, inputs)

    sqs = account.client("sqs")
    assert made.id == queue.id
    assert (
        sqs.get_queue_attributes(QueueUrl=queue.id, AttributeNames=["All"])["Attributes"]["VisibilityTimeout"] == "60"
    )
    assert sqs.list_queue_tags(QueueUrl=queue.id)["Tags"] == {"b": "3", "c": "4"}


@pytest.mark.parametrize(
    ("resource_type", "before", "after"),
    [
        (QUEUE, {"fifoQueue": True}, {}),
        ("aws:dynamodb/table:Table", {"hashKey": "id"}, {"hashKey": "pk"}),
        ("aws:apigateway/deployment:Deployment", {"triggers": {"a": "1"}}, {"triggers": {"a": "2"}}),
        ("aws:iam/policy:Policy", {"description": "a"}, {"description": "b"}),
    ],
)
def test_what_aws_cannot_change_is_replaced(resource_type: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert replaced(Existing(resource_type, "n", "i", before, {}), after)


def test_code_counts_as_changed_exactly_if_its_bytes_are(tmp_path: Path) -> None:
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    first.write_bytes(b"one")
    second.write_bytes(b"one")
    before = changes.comparable({"code": pulumi.FileArchive(str(first))})

    assert not changed_keys(before, {"code": pulumi.FileArchive(str(second))})
    second.write_bytes(b"two")
    assert changed_keys(before, {"code": pulumi.FileArchive(str(second))}) == {"code"}
    assert json.dumps(before)


def test_a_managed_policy_may_be_changed_more_often_than_it_has_versions(account: Account) -> None:
    def document(number: int) -> str:
        statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": f"arn:aws:sqs:::{number}"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    policy = existing(account, "aws:iam/policy:Policy", policy=document(0))
    for number in range(1, 8):
        changes.change(account, policy, {"policy": document(number)})

    iam = account.client("iam")
    version = iam.get_policy(PolicyArn=policy.id)["Policy"]["DefaultVersionId"]
    held = iam.get_policy_version(PolicyArn=policy.id, VersionId=version)["PolicyVersion"]["Document"]
    assert (held if isinstance(held, dict) else json.loads(held))["Statement"][0]["Resource"].endswith(":7")
    changes.delete(account, policy)


def test_what_is_gone_already_is_none_to_be_deleted(account: Account) -> None:
    queue = existing(account, QUEUE)
    account.client("sqs").delete_queue(QueueUrl=queue.id)

    changes.delete(account, queue)


def test_each_goes_before_what_it_depends_on() -> None:
    held = state(entry("queue"), entry("role"), entry("function", "role"), entry("mapping", "function", "queue"))

    order = [each["name"] for each in held.unnamed()]
    assert order.index("mapping") < order.index("function") < order.index("role")
    assert order.index("mapping") < order.index("queue")


def test_what_the_program_named_stays_and_what_took_anothers_place_lets_it_go() -> None:
    held = state(entry("kept"), entry("gone"), entry("changed"))
    held.put(entry("kept"))
    held.supersede("changed")
    held.put(entry("changed", id="https://none/new"))

    assert {each["id"] for each in held.unnamed()} == {"https://none/gone", "https://none/changed"}


def test_nothing_is_deleted_if_one_of_it_is_protected(account: Account) -> None:
    held = state(entry("free"), entry("guarded", protect=True))

    with pytest.raises(SandboxError, match=r"Protected against deletion: guarded\. Nothing was deleted"):
        delete_unnamed(account, held, Report(io.StringIO()))
    assert len(held.unnamed()) == 2


def test_what_is_to_be_retained_is_only_forgotten(account: Account) -> None:
    queue = existing(account, QUEUE)
    held = state(entry("kept", retain=True, id=queue.id))

    delete_unnamed(account, held, Report(io.StringIO()))

    assert held.unnamed() == []
    assert account.client("sqs").get_queue_attributes(QueueUrl=queue.id, AttributeNames=["All"])["Attributes"]
