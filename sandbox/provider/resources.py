"""One maker a resource type: what the provider does with the program's inputs, done with boto3 on the emulated AWS.

A maker takes the cloud and a request (logical name, inputs in the provider's camelCase) and returns what the program
may read of the resource. To support another type, write another maker, and a row in ``sandbox.provider.changes``
for how it is changed and deleted; nothing else knows types.
"""

import io
import json
import secrets
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import ACCOUNT
from sandbox.errors import Refused, SandboxError
from sandbox.provider import refusals

Inputs = Mapping[str, Any]
FUNCTION_READY_SECONDS = 30


@dataclass
class Account:
    """The AWS account that is deployed to, as one principal sees it.

    Attributes:
        url: where it answers.
        region: its region.
        client: the deploying principal's clients.
        owner: the account owner's clients: for what AWS itself looks up.
        unchecked: what is to be checked once everything is made, in order.
    """

    url: str
    region: str
    client: Clients
    owner: Clients
    unchecked: list[Callable[[], None]] = field(default_factory=list)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a regional resource of this account."""
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{resource}"


@dataclass(frozen=True)
class Made:
    """A resource that exists now: its provider id, and what the program may read beside its inputs."""

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)


Maker = Callable[[Account, str, Inputs], Made]
MAKERS: dict[str, Maker] = {}


def makes(resource_type: str) -> Callable[[Maker], Maker]:
    """Enter a maker into the table under its resource type."""

    def enter(maker: Maker) -> Maker:
        MAKERS[resource_type] = maker
        return maker

    return enter


def make(account: Account, resource_type: str, name: str, inputs: Inputs) -> Made:
    """Make one resource.

    Args:
        account: where.
        resource_type: the provider's token, as ``aws:sqs/queue:Queue``.
        name: the logical name.
        inputs: in the provider's camelCase; numbers that are whole are ``int``; no secret is wrapped.

    Raises:
        SandboxError: the type is unknown, or an input of it is, or AWS refuses.
    """
    if resource_type not in MAKERS:
        raise SandboxError(
            f"The sandbox does not know the resource type {resource_type}: "
            "give it a maker in sandbox/provider/resources.py."
        )
    return MAKERS[resource_type](account, name, inputs)


def physical(name: str, inputs: Inputs, limit: int, suffix: str = "") -> str:
    """The resource's name in AWS: the one given, else the logical one and seven random digits, as Pulumi names.

    Raises:
        Refused: the name is longer than the service allows.
    """
    chosen = str(inputs.get("name") or f"{name}-{secrets.token_hex(4)[:7]}{suffix}")
    if len(chosen) > limit:
        raise Refused(
            "ValidationException", "Create", f"The name {chosen} has {len(chosen)} characters; {limit} are allowed."
        )
    return chosen


def pascal(value: Any, free: tuple[str, ...] = ()) -> Any:
    """The provider's camelCase as AWS's PascalCase, except below the keys in ``free``, which are the user's own."""
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: item if key in free else pascal(item, free) for key, item in value.items()}
    return [pascal(item, free) for item in value] if isinstance(value, list) else value


def without(inputs: Inputs, *names: str) -> dict[str, Any]:
    """The inputs but those named and those of the program's own bookkeeping."""
    return {key: value for key, value in inputs.items() if key not in names and key not in ("tagsAll", "region")}


def tag_list(inputs: Inputs) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in (inputs.get("tags") or {}).items()]


def tag_map(inputs: Inputs) -> dict[str, str]:
    """Tags as the others take them."""
    return dict(inputs.get("tags") or {})


def known_only(inputs: Inputs, resource_type: str, *known: str) -> None:
    """Refuse an input that the maker would leave out in silence.

    Raises:
        SandboxError: there is one.
    """
    if unknown := sorted(set(without(inputs, "tags", *known))):
        raise SandboxError(
            f"The sandbox does not know {', '.join(unknown)} of {resource_type}: "
            "teach its maker in sandbox/provider/resources.py."
        )


# Identity and access management


@makes("aws:iam/group:Group")
def _group(account: Account, name: str, inputs: Inputs) -> Made:
    chosen = physical(name, inputs, 128)
    group = account.client("iam").create_group(GroupName=chosen, **pascal(without(inputs, "name")))["Group"]
    return Made(chosen, {"name": chosen, "arn": group["Arn"], "uniqueId": group["GroupId"]})


@makes("aws:iam/groupPolicyAttachment:GroupPolicyAttachment")
def _group_policy_attachment(account: Account, name: str, inputs: Inputs) -> Made:
    known_only(inputs, "aws:iam/groupPolicyAttachment:GroupPolicyAttachment", "group", "policyArn")
    refusals.attachable(account.owner("iam"), inputs["policyArn"], "AttachGroupPolicy")
    account.client("iam").attach_group_policy(GroupName=inputs["group"], PolicyArn=inputs["policyArn"])
    return Made(f"{inputs['group']}-{name}")


@makes("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
def _role_policy_attachment(account: Account, name: str, inputs: Inputs) -> Made:
    known_only(inputs, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "role", "policyArn")
    refusals.attachable(account.owner("iam"), inputs["policyArn"], "AttachRolePolicy")
    account.client("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return Made(f"{inputs['role']}-{name}")


@makes("aws:iam/userGroupMembership:UserGroupMembership")
def _user_group_membership(account: Account, name: str, inputs: Inputs) -> Made:
    known_only(inputs, "aws:iam/userGroupMembership:UserGroupMembership", "user", "groups")
    for group in inputs["groups"]:
        account.client("iam").add_user_to_group(UserName=inputs["user"], GroupName=group)
    return Made(name)


@makes("aws:iam/policy:Policy")
def _policy(account: Account, name: str, inputs: Inputs) -> Made:
    chosen = physical(name, inputs, 128)
    policy = account.client("iam").create_policy(
        PolicyName=chosen,
        PolicyDocument=inputs["policy"],
        Tags=tag_list(inputs),
        **pascal(without(inputs, "name", "policy", "tags")),
    )["Policy"]
    return Made(policy["Arn"], {"name": chosen, "arn": policy["Arn"], "policyId": policy["PolicyId"]})


@makes("aws:iam/role:Role")
def _role(account: Account, name: str, inputs: Inputs) -> Made:
    chosen = physical(name, inputs, 64)
    role = account.client("iam").create_role(
        RoleName=chosen,
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        Tags=tag_list(inputs),
        **pascal(without(inputs, "name", "assumeRolePolicy", "tags", "forceDetachPolicies")),
    )["Role"]
    return Made(chosen, {"name": chosen, "arn": role["Arn"], "uniqueId": role["RoleId"]})


@makes("aws:iam/rolePolicy:RolePolicy")
def _role_policy(account: Account, name: str, inputs: Inputs) -> Made:
    known_only(inputs, "aws:iam/rolePolicy:RolePolicy", "name", "role", "policy")
    chosen = physical(name, inputs, 128)
    account.client("iam").put_role_policy(RoleName=inputs["role"], PolicyName=chosen, PolicyDocument=inputs["policy"])
    return Made(f"{inputs['role']}:{chosen}", {"name": chosen})


# Secrets, logs, alarms


@makes("aws:ssm/parameter:Parameter")
def _parameter(account: Account, name: str, inputs: Inputs) -> Made:
    known_only(
        inputs, "aws:ssm/parameter:Parameter", "name", "type", "value", "description", "tier", "keyId", "dataType",
    )  # fmt: skip
    chosen = physical(name, inputs, 1011)
    refusals.parameter_value(inputs["value"])
    version = account.client("ssm").put_parameter(
        **pascal(without(inputs, "name", "tags")), Name=chosen, Tags=tag_list(inputs)
    )["Version"]
    return Made(
        chosen, {"name": chosen, "arn": account.arn("ssm", f"parameter/{chosen.lstrip('/')}"), "version": version}
    )


@makes("aws:cloudwatch/logGroup:LogGroup")
def _log_group(account: Account, name: str, inputs: Inputs) -> Made:
    known_only(
        inputs,
        "aws:cloudwatch/logGroup:LogGroup",
        "name",
        "retentionInDays",
        "kmsKeyId",
        "logGroupClass",
        "skipDestroy",
    )
    chosen = physical(name, inputs, 512)
    optional = {key: inputs[key] for key in ("kmsKeyId", "logGroupClass") if inputs.get(key)}
    logs = account.client("logs")
    logs.create_log_group(logGroupName=chosen, tags=tag_map(inputs), **optional)
    if inputs.get("retentionInDays"):
        logs.put_retention_policy(logGroupName=chosen, retentionInDays=inputs["retentionInDays"])
    return Made(chosen, {"name": chosen, "arn": account.arn("logs", f"log-group:{chosen}")})


@makes("aws:cloudwatch/metricAlarm:MetricAlarm")
def _metric_alarm(account: Account, name: str, inputs: Inputs) -> Made:
    chosen = physical(name, inputs, 255)
    renamed = {"alarmActions": "AlarmActions", "okActions": "OKActions", "metricQueries": "Metrics"}
    rest = without(inputs, "name", "tags", "dimensions", *renamed)
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=chosen,
        Tags=tag_list(inputs),
        **pascal(rest),
        **{target: pascal(inputs[key]) for key, target in renamed.items() if key in inputs},
        **({"Dimensions": _dimensions(inputs["dimensions"])} if inputs.get("dimensions") else {}),
    )
    return Made(chosen, {"name": chosen, "arn": account.arn("cloudwatch", f"alarm:{chosen}")})


def _dimensions(dimensions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": key, "Value": value} for key, value in dimensions.items()]


@makes("aws:cloudwatch/logMetricFilter:LogMetricFilter")
def _log_metric_filter(account: Account, name: str, inputs: Inputs) -> Made:
    known_only(
        inputs,
        "aws:cloudwatch/logMetricFilter:LogMetricFilter",
        "name",
        "pattern",
        "logGroupName",
        "metricTransformation",
    )
    chosen = physical(name, inputs, 512)
    transformation = dict(inputs["metricTransformation"])
    transformed = {
        "metricName": transformation.pop("name"),
        "metricNamespace": transformation.pop("namespace"),
        "metricValue": transformation.pop("value"),
    }
    if "defaultValue" in transformation:
        transformed["defaultValue"] = float(transformation.pop("defaultValue"))
    account.client("logs").put_metric_filter(
        logGroupName=inputs["logGroupName"],
        filterName=chosen,
        filterPattern=inputs["pattern"],
        metricTransformations=[transformed | transformation],
    )
    return Made(chosen, {"name": chosen})


@makes("aws:sns/topic:Topic")
def _topic(account: Account, name: str, inputs: Inputs) -> Made:
    chosen = physical(name, inputs, 256)
    arn = account.client("sns").create_topic(
        Name=chosen, Tags=tag_list(inputs), Attributes=pascal(without(inputs, "name", "tags"))
    )["TopicArn"]
    return Made(arn, {"name": chosen, "arn": arn})


@makes("aws:sns/topicSubscription:TopicSubscription")
def _topic_subscription(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - a subscription has no name
    known_only(inputs, "aws:sns/topicSubscription:TopicSubscription", "topic", "protocol", "endpoint")
    arn = account.client("sns").subscribe(
        TopicArn=inputs["topic"], Protocol=inputs["protocol"], Endpoint=inputs["endpoint"], ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    return Made(arn, {"arn": arn})


# Queues and table

QUEUE_ATTRIBUTES = {
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "maxMessageSize": "MaximumMessageSize",
    "delaySeconds": "DelaySeconds",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "fifoQueue": "FifoQueue",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "policy": "Policy",
}


@makes("aws:sqs/queue:Queue")
def _queue(account: Account, name: str, inputs: Inputs) -> Made:
    known_only(inputs, "aws:sqs/queue:Queue", "name", *QUEUE_ATTRIBUTES)
    chosen = physical(name, inputs, 80, ".fifo" if inputs.get("fifoQueue") else "")
    attributes = {
        attribute: value if isinstance(value, str) else json.dumps(value)
        for key, attribute in QUEUE_ATTRIBUTES.items()
        if (value := inputs.get(key)) not in (None, "", False)
    }
    url = account.client("sqs").create_queue(QueueName=chosen, Attributes=attributes, tags=tag_map(inputs))["QueueUrl"]
    return Made(url, {"name": chosen, "url": url, "arn": account.arn("sqs", chosen)})


@makes("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy")
def _redrive_allow_policy(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - it has the queue's name
    known_only(inputs, "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "queueUrl", "redriveAllowPolicy")
    account.client("sqs").set_queue_attributes(
        QueueUrl=inputs["queueUrl"], Attributes={"RedriveAllowPolicy": inputs["redriveAllowPolicy"]}
    )
    return Made(inputs["queueUrl"])


@makes("aws:dynamodb/table:Table")
def _table(account: Account, name: str, inputs: Inputs) -> Made:
    known_only(
        inputs, "aws:dynamodb/table:Table", "name", "attributes", "hashKey", "rangeKey", "billingMode", "ttl",
        "pointInTimeRecovery", "deletionProtectionEnabled", "serverSideEncryption", "tableClass",
    )  # fmt: skip
    chosen = physical(name, inputs, 255)
    keys = [("HASH", inputs["hashKey"]), ("RANGE", inputs.get("rangeKey"))]
    encryption = inputs.get("serverSideEncryption")
    client = account.client("dynamodb")
    client.create_table(
        TableName=chosen,
        AttributeDefinitions=[{"AttributeName": a["name"], "AttributeType": a["type"]} for a in inputs["attributes"]],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for kind, key in keys if key],
        BillingMode=inputs.get("billingMode", "PROVISIONED"),
        DeletionProtectionEnabled=inputs.get("deletionProtectionEnabled", False),
        TableClass=inputs.get("tableClass", "STANDARD"),
        Tags=tag_list(inputs),
        **({"SSESpecification": {"Enabled": encryption["enabled"]}} if encryption else {}),
    )
    if (ttl := inputs.get("ttl")) and ttl.get("enabled", True):
        client.update_time_to_live(
            TableName=chosen, TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl["attributeName"]}
        )
    if (recovery := inputs.get("pointInTimeRecovery")) and recovery["enabled"]:
        client.update_continuous_backups(
            TableName=chosen, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    return Made(chosen, {"name": chosen, "arn": account.arn("dynamodb", f"table/{chosen}")})


# The function


def archive(code: object) -> bytes:
    """The zip that the provider would upload for an archive of the program's.

    Raises:
        SandboxError: it is none that the sandbox knows.
    """
    if isinstance(code, pulumi.FileArchive) and Path(code.path).is_file():
        return Path(code.path).read_bytes()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path, data in sorted(_files("", code)):
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, data)
    return content.getvalue()


def _files(prefix: str, code: object) -> list[tuple[str, bytes]]:
    if isinstance(code, pulumi.AssetArchive):
        return [
            entry for key, part in code.assets.items() for entry in _files(f"{prefix}/{key}" if prefix else key, part)
        ]
    if isinstance(code, pulumi.StringAsset):
        return [(prefix, code.text.encode())]
    if isinstance(code, pulumi.FileAsset):
        return [(prefix, Path(code.path).read_bytes())]
    if isinstance(code, pulumi.FileArchive):
        folder = Path(code.path)
        if folder.is_dir():
            paths = [path for path in folder.rglob("*") if path.is_file()]
            return [("/".join(filter(None, (prefix, p.relative_to(folder).as_posix()))), p.read_bytes()) for p in paths]
    raise SandboxError(
        f"The sandbox cannot zip {type(code).__name__} as a function's code: give a folder or a zip file."
    )


@makes("aws:lambda/function:Function")
def _function(account: Account, name: str, inputs: Inputs) -> Made:
    chosen = physical(name, inputs, 64)
    client = account.client("lambda")
    rest = without(
        inputs,
        "name",
        "code",
        "sourceCodeHash",
        "tags",
        "skipDestroy",
        "reservedConcurrentExecutions",
        "packageType",
    )
    function = client.create_function(
        FunctionName=chosen, Code={"ZipFile": archive(inputs["code"])}, Tags=tag_map(inputs),
        **pascal(rest, free=("variables",)),
    )  # fmt: skip
    if (reserved := inputs.get("reservedConcurrentExecutions", -1)) >= 0:
        client.put_function_concurrency(FunctionName=chosen, ReservedConcurrentExecutions=reserved)
    account.owner("lambda").get_waiter("function_active_v2").wait(
        FunctionName=chosen, WaiterConfig={"Delay": 0.05, "MaxAttempts": int(FUNCTION_READY_SECONDS / 0.05)}
    )
    account.unchecked.append(lambda: refusals.function_logs(account.owner("iam"), function, ACCOUNT, account.region))
    account.unchecked.append(lambda: refusals.function_lex(account.owner("iam"), function, ACCOUNT, account.region))
    arn = function["FunctionArn"]
    return Made(
        chosen,
        {
            "name": chosen,
            "arn": arn,
            "qualifiedArn": f"{arn}:$LATEST",
            "version": "$LATEST",
            "invokeArn": f"arn:aws:apigateway:{account.region}:lambda:path/2015-03-31/functions/{arn}/invocations",
        },
    )


@makes("aws:lambda/eventSourceMapping:EventSourceMapping")
def _event_source_mapping(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - AWS names a mapping
    function = account.owner("lambda").get_function_configuration(FunctionName=inputs["functionName"])
    refusals.mapping(account.owner("iam"), account.owner("sqs"), function, inputs["eventSourceArn"])
    made = account.client("lambda").create_event_source_mapping(Tags=tag_map(inputs), **pascal(without(inputs, "tags")))
    return Made(made["UUID"], {"uuid": made["UUID"], "functionArn": function["FunctionArn"]})


@makes("aws:lambda/permission:Permission")
def _permission(account: Account, name: str, inputs: Inputs) -> Made:
    known_only(
        inputs, "aws:lambda/permission:Permission", "action", "function", "principal", "sourceArn", "sourceAccount",
        "statementId", "qualifier",
    )  # fmt: skip
    statement = inputs.get("statementId") or physical(name, {}, 100)
    account.client("lambda").add_permission(
        FunctionName=inputs["function"], StatementId=statement, **pascal(without(inputs, "function", "statementId"))
    )
    return Made(statement, {"statementId": statement})


# The REST API


@makes("aws:apigateway/restApi:RestApi")
def _rest_api(account: Account, name: str, inputs: Inputs) -> Made:
    chosen = physical(name, inputs, 1024)
    rest = without(inputs, "name", "tags", "endpointConfiguration")
    if endpoint := inputs.get("endpointConfiguration"):
        types = endpoint["types"]  # the provider takes one type, AWS a list
        rest["endpointConfiguration"] = {**endpoint, "types": [types] if isinstance(types, str) else types}
    api = account.client("apigateway").create_rest_api(name=chosen, tags=tag_map(inputs), **rest)
    root = (
        api.get("rootResourceId") or account.client("apigateway").get_resources(restApiId=api["id"])["items"][0]["id"]
    )
    return Made(
        api["id"],
        {
            "name": chosen,
            "arn": f"arn:aws:apigateway:{account.region}::/restapis/{api['id']}",
            "executionArn": account.arn("execute-api", api["id"]),
            "rootResourceId": root,
        },
    )


@makes("aws:apigateway/resource:Resource")
def _resource(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - its path part is its name
    known_only(inputs, "aws:apigateway/resource:Resource", "restApi", "parentId", "pathPart")
    resource = account.client("apigateway").create_resource(
        restApiId=inputs["restApi"], parentId=inputs["parentId"], pathPart=inputs["pathPart"]
    )
    return Made(resource["id"], {"path": resource["path"]})


@makes("aws:apigateway/requestValidator:RequestValidator")
def _request_validator(account: Account, name: str, inputs: Inputs) -> Made:
    chosen = physical(name, inputs, 1024)
    validator = account.client("apigateway").create_request_validator(
        restApiId=inputs["restApi"], name=chosen, **without(inputs, "restApi", "name")
    )
    return Made(validator["id"], {"name": chosen})


@makes("aws:apigateway/method:Method")
def _method(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - its verb is its name
    account.client("apigateway").put_method(
        restApiId=inputs["restApi"],
        authorizationType=inputs["authorization"],
        **without(inputs, "restApi", "authorization"),
    )
    return Made(f"agm-{inputs['restApi']}-{inputs['resourceId']}-{inputs['httpMethod']}")


@makes("aws:apigateway/integration:Integration")
def _integration(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - it is named by its method
    rest = without(inputs, "restApi", "timeoutMilliseconds")
    account.client("apigateway").put_integration(
        restApiId=inputs["restApi"],
        **({"timeoutInMillis": inputs["timeoutMilliseconds"]} if "timeoutMilliseconds" in inputs else {}),
        **rest,
    )
    if inputs["type"].startswith("AWS") and "/functions/" in inputs.get("uri", ""):

        def check() -> None:
            resource = account.owner("apigateway").get_resource(
                restApiId=inputs["restApi"], resourceId=inputs["resourceId"]
            )
            source = account.arn("execute-api", f"{inputs['restApi']}/*/{inputs['httpMethod']}{resource['path']}")
            refusals.integration(account.owner("lambda"), inputs["uri"], source)

        account.unchecked.append(check)
    return Made(f"agi-{inputs['restApi']}-{inputs['resourceId']}-{inputs['httpMethod']}")


@makes("aws:apigateway/response:Response")
def _gateway_response(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - its type is its name
    account.client("apigateway").put_gateway_response(restApiId=inputs["restApiId"], **without(inputs, "restApiId"))
    return Made(f"aggr-{inputs['restApiId']}-{inputs['responseType']}")


@makes("aws:apigateway/deployment:Deployment")
def _deployment(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - AWS names a deployment
    deployment = account.client("apigateway").create_deployment(
        restApiId=inputs["restApi"], **without(inputs, "restApi", "triggers")
    )
    return Made(deployment["id"])


@makes("aws:apigateway/stage:Stage")
def _stage(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - it has a name of its own
    client = account.client("apigateway")
    logs = inputs.get("accessLogSettings")
    if logs:
        refusals.stage_logs(account_role(account), "CreateStage")
    renamed = {"restApi": "restApiId", "deployment": "deploymentId", "xrayTracingEnabled": "tracingEnabled"}
    rest = without(inputs, "tags", "accessLogSettings")
    client.create_stage(tags=tag_map(inputs), **{renamed.get(key, key): value for key, value in rest.items()})
    api, stage = inputs["restApi"], inputs["stageName"]
    if logs:
        patch_stage(account, api, stage, {f"/accessLogSettings/{key}": value for key, value in logs.items()})
    return Made(
        f"ags-{api}-{stage}",
        {
            "arn": f"arn:aws:apigateway:{account.region}::/restapis/{api}/stages/{stage}",
            "executionArn": account.arn("execute-api", f"{api}/{stage}"),
            "invokeUrl": f"{account.url}/restapis/{api}/{stage}/_user_request_",
        },
    )


def account_role(account: Account) -> str:
    """The role with which the account's API Gateway writes logs; ``""`` if it has none."""
    return str(account.owner("apigateway").get_account().get("cloudwatchRoleArn") or "")


def patch_stage(account: Account, api: str, stage: str, values: Mapping[str, Any]) -> None:
    """Set values of a stage, by their paths."""
    operations = [
        {"op": "replace", "path": path, "value": value if isinstance(value, str) else json.dumps(value)}
        for path, value in values.items()
    ]
    account.client("apigateway").update_stage(restApiId=api, stageName=stage, patchOperations=operations)


METHOD_SETTINGS = {
    "throttlingRateLimit": "throttling/rateLimit",
    "throttlingBurstLimit": "throttling/burstLimit",
    "dataTraceEnabled": "logging/dataTrace",
    "loggingLevel": "logging/loglevel",
    "metricsEnabled": "metrics/enabled",
    "cachingEnabled": "caching/enabled",
    "cacheTtlInSeconds": "caching/ttlInSeconds",
    "cacheDataEncrypted": "caching/dataEncrypted",
}


@makes("aws:apigateway/methodSettings:MethodSettings")
def _method_settings(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - it has the stage's name
    settings = inputs["settings"]
    known_only(settings, "aws:apigateway/methodSettings:MethodSettings", *METHOD_SETTINGS)
    if settings.get("loggingLevel", "OFF") != "OFF":
        refusals.stage_logs(account_role(account), "UpdateStage")
    path = "/" + inputs["methodPath"]
    patch_stage(
        account, inputs["restApi"], inputs["stageName"],
        {f"{path}/{METHOD_SETTINGS[key]}": value for key, value in settings.items()},
    )  # fmt: skip
    return Made(f"{inputs['restApi']}-{inputs['stageName']}-{inputs['methodPath']}")


@makes("aws:apigateway/account:Account")
def _api_gateway_account(account: Account, name: str, inputs: Inputs) -> Made:  # noqa: ARG001 - an account has one
    known_only(inputs, "aws:apigateway/account:Account", "cloudwatchRoleArn", "resetOnDelete")
    account.client("apigateway").update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": inputs["cloudwatchRoleArn"]}]
    )
    return Made("api-gateway-account")


def invoke(account: Account, token: str) -> dict[str, Any]:
    """Answer one of the provider's look-ups.

    Raises:
        SandboxError: the sandbox does not know it.
    """
    if token == "aws:index/getCallerIdentity:getCallerIdentity":
        caller = account.client("sts").get_caller_identity()
        return {
            "accountId": caller["Account"],
            "arn": caller["Arn"],
            "userId": caller["UserId"],
            "id": caller["Account"],
        }
    if token == "aws:index/getRegion:getRegion":
        return {"region": account.region, "name": account.region, "id": account.region, "description": account.region}
    raise SandboxError(f"The sandbox does not know the look-up {token}: answer it in sandbox/provider/resources.py.")
