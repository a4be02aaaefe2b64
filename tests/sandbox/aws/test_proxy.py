import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import OWNER, Cloud
from sandbox.aws.proxy import Proxy, call_of
from sandbox.background import Background
from sandbox.errors import SandboxError
from tests.sandbox.conftest import REGION


@pytest.fixture
def proxy(cloud: Cloud, background: Background) -> Iterator[Proxy]:
    running = Proxy()
    running.upstream_port = cloud.port
    background.run(running.start())
    yield running
    background.run(running.stop())


@pytest.fixture
def through(proxy: Proxy) -> Clients:
    return Clients(proxy.url, REGION, OWNER)


def test_a_call_passes_through_with_its_signature_intact(through: Clients) -> None:
    assert through("sts").get_caller_identity()["Arn"].endswith(":root")
    assert "Parameters" in through("ssm").describe_parameters()


def test_a_fault_meets_only_its_own_calls_as_often_as_it_says(proxy: Proxy, through: Clients) -> None:
    proxy.set_faults({"sqs:ListQueues": {"status": 400, "code": "AWS.SimpleQueueService.Broken", "count": 1}})

    through("dynamodb").list_tables()
    with pytest.raises(ClientError, match="Broken"):
        through("sqs").list_queues()
    through("sqs").list_queues()


def test_a_whole_service_can_be_refused(proxy: Proxy, through: Clients) -> None:
    proxy.set_faults({"dynamodb:*": {"status": 400, "code": "ProvisionedThroughputExceededException"}})

    with pytest.raises(ClientError, match="ProvisionedThroughputExceeded"):
        through("dynamodb").list_tables()
    proxy.set_faults({})
    through("dynamodb").list_tables()


def test_a_call_can_be_carried_out_and_then_refused(proxy: Proxy, through: Clients, owner: Clients) -> None:
    proxy.set_faults({"sqs:CreateQueue": {"status": 400, "code": "Lost", "after": True}})

    with pytest.raises(ClientError, match="Lost"):
        through("sqs").create_queue(QueueName="created")
    assert owner("sqs").get_queue_url(QueueName="created")


def test_the_answer_to_a_call_can_be_lost(proxy: Proxy, through: Clients, owner: Clients) -> None:
    proxy.set_faults({"sqs:CreateQueue": {"after": True}})

    with pytest.raises(ConnectionClosedError):
        through("sqs").create_queue(QueueName="unanswered")
    assert owner("sqs").get_queue_url(QueueName="unanswered")


def test_a_refused_call_is_not_carried_out(proxy: Proxy, through: Clients, owner: Clients) -> None:
    proxy.set_faults({"sqs:CreateQueue": {"status": 400, "code": "Refused"}})

    with pytest.raises(ClientError, match="Refused"):
        through("sqs").create_queue(QueueName="never-created")
    with pytest.raises(ClientError, match="NonExistentQueue"):
        owner("sqs").get_queue_url(QueueName="never-created")


def test_a_call_can_be_slow(proxy: Proxy, through: Clients) -> None:
    through("sqs").list_queues()
    proxy.set_faults({"sqs:*": {"delaySeconds": 0.1, "count": 1}})
    started = time.monotonic()

    through("sqs").list_queues()

    assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize("faults", [[], {"sqs:*": {"colour": 1}}, {"sqs:*": {"status": "503"}}])
def test_an_invalid_fault_is_refused(proxy: Proxy, faults: object) -> None:
    with pytest.raises(SandboxError):
        proxy.set_faults(faults)


def test_a_call_is_named_by_its_target_or_form_or_method() -> None:
    def call(service: str, method: str, body: bytes = b"", **headers: str) -> str:
        scope = f"AWS4-HMAC-SHA256 Credential=K/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host"
        return call_of(method, {"authorization": scope, **headers}, body)

    assert call("sqs", "POST", b"{}", **{"x-amz-target": "AmazonSQS.SendMessageBatch"}) == "sqs:SendMessageBatch"
    assert call("iam", "POST", b"Version=1&Action=GetUser") == "iam:GetUser"
    assert call("lambda", "GET") == "lambda:GET"
