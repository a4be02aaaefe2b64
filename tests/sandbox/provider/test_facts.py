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
from tests.sandbox.provider.samples import SAMPLES, TRUST, code, policy

QUEUE, TABLE, POLICY = "aws:sqs/queue:Queue", "aws:dynamodb/table:Table", "aws:iam/policy:Policy"
ROLE, FUNCTION, PARAMETER = "aws:iam/role:Role", "aws:lambda/function:Function", "aws:ssm/parameter:Parameter"
INTEGRATION = "aws:apigateway/integration:Integration"
ENOUGH: dict[str, dict[str, Any]] = {
    QUEUE: {},
    ROLE: {"assumeRolePolicy": TRUST},
    TABLE: {"hashKey": "id", "attributes": [{"name": "id", "type": "S"}]},
    PARAMETER: {"type": "String", "value": "x"},
    FUNCTION: {"role": "arn:aws:iam::1:role/r", "runtime": "python3.13", "handler": "a.b", "code": code()},
    INTEGRATION: {"restApi": "a", "resourceId": "r", "httpMethod": "POST", "type": "MOCK"},
    POLICY: {"policy": policy("sqs:SendMessage")},
}
"""The least that each type needs."""


def check(type_name: str, **inputs: object) -> dict[str, Any]:
    return resource_type(type_name).check("a", {**ENOUGH[type_name], **inputs})


def sdk_arguments(type_name: str) -> set[str]:
    """The arguments of a type in Pulumi's Python SDK."""
    service, _, name = type_name.removeprefix("aws:").partition("/")
    module = importlib.import_module(f"pulumi_aws.{service.replace('lambda', 'lambda_')}")
    return set(input_type_py_to_pulumi_names(getattr(module, f"{name.partition(':')[2]}Args")).values())


def test_every_class_has_its_facts_with_sources_and_a_sample() -> None:
    types = json.loads(FACTS.read_text(encoding="utf-8"))["types"]

    assert types.keys() == TYPES.keys() == SAMPLES.keys()
    assert all(each["sources"] for each in types.values())


@pytest.mark.parametrize("type_name", TYPES)
def test_every_argument_of_the_facts_is_one_of_pulumis(type_name: str) -> None:
    arguments = {each.partition(".")[0] for each in TYPES[type_name].facts.arguments}

    assert arguments - sdk_arguments(type_name) == set()


def test_the_providers_defaults_are_sent() -> None:
    checked = check(TABLE)

    assert (checked["billingMode"], checked["tableClass"]) == ("PROVISIONED", "STANDARD")
    assert checked[DEFAULTED] == ["billingMode", "name", "tableClass"]


def test_defaults_within_a_block_are_sent_only_with_the_block() -> None:
    settings = {"restApi": "a", "stageName": "s", "methodPath": "*/*", "settings": {"metricsEnabled": True}}
    checked = resource_type("aws:apigateway/methodSettings:MethodSettings").check("a", settings)

    assert checked["settings"]["throttlingRateLimit"] == -1
    assert "ttl" not in check(TABLE)


@pytest.mark.parametrize(
    ("type_name", "flag", "limit", "ending"),
    [(QUEUE, {}, 80, ""), (QUEUE, {"fifoQueue": True}, 75, ".fifo"), (ROLE, {}, 64, "")],
)
def test_a_chosen_name_fits_to_the_last_character(
    type_name: str, flag: dict[str, bool], limit: int, ending: str
) -> None:
    longest = "n" * (limit - len("-1234567"))
    provider, inputs = resource_type(type_name), {**ENOUGH[type_name], **flag}

    name = provider.check(longest, inputs)["name"]
    assert (len(name), name.endswith(ending)) == (limit + len(ending), True)
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
        (QUEUE, {"deduplicationScope": "user"}, "must be one of messageGroup, queue"),
        (QUEUE, {"redrivePolicy": "{"}, "must be JSON"),
        (QUEUE, {"name": "a b"}, "must match"),
        (QUEUE, {"colour": "blue"}, "does not know colour of aws:sqs/queue:Queue"),
        (FUNCTION, {"architectures": ["arm32"]}, "must be one of x86_64, arm64"),
        (FUNCTION, {"role": "bot"}, "must be an ARN"),
        (FUNCTION, {"role": None}, "role of aws:lambda/function:Function is missing"),
        (ROLE, {"description": "d" * 1001}, "length of 0 to 1000"),
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
    ("type_name", "before", "after", "replaces", "delete_first"),
    [
        (QUEUE, {"fifoQueue": True}, {"fifoQueue": False}, True, False),
        (TABLE, {}, {"attributes": [{"name": "pk", "type": "S"}]}, False, False),
        (POLICY, {"description": "a"}, {"description": "b"}, True, False),
        (INTEGRATION, {}, {"type": "AWS_PROXY"}, True, True),
        (PARAMETER, {"tier": "Advanced"}, {"tier": "Standard"}, True, False),
        (PARAMETER, {"tier": "Standard"}, {"tier": "Advanced"}, False, False),
        (PARAMETER, {"name": "/a", "dataType": "text"}, {"dataType": "aws:ec2:image"}, True, True),
        (PARAMETER, {"name": "/a"}, {"name": "/b"}, True, False),
    ],
)
def test_what_aws_cannot_change_in_place_is_replaced_and_goes_first_if_both_cannot_exist_together(
    type_name: str, before: dict[str, Any], after: dict[str, Any], *, replaces: bool, delete_first: bool
) -> None:
    provider = resource_type(type_name)
    old = check(type_name, **before)
    diff = provider.diff(old, provider.check("a", {**ENOUGH[type_name], **before, **after}, old))

    assert diff.changed == after.keys()
    assert diff.replaces == (after.keys() if replaces else set())
    assert diff.delete_first is delete_first


@pytest.mark.parametrize(
    ("type_name", "before", "after"),
    [
        (POLICY, {"policy": '{"a": 1, "b": 2}'}, {"policy": '{"b":2,"a":1}'}),
        (TABLE, {"ttl": {"attributeName": "e", "enabled": False}}, {}),
        (TABLE, {"attributes": [{"name": "a"}, {"name": "b"}]}, {"attributes": [{"name": "b"}, {"name": "a"}]}),
        (FUNCTION, {"environment": {"variables": {}}}, {}),
        (FUNCTION, {"code": code()}, {"code": code()}),
    ],
)
def test_what_means_the_same_is_no_change(type_name: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    old = check(type_name, **before)

    assert not resource_type(type_name).diff(old, {**check(type_name, **after), "name": old["name"]}).changed
