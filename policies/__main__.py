"""The policy pack: rules for every stack of the bot, checked before Pulumi creates anything.

Run it with `pulumi preview --policy-pack policies`. Each rule is a function of a resource's inputs and yields a message
per violation; two rules look at several resources together.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

Inputs = Mapping[str, Any]
Rule = Callable[[Inputs], Iterable[str]]

DOCUMENTS = {
    "aws:iam/policy:Policy": "policy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:iam/role:Role": "assumeRolePolicy",
    "aws:sqs/queue:Queue": "policy",
    "aws:sqs/queuePolicy:QueuePolicy": "policy",
    "aws:sns/topic:Topic": "policy",
    "aws:sns/topicPolicy:TopicPolicy": "policy",
    "aws:apigateway/restApi:RestApi": "policy",
}
"""Resource type → the input that holds a policy document."""
FUNCTION, MAPPING = "aws:lambda/function:Function", "aws:lambda/eventSourceMapping:EventSourceMapping"
ALIAS = "aws:lambda/alias:Alias"
PERMISSION, QUEUE = "aws:lambda/permission:Permission", "aws:sqs/queue:Queue"
LOG_GROUP, PARAMETER = "aws:cloudwatch/logGroup:LogGroup", "aws:ssm/parameter:Parameter"
REST_API = "aws:apigateway/restApi:RestApi"
METHOD_SETTINGS = "aws:apigateway/methodSettings:MethodSettings"
TAGGED = {
    FUNCTION,
    MAPPING,
    QUEUE,
    LOG_GROUP,
    PARAMETER,
    REST_API,
    "aws:apigateway/stage:Stage",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:dynamodb/table:Table",
    "aws:iam/policy:Policy",
    "aws:iam/role:Role",
    "aws:sns/topic:Topic",
}
TAGS = ("project", "stack")
SECRET_NAME = re.compile(r"secret|token|password|passwd|credential|private_?key|api_?key", re.IGNORECASE)
NO_SECRET_NAME = re.compile(r"_(PATH|ARN|NAME|URL|PREFIX)$")
SECRET_VALUE = re.compile(r"^EAA[A-Za-z0-9]{20,}|^(AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN|^[0-9a-f]{32}$")
VISIBILITY_PER_TIMEOUT = 6  # Lambda Developer Guide, "Using Lambda with Amazon SQS"


def public_principals(document: str) -> Iterator[str]:
    """A message for each statement of a policy document that lets everybody in."""
    for statement in json.loads(document)["Statement"]:
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal")
        named = principal.values() if isinstance(principal, Mapping) else [principal]
        every = [each for value in named for each in (value if isinstance(value, list) else [value])]
        if "NotPrincipal" in statement or any(isinstance(each, str) and "*" in each for each in every):
            yield f"It lets everybody in ({json.dumps(statement.get('Principal'))}): name the service or the account."


def wildcard_actions(document: str) -> Iterator[str]:
    """A message for each action with a wildcard that a policy document allows."""
    for statement in json.loads(document)["Statement"]:
        actions = statement.get("Action", [])
        for action in [actions] if isinstance(actions, str) else actions:
            if statement.get("Effect") == "Allow" and "*" in action:
                yield f"It allows {action}: name each action that is needed."


def permission_for_all(inputs: Inputs) -> Iterator[str]:
    """A permission to call a function names the service and the resource that may call."""
    if "*" in str(inputs.get("principal", "*")):
        yield "Everybody may call the function: name the service in principal."
    elif not inputs.get("sourceArn") and str(inputs["principal"]).endswith(".amazonaws.com"):
        yield "This service may call the function for any account: name the ARN of the caller in sourceArn."


def plain_secrets(inputs: Inputs) -> Iterator[str]:
    """No environment variable holds a secret: everybody who may look at the function can read them."""
    variables = (inputs.get("environment") or {}).get("variables") or {}
    for name, value in variables.items():
        looks_secret = bool(SECRET_NAME.search(name)) and not NO_SECRET_NAME.search(name)
        if looks_secret or SECRET_VALUE.search(str(value)):
            yield f"The environment variable {name} seems to hold a secret: keep it in a SecureString parameter."


def log_retention(inputs: Inputs) -> Iterator[str]:
    """No log is kept for ever."""
    if not inputs.get("retentionInDays"):
        yield "Its lines are kept for ever: set retentionInDays."


def queue_encryption(inputs: Inputs) -> Iterator[str]:
    """A queue's messages are encrypted: they hold what people wrote."""
    if not inputs.get("sqsManagedSseEnabled") and not inputs.get("kmsMasterKeyId"):
        yield "Its messages are unencrypted: set sqsManagedSseEnabled, or a key in kmsMasterKeyId."


def parameter_encryption(inputs: Inputs) -> Iterator[str]:
    """Parameters are encrypted: they are secrets here."""
    if inputs.get("type") != "SecureString":
        yield "Its value is unencrypted: set its type to SecureString."


def throttling(inputs: Inputs) -> Iterator[str]:
    """An API has its own limits; otherwise a stranger can use up those of the account."""
    settings = inputs.get("settings") or {}
    for limit in ("throttlingRateLimit", "throttlingBurstLimit"):
        if not settings.get(limit, 0) > 0:
            yield f"It does not have its own limit: set {limit}."


def data_tracing(inputs: Inputs) -> Iterator[str]:
    """An API's log holds neither bodies nor the verify token."""
    settings = inputs.get("settings") or {}
    if settings.get("dataTraceEnabled") or settings.get("loggingLevel", "OFF") == "INFO":
        yield "Its log would hold whole messages and the verify token: set dataTraceEnabled off and loggingLevel OFF."


def modern_tls(inputs: Inputs) -> Iterator[str]:
    """An API refuses TLS 1.0; without a policy, a regional one accepts it."""
    if inputs.get("securityPolicy", "TLS_1_0") == "TLS_1_0":
        yield "It accepts TLS 1.0: set securityPolicy and endpointAccessMode."


def tags(inputs: Inputs) -> Iterator[str]:
    """Resources are tagged with project and stack."""
    if missing := [tag for tag in TAGS if not (inputs.get("tags") or {}).get(tag)]:
        yield f"It lacks the tags {', '.join(missing)}: call tag_everything before creating it."


def dead_letters(mapping: PolicyResource) -> Iterator[str]:
    """A queue that a function reads has a dead-letter queue."""
    for queue in _needed(mapping, QUEUE):
        if not queue.props.get("redrivePolicy"):
            yield f"The queue {queue.name} has no dead-letter queue: set its redrivePolicy."


def visibility(mapping: PolicyResource) -> Iterator[str]:
    """A message stays invisible for as long as a function, with its retries, can work on it."""
    for queue in _needed(mapping, QUEUE):
        for function in _needed(mapping, FUNCTION):
            seconds = queue.props.get("visibilityTimeoutSeconds", 30)
            least = function.props.get("timeout", 3) * VISIBILITY_PER_TIMEOUT
            if seconds < least:
                yield (
                    f"Messages of {queue.name} are visible again after {seconds:.0f} s, when {function.name} may "
                    f"still work on them: set visibilityTimeoutSeconds to {least:.0f} or more."
                )


def _needed(mapping: PolicyResource, resource_type: str) -> Iterator[PolicyResource]:
    """What the mapping depends on, also where the function is behind its alias."""
    for each in (mapping, *(each for each in mapping.dependencies if each.resource_type == ALIAS)):
        yield from (needed for needed in each.dependencies if needed.resource_type == resource_type)


def resources(name: str, description: str, types: Iterable[str], rule: Rule) -> Policy:
    """A policy that applies a rule to each resource of some types."""
    checked = frozenset(types)

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type in checked:
            for message in rule(args.props):
                report(f"{args.name}: {message}", args.urn)

    return ResourceValidationPolicy(name, description, validate, EnforcementLevel.MANDATORY)


def documents(name: str, description: str, rule: Callable[[str], Iterable[str]]) -> Policy:
    """A policy that applies a rule to each policy document."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        document = args.props.get(DOCUMENTS.get(args.resource_type, ""))
        for message in rule(document) if document else ():
            report(f"{args.name}: {message}", args.urn)

    return ResourceValidationPolicy(name, description, validate, EnforcementLevel.MANDATORY)


def consumers(name: str, description: str, rule: Callable[[PolicyResource], Iterable[str]]) -> Policy:
    """A policy that applies a rule to each event source mapping and what it depends on."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for each in args.resources:
            if each.resource_type == MAPPING:
                for message in rule(each):
                    report(message, each.urn)

    return StackValidationPolicy(name, description, validate, EnforcementLevel.MANDATORY)


POLICIES = [
    documents("no-public-principal", "Nothing is open to everybody.", public_principals),
    documents("no-wildcard-action", "Each permission is named.", wildcard_actions),
    resources("no-open-function", "Only a named API calls the function.", {PERMISSION}, permission_for_all),
    resources("no-plain-secret", "No secret is an environment variable.", {FUNCTION}, plain_secrets),
    resources("log-retention", "Logs have a retention.", {LOG_GROUP}, log_retention),
    resources("queue-encryption", "Queues are encrypted.", {QUEUE}, queue_encryption),
    resources("parameter-encryption", "Parameters are encrypted.", {PARAMETER}, parameter_encryption),
    resources("throttling", "APIs are throttled.", {METHOD_SETTINGS}, throttling),
    resources("no-data-tracing", "APIs log no data.", {METHOD_SETTINGS}, data_tracing),
    resources("tls", "APIs refuse old TLS.", {REST_API}, modern_tls),
    resources("tags", "Everything is tagged with project and stack.", TAGGED, tags),
    consumers("dead-letter-queue", "Messages that cannot be handled are kept.", dead_letters),
    consumers("visibility-timeout", "No message is handled twice at once.", visibility),
]

if __name__ == "__main__":
    PolicyPack(name="innolab-fbm", enforcement_level=EnforcementLevel.MANDATORY, policies=POLICIES)
