"""The steps that need scoped rights: besides the others, what is done with functions, APIs and roles."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pulumi

from components.policy import trust
from sandbox.provider.catalog import resource_type
from sandbox.provider.resource import Existing
from tools.rights.steps import MEMBER_STEPS, OTHER_TAGS, TAGS, Kind, Step, life, permitted
from tools.rights.trial import PREFIX, Trial

LIST_QUEUES = {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}
Inputs = dict[str, Any]


def _code(text: str) -> pulumi.AssetArchive:
    return pulumi.AssetArchive({"a.py": pulumi.StringAsset(text)})


def _document(statement: dict[str, str]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _made(trial: Trial, type_name: str, inputs: Inputs) -> Existing:
    """A resource that the owner makes, for a step to work on."""
    provider = resource_type(type_name)
    return provider.create(trial.owner, provider.check(f"{PREFIX}rights-{secrets.token_hex(4)}", inputs))


def _deployed(trial: Trial, name: str) -> dict[str, Any]:
    return next(each for each in trial.sandbox.resources if each["name"] == f"{PREFIX}{name}" and "id" in each)


def _role(trial: Trial) -> Inputs:
    return {"assumeRolePolicy": trust("lambda.amazonaws.com"), "permissionsBoundary": trial.boundary, "tags": TAGS}


def _role_policy(trial: Trial) -> Inputs:
    return {"role": _made(trial, "aws:iam/role:Role", _role(trial)).id, "policy": _document(LIST_QUEUES)}


def _function(trial: Trial) -> Inputs:
    role = trial.owner.client("iam").get_role(RoleName=trial.sandbox.outputs["roleName"])["Role"]["Arn"]
    code = {"code": _code("one"), "handler": "a.b", "runtime": "python3.13", "publish": True}
    return {**code, "role": role, "tags": TAGS}


def _alias(trial: Trial) -> Inputs:
    function = _made(trial, "aws:lambda/function:Function", _function(trial)).id
    return {"name": "live", "functionName": function, "functionVersion": "1"}


def _mapping(trial: Trial) -> Inputs:
    """Switched off: otherwise it would take the bot's events."""
    # The queue of a trial hides a message for one second, and a function may not run longer than that.
    function = _made(trial, "aws:lambda/function:Function", {**_function(trial), "timeout": 1}).id
    queue = _deployed(trial, "consumer-mapping")["inputs"]["eventSourceArn"]
    return {"functionName": function, "eventSourceArn": queue, "enabled": False, "batchSize": 10, "tags": TAGS}


def _permission(trial: Trial) -> Inputs:
    inputs: Inputs = _deployed(trial, "webhook-get-permission")["inputs"]
    return inputs


def _api_resource(trial: Trial) -> Inputs:
    return {**_deployed(trial, "webhook-webhook")["inputs"], "pathPart": secrets.token_hex(4)}


def _method(trial: Trial) -> Inputs:
    resource = _made(trial, "aws:apigateway/resource:Resource", _api_resource(trial))
    api = resource.inputs["restApi"]
    return {"restApi": api, "resourceId": resource.id, "httpMethod": "GET", "authorization": "NONE"}


KINDS = (
    Kind("a role", "aws:iam/role:Role", _role, {"tags": OTHER_TAGS}),
    Kind(
        "a role's policy",
        "aws:iam/rolePolicy:RolePolicy",
        _role_policy,
        {"policy": _document({**LIST_QUEUES, "Action": "sqs:GetQueueUrl"})},
    ),
    Kind(
        "a function",
        "aws:lambda/function:Function",
        _function,
        {"memorySize": 256, "code": _code("two"), "tags": OTHER_TAGS},
    ),
    Kind("a function's alias", "aws:lambda/alias:Alias", _alias, {"description": "another"}),
    Kind("an event source mapping", "aws:lambda/eventSourceMapping:EventSourceMapping", _mapping, {"batchSize": 5}),
    Kind("a function's permission", "aws:lambda/permission:Permission", _permission, {}),
    Kind("an API", "aws:apigateway/restApi:RestApi", lambda _: {"tags": TAGS}, {"description": "another"}),
    Kind("an API's resource", "aws:apigateway/resource:Resource", _api_resource, {"pathPart": "another"}),
    Kind("an API's method", "aws:apigateway/method:Method", _method, {"apiKeyRequired": True}),
)


def _read_everything(trial: Trial) -> None:
    for entry in trial.sandbox.resources:
        if entry["type"].startswith("aws:"):
            kind, existing = resource_type(entry["type"]), Existing(entry["id"], entry["inputs"])
            permitted(partial(kind.read, trial.account, existing))


def _look_at_numbers(trial: Trial) -> None:
    cloudwatch, now = trial.account.client("cloudwatch"), datetime.now(UTC)
    metric = {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Invocations"}, "Period": 60, "Stat": "Sum"}
    queries = [{"Id": "a", "MetricStat": metric}]
    permitted(
        lambda: cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=now - timedelta(hours=1), EndTime=now)
    )


SERVICES = frozenset(
    {"apigateway", "cloudwatch", "dynamodb", "iam", "lambda", "logs", "scheduler", "sns", "sqs", "ssm"}
)
SCOPED_STEPS = (
    *MEMBER_STEPS,
    # A function is given a role, which needs a permission of IAM.
    *(step._replace(services=step.services | {"iam"}) for kind in KINDS for step in life(kind)),
    Step("look at the dashboard's numbers (`ops status`)", frozenset({"cloudwatch"}), _look_at_numbers),
    Step("read the whole stack (`pulumi refresh`)", SERVICES, _read_everything),
)
