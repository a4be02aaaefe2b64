"""What goes wrong with a running bot: planted for a while, and then as it was."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from bot.aws.queues import fingerprint
from sandbox.local import Sandbox

Json = dict[str, Any]
Plant = Callable[[Sandbox], AbstractContextManager[None]]


def schedule(sandbox: Sandbox) -> Json:
    """The stack's one schedule."""
    (listed,) = sandbox.client("scheduler").list_schedules()["Schedules"]
    found: Json = sandbox.client("scheduler").get_schedule(Name=listed["Name"])
    return found


def scheduled_check(sandbox: Sandbox, **changes: object) -> list[str]:
    """Call what the schedule calls, with what it sends: the kinds of what is found."""
    target = schedule(sandbox)["Target"]
    order = json.loads(target["Input"])
    order["check"] |= changes
    answer = sandbox.client("lambda").invoke(FunctionName=target["Arn"], Payload=json.dumps(order).encode())
    found = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, found
    kinds: list[str] = found["findings"]
    return kinds


def log_lines(sandbox: Sandbox, since: float = 0.0, kind: str = "") -> list[Json]:
    """The lines of the function's log from then on (seconds since 1970), all or of one kind."""
    pages = sandbox.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=sandbox.outputs["logGroupName"], startTime=int(since * 1000))
    lines = [event["message"] for page in found for event in page["events"]]
    read = [json.loads(each) for each in lines if each.startswith("{")]
    return [each for each in read if kind in {"", each.get("kind")}]


def letters(sandbox: Sandbox) -> int:
    """How many dead letters there are, hidden ones included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = sandbox.outputs["deadLetterQueueUrl"]
    counts = sandbox.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, counts.values()))


def variables(sandbox: Sandbox) -> dict[str, str]:
    """The function's environment."""
    function = sandbox.client("lambda").get_function_configuration(FunctionName=sandbox.outputs["functionName"])
    found: dict[str, str] = function["Environment"]["Variables"]
    return found


@contextmanager
def idle_consumer(sandbox: Sandbox) -> Iterator[None]:
    """Nobody takes events from the queue."""
    client = sandbox.client("lambda")
    (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@contextmanager
def _replaced(holder: object, name: str, value: object) -> Iterator[None]:
    before = getattr(holder, name)
    setattr(holder, name, value)
    try:
        yield
    finally:
        setattr(holder, name, before)


def _fields(sandbox: Sandbox, fields: list[str]) -> AbstractContextManager[None]:
    return _replaced(sandbox.graph.subscribed_apps, "fields", fields)


def _app(sandbox: Sandbox, **changes: object) -> AbstractContextManager[None]:
    known = sandbox.graph.app_subscription._by_object
    changed = {"page": known["page"] | changes} if changes else {}
    return _replaced(sandbox.graph.app_subscription, "_by_object", changed)


def _token(sandbox: Sandbox, **facts: object) -> AbstractContextManager[None]:
    credentials = sandbox.graph.credentials
    known = credentials.debug_token({"input_token": sandbox.page_token})["data"]
    return _replaced(credentials, "debug_token", lambda _: {"data": known | facts})


def _credential(sandbox: Sandbox, name: str) -> AbstractContextManager[None]:
    return _replaced(sandbox.graph.credentials, name, secrets.token_hex(8))


@contextmanager
def _variable(sandbox: Sandbox, name: str, value: str) -> Iterator[None]:
    """Let a version with another variable answer people."""
    client, function = sandbox.client("lambda"), sandbox.outputs["functionName"]
    alias = {"FunctionName": function, "Name": sandbox.outputs["aliasName"]}
    before, answering = variables(sandbox), client.get_alias(**alias)["FunctionVersion"]
    _configure(sandbox, before | {name: value})
    client.update_alias(**alias, FunctionVersion=client.publish_version(FunctionName=function)["Version"])
    try:
        yield
    finally:
        _configure(sandbox, before)
        client.update_alias(**alias, FunctionVersion=answering)


def _configure(sandbox: Sandbox, given: dict[str, str]) -> None:
    client, function = sandbox.client("lambda"), sandbox.outputs["functionName"]
    client.update_function_configuration(FunctionName=function, Environment={"Variables": given})
    client.get_waiter("function_updated_v2").wait(FunctionName=function)


@contextmanager
def _without_route(sandbox: Sandbox, method: str) -> Iterator[None]:
    client = sandbox.client("apigateway")
    (api,) = client.get_rest_apis()["items"]
    (resource,) = [
        each for each in client.get_resources(restApiId=api["id"])["items"] if each.get("pathPart") == "webhook"
    ]
    where = {"restApiId": api["id"], "resourceId": resource["id"], "httpMethod": method}
    integration = client.get_integration(**where)
    deployed = client.get_stage(restApiId=api["id"], stageName="live")["deploymentId"]
    client.delete_integration(**where)
    client.create_deployment(restApiId=api["id"], stageName="live")
    try:
        yield
    finally:
        client.put_integration(**where, type=integration["type"], integrationHttpMethod="POST", uri=integration["uri"])
        back = [{"op": "replace", "path": "/deploymentId", "value": deployed}]
        client.update_stage(restApiId=api["id"], stageName="live", patchOperations=back)


@contextmanager
def _dead_letter(sandbox: Sandbox) -> Iterator[None]:
    client, url = sandbox.client("sqs"), sandbox.outputs["deadLetterQueueUrl"]
    client.send_message(QueueUrl=url, MessageGroupId="g", MessageDeduplicationId=str(time.time()), MessageBody="{}")
    try:
        yield
    finally:
        client.purge_queue(QueueUrl=url)


@contextmanager
def _waiting_person(sandbox: Sandbox) -> Iterator[None]:
    client, table = sandbox.client("dynamodb"), sandbox.outputs["ledgerTable"]
    now = time.time()
    human = {"person": "1", "since": now - 7200, "until": now + 7200, "waiting": now - 7200}
    key = {"id": {"S": f"user#{fingerprint('1', '2')}"}}
    state = {"state": {"S": json.dumps({"human": human}, separators=(",", ":"))}}
    client.put_item(TableName=table, Item=key | state | {"expires": {"N": str(int(now) + 9999)}, "version": {"N": "1"}})
    try:
        yield
    finally:
        client.delete_item(TableName=table, Key=key)


FAULTS: dict[str, tuple[Plant, str]] = {
    "the page is not subscribed": (partial(_fields, fields=[]), "unsubscribed"),
    "the page lacks a field": (partial(_fields, fields=["messages"]), "unsubscribed"),
    "the app has no webhook": (_app, "unsubscribed"),
    "the app sends to another webhook": (partial(_app, callback_url="https://example.org/"), "unsubscribed"),
    "the app's webhook is off": (partial(_app, active=False), "unsubscribed"),
    "the token was revoked": (partial(_credential, name="_page_token"), "token_fails"),
    "the token lacks a permission": (partial(_token, scopes=["pages_messaging"]), "token_fails"),
    "the token ends soon": (partial(_token, expires_at=int(time.time()) + 86400), "token_fails"),
    "the token is of another app": (partial(_token, app_id="1"), "token_fails"),
    "the app's secret was replaced": (partial(_credential, name="_app_token"), "token_fails"),
    "the webhook takes no handshake": (partial(_without_route, method="GET"), "webhook_fails"),
    "the webhook takes no events": (partial(_without_route, method="POST"), "webhook_fails"),
    "the version of the Graph API ends": (partial(_variable, name="GRAPH_API_VERSION", value="v21.0"), "version_ends"),
    "an event is dead": (_dead_letter, "dead_letters"),
    "somebody waits for a human": (_waiting_person, "waiting_for_human"),
}
"""Each fault: how it comes about, and the kind of what is found."""
