"""Small programs run by the engine, each in a process of its own, and what the engine keeps of them."""

import http.client
import io
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pulumi
import pytest

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import Cloud
from sandbox.configuration import read
from sandbox.engine.deployment import Deployed, Run
from sandbox.engine.embedded import MASK, Report, State, delete_unregistered, shown
from sandbox.engine.program import plain
from sandbox.errors import SandboxError
from sandbox.provider.account import Account
from tests.sandbox.provider.samples import TRUST, create

WRAPPED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": {"a": 1.0}}


QUEUE = "aws:sqs/queue:Queue"
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
                self.queue = aws.sqs.Queue("orders", visibility_timeout_seconds=40, opts=parent)
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
        aws.sqs.Queue("kept")
        aws.sqs.Queue("changed", visibility_timeout_seconds={seconds})
        aws.sqs.Queue("replaced", fifo_queue={fifo})
        aws.ssm.Parameter("named", name="/shop/named", type="String", value="x", data_type="{data_type}")
        if {more}: aws.sqs.Queue("deleted")
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


GROUP = """
group = aws.iam.Group("g", name="engine-{}")
aws.iam.UserGroupMembership("m", user="engine-{}", groups=[group.name])
"""


def test_a_group_that_exists_already_is_not_adopted(tmp_path: Path, cloud: Cloud, owner: Clients) -> None:
    owner("iam").create_group(GroupName="engine-old")

    with pytest.raises(SandboxError, match=r"EntityAlreadyExists.*Group with name engine-old already exists"):
        deploy(tmp_path, cloud, GROUP.format("old", "old"), members="engine-old")


def test_a_group_to_which_somebody_was_added_by_hand_is_not_deleted(
    tmp_path: Path, cloud: Cloud, owner: Clients
) -> None:
    state: Entries = {}
    deploy(tmp_path, cloud, GROUP.format("new", "new"), members="engine-new", state=state)
    owner("iam").create_user(UserName="engine-by-hand")
    owner("iam").add_user_to_group(GroupName="engine-new", UserName="engine-by-hand")
    nothing = "pulumi.export('nothing', 1)"

    with pytest.raises(SandboxError, match=r"DeleteConflict.*must remove users from group first"):
        deploy(tmp_path, cloud, nothing, state=state)
    owner("iam").remove_user_from_group(GroupName="engine-new", UserName="engine-by-hand")
    assert "deleted" in deploy(tmp_path, cloud, nothing, state=state)[0].done.values()


def test_a_removed_route_is_answered_until_the_deployment_is_replaced(tmp_path: Path, cloud: Cloud) -> None:
    program = """
        api = aws.apigateway.RestApi("api")
        path = aws.apigateway.Resource("path", rest_api=api.id, parent_id=api.root_resource_id, path_part="hook")
        made = []
        for verb in {verbs}:
            method = aws.apigateway.Method(
                verb, rest_api=api.id, resource_id=path.id, http_method=verb, authorization="NONE")
            made.append(aws.apigateway.Integration(
                "i" + verb, rest_api=api.id, resource_id=path.id, http_method=method.http_method, type="MOCK"))
        deployment = aws.apigateway.Deployment(
            "d", rest_api=api.id, triggers={{"t": "{trigger}"}}, opts=pulumi.ResourceOptions(depends_on=made))
        stage = aws.apigateway.Stage("s", rest_api=api.id, deployment=deployment.id, stage_name="live")
        pulumi.export("url", stage.invoke_url)
        """
    state: Entries = {}

    def posted(verbs: list[str], trigger: str) -> int:
        deployed, _ = deploy(tmp_path, cloud, program.format(verbs=verbs, trigger=trigger), state=state)
        connection = http.client.HTTPConnection(urlsplit(cloud.url).netloc, timeout=10)
        connection.request("POST", urlsplit(deployed.outputs["url"]).path + "/hook")
        return connection.getresponse().status

    assert posted(["GET", "POST"], "both") == 200
    assert posted(["GET"], "one") == 200
    assert posted(["GET"], "replaced") == 403


def entry(name: str, *needs: str, **more: object) -> dict[str, Any]:
    return {
        "key": name, "urn": name, "type": QUEUE, "name": name, "id": f"https://none/{name}", "inputs": {},
        "outputs": {}, "dependencies": list(needs), "protect": False, "retain": False, **more,
    }  # fmt: skip


def state(*entries: dict[str, Any]) -> State:
    return State(entries, Report(io.StringIO()))


def test_dependents_are_deleted_first() -> None:
    held = state(entry("queue"), entry("role"), entry("function", "role"), entry("mapping", "function", "queue"))

    order = [each["name"] for each in held.unregistered()]
    assert order.index("mapping") < order.index("function") < order.index("role")
    assert order.index("mapping") < order.index("queue")


def test_what_the_program_registered_stays_and_what_was_replaced_goes() -> None:
    held = state(entry("kept"), entry("gone"), entry("changed"))
    held.put(entry("kept"))
    held.supersede("changed")
    held.put(entry("changed", id="https://none/new"))

    assert {each["id"] for each in held.unregistered()} == {"https://none/gone", "https://none/changed"}


def test_nothing_is_deleted_if_one_of_it_is_protected(account: Account) -> None:
    held = state(entry("free"), entry("guarded", protect=True))

    with pytest.raises(SandboxError, match=r"Protected against deletion: guarded\. Nothing was deleted"):
        delete_unregistered(account, held, Report(io.StringIO()))
    assert len(held.unregistered()) == 2


def test_a_retained_resource_is_only_forgotten(account: Account) -> None:
    queue = create(account, QUEUE)
    held = state(entry("kept", retain=True, id=queue.id))

    delete_unregistered(account, held, Report(io.StringIO()))

    assert held.unregistered() == []
    assert account.client("sqs").get_queue_attributes(QueueUrl=queue.id, AttributeNames=["All"])["Attributes"]


def test_secrets_are_unwrapped_and_whole_numbers_are_integers() -> None:
    assert plain({"x": [WRAPPED], "y": 1.5, "z": True}) == {"x": [{"a": 1}], "y": 1.5, "z": True}
    assert isinstance(plain({"y": 2.0})["y"], int)


def test_what_is_shown_has_no_secret_and_names_code_by_its_path() -> None:
    code = pulumi.AssetArchive({"bot": pulumi.FileArchive("./bot")})

    assert shown({"x": WRAPPED, "code": code}) == {"x": MASK, "code": {"bot": "bot"}}
