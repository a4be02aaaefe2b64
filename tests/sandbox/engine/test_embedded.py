"""Small programs run by the engine, each in a process of its own, and what the engine keeps of them."""

import io
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import Cloud
from sandbox.configuration import read
from sandbox.engine.deployment import Deployed, Run
from sandbox.engine.embedded import MASK, State
from sandbox.engine.process import Report
from sandbox.errors import SandboxError
from tests.sandbox.provider.samples import TRUST

FUNCTION_WITHOUT_LOG = f"""
role = aws.iam.Role("r", assume_role_policy='{TRUST}')
code = pulumi.AssetArchive({{"index.py": pulumi.StringAsset("")}})
aws.lambda_.Function("f", role=role.arn, runtime="python3.13", handler="index.handle", code=code)
"""
Entries = dict[str, dict[str, Any]]


def deploy(
    folder: Path, cloud: Cloud, program: str, members: str = "", state: Entries | None = None
) -> tuple[Deployed, list[Mapping[str, Any]]]:
    (folder / "Pulumi.yaml").write_text("name: shop\n")
    (folder / "Pulumi.dev.yaml").write_text(f"config: {{shop:word: hush, shop:adminMembers: [{members}]}}\n")
    (folder / "__main__.py").write_text("import pulumi\nimport pulumi_aws as aws\n" + textwrap.dedent(program))
    events: list[Mapping[str, Any]] = []
    run = Run()
    try:
        configuration = read(folder, "dev").with_values(appSecret="canary")
        return run.deploy(configuration, cloud.url, events.append, state=state), events
    finally:
        run.stop()


def test_a_program_is_deployed_and_reported_with_its_secrets_masked(
    tmp_path: Path, cloud: Cloud, owner: Clients
) -> None:
    deployed, events = deploy(
        tmp_path,
        cloud,
        """
        config = pulumi.Config()
        pulumi.log.warn("mind the gap")
        print("noise that must not mix with the events")
        class Part(pulumi.ComponentResource):
            def __init__(self):
                super().__init__("shop:index:Part", "part")
                parent = pulumi.ResourceOptions(parent=self)
                self.queue = aws.sqs.Queue("orders", max_message_size=1024, visibility_timeout_seconds=40, opts=parent)
        part = Part()
        secret = aws.ssm.Parameter("p", name="/shop/p", type="SecureString", value=config.require_secret("appSecret"))
        member = aws.iam.UserGroupMembership("m", user="engine-ann", groups=[aws.iam.Group("g").name])
        pulumi.export("url", part.queue.url)
        pulumi.export("account", aws.get_caller_identity_output().account_id)
        pulumi.export("secret", config.require_secret("appSecret"))
        """,
        members="engine-ann",
    )

    queue, parameter = (next(r for r in deployed.resources if r["name"] == name) for name in ("orders", "p"))
    assert queue["urn"] == "urn:pulumi:dev::shop::shop:index:Part$aws:sqs/queue:Queue::orders"
    assert queue["inputs"]["visibilityTimeoutSeconds"] == 40
    assert parameter["inputs"]["value"] == MASK
    assert deployed.outputs["secret"] == "canary"
    assert deployed.shown_outputs == {"url": deployed.outputs["url"], "account": "000000000000", "secret": MASK}
    assert "canary" not in json.dumps(deployed.resources)
    assert [event["message"] for event in events if event["event"] == "log"] == ["mind the gap"]
    attributes = owner("sqs").get_queue_attributes(QueueUrl=deployed.outputs["url"], AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["VisibilityTimeout"] == "40"
    assert owner("ssm").get_parameter(Name="/shop/p", WithDecryption=True)["Parameter"]["Value"] == "canary"


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ('raise pulumi.RunError("Set the colour.")', r"^Set the colour\.$"),
        ("{}['x']", r"^The program failed: KeyError 'x' \(__main__\.py, line 3\)$"),
        (FUNCTION_WITHOUT_LOG, r"is not authorized to perform: logs:CreateLogStream"),
        (
            'aws.sqs.Queue("q")',
            r"^aws:sqs/queue:Queue q: maxMessageSize .* would send 262144, and AWS's own .* 1048576",
        ),
        ('aws.ec2.Vpc("v", cidr_block="10.0.0.0/16")', r"^aws:ec2/vpc:Vpc v: .* does not know the resource type"),
    ],
)
def test_a_program_that_fails_is_reported_in_a_sentence(
    tmp_path: Path, cloud: Cloud, program: str, sentence: str
) -> None:
    with pytest.raises(SandboxError, match=sentence):
        deploy(tmp_path, cloud, program)


def test_what_differs_is_changed_replaced_or_deleted_and_the_rest_left_alone(
    tmp_path: Path, cloud: Cloud, owner: Clients
) -> None:
    program = """
        aws.sqs.Queue("kept", max_message_size=1024)
        aws.sqs.Queue("changed", max_message_size=1024, visibility_timeout_seconds={seconds})
        aws.sqs.Queue("replaced", max_message_size=1024, fifo_queue={fifo})
        aws.ssm.Parameter("named", name="/shop/named", type="String", value="x", data_type="{data_type}")
        if {more}: aws.sqs.Queue("deleted", max_message_size=1024)
        """
    state: Entries = {}
    first, _ = deploy(
        tmp_path, cloud, program.format(seconds=30, fifo="True", data_type="text", more=True), state=state
    )
    before = {each["name"]: each["id"] for each in first.resources}
    assert set(first.done.values()) == {"made"}

    second, _ = deploy(
        tmp_path, cloud, program.format(seconds=60, fifo="None", data_type="aws:ec2:image", more=False), state=state
    )

    after = {each["name"]: each["id"] for each in second.resources}
    assert second.done == {
        "kept": "same", "changed": "changed", "replaced": "replaced", "named": "replaced", "deleted": "deleted",
    }  # fmt: skip
    assert {name for name in after if before[name] == after[name]} == {"kept", "changed", "named"}
    left = owner("sqs").list_queues()["QueueUrls"]
    assert {name for name, url in before.items() if url in left} == {"kept", "changed"}
    assert {each["id"] for each in state.values()} == set(after.values())


def test_a_group_to_which_somebody_was_added_by_hand_is_not_deleted(
    tmp_path: Path, cloud: Cloud, owner: Clients
) -> None:
    group = """
        group = aws.iam.Group("g", name="engine-new")
        aws.iam.UserGroupMembership("m", user="engine-new", groups=[group.name])
        """
    state: Entries = {}
    deploy(tmp_path, cloud, group, members="engine-new", state=state)
    owner("iam").create_user(UserName="engine-by-hand")
    owner("iam").add_user_to_group(GroupName="engine-new", UserName="engine-by-hand")
    nothing = "pulumi.export('nothing', 1)"

    with pytest.raises(SandboxError, match=r"DeleteConflict.*must remove users from group first"):
        deploy(tmp_path, cloud, nothing, state=state)
    owner("iam").remove_user_from_group(GroupName="engine-new", UserName="engine-by-hand")
    assert "deleted" in deploy(tmp_path, cloud, nothing, state=state)[0].done.values()


def test_dependents_are_deleted_first() -> None:
    needs = {"queue": [], "role": [], "function": ["role"], "mapping": ["function", "queue"]}
    entries = [{"key": name, "urn": name, "name": name, "dependencies": needs[name]} for name in needs]

    order = [each["name"] for each in State(entries, Report(io.StringIO())).unregistered()]
    assert order.index("mapping") < order.index("function") < order.index("role")
    assert order.index("mapping") < order.index("queue")
