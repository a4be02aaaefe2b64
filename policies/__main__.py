"""The policy pack: what every stack of the bot has to keep, checked before anything is made.

`pulumi preview --policy-pack policies`. Each rule is a function of a resource's inputs that yields a message for each
breach; two rules are about resources together.
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
PERMISSION, QUEUE = "aws:lambda/permission:Permission", "aws:sqs/queue:Queue"
LOG_GROUP, PARAMETER = "aws:cloudwatch/logGroup:LogGroup", "aws:ssm/parameter:Parameter"
METHOD_SETTINGS = "aws:apigateway/methodSettings:MethodSettings"
TAGGED = {
    FUNCTION, MAPPING, QUEUE, LOG_GROUP, PARAMETER, "aws:apigateway/restApi:RestApi", "aws:apigateway/stage:Stage",
    "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:dynamodb/table:Table", "aws:iam/policy:Policy", "aws:iam/role:Role",
    "aws:sns/topic:Topic",
}  # fmt: skip
TAGS = ("project", "stack")
SECRET_NAME = re.compile(r"secret|token|password|passwd|credential|private_?key|api_?key", re.IGNORECASE)
NO_SECRET_NAME = re.compile(r"_(PATH|ARN|NAME|URL|PREFIX)$")
SECRET_VALUE = re.compile(r"^EAA[A-Za-z0-9]{20,}|^(AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN|^[0-9a-f]{32}$")
VISIBILITY_PER_TIMEOUT = 6  # Lambda Developer Guide, "Using Lambda with Amazon SQS"


def public_principals(document: str) -> Iterator[str]:
    """A message for each statement of a policy document that lets just anybody in."""
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
    """A function's permission names a service, and what of it may call."""
    if "*" in str(inputs.get("principal", "*")):
        yield "Everybody may call the function: name the service in principal."
    elif not inputs.get("sourceArn") and str(inputs["principal"]).endswith(".amazonaws.com"):
        yield "Anything of this service, of any account, may call the function: name its ARN in sourceArn."


def plain_secrets(inputs: Inputs) -> Iterator[str]:
    """No environment variable holds a secret: anybody who may look at the function reads them."""
    variables = (inputs.get("environment") or {}).get("variables") or {}
    for name, value in variables.items():
        looks_secret = bool(SECRET_NAME.search(name)) and not NO_SECRET_NAME.search(name)
        if looks_secret or SECRET_VALUE.search(str(value)):
            yield f"The environment variable {name} seems to hold a secret: keep it in a SecureString parameter."


def log_retention(inputs: Inputs) -> Iterator[str]:
    """Logs are not kept for ever."""
    if not inputs.get("retentionInDays"):
        yield "It keeps its lines for ever: set retentionInDays."


def queue_encryption(inputs: Inputs) -> Iterator[str]:
    """A queue's messages, people's words among them, lie encrypted."""
    if not inputs.get("sqsManagedSseEnabled") and not inputs.get("kmsMasterKeyId"):
        yield "Its messages lie unencrypted: set sqsManagedSseEnabled, or a key in kmsMasterKeyId."


def parameter_encryption(inputs: Inputs) -> Iterator[str]:
    """A parameter is a secret here, so it lies encrypted."""
    if inputs.get("type") != "SecureString":
        yield "Its value lies unencrypted: make its type SecureString."


def throttling(inputs: Inputs) -> Iterator[str]:
    """An API has limits of its own; without, a stranger uses up the account's."""
    settings = inputs.get("settings") or {}
    for limit in ("throttlingRateLimit", "throttlingBurstLimit"):
        if not settings.get(limit, 0) > 0:
            yield f"It has no limit of its own: set {limit}."


def data_tracing(inputs: Inputs) -> Iterator[str]:
    """An API's log holds neither bodies nor the verify token."""
    settings = inputs.get("settings") or {}
    if settings.get("dataTraceEnabled") or settings.get("loggingLevel", "OFF") == "INFO":
        yield "Its log would hold whole messages and the verify token: set dataTraceEnabled off and loggingLevel OFF."


def tags(inputs: Inputs) -> Iterator[str]:
    """What takes tags says whose it is."""
    if missing := [tag for tag in TAGS if not (inputs.get("tags") or {}).get(tag)]:
        yield f"It lacks the tags {', '.join(missing)}: hand the stack's tags in."


def dead_letters(mapping: PolicyResource) -> Iterator[str]:
    """A queue that a function reads has a dead-letter queue."""
    for queue in _needed(mapping, QUEUE):
        if not queue.props.get("redrivePolicy"):
            yield f"The queue {queue.name} has no dead-letter queue: set its redrivePolicy."


def visibility(mapping: PolicyResource) -> Iterator[str]:
    """A message stays invisible for as long as a function can be busy with it, and its retries."""
    for queue in _needed(mapping, QUEUE):
        for function in _needed(mapping, FUNCTION):
            seconds = queue.props.get("visibilityTimeoutSeconds", 30)
            least = function.props.get("timeout", 3) * VISIBILITY_PER_TIMEOUT
            if seconds < least:
                yield (
                    f"Messages of {queue.name} come again after {seconds:.0f} s, and {function.name} may still be at "
                    f"them: set visibilityTimeoutSeconds to {least:.0f} or more."
                )


def _needed(mapping: PolicyResource, resource_type: str) -> Iterator[PolicyResource]:
    return (each for each in mapping.dependencies if each.resource_type == resource_type)


def about(name: str, description: str, types: Iterable[str], rule: Rule) -> Policy:
    """A policy of the pack that asks a rule of each resource of some types."""
    asked = frozenset(types)

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type in asked:
            for message in rule(args.props):
                report(f"{args.name}: {message}", args.urn)

    return ResourceValidationPolicy(name, description, validate, EnforcementLevel.MANDATORY)


def documents(name: str, description: str, rule: Callable[[str], Iterable[str]]) -> Policy:
    """A policy of the pack that asks a rule of each policy document."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        document = args.props.get(DOCUMENTS.get(args.resource_type, ""))
        for message in rule(document) if document else ():
            report(f"{args.name}: {message}", args.urn)

    return ResourceValidationPolicy(name, description, validate, EnforcementLevel.MANDATORY)


def of_consumers(name: str, description: str, rule: Callable[[PolicyResource], Iterable[str]]) -> Policy:
    """A policy of the pack that asks a rule of each event source mapping and what it needs."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for each in args.resources:
            if each.resource_type == MAPPING:
                for message in rule(each):
                    report(message, each.urn)

    return StackValidationPolicy(name, description, validate, EnforcementLevel.MANDATORY)


POLICIES = [
    documents("no-public-principal", "Nothing is open to everybody.", public_principals),
    documents("no-wildcard-action", "Rights are named one by one.", wildcard_actions),
    about("no-open-function", "Only a named API calls the function.", {PERMISSION}, permission_for_all),
    about("no-plain-secret", "No secret is an environment variable.", {FUNCTION}, plain_secrets),
    about("log-retention", "Logs end.", {LOG_GROUP}, log_retention),
    about("queue-encryption", "Queues are encrypted.", {QUEUE}, queue_encryption),
    about("parameter-encryption", "Parameters are encrypted.", {PARAMETER}, parameter_encryption),
    about("throttling", "APIs are throttled.", {METHOD_SETTINGS}, throttling),
    about("no-data-tracing", "APIs log no data.", {METHOD_SETTINGS}, data_tracing),
    about("tags", "Everything says whose it is.", TAGGED, tags),
    of_consumers("dead-letter-queue", "What cannot be handled is kept.", dead_letters),
    of_consumers("visibility-timeout", "No message is handled twice at once.", visibility),
]

if __name__ == "__main__":
    PolicyPack(name="innolab-fbm", enforcement_level=EnforcementLevel.MANDATORY, policies=POLICIES)
