"""The policy pack: each rule refuses a bad resource and accepts a good one, and every stack passes."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi_policy
import pytest
from pulumi_policy import (
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.__main__ import POLICIES
from tests.harness import Graph, run_main

OPTIONS: Any = PolicyResourceOptions.__new__(PolicyResourceOptions)  # no rule looks at them
TAGS = {"project": "p", "stack": "s"}
FUNCTION, QUEUE = "aws:lambda/function:Function", "aws:sqs/queue:Queue"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
SETTINGS = "aws:apigateway/methodSettings:MethodSettings"
LIMITS = {"throttlingRateLimit": 10, "throttlingBurstLimit": 20}
REDRIVE = json.dumps({"deadLetterTargetArn": "arn", "maxReceiveCount": 5})


def document(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def variables(**values: str) -> dict[str, Any]:
    return {"environment": {"variables": values}}


# Policy, type, good inputs, bad inputs, a word of the message.
EXAMPLES: list[tuple[str, str, Mapping[str, Any], Mapping[str, Any], str]] = [
    (
        "no-public-principal",
        "aws:iam/role:Role",
        {"assumeRolePolicy": document(Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole")},
        {"assumeRolePolicy": document(Principal={"AWS": "*"}, Action="sts:AssumeRole")},
        "everybody",
    ),
    (
        "no-public-principal",
        QUEUE,
        {"policy": document(Principal={"Service": ["sns.amazonaws.com"]})},
        {"policy": document(Principal="*", Action="sqs:SendMessage")},
        "everybody",
    ),
    (
        "no-public-principal",
        "aws:sns/topicPolicy:TopicPolicy",
        {"policy": document(Principal={"AWS": ["1"]})},
        {"policy": document(NotPrincipal={"AWS": "1"}, Action="sns:Publish")},
        "everybody",
    ),
    (
        "no-wildcard-action",
        "aws:iam/rolePolicy:RolePolicy",
        {"policy": document(Action=["sqs:SendMessage"])},
        {"policy": document(Action=["sqs:*"])},
        "sqs:*",
    ),
    (
        "no-open-function",
        "aws:lambda/permission:Permission",
        {"principal": "apigateway.amazonaws.com", "sourceArn": "arn:aws:execute-api:::a/*/GET/b"},
        {"principal": "*", "sourceArn": "arn"},
        "principal",
    ),
    (
        "no-open-function",
        "aws:lambda/permission:Permission",
        {"principal": "111122223333"},
        {"principal": "apigateway.amazonaws.com"},
        "sourceArn",
    ),
    ("no-plain-secret", FUNCTION, variables(SECRETS_PATH="/a"), variables(APP_SECRET="hunter2"), "APP_SECRET"),
    ("no-plain-secret", FUNCTION, variables(PAGE_ID="1" * 15), variables(PAGE="EAA" + "a1" * 20), "PAGE"),
    ("no-plain-secret", FUNCTION, {}, variables(APP="0123456789abcdef" * 2), "SecureString"),
    (
        "log-retention",
        "aws:cloudwatch/logGroup:LogGroup",
        {"retentionInDays": 30.0},
        {"retentionInDays": 0.0},
        "for ever",
    ),
    ("queue-encryption", QUEUE, {"sqsManagedSseEnabled": True}, {"sqsManagedSseEnabled": False}, "unencrypted"),
    ("queue-encryption", QUEUE, {"kmsMasterKeyId": "k"}, {}, "unencrypted"),
    (
        "parameter-encryption",
        "aws:ssm/parameter:Parameter",
        {"type": "SecureString"},
        {"type": "String"},
        "SecureString",
    ),
    ("throttling", SETTINGS, {"settings": LIMITS}, {"settings": {**LIMITS, "throttlingRateLimit": 0}}, "RateLimit"),
    (
        "no-data-tracing",
        SETTINGS,
        {"settings": {"dataTraceEnabled": False, "loggingLevel": "ERROR"}},
        {"settings": {"dataTraceEnabled": True}},
        "verify token",
    ),
    ("no-data-tracing", SETTINGS, {"settings": {}}, {"settings": {"loggingLevel": "INFO"}}, "OFF"),
    ("tls", "aws:apigateway/restApi:RestApi", {"securityPolicy": "TLS_1_2"}, {}, "TLS 1.0"),
    ("tags", FUNCTION, {"tags": TAGS}, {"tags": {"project": "p"}}, "tags stack"),
]


def named(name: str) -> pulumi_policy.Policy:
    (found,) = [each for each in POLICIES if each.name == name]
    return found


def violations(policy: pulumi_policy.Policy, resources: list[PolicyResource]) -> list[str]:
    """What a policy reports about some resources, called as the engine calls it."""
    found: list[str] = []

    def report(message: str, urn: str | None = None) -> None:
        assert urn
        found.append(message)

    if isinstance(policy, StackValidationPolicy):
        policy.validate(StackValidationArgs(resources), report)
    elif isinstance(policy, ResourceValidationPolicy):
        (validate,) = policy.validate if isinstance(policy.validate, list) else [policy.validate]
        for each in resources:
            validate(ResourceValidationArgs(each.resource_type, each.props, each.urn, each.name, OPTIONS, None), report)
    return found


def resource(
    type_: str, props: Mapping[str, Any], name: str = "one", needs: list[PolicyResource] | None = None
) -> PolicyResource:
    return PolicyResource(type_, props, f"urn:{name}", name, OPTIONS, None, None, needs or [], {})


def consumer(queue: Mapping[str, Any], function: Mapping[str, Any]) -> list[PolicyResource]:
    needs = [resource(QUEUE, queue, "events"), resource(FUNCTION, function, "bot")]
    return [*needs, resource(MAPPING, {}, "consumer", needs)]


@pytest.mark.parametrize(("policy", "type_", "good", "bad", "word"), EXAMPLES)
def test_a_rule_refuses_a_bad_resource_and_accepts_a_good_one(
    policy: str, type_: str, good: Mapping[str, Any], bad: Mapping[str, Any], word: str
) -> None:
    assert violations(named(policy), [resource(type_, good)]) == []
    (message,) = violations(named(policy), [resource(type_, bad)])
    assert word in message
    assert message.startswith("one: ")


def test_a_queue_that_is_read_needs_a_dead_letter_queue() -> None:
    assert violations(named("dead-letter-queue"), consumer({"redrivePolicy": REDRIVE}, {})) == []
    assert violations(named("dead-letter-queue"), consumer({}, {})) == [
        "The queue events has no dead-letter queue: set its redrivePolicy."
    ]


def test_a_message_stays_invisible_for_six_timeouts() -> None:
    rule = named("visibility-timeout")

    assert violations(rule, consumer({"visibilityTimeoutSeconds": 180.0}, {"timeout": 30.0})) == []
    (message,) = violations(rule, consumer({"visibilityTimeoutSeconds": 179.0}, {"timeout": 30.0}))
    assert message.endswith("set visibilityTimeoutSeconds to 180 or more.")
    assert len(violations(rule, consumer({}, {"timeout": 6.0}))) == 1  # both have AWS's defaults


def test_every_policy_has_an_example() -> None:
    examples = {policy for policy, *_ in EXAMPLES} | {"dead-letter-queue", "visibility-timeout"}

    assert {each.name for each in POLICIES} == examples


def resources_of(graph: Graph) -> list[PolicyResource]:
    """A recorded graph as the engine passes it to a stack's policies."""
    made = {each.urn: resource(each.type, each.inputs, each.name) for each in graph.resources.values()}
    for each in graph.resources.values():
        made[each.urn].dependencies.extend(made[urn] for urn in each.dependencies if urn in made)
    return list(made.values())


@pytest.mark.parametrize("policy", [each.name for each in POLICIES])
def test_every_stack_passes(policy: str, graph: Graph) -> None:
    resources = resources_of(graph)

    assert violations(named(policy), resources) == []


def test_a_stack_with_everything_passes_all_policies() -> None:
    graph = run_main("prod", {"alarmEmail": "a@b.org", "apiAccessLog": True, "manageApiGatewayAccount": True})

    assert [message for each in POLICIES for message in violations(each, resources_of(graph))] == []


def test_the_rules_about_consumers_see_queue_and_function_of_a_stack(graph: Graph) -> None:
    """Otherwise they would pass for any stack."""
    resources = resources_of(graph)
    for each in resources:
        each.props = {**each.props, "redrivePolicy": "", "visibilityTimeoutSeconds": 1}

    assert [len(violations(named(rule), resources)) for rule in ("dead-letter-queue", "visibility-timeout")] == [1, 1]
