"""How each resource type is changed, read and deleted: what the provider does once a resource exists.

``sandbox.provider.resources`` makes resources; a type that is to be changed, too, has a row in ``LIVES``. Sources:
the resources of the Terraform AWS provider, on which Pulumi's is built, for what is changed in place, what is replaced,
and which calls read a resource; the API references for the calls.
"""

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.errors import SandboxError
from sandbox.provider import refusals
from sandbox.provider.resources import (
    FUNCTION_READY_SECONDS,
    METHOD_SETTINGS,
    QUEUE_ATTRIBUTES,
    Account,
    Inputs,
    Made,
    account_role,
    archive,
    make,
    pascal,
    patch_stage,
    tag_list,
    tag_map,
    without,
)

POLICY_VERSIONS = 5  # IAM User Guide, "IAM and AWS STS quotas": versions of a managed policy


@dataclass(frozen=True)
class Existing:
    """A resource as it was last made or changed.

    Attributes:
        type: the provider's token.
        name: the logical name.
        id: the provider's id.
        inputs: what it was made of.
        outputs: what the program may read beside them.
    """

    type: str
    name: str
    id: str
    inputs: Inputs
    outputs: Inputs


Update = Callable[[Account, Existing, Inputs], Made | None]
"""Brings a resource to new inputs; what it returns, if anything, is the resource from then on."""
Tag = Callable[[Account, Existing, Inputs, list[str]], None]
"""Sets the tags of new inputs, and takes off those of the keys named."""


@dataclass(frozen=True)
class Life:
    """How resources of one type live on.

    Attributes:
        delete: deletes one.
        read: the calls with which the provider reads one, each time after it wrote.
        update: changes one in place; ``None``: AWS cannot.
        tag: changes its tags; ``None``: it has none, or ``update`` does it.
        fixed: inputs that AWS cannot change: one with others takes its place.
    """

    delete: Callable[[Account, Existing], None]
    read: Callable[[Account, Existing], object]
    update: Update | None = None
    tag: Tag | None = None
    fixed: frozenset[str] = frozenset()


def replaced(old: Existing, inputs: Inputs) -> bool:
    """Whether AWS cannot bring a resource to new inputs, so that another takes its place."""
    life, keys = _life(old.type), changed_keys(old.inputs, inputs)
    return bool(keys & life.fixed) or (life.update is None and bool(keys - {"tags"}))


def change(account: Account, old: Existing, inputs: Inputs) -> Made:
    """Bring a resource to new inputs, in place.

    Raises:
        SandboxError: the sandbox does not know how, or AWS refuses.
    """
    life, keys = _life(old.type), changed_keys(old.inputs, inputs)
    made = Made(old.id, old.outputs)
    if life.update and keys - {"tags"}:
        made = life.update(account, old, inputs) or made
    if "tags" in keys and life.tag:
        before, after = old.inputs.get("tags") or {}, inputs.get("tags") or {}
        life.tag(account, old, inputs, sorted(before.keys() - after.keys()))
    return made


def delete(account: Account, old: Existing) -> None:
    """Delete a resource; one that is gone already is none to be deleted.

    Raises:
        SandboxError: the sandbox does not know how, or AWS refuses.
    """
    try:
        _life(old.type).delete(account, old)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if not any(word in code for word in ("NotFound", "NoSuchEntity", "NonExistentQueue", "QueueDoesNotExist")):
            raise


def read(account: Account, old: Existing) -> None:
    """Read a resource with the calls that the provider reads it with; the answers are not looked at.

    Raises:
        SandboxError: the sandbox does not know how, or AWS refuses.
    """
    _life(old.type).read(account, old)


def comparable(inputs: Inputs) -> dict[str, Any]:
    """Inputs as they are kept and compared: JSON, a function's code as the hash of its zip."""
    return {key: _comparable(value) for key, value in inputs.items()}


def changed_keys(before: Inputs, after: Inputs) -> set[str]:
    """Which inputs differ."""
    one, other = comparable(before), comparable(after)
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _comparable(value: Any) -> Any:
    import pulumi

    if isinstance(value, pulumi.Archive):
        import hashlib

        return {"sha256": hashlib.sha256(archive(value)).hexdigest()}
    return value


def _life(resource_type: str) -> Life:
    if resource_type not in LIVES:
        raise SandboxError(
            f"The sandbox cannot change or delete a {resource_type}: give it a row in sandbox/provider/changes.py."
        )
    return LIVES[resource_type]


# Identity and access management


def _delete_policy(account: Account, old: Existing) -> None:
    _prune_versions(account, old.id, keep=0)
    account.client("iam").delete_policy(PolicyArn=old.id)


def _update_policy(account: Account, old: Existing, inputs: Inputs) -> None:
    _prune_versions(account, old.id, keep=POLICY_VERSIONS - 2)
    account.client("iam").create_policy_version(PolicyArn=old.id, PolicyDocument=inputs["policy"], SetAsDefault=True)


def _prune_versions(account: Account, arn: str, keep: int) -> None:
    """Delete the oldest versions of a policy, all but ``keep`` beside the one in force."""
    iam = account.client("iam")
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    others = sorted((each["CreateDate"], each["VersionId"]) for each in versions if not each["IsDefaultVersion"])
    for _, version in others[: max(0, len(others) - keep)]:
        iam.delete_policy_version(PolicyArn=arn, VersionId=version)


def _read_policy(account: Account, old: Existing) -> None:
    policy = account.client("iam").get_policy(PolicyArn=old.id)["Policy"]
    account.client("iam").get_policy_version(PolicyArn=old.id, VersionId=policy["DefaultVersionId"])


def _tag_policy(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    account.client("iam").tag_policy(PolicyArn=old.id, Tags=tag_list(inputs))
    if removed:
        account.client("iam").untag_policy(PolicyArn=old.id, TagKeys=removed)


def _update_role(account: Account, old: Existing, inputs: Inputs) -> None:
    iam = account.client("iam")
    keys = changed_keys(old.inputs, inputs)
    if "assumeRolePolicy" in keys:
        iam.update_assume_role_policy(RoleName=old.id, PolicyDocument=inputs["assumeRolePolicy"])
    if keys & {"description", "maxSessionDuration"}:
        iam.update_role(
            RoleName=old.id,
            Description=inputs.get("description", ""),
            MaxSessionDuration=inputs.get("maxSessionDuration", 3600),
        )


def _read_role(account: Account, old: Existing) -> None:
    account.client("iam").get_role(RoleName=old.id)
    account.client("iam").list_role_policies(RoleName=old.id)
    account.client("iam").list_attached_role_policies(RoleName=old.id)


def _tag_role(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    account.client("iam").tag_role(RoleName=old.id, Tags=tag_list(inputs))
    if removed:
        account.client("iam").untag_role(RoleName=old.id, TagKeys=removed)


def _update_group(account: Account, old: Existing, inputs: Inputs) -> Made:
    account.client("iam").update_group(GroupName=old.id, NewGroupName=inputs["name"])
    return Made(inputs["name"], {**old.outputs, "name": inputs["name"]})


def _update_membership(account: Account, old: Existing, inputs: Inputs) -> None:
    iam = account.client("iam")
    for group in set(inputs["groups"]) - set(old.inputs["groups"]):
        iam.add_user_to_group(UserName=inputs["user"], GroupName=group)
    for group in set(old.inputs["groups"]) - set(inputs["groups"]):
        with contextlib.suppress(iam.exceptions.NoSuchEntityException):
            iam.remove_user_from_group(UserName=inputs["user"], GroupName=group)


def _delete_membership(account: Account, old: Existing) -> None:
    for group in old.inputs["groups"]:
        account.client("iam").remove_user_from_group(UserName=old.inputs["user"], GroupName=group)


def _put_role_policy(account: Account, old: Existing, inputs: Inputs) -> None:
    account.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=old.outputs["name"], PolicyDocument=inputs["policy"]
    )


# Secrets, logs, alarms


def _update_parameter(account: Account, old: Existing, inputs: Inputs) -> None:
    refusals.parameter_value(inputs["value"])
    account.client("ssm").put_parameter(**pascal(without(inputs, "name", "tags")), Name=old.id, Overwrite=True)


def _read_parameter(account: Account, old: Existing) -> None:
    ssm = account.client("ssm")
    ssm.get_parameter(Name=old.id, WithDecryption=True)
    ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [old.id]}])
    ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=old.id)


def _tag_parameter(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    ssm, which = account.client("ssm"), {"ResourceType": "Parameter", "ResourceId": old.id}
    ssm.add_tags_to_resource(**which, Tags=tag_list(inputs))
    if removed:
        ssm.remove_tags_from_resource(**which, TagKeys=removed)


def _update_log_group(account: Account, old: Existing, inputs: Inputs) -> None:
    logs = account.client("logs")
    if inputs.get("retentionInDays"):
        logs.put_retention_policy(logGroupName=old.id, retentionInDays=inputs["retentionInDays"])
    else:
        logs.delete_retention_policy(logGroupName=old.id)


def _read_log_group(account: Account, old: Existing) -> None:
    account.client("logs").describe_log_groups(logGroupNamePrefix=old.id)
    account.client("logs").list_tags_for_resource(resourceArn=old.outputs["arn"])


def _tag_log_group(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    account.client("logs").tag_resource(resourceArn=old.outputs["arn"], tags=tag_map(inputs))
    if removed:
        account.client("logs").untag_resource(resourceArn=old.outputs["arn"], tagKeys=removed)


def _put_again(account: Account, old: Existing, inputs: Inputs) -> None:
    """Put it again, under the name that it has, if any: AWS changes it with the call that makes it."""
    name = {"name": old.outputs["name"]} if "name" in old.outputs else {}
    make(account, old.type, old.name, {**inputs, **name})


def _read_alarm(account: Account, old: Existing) -> None:
    account.client("cloudwatch").describe_alarms(AlarmNames=[old.id])
    account.client("cloudwatch").list_tags_for_resource(ResourceARN=old.outputs["arn"])


def _tag_alarm(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    account.client("cloudwatch").tag_resource(ResourceARN=old.outputs["arn"], Tags=tag_list(inputs))
    if removed:
        account.client("cloudwatch").untag_resource(ResourceARN=old.outputs["arn"], TagKeys=removed)


def _read_filter(account: Account, old: Existing) -> None:
    account.client("logs").describe_metric_filters(logGroupName=old.inputs["logGroupName"], filterNamePrefix=old.id)


def _delete_filter(account: Account, old: Existing) -> None:
    account.client("logs").delete_metric_filter(logGroupName=old.inputs["logGroupName"], filterName=old.id)


def _update_topic(account: Account, old: Existing, inputs: Inputs) -> None:
    for key in changed_keys(old.inputs, inputs) - {"tags"}:
        account.client("sns").set_topic_attributes(
            TopicArn=old.id, AttributeName=key[:1].upper() + key[1:], AttributeValue=str(inputs.get(key) or "")
        )


def _read_topic(account: Account, old: Existing) -> None:
    account.client("sns").get_topic_attributes(TopicArn=old.id)
    account.client("sns").list_tags_for_resource(ResourceArn=old.id)


def _tag_topic(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    account.client("sns").tag_resource(ResourceArn=old.id, Tags=tag_list(inputs))
    if removed:
        account.client("sns").untag_resource(ResourceArn=old.id, TagKeys=removed)


# Queues and table


def _update_queue(account: Account, old: Existing, inputs: Inputs) -> None:
    attributes = {}
    for key in changed_keys(old.inputs, inputs) & QUEUE_ATTRIBUTES.keys():
        value = inputs.get(key, "")
        attributes[QUEUE_ATTRIBUTES[key]] = value if isinstance(value, str) else json.dumps(value)
    account.client("sqs").set_queue_attributes(QueueUrl=old.id, Attributes=attributes)


def _read_queue(account: Account, old: Existing) -> None:
    account.client("sqs").get_queue_attributes(QueueUrl=old.id, AttributeNames=["All"])
    account.client("sqs").list_queue_tags(QueueUrl=old.id)


def _tag_queue(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    account.client("sqs").tag_queue(QueueUrl=old.id, Tags=tag_map(inputs))
    if removed:
        account.client("sqs").untag_queue(QueueUrl=old.id, TagKeys=removed)


def _set_redrive_allow(account: Account, old: Existing, policy: str) -> None:
    account.client("sqs").set_queue_attributes(QueueUrl=old.id, Attributes={"RedriveAllowPolicy": policy})


def _update_table(account: Account, old: Existing, inputs: Inputs) -> None:
    client, keys = account.client("dynamodb"), changed_keys(old.inputs, inputs)
    table: dict[str, Any] = {}
    if "billingMode" in keys:
        table["BillingMode"] = inputs.get("billingMode", "PROVISIONED")
    if "deletionProtectionEnabled" in keys:
        table["DeletionProtectionEnabled"] = inputs.get("deletionProtectionEnabled", False)
    if "tableClass" in keys:
        table["TableClass"] = inputs.get("tableClass", "STANDARD")
    if "serverSideEncryption" in keys:
        table["SSESpecification"] = {"Enabled": (inputs.get("serverSideEncryption") or {}).get("enabled", False)}
    if table:
        client.update_table(TableName=old.id, **table)
    if "ttl" in keys:
        ttl = inputs.get("ttl") or {"enabled": False, "attributeName": old.inputs["ttl"]["attributeName"]}
        client.update_time_to_live(
            TableName=old.id,
            TimeToLiveSpecification={"Enabled": ttl.get("enabled", True), "AttributeName": ttl["attributeName"]},
        )
    if "pointInTimeRecovery" in keys:
        enabled = (inputs.get("pointInTimeRecovery") or {}).get("enabled", False)
        client.update_continuous_backups(
            TableName=old.id, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
        )


def _read_table(account: Account, old: Existing) -> None:
    client = account.client("dynamodb")
    client.describe_table(TableName=old.id)
    client.describe_continuous_backups(TableName=old.id)
    client.describe_time_to_live(TableName=old.id)
    client.list_tags_of_resource(ResourceArn=old.outputs["arn"])


def _tag_table(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    account.client("dynamodb").tag_resource(ResourceArn=old.outputs["arn"], Tags=tag_list(inputs))
    if removed:
        account.client("dynamodb").untag_resource(ResourceArn=old.outputs["arn"], TagKeys=removed)


# The function


def _update_function(account: Account, old: Existing, inputs: Inputs) -> None:
    client, keys = account.client("lambda"), changed_keys(old.inputs, inputs)
    wait = account.owner("lambda").get_waiter("function_updated_v2")
    delay = {"Delay": 0.05, "MaxAttempts": int(FUNCTION_READY_SECONDS / 0.05)}
    bookkeeping = {"name", "code", "sourceCodeHash", "tags", "skipDestroy", "packageType"}
    if "code" in keys:
        client.update_function_code(FunctionName=old.id, ZipFile=archive(inputs["code"]))
        wait.wait(FunctionName=old.id, WaiterConfig=delay)
    if keys - bookkeeping - {"reservedConcurrentExecutions", "architectures"}:
        rest = without(inputs, *bookkeeping, "reservedConcurrentExecutions", "architectures")
        client.update_function_configuration(FunctionName=old.id, **pascal(rest, free=("variables",)))
        wait.wait(FunctionName=old.id, WaiterConfig=delay)
    if "reservedConcurrentExecutions" in keys:
        if (reserved := inputs.get("reservedConcurrentExecutions", -1)) >= 0:
            client.put_function_concurrency(FunctionName=old.id, ReservedConcurrentExecutions=reserved)
        else:
            client.delete_function_concurrency(FunctionName=old.id)


def _read_function(account: Account, old: Existing) -> None:
    account.client("lambda").get_function(FunctionName=old.id)
    account.client("lambda").list_versions_by_function(FunctionName=old.id)


def _tag_function(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    account.client("lambda").tag_resource(Resource=old.outputs["arn"], Tags=tag_map(inputs))
    if removed:
        account.client("lambda").untag_resource(Resource=old.outputs["arn"], TagKeys=removed)


def _update_mapping(account: Account, old: Existing, inputs: Inputs) -> None:
    account.client("lambda").update_event_source_mapping(
        UUID=old.id, **pascal(without(inputs, "tags", "eventSourceArn"))
    )


def _tag_mapping(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    arn = account.arn("lambda", f"event-source-mapping:{old.id}")
    account.client("lambda").tag_resource(Resource=arn, Tags=tag_map(inputs))
    if removed:
        account.client("lambda").untag_resource(Resource=arn, TagKeys=removed)


def _delete_permission(account: Account, old: Existing) -> None:
    account.client("lambda").remove_permission(FunctionName=old.inputs["function"], StatementId=old.id)


# The REST API


def _operations(values: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"op": "replace", "path": path, "value": value if isinstance(value, str) else json.dumps(value)}
        for path, value in values.items()
    ]


def _update_api(account: Account, old: Existing, inputs: Inputs) -> None:
    keys = changed_keys(old.inputs, inputs) - {"tags"}
    account.client("apigateway").update_rest_api(
        restApiId=old.id, patchOperations=_operations({f"/{key}": inputs.get(key, "") for key in sorted(keys)})
    )


def _tag_api_arn(account: Account, old: Existing, inputs: Inputs, removed: list[str]) -> None:
    account.client("apigateway").tag_resource(resourceArn=old.outputs["arn"], tags=tag_map(inputs))
    if removed:
        account.client("apigateway").untag_resource(resourceArn=old.outputs["arn"], tagKeys=removed)


def _api_resource(old: Existing) -> dict[str, str]:
    return {"restApiId": old.inputs["restApi"], "resourceId": old.id}


def _update_resource(account: Account, old: Existing, inputs: Inputs) -> None:
    account.client("apigateway").update_resource(
        **_api_resource(old), patchOperations=_operations({"/pathPart": inputs["pathPart"]})
    )


def _validator(old: Existing) -> dict[str, str]:
    return {"restApiId": old.inputs["restApi"], "requestValidatorId": old.id}


def _update_validator(account: Account, old: Existing, inputs: Inputs) -> None:
    keys = changed_keys(old.inputs, inputs)
    account.client("apigateway").update_request_validator(
        **_validator(old), patchOperations=_operations({f"/{key}": inputs.get(key, False) for key in sorted(keys)})
    )


def _method(old: Existing) -> dict[str, str]:
    return {
        "restApiId": old.inputs["restApi"],
        "resourceId": old.inputs["resourceId"],
        "httpMethod": old.inputs["httpMethod"],
    }


def _update_method(account: Account, old: Existing, inputs: Inputs) -> None:
    before, after = old.inputs.get("requestParameters") or {}, inputs.get("requestParameters") or {}
    operations = [{"op": "remove", "path": f"/requestParameters/{each}"} for each in before.keys() - after.keys()]
    operations += [
        {"op": "add", "path": f"/requestParameters/{each}", "value": json.dumps(value)} for each, value in after.items()
    ]
    paths = {"authorization": "authorizationType", "requestValidatorId": "requestValidatorId"}
    keys = changed_keys(old.inputs, inputs)
    operations += _operations({f"/{paths[key]}": inputs.get(key, "") for key in paths if key in keys})
    account.client("apigateway").update_method(**_method(old), patchOperations=operations)


def _gateway_response(old: Existing) -> dict[str, str]:
    return {"restApiId": old.inputs["restApiId"], "responseType": old.inputs["responseType"]}


def _deployment(old: Existing) -> dict[str, str]:
    return {"restApiId": old.inputs["restApi"], "deploymentId": old.id}


def _stage(old: Existing) -> dict[str, str]:
    return {"restApiId": old.inputs["restApi"], "stageName": old.inputs["stageName"]}


def _update_stage(account: Account, old: Existing, inputs: Inputs) -> None:
    keys = changed_keys(old.inputs, inputs)
    values: dict[str, Any] = {}
    if "deployment" in keys:
        values["/deploymentId"] = inputs["deployment"]
    if "accessLogSettings" in keys and inputs.get("accessLogSettings"):
        refusals.stage_logs(account_role(account), "UpdateStage")
        values |= {f"/accessLogSettings/{key}": value for key, value in inputs["accessLogSettings"].items()}
    operations = _operations(values)
    if "accessLogSettings" in keys and not inputs.get("accessLogSettings"):
        operations.append({"op": "remove", "path": "/accessLogSettings"})
    account.client("apigateway").update_stage(**_stage(old), patchOperations=operations)


def _update_settings(account: Account, old: Existing, inputs: Inputs) -> None:
    if inputs["settings"].get("loggingLevel", "OFF") != "OFF":
        refusals.stage_logs(account_role(account), "UpdateStage")
    path = "/" + inputs["methodPath"]
    patch_stage(
        account, inputs["restApi"], inputs["stageName"],
        {
            f"{path}/{METHOD_SETTINGS[key]}": inputs["settings"][key]
            for key in changed_keys(old.inputs["settings"], inputs["settings"]) & inputs["settings"].keys()
        },
    )  # fmt: skip


def _delete_settings(account: Account, old: Existing) -> None:
    account.client("apigateway").update_stage(
        **_stage(old), patchOperations=[{"op": "remove", "path": "/" + old.inputs["methodPath"]}]
    )


def _keep(account: Account, old: Existing) -> None:
    """Leave it as it is: an account's setting is shared, and the provider resets it only where told to."""


def _lives(**rows: Life) -> dict[str, Life]:
    """The rows under the provider's tokens: ``iam__rolePolicy`` is ``aws:iam/rolePolicy:RolePolicy``."""
    found = {}
    for row, life in rows.items():
        service, _, kind = row.partition("__")
        found[f"aws:{service.rstrip('_')}/{kind}:{kind[:1].upper()}{kind[1:]}"] = life
    return found


LIVES: dict[str, Life] = _lives(
    iam__group=Life(
        delete=lambda a, old: a.client("iam").delete_group(GroupName=old.id),
        read=lambda a, old: a.client("iam").get_group(GroupName=old.id),
        update=_update_group,
    ),
    iam__groupPolicyAttachment=Life(
        delete=lambda a, old: a.client("iam").detach_group_policy(
            GroupName=old.inputs["group"], PolicyArn=old.inputs["policyArn"]
        ),
        read=lambda a, old: a.client("iam").list_attached_group_policies(GroupName=old.inputs["group"]),
    ),
    iam__rolePolicyAttachment=Life(
        delete=lambda a, old: a.client("iam").detach_role_policy(
            RoleName=old.inputs["role"], PolicyArn=old.inputs["policyArn"]
        ),
        read=lambda a, old: a.client("iam").list_attached_role_policies(RoleName=old.inputs["role"]),
    ),
    iam__userGroupMembership=Life(
        delete=_delete_membership,
        read=lambda a, old: a.client("iam").list_groups_for_user(UserName=old.inputs["user"]),
        update=_update_membership,
        fixed=frozenset({"user"}),
    ),
    iam__policy=Life(
        delete=_delete_policy, read=_read_policy, update=_update_policy, tag=_tag_policy,
        fixed=frozenset({"name", "description", "path"}),
    ),
    iam__role=Life(
        delete=lambda a, old: a.client("iam").delete_role(RoleName=old.id), read=_read_role, update=_update_role,
        tag=_tag_role, fixed=frozenset({"name", "path"}),
    ),
    iam__rolePolicy=Life(
        delete=lambda a, old: a.client("iam").delete_role_policy(
            RoleName=old.inputs["role"], PolicyName=old.outputs["name"]
        ),
        read=lambda a, old: a.client("iam").get_role_policy(
            RoleName=old.inputs["role"], PolicyName=old.outputs["name"]
        ),
        update=_put_role_policy,
        fixed=frozenset({"name", "role"}),
    ),
    ssm__parameter=Life(
        delete=lambda a, old: a.client("ssm").delete_parameter(Name=old.id), read=_read_parameter,
        update=_update_parameter, tag=_tag_parameter, fixed=frozenset({"name"}),
    ),
    cloudwatch__logGroup=Life(
        delete=lambda a, old: a.client("logs").delete_log_group(logGroupName=old.id), read=_read_log_group,
        update=_update_log_group, tag=_tag_log_group, fixed=frozenset({"name", "logGroupClass"}),
    ),
    cloudwatch__metricAlarm=Life(
        delete=lambda a, old: a.client("cloudwatch").delete_alarms(AlarmNames=[old.id]), read=_read_alarm,
        update=_put_again, tag=_tag_alarm, fixed=frozenset({"name"}),
    ),
    cloudwatch__logMetricFilter=Life(
        delete=_delete_filter, read=_read_filter, update=_put_again, fixed=frozenset({"name", "logGroupName"})
    ),
    sns__topic=Life(
        delete=lambda a, old: a.client("sns").delete_topic(TopicArn=old.id), read=_read_topic, update=_update_topic,
        tag=_tag_topic, fixed=frozenset({"name", "fifoTopic"}),
    ),
    sns__topicSubscription=Life(
        delete=lambda a, old: a.client("sns").unsubscribe(SubscriptionArn=old.id),
        read=lambda a, old: a.client("sns").get_subscription_attributes(SubscriptionArn=old.id),
    ),
    sqs__queue=Life(
        delete=lambda a, old: a.client("sqs").delete_queue(QueueUrl=old.id), read=_read_queue, update=_update_queue,
        tag=_tag_queue, fixed=frozenset({"name", "fifoQueue"}),
    ),
    sqs__redriveAllowPolicy=Life(
        delete=lambda a, old: _set_redrive_allow(a, old, ""),
        read=lambda a, old: a.client("sqs").get_queue_attributes(
            QueueUrl=old.id, AttributeNames=["RedriveAllowPolicy"]
        ),
        update=lambda a, old, inputs: _set_redrive_allow(a, old, inputs["redriveAllowPolicy"]),
        fixed=frozenset({"queueUrl"}),
    ),
    dynamodb__table=Life(
        delete=lambda a, old: a.client("dynamodb").delete_table(TableName=old.id), read=_read_table,
        update=_update_table, tag=_tag_table, fixed=frozenset({"name", "hashKey", "rangeKey", "attributes"}),
    ),
    lambda__function=Life(
        delete=lambda a, old: a.client("lambda").delete_function(FunctionName=old.id), read=_read_function,
        update=_update_function, tag=_tag_function, fixed=frozenset({"name", "packageType"}),
    ),
    lambda__eventSourceMapping=Life(
        delete=lambda a, old: a.client("lambda").delete_event_source_mapping(UUID=old.id),
        read=lambda a, old: a.client("lambda").get_event_source_mapping(UUID=old.id),
        update=_update_mapping, tag=_tag_mapping, fixed=frozenset({"eventSourceArn"}),
    ),
    lambda__permission=Life(
        delete=_delete_permission,
        read=lambda a, old: a.client("lambda").get_policy(FunctionName=old.inputs["function"]),
    ),
    apigateway__restApi=Life(
        delete=lambda a, old: a.client("apigateway").delete_rest_api(restApiId=old.id),
        read=lambda a, old: a.client("apigateway").get_rest_api(restApiId=old.id),
        update=_update_api, tag=_tag_api_arn,
    ),
    apigateway__resource=Life(
        delete=lambda a, old: a.client("apigateway").delete_resource(**_api_resource(old)),
        read=lambda a, old: a.client("apigateway").get_resource(**_api_resource(old)),
        update=_update_resource, fixed=frozenset({"restApi", "parentId"}),
    ),
    apigateway__requestValidator=Life(
        delete=lambda a, old: a.client("apigateway").delete_request_validator(**_validator(old)),
        read=lambda a, old: a.client("apigateway").get_request_validator(**_validator(old)),
        update=_update_validator, fixed=frozenset({"restApi"}),
    ),
    apigateway__method=Life(
        delete=lambda a, old: a.client("apigateway").delete_method(**_method(old)),
        read=lambda a, old: a.client("apigateway").get_method(**_method(old)),
        update=_update_method, fixed=frozenset({"restApi", "resourceId", "httpMethod"}),
    ),
    apigateway__integration=Life(
        delete=lambda a, old: a.client("apigateway").delete_integration(**_method(old)),
        read=lambda a, old: a.client("apigateway").get_integration(**_method(old)),
        update=_put_again, fixed=frozenset({"restApi", "resourceId", "httpMethod"}),
    ),
    apigateway__response=Life(
        delete=lambda a, old: a.client("apigateway").delete_gateway_response(**_gateway_response(old)),
        read=lambda a, old: a.client("apigateway").get_gateway_response(**_gateway_response(old)),
        update=_put_again, fixed=frozenset({"restApiId", "responseType"}),
    ),
    apigateway__deployment=Life(
        delete=lambda a, old: a.client("apigateway").delete_deployment(**_deployment(old)),
        read=lambda a, old: a.client("apigateway").get_deployment(**_deployment(old)),
    ),
    apigateway__stage=Life(
        delete=lambda a, old: a.client("apigateway").delete_stage(**_stage(old)),
        read=lambda a, old: a.client("apigateway").get_stage(**_stage(old)),
        update=_update_stage, tag=_tag_api_arn, fixed=frozenset({"restApi", "stageName"}),
    ),
    apigateway__methodSettings=Life(
        delete=_delete_settings, read=lambda a, old: a.client("apigateway").get_stage(**_stage(old)),
        update=_update_settings, fixed=frozenset({"restApi", "stageName", "methodPath"}),
    ),
    apigateway__account=Life(
        delete=_keep, read=lambda a, _: a.client("apigateway").get_account(), update=_put_again
    ),
)  # fmt: skip
