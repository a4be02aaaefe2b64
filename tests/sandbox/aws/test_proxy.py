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


def test_a_fault_meets_only_its_own_calls_as_often_as_it_says(proxy: Proxy, through: Clients) -> None:
    proxy.set_faults({"sqs:ListQueues": {"status": 400, "code": "AWS.SimpleQueueService.Broken", "count": 1}})

    through("dynamodb").list_tables()
    with pytest.raises(ClientError, match="Broken"):
        through("sqs").list_queues()
    through("sqs").list_queues()


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        ({"status": 400, "code": "Refused"}, ClientError, False),
        ({"status": 400, "code": "Lost", "after": True}, ClientError, True),
        ({"after": True}, ConnectionClosedError, True),
    ],
)
def test_a_call_is_refused_or_loses_its_answer_before_or_after_it_is_carried_out(
    proxy: Proxy, through: Clients, owner: Clients, name: str, fault: object, error: type[Exception], made: bool
) -> None:
    proxy.set_faults({"sqs:CreateQueue": fault})

    with pytest.raises(error):
        through("sqs").create_queue(QueueName=name)
    assert bool(owner("sqs").list_queues(QueueNamePrefix=name).get("QueueUrls")) is made


def test_all_calls_of_a_service_can_be_slow(proxy: Proxy, through: Clients) -> None:
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
