"""What messages cost: the arithmetic, and what it is fed with, by the emulated CloudWatch."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from bench.calls import counted
from ops import cli, cost
from ops.aws import OperatorAws
from ops.errors import OpsError
from ops.stack import Stack, from_file, from_sandbox
from sandbox.local import Sandbox

Json = dict[str, Any]

COUNTED: Json = {
    "messages": 10,
    "requests": 20,
    "invocations": 40,
    "milliseconds": 2000,
    "memoryMb": 512,
    "logBytes": 5000,
    "calls": {
        "sqs:SendMessageBatch": 20,
        "dynamodb:BatchGetItem": 10,
        "dynamodb:TransactWriteItems": 10,
        "dynamodb:UpdateItem": 20,
        "facebook:send": 10,
        "ssm:GetParametersByPath": 1,
    },
}
DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def stack(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The sandbox's stack, of which CloudWatch knows a day of ten messages, and one message of long ago."""
    path = tmp_path_factory.mktemp("cost") / "sandbox.json"
    path.write_text(json.dumps(sandbox.described()))
    known = from_sandbox(str(path))
    api_id = sandbox.webhook_url.split("/restapis/")[1].split("/")[0]
    api = sandbox.client("apigateway").get_rest_api(restApiId=api_id)["name"]
    queue, dead = (url.rpartition("/")[2] for url in (known.queue_url, known.dead_letter_queue_url))
    function, table = {"FunctionName": known.function_name}, {"TableName": known.ledger_table}
    group = {"LogGroupName": sandbox.outputs["logGroupName"]}
    now = time.time()
    for namespace, name, (key, value), amounts in (
        ("AWS/Lambda", "Invocations", *function.items(), (25, 15)),
        ("AWS/Lambda", "Duration", *function.items(), (1500.0, 500.0)),
        ("AWS/ApiGateway", "Count", ("ApiName", api), (20,)),
        ("AWS/SQS", "NumberOfMessagesSent", ("QueueName", queue), (12, 8)),
        ("AWS/SQS", "NumberOfMessagesReceived", ("QueueName", queue), (20,)),
        ("AWS/SQS", "NumberOfMessagesDeleted", ("QueueName", queue), (19,)),
        ("AWS/SQS", "NumberOfEmptyReceives", ("QueueName", queue), (300,)),
        ("AWS/SQS", "NumberOfMessagesSent", ("QueueName", dead), (1,)),
        ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", *table.items(), (60,)),
        ("AWS/DynamoDB", "ConsumedReadCapacityUnits", *table.items(), (30,)),
        ("AWS/Logs", "IncomingBytes", *group.items(), (5000,)),
        ("AWS/Lambda", "Invocations", ("FunctionName", "somebody-else"), (1000,)),
    ):
        data = [
            {"MetricName": name, "Dimensions": [{"Name": key, "Value": value}], "Value": amount, "Timestamp": moment}
            for amount, moment in [
                *((each, now - 7200 * (at + 1)) for at, each in enumerate(amounts)),
                (7, now - 5 * DAY),
            ]
        ]
        sandbox.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)
    return known


def test_a_stacks_use_is_what_cloudwatch_knows_of_its_own_resources_in_those_days(
    aws: OperatorAws, stack: Stack
) -> None:
    usage = cost.from_metrics(aws, stack, 2, None)
    assert (usage.messages, usage.milliseconds) == (10, 2000)
    assert usage.amounts == {
        "apiRequests": 20,
        "invocations": 40,
        "gigabyteSeconds": 1.0,
        "queueCalls": 20 + 20 + 19 + 300 + 1,
        "writeUnits": 60,
        "readUnits": 30,
        "logBytes": 5000,
    }
    assert cost.from_metrics(aws, stack, 6, None).amounts["invocations"] == 47


def test_who_knows_how_many_wrote_can_say_so(aws: OperatorAws, stack: Stack) -> None:
    assert cost.from_metrics(aws, stack, 2, 4).messages == 4


def test_metrics_that_come_in_pages_are_added_up(
    aws: OperatorAws, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[Json] = [
        {"MetricDataResults": [{"Id": "invocations", "Values": [1.0, 2.0]}], "NextToken": "more"},
        {"MetricDataResults": [{"Id": "invocations", "Values": [4.0]}, {"Id": "apiRequests", "Values": [2.0]}]},
    ]
    asked: list[Json] = []

    def call(_service: str, operation: str, request: Json) -> Json:
        if operation == "GetMetricData":
            asked.append(dict(request))
            return pages[len(asked) - 1]
        return {"name": "api", "MemorySize": 1024}

    monkeypatch.setattr(aws, "call", call)
    usage = cost.from_metrics(aws, stack, 1, None, now=1000 * DAY)
    assert (usage.amounts["invocations"], usage.messages) == (7, 1)
    assert [each.get("NextToken") for each in asked] == [None, "more"]
    assert (asked[0]["StartTime"], asked[0]["EndTime"]) == (999 * DAY, 1000 * DAY)


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://a1b2c3.execute-api.eu-central-1.amazonaws.com/live/webhook", "a1b2c3"),
        ("http://127.0.0.1:4566/restapis/a1b2c3/live/_user_request_/webhook", "a1b2c3"),
    ],
)
def test_the_rest_api_is_found_by_the_webhook(url: str, identity: str) -> None:
    assert cost._api_id(url) == identity


def test_calls_counted_in_a_sandbox_become_what_aws_charges_for() -> None:
    usage = cost.from_counts(COUNTED)
    assert usage.amounts == {
        "apiRequests": 20,
        "invocations": 40,
        "gigabyteSeconds": 1.0,
        "queueCalls": 60,
        "writeUnits": 60,
        "readUnits": 30,
        "logBytes": 5000,
    }


def test_a_million_messages_cost_what_each_takes_times_its_price() -> None:
    bill = cost.bill(cost.from_counts(COUNTED), cost.read_prices())
    cents = {each.what: round(each.cents, 2) for each in bill.positions}
    assert cents == {
        "REST API, requests": 740,
        "Lambda, invocations": 80,
        "Lambda, GB-seconds (arm64)": 133.3,
        "SQS FIFO, calls": 300,
        "DynamoDB on demand, writes": 600,
        "DynamoDB on demand, reads": 60,
        "CloudWatch Logs, bytes": 31.5,
    }
    assert bill.cents == pytest.approx(sum(cents.values()))
    assert "check them before you rely on them" in bill.source


def test_no_message_costs_nothing_that_could_be_told() -> None:
    with pytest.raises(OpsError, match="There was no message"):
        cost.bill(cost.from_counts(COUNTED | {"messages": 0}), cost.read_prices())


@pytest.mark.parametrize("days", [0, 456])
def test_days_that_cloudwatch_does_not_keep_are_refused(aws: OperatorAws, stack: Stack, days: int) -> None:
    with pytest.raises(OpsError, match="ask for 1 to 455"):
        cost.from_metrics(aws, stack, days, None)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"calls": []}', '{"calls": {"a": "b"}}'])
def test_a_file_that_holds_no_count_is_refused_with_what_makes_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "usage.json"
    path.write_text(content)
    with pytest.raises(OpsError, match=r"give it what `python -m bench\.calls --json` prints"):
        cost.from_file(str(path))


def test_prices_that_lack_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text('{"dollars": {"apiRequests": {"what": "REST", "each": 0, "price": 1}}}')
    with pytest.raises(OpsError, match="have none for apiRequests"):
        cost.bill(cost.from_counts(COUNTED), cost.read_prices(path))


def test_the_command_prints_a_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "usage.json"
    path.write_text(json.dumps(COUNTED))
    assert cli.run(["cost", "--usage", str(path)]) == 0
    table = capsys.readouterr().out
    assert "together" in table
    assert "1,945" in table
    assert "200 ms of the function a message" in table
    assert cli.run(["cost", "--usage", str(path), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (round(printed["centsPerMillion"]), printed["millisecondsPerMessage"], printed["messages"]) == (
        1945,
        200,
        10,
    )


def test_the_command_asks_cloudwatch_of_a_sandbox(
    sandbox: Sandbox, stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sandbox.json"
    path.write_text(json.dumps(sandbox.described()))
    assert stack.function_name
    assert cli.run(["cost", "--sandbox", str(path), "--days", "2", "--messages", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["messages"] == 5
    assert cli.run(["cost", "--sandbox", str(path), "--days", "0"]) == 1
    assert "ask for 1 to 455" in capsys.readouterr().err


def test_outputs_of_an_older_stack_are_told_apart(aws: OperatorAws, stack: Stack, tmp_path: Path) -> None:
    outputs = dict.fromkeys(("deadLetterQueueUrl", "ledgerTable", "secretsPath", "pageId", "graphApiUrl"), "x")
    outputs |= {"queueUrl": "https://sqs.eu-central-1.amazonaws.com/1/q.fifo", "graphApiVersion": "v26.0"}
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(outputs | {"webhookUrl": stack.webhook_url}))
    with pytest.raises(OpsError, match="lack functionName"):
        cost.from_metrics(aws, from_file(str(path)), 1, None)


@pytest.mark.long
def test_what_the_bench_counts_is_what_the_cost_takes() -> None:
    found = counted(2)
    usage = cost.from_counts(found)
    each = {name: amount / usage.messages for name, amount in usage.amounts.items()}
    assert (each["apiRequests"], each["readUnits"], found["calls"]["facebook:send"]) == (2, 3, 2)
    # An echo that comes to the instance that answered spares its queue message, the invocation for it, and the write.
    assert 3 <= each["invocations"] <= 4
    assert 3 <= each["queueCalls"] <= 6
    assert 5 <= each["writeUnits"] <= 6
    assert usage.milliseconds > 0
