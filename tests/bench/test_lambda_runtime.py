import contextlib
import http.client
import os
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.lambda_runtime import contestants, stubs
from bench.lambda_runtime.certificates import make_certificates
from bench.lambda_runtime.contestants import FLOOR, OURS, PEER
from bench.lambda_runtime.errors import BenchError
from bench.lambda_runtime.install import FOLDER, Installed, is_installed
from bench.lambda_runtime.loopback import serving
from bench.lambda_runtime.measure import Batch, Cold
from bench.lambda_runtime.page import BEGIN, END, Figures, goals, put_section
from bench.lambda_runtime.runtime_api import VERSION, Function, FunctionFailed, Invocation, RuntimeApi
from bench.lambda_runtime.spread import Spread
from bench.lambda_runtime.stubs import Stubs
from bot.aws.client import Aws, AwsError
from bot.messenger.client import GraphApi
from bot.messenger.errors import Credentials

INSTALLED = Installed(FOLDER / "python", FOLDER / "node")
needs_the_runtime_client = pytest.mark.skipif(
    not is_installed(), reason="AWS's runtime client is not installed; python -m bench.lambda_runtime installs it"
)
FUNCTION = """
import os

def repeat(event, context):
    return {"event": event, "milliseconds": context.get_remaining_time_in_millis()}

def fail(event, context):
    raise ValueError("at fault")

def end(event, context):
    os._exit(3)
"""


@pytest.fixture(scope="module")
def shared_stubs() -> Iterator[Stubs]:
    with Stubs() as started:
        yield started


@pytest.fixture
def running(shared_stubs: Stubs) -> Iterator[Stubs]:
    yield shared_stubs
    with contextlib.suppress(BenchError):
        shared_stubs.take_calls()


def caller(running: Stubs, secret: str = stubs.SECRET) -> Aws:
    endpoints = {f"AWS_ENDPOINT_URL_{name.upper()}": url for name, url in running.urls.items()}
    signer = {"AWS_ACCESS_KEY_ID": stubs.KEY, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": stubs.SESSION}
    return Aws({"AWS_REGION": stubs.REGION, **signer, **endpoints})


def function(folder: Path, handler: str) -> Function:
    (folder / "index.py").write_text(FUNCTION)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(INSTALLED.python), "AWS_REGION": stubs.REGION}
    command = [sys.executable, "-S", "-m", "awslambdaric", handler]
    return Function(command, environment, folder, folder / "log")


@needs_the_runtime_client
def test_awss_own_client_gets_events_and_answers_them(tmp_path: Path) -> None:
    with function(tmp_path, "index.repeat") as started:
        first, second = started.invoke({"text": "é"}), started.invoke({"number": 2})

        assert first.answer["event"] == {"text": "é"}
        assert 0 < first.answer["milliseconds"] <= 60_000
        assert second.answer["event"] == {"number": 2}
        assert started.started < started.ready < first.ended < second.began < second.ended
        assert 1 < started.peak_mib < 200


@needs_the_runtime_client
@pytest.mark.parametrize(
    ("handler", "reason"),
    [("index.fail", r"\(error\).*at fault"), ("index.missing", r"\(init\).*missing"), ("index.end", "process ended")],
)
def test_a_function_that_does_not_answer_is_an_error(tmp_path: Path, handler: str, reason: str) -> None:
    with function(tmp_path, handler) as started, pytest.raises(FunctionFailed, match=reason):
        started.invoke({}, timeout=20)


@needs_the_runtime_client
def test_this_bot_acknowledges_and_answers_in_awss_own_client(running: Stubs, tmp_path: Path) -> None:
    ours, person = contestants.contest(INSTALLED, running.urls, tmp_path).ours, contestants.new_person()

    with ours.start() as started:
        acknowledged = started.invoke(contestants.webhook(contestants.text(person)))
        worked = started.invoke({"Records": running.take_messages()})

    assert acknowledged.answer["statusCode"] == 200
    assert worked.answer == {"batchItemFailures": []}
    sends = [call for call in running.take_calls() if call.service == "graph"]
    assert [call.recipient for call in sends] == [person]


def test_the_runtime_api_takes_the_answer_to_the_event_under_way_only() -> None:
    api = RuntimeApi()
    api.events.put(("under-way", b"{}"))
    with serving(api), contextlib.closing(http.client.HTTPConnection(api.address, timeout=5)) as connection:
        next_event = exchanged(connection, "GET", f"{VERSION}/invocation/next")
        statuses = [
            exchanged(connection, "POST", f"{VERSION}/invocation/{request}/response", request.encode()).status
            for request in ("another", "under-way", "under-way")
        ]

    assert next_event.headers["Lambda-Runtime-Aws-Request-Id"] == "under-way"
    assert int(next_event.headers["Lambda-Runtime-Deadline-Ms"]) > time.time() * 1000
    assert statuses == [400, 202, 400]
    assert api.outcomes.get().content == b"under-way"
    assert api.outcomes.empty()


def exchanged(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes = b""
) -> http.client.HTTPResponse:
    connection.request(method, path, body)
    response = connection.getresponse()
    response.read()
    return response


def test_a_stub_answers_a_signed_call_after_its_latency(running: Stubs) -> None:
    parameters = {"Path": stubs.SECRETS_PATH, "WithDecryption": True}

    answer = caller(running).call("ssm", "GetParametersByPath", parameters)

    assert {each["Value"] for each in answer["Parameters"]} >= {stubs.TOKEN, stubs.APP_SECRET}
    (call,) = running.take_calls()
    assert call.name == "ssm:GetParametersByPath"
    assert call.answered - call.arrived >= stubs.LATENCIES["ssm"]


@pytest.mark.parametrize("service", ["ssm", "sqs", "dynamodb"])
def test_a_stub_refuses_a_call_that_is_signed_wrongly(running: Stubs, service: str) -> None:
    with pytest.raises(AwsError) as refused:
        caller(running, secret="another").call(service, "Anything", {})

    assert (refused.value.status, refused.value.code) == (403, "InvalidSignatureException")


def test_the_ledgers_stub_refuses_a_condition_that_does_not_hold(running: Stubs) -> None:
    put = {"TableName": stubs.TABLE, "Item": {"id": {"S": "one"}}, "ConditionExpression": "attribute_not_exists(id)"}
    caller(running).call("dynamodb", "PutItem", put)

    with pytest.raises(AwsError) as refused:
        caller(running).call("dynamodb", "PutItem", put)
    with pytest.raises(AwsError) as cancelled:
        caller(running).call("dynamodb", "TransactWriteItems", {"TransactItems": [{"Put": put}]})

    assert refused.value.code == "ConditionalCheckFailedException"
    assert cancelled.value.reasons == ("ConditionalCheckFailed",)


def test_the_queues_stub_keeps_a_message_once_and_refuses_one_without_a_group(running: Stubs) -> None:
    entry = {"Id": "0", "MessageBody": "once", "MessageGroupId": "group", "MessageDeduplicationId": "same"}
    for _ in range(2):
        send(running, entry)

    assert [message["body"] for message in running.take_messages()] == ["once"]
    with pytest.raises(AwsError, match="MissingParameter"):
        send(running, {"Id": "0", "MessageBody": "no group"})


def send(running: Stubs, entry: dict[str, Any]) -> None:
    caller(running).call("sqs", "SendMessageBatch", {"QueueUrl": stubs.EVENTS, "Entries": [entry]})


@pytest.mark.parametrize(("token", "secret"), [("another", stubs.APP_SECRET), (stubs.TOKEN, "another")])
def test_the_graph_apis_stub_refuses_a_wrong_token_or_proof(running: Stubs, token: str, secret: str) -> None:
    graph = GraphApi(running.urls["graph"], stubs.GRAPH_VERSION, stubs.PAGE, token, secret)

    with pytest.raises(Credentials):
        graph.send({"recipient": {"id": "1"}, "message": {"text": "hello"}})


def test_a_refused_call_stops_the_benchmark(running: Stubs) -> None:
    with pytest.raises(AwsError):
        caller(running).call("sqs", "PurgeQueue", {})

    with pytest.raises(BenchError, match="does not know PurgeQueue"):
        running.take_calls()


def test_only_who_trusts_the_benchmarks_authority_takes_its_certificate(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    trusting, other = ssl.create_default_context(cafile=str(made.bundle)), ssl.create_default_context()

    with Stubs(made.shown) as started:
        address = started.urls["graph"].removeprefix("https://")
        with contextlib.closing(http.client.HTTPSConnection(address, timeout=5, context=trusting)) as connection:
            status = exchanged(connection, "POST", "/").status
        with pytest.raises(ssl.SSLCertVerificationError):
            http.client.HTTPSConnection(address, timeout=5, context=other).connect()

    assert status == 400


def test_a_section_replaces_only_itself(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Figures\n\nBefore.\n")
    put_section(page, "first")
    page.write_text(page.read_text() + "\nAfter.\n")

    put_section(page, r"second \1")

    assert page.read_text() == f"# Figures\n\nBefore.\n\n{BEGIN}\n" + r"second \1" + f"\n{END}\n\nAfter.\n"


def test_each_goal_compares_the_medians_that_it_names() -> None:
    def cold(milliseconds: float) -> list[Cold]:
        return [Cold(0, 0, each / 1000, [], None) for each in (1, milliseconds, 9999)]

    def warm(milliseconds: float) -> dict[str, Spread]:
        return {OURS: Spread([milliseconds / 1000]), FLOOR: Spread([0.0005]), PEER: Spread([1.0])}

    batch = Batch(9.9, Invocation({}, began=1.0, ended=1.335), [])
    figures = Figures(
        cold={0.3: {OURS: cold(100), PEER: cold(500), FLOOR: cold(30)}},
        warm={0.05: warm(7), 1.0: warm(9)},
        batches={0.3: {OURS: [batch]}},
        cold_tls={},
        warm_tls={},
        answers={},
        calls=[],
        memory={},
        imports={},
        trust=0,
        late=[],
        seconds=0,
    )

    found = [(round(goal.figure, 3), goal.most, goal.holds) for goal in goals(figures)]

    assert found == [(70, 66, False), (0.2, 0.25, True), (6.5, 8, True), (8.5, 8, False), (2, 1, False), (35, 40, True)]
