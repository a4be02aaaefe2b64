"""What the classes take from the facts: defaults, names, refused values, replacement. And the facts fit the SDK."""

import importlib
import json
from typing import Any

import pulumi
import pytest
from pulumi._types import input_type_py_to_pulumi_names

from sandbox.errors import SandboxError
from sandbox.provider.catalog import TYPES, resource_type
from sandbox.provider.facts import FACTS
from sandbox.provider.resource import DEFAULTED
from tests.sandbox.provider.samples import TRUST, code, policy

QUEUE, TABLE, TOPIC = "aws:sqs/queue:Queue", "aws:dynamodb/table:Table", "aws:sns/topic:Topic"
ROLE, FUNCTION, PARAMETER = "aws:iam/role:Role", "aws:lambda/function:Function", "aws:ssm/parameter:Parameter"
INTEGRATION = "aws:apigateway/integration:Integration"
ENOUGH: dict[str, dict[str, Any]] = {
    QUEUE: {},
    TOPIC: {},
    ROLE: {"assumeRolePolicy": TRUST},
    TABLE: {"hashKey": "id", "attributes": [{"name": "id", "type": "S"}]},
    PARAMETER: {"type": "String", "value": "x"},
    FUNCTION: {"role": "arn:aws:iam::1:role/r", "runtime": "python3.13", "handler": "a.b", "code": code()},
    INTEGRATION: {"restApi": "a", "resourceId": "r", "httpMethod": "POST", "type": "MOCK"},
    "aws:cloudwatch/logGroup:LogGroup": {},
    "aws:apigateway/stage:Stage": {"restApi": "a", "deployment": "d", "stageName": "live"},
    "aws:iam/policy:Policy": {"policy": policy("sqs:SendMessage")},
    "aws:iam/group:Group": {},
}
"""The least that each type needs."""


def check(type_name: str, **inputs: object) -> dict[str, Any]:
    return resource_type(type_name).check("a", {**ENOUGH[type_name], **inputs})


def sdk_arguments(type_name: str) -> set[str]:
    """The arguments of a type in Pulumi's Python SDK."""
    service, _, name = type_name.removeprefix("aws:").partition("/")
    module = importlib.import_module(f"pulumi_aws.{service.replace('lambda', 'lambda_')}")
    return set(input_type_py_to_pulumi_names(getattr(module, f"{name.partition(':')[2]}Args")).values())


def test_every_class_has_its_facts_with_sources_and_every_fact_its_class() -> None:
    types = json.loads(FACTS.read_text(encoding="utf-8"))["types"]

    assert types.keys() == TYPES.keys()
    assert all(each["sources"] for each in types.values())


@pytest.mark.parametrize("type_name", TYPES)
def test_every_argument_of_the_facts_is_one_of_pulumis(type_name: str) -> None:
    arguments = {each.partition(".")[0] for each in TYPES[type_name].facts.arguments}

    assert arguments - sdk_arguments(type_name) == set()


@pytest.mark.parametrize(
    ("type_name", "defaults"),
    [
        (QUEUE, {"maxMessageSize": 262144, "messageRetentionSeconds": 345600, "visibilityTimeoutSeconds": 30}),
        (TABLE, {"billingMode": "PROVISIONED", "tableClass": "STANDARD"}),
        (FUNCTION, {"memorySize": 128, "timeout": 3, "packageType": "Zip", "description": ""}),
        (INTEGRATION, {"connectionType": "INTERNET", "timeoutMilliseconds": 29000}),
        (ROLE, {"path": "/", "maxSessionDuration": 3600}),
    ],
)
def test_the_providers_defaults_are_sent(type_name: str, defaults: dict[str, object]) -> None:
    checked = check(type_name)

    assert {key: checked[key] for key in defaults} == defaults
    assert defaults.keys() <= set(checked[DEFAULTED])


def test_defaults_within_a_block_are_sent_only_with_the_block() -> None:
    settings = {"restApi": "a", "stageName": "s", "methodPath": "*/*", "settings": {"metricsEnabled": True}}
    checked = resource_type("aws:apigateway/methodSettings:MethodSettings").check("a", settings)

    assert checked["settings"]["throttlingRateLimit"] == -1
    assert "ttl" not in check(TABLE)


@pytest.mark.parametrize(
    ("type_name", "flag", "limit", "ending"),
    [
        (QUEUE, {}, 80, ""),
        (QUEUE, {"fifoQueue": True}, 75, ".fifo"),
        (TOPIC, {}, 80, ""),
        (ROLE, {}, 64, ""),
        (FUNCTION, {}, 64, ""),
        (TABLE, {}, 255, ""),
        ("aws:iam/policy:Policy", {}, 128, ""),
        ("aws:cloudwatch/logGroup:LogGroup", {}, 255, ""),
    ],
)
def test_a_chosen_name_fits_to_the_last_character(
    type_name: str, flag: dict[str, bool], limit: int, ending: str
) -> None:
    provider, inputs = resource_type(type_name), {**ENOUGH[type_name], **flag}
    longest = "n" * (limit - len("-1234567"))

    assert len(provider.check(longest, inputs)["name"]) == limit + len(ending)
    assert provider.check(longest, inputs)["name"].endswith(ending)
    with pytest.raises(SandboxError, match=rf"{limit} are allowed|must match"):
        provider.check(longest + "n", inputs)


def test_a_chosen_name_stays_until_the_resource_is_replaced() -> None:
    provider = resource_type(QUEUE)
    first = provider.check("events", {})

    assert provider.check("events", {"delaySeconds": 1}, first)["name"] == first["name"]
    assert provider.check("events", {"delaySeconds": 1})["name"] != first["name"]
    assert provider.check("events", {}, {"name": "given", DEFAULTED: []})["name"] != "given"


@pytest.mark.parametrize(
    ("type_name", "inputs", "sentence"),
    [
        (QUEUE, {"visibilityTimeoutSeconds": 43201}, "visibilityTimeoutSeconds .* is 43201; it must be 0 to 43200"),
        (QUEUE, {"maxMessageSize": 1048577}, "1024 to 1048576"),
        (QUEUE, {"deduplicationScope": "user"}, "must be one of messageGroup, queue"),
        (QUEUE, {"redrivePolicy": "{"}, "must be JSON"),
        (QUEUE, {"name": "a b"}, "must match"),
        (QUEUE, {"colour": "blue"}, "does not know colour of aws:sqs/queue:Queue"),
        (TABLE, {"billingMode": "FREE"}, "must be one of PROVISIONED"),
        (FUNCTION, {"memorySize": 64}, "128 to 10240"),
        (FUNCTION, {"architectures": ["arm32"]}, "must be one of x86_64, arm64"),
        (FUNCTION, {"role": "bot"}, "must be an ARN"),
        (FUNCTION, {"role": None}, "role of aws:lambda/function:Function is missing"),
        (ROLE, {"description": "d" * 1001}, "length of 0 to 1000"),
        ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 8}, "must be one of 0, 1, 3"),
        (INTEGRATION, {"type": "LAMBDA"}, "must be one of HTTP, AWS"),
    ],
)
def test_what_the_provider_refuses_is_refused_with_a_sentence(
    type_name: str, inputs: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SandboxError, match=sentence):
        check(type_name, **inputs)


def test_a_value_that_is_not_known_yet_is_neither_refused_nor_equal_to_a_known_one() -> None:
    unknown = check(FUNCTION, role=pulumi.runtime.rpc.UNKNOWN)

    assert resource_type(FUNCTION).diff(check(FUNCTION), unknown).changed >= {"role"}


@pytest.mark.parametrize(
    ("type_name", "before", "after", "replaces"),
    [
        (QUEUE, {"fifoQueue": True}, {"fifoQueue": False}, {"fifoQueue"}),
        (TABLE, {}, {"hashKey": "pk"}, {"hashKey"}),
        (TABLE, {}, {"attributes": [{"name": "pk", "type": "S"}]}, set()),
        ("aws:iam/policy:Policy", {"description": "a"}, {"description": "b"}, {"description"}),
        ("aws:apigateway/stage:Stage", {}, {"deployment": "other"}, set()),
        (FUNCTION, {}, {"code": code("pass")}, set()),
        (INTEGRATION, {}, {"type": "AWS_PROXY"}, {"type"}),
        (PARAMETER, {"tier": "Advanced"}, {"tier": "Standard"}, {"tier"}),
        (PARAMETER, {"tier": "Standard"}, {"tier": "Advanced"}, set()),
        ("aws:iam/group:Group", {"name": "before"}, {"name": "after"}, set()),
    ],
)
def test_what_aws_cannot_change_in_place_is_replaced(
    type_name: str, before: dict[str, Any], after: dict[str, Any], replaces: set[str]
) -> None:
    provider = resource_type(type_name)
    old = check(type_name, **before)
    diff = provider.diff(old, provider.check("a", {**ENOUGH[type_name], **before, **after}, old))

    assert diff.changed == after.keys()
    assert diff.replaces == replaces


@pytest.mark.parametrize(
    ("type_name", "before", "after"),
    [
        ("aws:iam/policy:Policy", {"policy": '{"a": 1, "b": 2}'}, {"policy": '{"b":2,"a":1}'}),
        (TABLE, {"ttl": {"attributeName": "e", "enabled": False}}, {}),
        (TABLE, {"attributes": [{"name": "a"}, {"name": "b"}]}, {"attributes": [{"name": "b"}, {"name": "a"}]}),
        (FUNCTION, {"environment": {"variables": {}}}, {}),
        (FUNCTION, {"code": code()}, {"code": code()}),
    ],
)
def test_what_means_the_same_is_no_change(type_name: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    old = check(type_name, **before)

    assert not resource_type(type_name).diff(old, {**check(type_name, **after), "name": old["name"]}).changed


@pytest.mark.parametrize(
    ("type_name", "before", "after", "delete_first"),
    [
        (QUEUE, {"fifoQueue": True}, {}, False),
        (PARAMETER, {"name": "/a", "dataType": "text"}, {"name": "/a"}, True),
        (PARAMETER, {"name": "/a"}, {"name": "/b"}, False),
        (INTEGRATION, {}, {"type": "HTTP"}, True),
    ],
)
def test_the_old_resource_goes_first_if_both_cannot_exist_together(
    type_name: str, before: dict[str, Any], after: dict[str, Any], *, delete_first: bool
) -> None:
    old = check(type_name, **before)
    inputs = resource_type(type_name).check("a", {**ENOUGH[type_name], **after}, old)

    assert resource_type(type_name).diff(old, inputs).delete_first is delete_first
