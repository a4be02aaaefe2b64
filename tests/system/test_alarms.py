"""Every alarm goes off for the fault that it is for, and for no other: real lines and depths, and AWS's own rules."""

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from bot.messenger.signature import sign
from sandbox.facebook.webhooks import text_item
from sandbox.local import APP_ID, Sandbox, new_person
from tests.evaluator import CloudWatch
from tests.page.conftest import until
from tests.system import planted

Json = dict[str, Any]
Measured = tuple[str, str, Mapping[str, str], float]
"""Namespace, name, dimensions and value."""

MINUTES, HOUR = 60.0, 3600.0
STEP = 5 * MINUTES
HOURS = 10
STARTS = 4 * HOUR
PREFIX = "innolab-fbm-local-alarms-"


class Fault(NamedTuple):
    """What a fault leaves behind.

    Attributes:
        often: log lines every five minutes while it lasts.
        hourly: log lines of each hourly check while it lasts.
        measured: what AWS's services measure every five minutes while it lasts.
        stops: the kinds of healthy lines that do not come while it lasts.
    """

    often: Sequence[Json] = ()
    hourly: Sequence[Json] = ()
    measured: Sequence[Measured] = ()
    stops: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(settings={"appId": APP_ID, "silenceHours": "2"}) as running:
        yield running


@pytest.fixture(scope="module")
def healthy(sandbox: Sandbox) -> tuple[list[Json], list[Json]]:
    """The lines of an answered event, and those of a check."""
    began = time.time()
    sandbox.say("status")
    answered = planted.log_lines(sandbox, began)
    began = time.time()
    assert planted.scheduled_check(sandbox) == []
    return answered, planted.log_lines(sandbox, began)


def queue_of(sandbox: Sandbox, output: str) -> Mapping[str, str]:
    return {"QueueName": sandbox.outputs[output].rpartition("/")[2]}


def depths(sandbox: Sandbox, age: float = 0.0) -> list[Measured]:
    """What SQS measures, from the queues as they are. If there is an event, the oldest has waited `age` seconds."""
    found: list[Measured] = []
    for output in ("queueUrl", "deadLetterQueueUrl"):
        url = sandbox.outputs[output]
        found_now = sandbox.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        visible = int(found_now["ApproximateNumberOfMessages"])
        dimensions = queue_of(sandbox, output)
        found += [
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", dimensions, visible),
            ("AWS/SQS", "ApproximateAgeOfOldestMessage", dimensions, age if visible else 0.0),
        ]
    return found


def of_function(sandbox: Sandbox, name: str, value: float) -> Measured:
    return "AWS/Lambda", name, {"FunctionName": sandbox.outputs["functionName"]}, value


def of_gateway(sandbox: Sandbox, statuses: list[int]) -> list[Measured]:
    """What API Gateway measures of these answers."""
    alarm = next(each for each in sandbox.resources if each["name"] == f"{PREFIX}gateway-4xx")
    dimensions = alarm["inputs"]["dimensions"]
    return [
        ("AWS/ApiGateway", name, dimensions, float(status // 100 == group))
        for status in statuses
        for name, group in (("4XXError", 4), ("5XXError", 5))
    ]


def in_use(value: float) -> Measured:
    dimensions = {"Service": "Lambda", "Type": "Resource", "Resource": "ConcurrentExecutions", "Class": "None"}
    return "AWS/Usage", "ResourceCount", dimensions, value


def post(sandbox: Sandbox, headers: Mapping[str, str], body: bytes = b"{}") -> int:
    url = urlsplit(sandbox.webhook_url)
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    connection.request("POST", url.path, body, dict(headers))
    status = connection.getresponse().status
    connection.close()
    return status


def lines_when_refused(sandbox: Sandbox, kind: str, error: Mapping[str, object], people: int = 1) -> list[Json]:
    """The lines of the worker while Facebook refuses its messages with an error; then everything is as before."""
    began = time.time()
    sandbox.faults({"error": error})
    try:
        for _ in range(people):
            sandbox.deliver([text_item(sandbox.page_id, new_person(), "status")])
        until(lambda: planted.log_lines(sandbox, began, kind))
        lines = planted.log_lines(sandbox, began)
    finally:
        sandbox.faults({})
        table = sandbox.outputs["ledgerTable"]
        for item in sandbox.client("dynamodb").scan(TableName=table)["Items"]:
            sandbox.client("dynamodb").delete_item(TableName=table, Key={"id": item["id"]})
        sandbox.client("sqs").purge_queue(QueueUrl=sandbox.outputs["queueUrl"])
    return [each for each in lines if each["kind"] != "accepted"]


def refused(kind: str, error: Mapping[str, object], people: int = 1) -> Callable[[Sandbox], Fault]:
    return lambda sandbox: Fault(often=lines_when_refused(sandbox, kind, error, people))


def found(name: str) -> Callable[[Sandbox], Fault]:
    """What the hourly check leaves behind while a fault is there."""

    def plant(sandbox: Sandbox) -> Fault:
        with planted.FAULTS[name][0](sandbox):
            began = time.time()
            planted.scheduled_check(sandbox, self_heal=False)
            return Fault(hourly=planted.log_lines(sandbox, began), measured=depths(sandbox))

    return plant


def healed(sandbox: Sandbox) -> Fault:
    began = time.time()
    sandbox.graph.subscribed_apps.fields = []
    assert planted.scheduled_check(sandbox) == ["resubscribed"]
    return Fault(hourly=planted.log_lines(sandbox, began))


def not_called(sandbox: Sandbox) -> Fault:
    with planted.idle_consumer(sandbox):
        sandbox.deliver([text_item(sandbox.page_id, new_person(), "status")])
        fault = Fault(measured=depths(sandbox, age=16 * MINUTES))
        sandbox.client("sqs").purge_queue(QueueUrl=sandbox.outputs["queueUrl"])
    return fault


def handed_back(sandbox: Sandbox) -> Fault:
    lines = lines_when_refused(sandbox, "handed_back", {"code": 2, "status": 503})
    # Only time makes it this old.
    return Fault(often=[each | {"age": 1000} if "age" in each else each for each in lines])


def crashed(sandbox: Sandbox) -> Fault:
    name, payload = sandbox.outputs["functionName"], b'{"check": {"no": 1}}'
    answer = sandbox.client("lambda").invoke(FunctionName=name, Payload=payload)
    return Fault(measured=[of_function(sandbox, "Errors", float("FunctionError" in answer))])


def unsigned(sandbox: Sandbox) -> Fault:
    return Fault(measured=of_gateway(sandbox, [post(sandbox, {}), post(sandbox, {"x-hub-signature-256": "sha256=0"})]))


def unavailable(sandbox: Sandbox) -> Fault:
    item = text_item(sandbox.page_id, new_person(), "status")
    body = json.dumps({"object": "page", "entry": [{"id": sandbox.page_id, "messaging": [item]}]}).encode()
    sandbox.aws_faults({"sqs:*": {"status": 503}})
    try:
        status = post(sandbox, {"x-hub-signature-256": sign(body, sandbox.app_secret)}, body)
    finally:
        sandbox.aws_faults({})
    return Fault(measured=of_gateway(sandbox, [status]))


def many(name: str) -> Callable[[Sandbox], Fault]:
    """More messages than the sandbox holds, as SQS would count them."""
    return lambda sandbox: Fault(measured=[("AWS/SQS", name, queue_of(sandbox, "queueUrl"), 60_000)])


def measured(name: str, value: float) -> Callable[[Sandbox], Fault]:
    return lambda sandbox: Fault(measured=[of_function(sandbox, name, value)])


NO_ANSWERS = "no-answers"
FAULTS: dict[str, tuple[Callable[[Sandbox], Fault], set[str]]] = {
    "nothing": (lambda _: Fault(), set()),
    "a dead letter": (found("an event is dead"), {"dead-letters"}),
    "events that the function is not called for": (not_called, {"oldest-event", NO_ANSWERS}),
    "an outage of Facebook": (handed_back, {"handed-back", NO_ANSWERS}),
    "many waiting messages": (many("ApproximateNumberOfMessagesVisible"), {"waiting-events"}),
    "many retried messages": (many("ApproximateNumberOfMessagesNotVisible"), {"retried-events"}),
    "a crash": (crashed, {"errors"}),
    "no execution left": (measured("Throttles", 3), {"throttles"}),
    "slow runs": (measured("Duration", 55_000), {"duration"}),
    "most of the account's executions": (lambda _: Fault(measured=[in_use(900)]), {"concurrency"}),
    "requests that nobody signed": (unsigned, {"gateway-4xx"}),
    "requests that cannot be accepted": (unavailable, {"gateway-5xx"}),
    "a token that Facebook refuses": (
        refused("credentials", {"code": 190}),
        {"credentials", NO_ANSWERS},
    ),
    "a warning from Facebook": (refused("slow_down", {"code": 613, "subcode": 2018338}), {"slow-down"}),
    "messages that are switched off": (refused("page_setting", {"code": 10904}), {"page-setting", NO_ANSWERS}),
    "a refusal for several people": (refused("refused", {"code": 9, "subcode": 2018352}, people=5), {"refused"}),
    "a page that is not subscribed": (found("the page is not subscribed"), {"unsubscribed", NO_ANSWERS}),
    "a subscription that was made again": (healed, {"resubscribed"}),
    "a token that ends soon": (found("the token ends soon"), {"token-fails", NO_ANSWERS}),
    "a webhook that takes no events": (found("the webhook takes no events"), {"webhook-fails", NO_ANSWERS}),
    "a version that ends": (found("the version of the Graph API ends"), {"version-ends"}),
    "somebody who waits": (found("somebody waits for a human"), {"waiting-for-human"}),
    "no check": (lambda _: Fault(stops=frozenset({"checked"})), {"unchecked"}),
    "no event": (lambda _: Fault(stops=frozenset({"accepted"})), {"silence"}),
}


def watched(
    sandbox: Sandbox, healthy: tuple[list[Json], list[Json]], fault: Fault
) -> tuple[list[set[str]], list[set[str]]]:
    """The alarms that are on at each step before the fault, and while it lasts."""
    cloudwatch = CloudWatch(sandbox.resources)
    often, hourly = healthy
    everyday = [
        *depths(sandbox),
        *of_gateway(sandbox, [200] * 2),
        *(of_function(sandbox, name, value) for name, value in (("Errors", 0), ("Throttles", 0), ("Duration", 90))),
        in_use(3),
    ]
    before, during = list[set[str]](), list[set[str]]()
    for step in range(int(HOURS * HOUR / STEP)):
        now = step * STEP
        faulty = now >= STARTS
        stops = fault.stops if faulty else frozenset()
        lines = [*often, *(hourly if now % HOUR == 0 else [])]
        if faulty:
            lines = [*(each for each in lines if each["kind"] not in stops), *fault.often]
            lines += fault.hourly if now % HOUR == 0 else []
        for line in lines:
            cloudwatch.log(line, now + 1)
        for namespace, name, dimensions, value in [*everyday, *(tuple(fault.measured) * 3 if faulty else ())]:
            cloudwatch.measure(namespace, name, dimensions, now + 1, value)
        if now >= 3 * HOUR:
            (during if faulty else before).append(short(cloudwatch.on(now + STEP)))
    return before, during


def short(names: set[str]) -> set[str]:
    """Alarms by what they are for, without prefix and Pulumi's suffix."""
    return {re.sub("-[0-9a-f]{7}$", "", each.removeprefix(PREFIX)) for each in names}


@pytest.mark.parametrize(("plant", "expected"), FAULTS.values(), ids=FAULTS)
def test_an_alarm_goes_off_for_its_fault_and_no_other_does(
    sandbox: Sandbox,
    healthy: tuple[list[Json], list[Json]],
    plant: Callable[[Sandbox], Fault],
    expected: set[str],
) -> None:
    before, during = watched(sandbox, healthy, plant(sandbox))

    assert set.union(*before) == set()
    assert set.union(*during) == expected
    # Once it is on, it stays on: nobody gets a mail every hour.
    assert during[during.index(expected) :] == [expected] * (len(during) - during.index(expected))


def test_every_alarm_has_its_fault(sandbox: Sandbox) -> None:
    tried = set.union(*(expected for _, expected in FAULTS.values()))

    assert tried == short(CloudWatch(sandbox.resources).names)
