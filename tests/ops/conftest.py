"""Stacks for an operator: a bare one for each test, and a whole one in a sandbox."""

import json
import secrets
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore.loaders import create_loader

from ops import cli, dead_letter_queue
from ops.aws import OperatorAws
from ops.stack import SANDBOX_KEY, Stack
from sandbox.local import Sandbox
from tests.ops.place import PAGE, Place

Ops = Callable[..., tuple[int, str, str]]

# boto3 needs a third of a second for its models, each time.
_kept = cache(OperatorAws)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The `local` stack in a sandbox that all tests of this worker share."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def aws(sandbox: Sandbox) -> OperatorAws:
    return OperatorAws(sandbox.configuration.region, sandbox.cloud_url, SANDBOX_KEY)


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """Each command makes a boto3 session, which would read the services' models again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(create_loader))
        yield


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulated SQS is a single server, so an empty answer need not wait for others."""
    monkeypatch.setattr(dead_letter_queue, "WAIT_SECONDS", 0)


@pytest.fixture
def place(sandbox: Sandbox, aws: OperatorAws) -> Iterator[Place]:
    """Queues and a ledger, set up as the components do, for one test."""
    name = f"ops-{secrets.token_hex(4)}"
    fifo = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    urls = [
        aws.call("sqs", "CreateQueue", {"QueueName": f"{name}-{what}.fifo", "Attributes": fifo})["QueueUrl"]
        for what in ("queue", "dead")
    ]
    table = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    }
    aws.call("dynamodb", "CreateTable", table)
    stack = Stack(
        queue_url=urls[0],
        dead_letter_queue_url=urls[1],
        ledger_table=name,
        secrets_path=sandbox.outputs["secretsPath"],
        page_id=PAGE,
        graph_api_url=sandbox.graph_url,
        graph_api_version="v26.0",
        webhook_url=sandbox.webhook_url,
        region=sandbox.configuration.region,
        endpoint=sandbox.cloud_url,
        key=SANDBOX_KEY,
    )
    yield Place(aws, stack)
    for url in urls:
        aws.call("sqs", "DeleteQueue", {"QueueUrl": url})
    aws.call("dynamodb", "DeleteTable", {"TableName": name})


@pytest.fixture
def described(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A file with the line that `python -m sandbox up --json` prints."""
    path = tmp_path / "sandbox.json"
    path.write_text(json.dumps(sandbox.described()))
    return path


@pytest.fixture
def ops(
    sandbox: Sandbox, described: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ops]:
    """Runs a command, and returns its exit code, standard output and standard error.

    At first the page is not registered. At the end no letter is left.
    """
    sandbox.graph.subscribed_apps.delete({})
    sandbox.graph.app_subscription.delete({})
    sandbox.graph.set_profile({})
    monkeypatch.setattr(cli, "OperatorAws", _kept)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run([*arguments, "--sandbox", str(described)])
        return code, *capsys.readouterr()

    yield run
    run("deadletters", "drop", "--all")
