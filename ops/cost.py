"""What a message takes and costs: of a stack from CloudWatch's metrics, or from what a sandbox counted.

The prices are in `ops/prices.json`; whoever has others, or another region, gives a file of their own.
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.aws.client import Aws
from ops.errors import OpsError
from ops.stack import Stack

Json = dict[str, Any]

PRICES = Path(__file__).with_name("prices.json")
# "GetMetricData" in the CloudWatch API reference: points of an hour are kept for 455 days.
PERIOD_SECONDS = 3600
MOST_DAYS = 455
DAY_SECONDS = 24 * 60 * 60
MIB_OF_GIB = 1024
# The message, and the page's echo of its answer.
REQUESTS_A_MESSAGE = 2
UNITS = {
    # "Read and write operations" in the DynamoDB guide: a transaction counts each of its items twice; items up to 1 KB.
    "dynamodb:TransactWriteItems": ("writeUnits", 4.0),
    "dynamodb:PutItem": ("writeUnits", 1.0),
    "dynamodb:UpdateItem": ("writeUnits", 1.0),
    "dynamodb:DeleteItem": ("writeUnits", 1.0),
    # Consistent reads of up to 4 KB: the event, its user's state and the page's pause.
    "dynamodb:BatchGetItem": ("readUnits", 3.0),
    "dynamodb:GetItem": ("readUnits", 1.0),
}
# Lambda's own poller takes and deletes each message that is sent.
QUEUE_CALLS_A_SEND = 3.0


@dataclass(frozen=True)
class Usage:
    """What a number of messages took.

    Attributes:
        messages: how many people wrote.
        milliseconds: billed of the function, in all.
        amounts: by the names in `prices.json`, in all.
    """

    messages: float
    milliseconds: float
    amounts: Mapping[str, float]


@dataclass(frozen=True)
class Position:
    """One line of the bill.

    Attributes:
        what: as `prices.json` calls it.
        amount: a message.
        cents: US cents per million messages.
    """

    what: str
    amount: float
    cents: float


@dataclass(frozen=True)
class Bill:
    """What a million messages cost.

    Attributes:
        usage: on which it rests.
        positions: its lines.
        source: region, date and note of the prices.
    """

    usage: Usage
    positions: tuple[Position, ...]
    source: str

    @property
    def cents(self) -> float:
        """US cents per million messages."""
        return sum(each.cents for each in self.positions)


def bill(usage: Usage, prices: Json) -> Bill:
    """Turn what was used into what a million messages cost.

    Args:
        usage: of at least one message.
        prices: the content of `prices.json`.

    Raises:
        OpsError: there was no message, or the prices lack one.
    """
    if usage.messages <= 0:
        raise OpsError("There was no message in that time: ask for more --days, or give a count with --usage.")
    positions = []
    for name, amount in usage.amounts.items():
        try:
            price = prices["dollars"][name]
            cents = amount / usage.messages * 1e6 / float(price["each"]) * float(price["price"]) * 100
            positions.append(Position(str(price["what"]), amount / usage.messages, cents))
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            raise OpsError(f"The prices have none for {name}: see {PRICES.name} for how they are written.") from None
    source = ", ".join(str(prices.get(name, "")) for name in ("region", "date", "note"))
    return Bill(usage, tuple(positions), source)


def read_prices(path: Path = PRICES) -> Json:
    """The prices in a file.

    Raises:
        OpsError: it cannot be read, or holds something else.
    """
    return _object(str(path), f"write it like {PRICES.name}")


def from_file(name: str) -> Usage:
    """What was counted in a sandbox, as `python -m bench.calls --json` prints it.

    Args:
        name: the file, `-` for standard input.

    Raises:
        OpsError: it cannot be read, or holds something else.
    """
    command = "give it what `python -m bench.calls --json` prints"
    content = _object(name, command)
    try:
        return from_counts(content)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise OpsError(f"{name} holds no count of calls: {command}.") from None


def from_counts(counted: Json) -> Usage:
    """What messages took, from calls counted on the wire.

    Args:
        counted: `messages`, `requests` (webhooks), `invocations`, `milliseconds`, `memoryMb`, `logBytes` and `calls` by
            `service:Operation`, all of all messages together.
    """
    calls = {str(name): float(count) for name, count in counted["calls"].items()}
    sent = calls.get("sqs:SendMessageBatch", 0.0)
    milliseconds = float(counted["milliseconds"])
    amounts = {
        "apiRequests": float(counted["requests"]),
        "invocations": float(counted["invocations"]),
        "gigabyteSeconds": _gigabyte_seconds(milliseconds, int(counted["memoryMb"])),
        "queueCalls": sent * QUEUE_CALLS_A_SEND,
        "writeUnits": 0.0,
        "readUnits": 0.0,
        "logBytes": float(counted["logBytes"]),
    }
    for call, (name, units) in UNITS.items():
        amounts[name] += units * calls.get(call, 0.0)
    return Usage(float(counted["messages"]), milliseconds, amounts)


def from_metrics(aws: Aws, stack: Stack, days: int, messages: int | None, now: float | None = None) -> Usage:
    """What a stack's messages took in the last days.

    Args:
        aws: an operator's door to AWS. Asks for `cloudwatch:GetMetricData`, `lambda:GetFunctionConfiguration`,
            `apigateway:GET` on the REST API.
        stack: which.
        days: 1 to 455.
        messages: how many people wrote, if it is known; else half as many as there were requests.
        now: seconds since 1970.

    Raises:
        AwsError: AWS refused.
        OpsError: the stack's outputs lack the function, or the days are out of range.
    """
    if not 1 <= days <= MOST_DAYS:
        raise OpsError(f"CloudWatch keeps no {days} days: ask for 1 to {MOST_DAYS}.")
    if not stack.function_name:
        raise OpsError("The outputs lack functionName: give the stack's as they are now.")
    function = aws.call("lambda", "GetFunctionConfiguration", {"FunctionName": stack.function_name})
    api = aws.call("apigateway", "GetRestApi", {"restApiId": _api_id(stack.webhook_url)})
    log_group = function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{stack.function_name}"
    end = time.time() if now is None else now
    sums = _sums(aws, _wanted(stack, str(api["name"]), str(log_group)), end - days * DAY_SECONDS, end)
    milliseconds = sums["milliseconds"]
    amounts = {
        "apiRequests": sums["apiRequests"],
        "invocations": sums["invocations"],
        "gigabyteSeconds": _gigabyte_seconds(milliseconds, int(function["MemorySize"])),
        # Each as a call of its own: a batch of several is cheaper, so this is the most that it can be.
        "queueCalls": sum(amount for name, amount in sums.items() if name.startswith("queue")),
        "writeUnits": sums["writeUnits"],
        "readUnits": sums["readUnits"],
        "logBytes": sums["logBytes"],
    }
    written = sums["apiRequests"] / REQUESTS_A_MESSAGE if messages is None else messages
    return Usage(written, milliseconds, amounts)


Metric = tuple[str, str, dict[str, str]]
"""Namespace, name, dimensions."""


def _wanted(stack: Stack, api_name: str, log_group: str) -> dict[str, Metric]:
    function, table = {"FunctionName": stack.function_name}, {"TableName": stack.ledger_table}
    wanted: dict[str, Metric] = {
        "invocations": ("AWS/Lambda", "Invocations", function),
        "milliseconds": ("AWS/Lambda", "Duration", function),
        "apiRequests": ("AWS/ApiGateway", "Count", {"ApiName": api_name}),
        "writeUnits": ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", table),
        "readUnits": ("AWS/DynamoDB", "ConsumedReadCapacityUnits", table),
        "logBytes": ("AWS/Logs", "IncomingBytes", {"LogGroupName": log_group}),
    }
    for number, url in enumerate((stack.queue_url, stack.dead_letter_queue_url)):
        queue = {"QueueName": url.rpartition("/")[2]}
        for name, metric in (
            ("Sent", "NumberOfMessagesSent"),
            ("Received", "NumberOfMessagesReceived"),
            ("Deleted", "NumberOfMessagesDeleted"),
            ("Empty", "NumberOfEmptyReceives"),
        ):
            wanted[f"queue{number}{name}"] = ("AWS/SQS", metric, queue)
    return wanted


def _sums(aws: Aws, wanted: Mapping[str, Metric], begin: float, end: float) -> dict[str, float]:
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                },
                "Period": PERIOD_SECONDS,
                "Stat": "Sum",
            },
        }
        for name, (namespace, metric, dimensions) in wanted.items()
    ]
    request: Json = {"MetricDataQueries": queries, "StartTime": begin, "EndTime": end}
    sums = dict.fromkeys(wanted, 0.0)
    while True:
        answer = aws.call("cloudwatch", "GetMetricData", request)
        for each in answer["MetricDataResults"]:
            sums[each["Id"]] += sum(each["Values"])
        if not answer.get("NextToken"):
            return sums
        request["NextToken"] = answer["NextToken"]


def _api_id(webhook_url: str) -> str:
    """The REST API's id: AWS has it in the host's name, a sandbox in the path."""
    _, _, rest = webhook_url.partition("://")
    host, _, path = rest.partition("/")
    return path.split("/")[1] if path.startswith("restapis/") else host.partition(".")[0]


def _gigabyte_seconds(milliseconds: float, memory_mb: int) -> float:
    return milliseconds / 1000 * memory_mb / MIB_OF_GIB


def _object(name: str, remedy: str) -> Json:
    try:
        content = json.loads(sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise OpsError(f"{name} cannot be read ({error.strerror}): {remedy}.") from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise OpsError(f"{'Standard input' if name == '-' else name} holds no JSON object: {remedy}.")
    return content
