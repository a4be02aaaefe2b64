"""Small programs run by the engine, each in a process of its own as in earnest."""

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import Cloud
from sandbox.configuration import read
from sandbox.engine.deployment import Deployed, Run
from sandbox.engine.embedded import SECRET, plain, shown
from sandbox.errors import SandboxError

WRAPPED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": {"a": 1.0}}


def deploy(folder: Path, cloud: Cloud, program: str, members: str = "") -> tuple[Deployed, list[Mapping[str, Any]]]:
    (folder / "Pulumi.yaml").write_text("name: shop\n")
    (folder / "Pulumi.dev.yaml").write_text(f"config: {{shop:word: hush, shop:adminMembers: [{members}]}}\n")
    (folder / "__main__.py").write_text("import pulumi\nimport pulumi_aws as aws\n" + textwrap.dedent(program))
    events: list[Mapping[str, Any]] = []
    run = Run()
    try:
        return run.deploy(read(folder, "dev").with_values(appSecret="canary"), cloud.url, events.append), events
    finally:
        run.stop()


def test_a_program_is_made_and_told_with_its_secrets_masked(tmp_path: Path, cloud: Cloud, owner: Clients) -> None:
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
    assert parameter["inputs"]["value"] == SECRET
    assert deployed.outputs["secret"] == "canary"
    assert deployed.shown_outputs == {"url": deployed.outputs["url"], "account": "000000000000", "secret": SECRET}
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
        ('aws.ec2.Vpc("v", cidr_block="10.0.0.0/16")', r"^aws:ec2/vpc:Vpc v: .* does not know the resource type"),
    ],
)
def test_a_program_that_fails_is_told_in_a_sentence(tmp_path: Path, cloud: Cloud, program: str, sentence: str) -> None:
    with pytest.raises(SandboxError, match=sentence):
        deploy(tmp_path, cloud, program)


def test_secrets_are_unwrapped_and_whole_numbers_are_integers() -> None:
    assert plain({"x": [WRAPPED], "y": 1.5, "z": True}) == {"x": [{"a": 1}], "y": 1.5, "z": True}
    assert isinstance(plain({"y": 2.0})["y"], int)


def test_what_is_shown_has_no_secret_and_names_code_by_its_path() -> None:
    code = pulumi.AssetArchive({"bot": pulumi.FileArchive("./bot")})

    assert shown({"x": WRAPPED, "code": code}) == {"x": SECRET, "code": {"bot": "bot"}}
