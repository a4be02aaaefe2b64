"""What AWS refuses and the emulator accepts: refused here, in AWS's words.

Each check asks as the account's owner, so that the deploying principal needs no permission for it.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.errors import Refused
from sandbox.provider.account import Account

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

INVALID = "InvalidParameterValueException"
POLLER_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")  # Lambda: "Configuring permissions" for SQS
LOG_ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")


def denied_actions(iam: "IAMClient", role: str, actions: tuple[str, ...], resource: str) -> list[str]:
    """Those of ``actions`` that the role may not take on ``resource`` (both ARNs), in their order.

    The emulator's simulation leaves out the role's permissions boundary.
    """
    denied = denied_by_policies(iam, role, actions, resource)
    boundary = iam.get_role(RoleName=role.rpartition("/")[2])["Role"].get("PermissionsBoundary")
    if boundary:
        arn = boundary["PermissionsBoundaryArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        results = iam.simulate_custom_policy(
            PolicyInputList=[json.dumps(document)], ActionNames=list(actions), ResourceArns=[resource]
        )["EvaluationResults"]
        denied += [result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"]
    return [action for action in actions if action in denied]


def denied_by_policies(iam: "IAMClient", role: str, actions: tuple[str, ...], resource: str) -> list[str]:
    """Those of ``actions`` that the role's policies do not allow it on ``resource`` (both ARNs), in their order."""
    results = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=list(actions), ResourceArns=[resource])[
        "EvaluationResults"
    ]
    allowed = {result["EvalActionName"] for result in results if result["EvalDecision"] == "allowed"}
    return [action for action in actions if action not in allowed]


def function_lex(account: Account, function: Mapping[str, Any]) -> None:
    """Lex answers a function only if its role may use the bot; the stand-in for Lex answers anyone.

    Raises:
        Refused: the role may not.
    """
    given = function.get("Environment", {}).get("Variables", {})
    if bot := given.get("LEX_BOT_ID"):
        alias = account.arn("lex", f"bot-alias/{bot}/{given.get('LEX_BOT_ALIAS_ID')}")
        # A boundary asks for the alias's tags, which nobody knows here.
        if denied_by_policies(account.owner("iam"), function["Role"], ("lex:RecognizeText",), alias):
            raise Refused(
                "AccessDeniedException",
                "RecognizeText",
                f"User: {function['Role']} is not authorized to perform: lex:RecognizeText on resource: {alias}",
            )


def attachable(iam: "IAMClient", policy: str) -> None:
    """IAM attaches only managed policies that exist; the emulator attaches any name, which then grants nothing.

    Raises:
        Refused: there is no such policy, or AWS has retired it.
    """
    try:
        iam.get_policy(PolicyArn=policy)
    except iam.exceptions.NoSuchEntityException:
        sentence = f"Policy {policy} does not exist or is not attachable."
        raise Refused("NoSuchEntity", "AttachGroupPolicy", sentence) from None


def parameter_value(value: str) -> None:
    """Systems Manager refuses an empty parameter.

    Raises:
        Refused: the value is empty.
    """
    if not value:
        raise Refused(
            "ValidationException",
            "PutParameter",
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1.",
        )


def mapping(account: Account, function: Mapping[str, Any], queue: str) -> None:
    """Lambda polls a queue only if the role may read it, and no message reappears while the function runs.

    Args:
        account: where.
        function: the function's configuration, as Lambda gives it.
        queue: the queue's ARN.

    Raises:
        Refused: the role lacks a permission, or the queue's visibility timeout is below the function's timeout.
    """
    actions = tuple(f"sqs:{name}" for name in POLLER_ACTIONS)
    for action in denied_actions(account.owner("iam"), function["Role"], actions, queue):
        raise Refused(
            INVALID,
            "CreateEventSourceMapping",
            f"The provided execution role does not have permissions to call {action.removeprefix('sqs:')} on SQS",
        )
    sqs = account.owner("sqs")
    url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    visibility, timeout = int(attributes["VisibilityTimeout"]), int(function["Timeout"])
    if visibility < timeout:
        raise Refused(
            INVALID,
            "CreateEventSourceMapping",
            f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds",
        )


def stage_logs(account: Account) -> None:
    """API Gateway writes logs only in an account that has given it a role for them.

    Raises:
        Refused: the account has not.
    """
    if not account.owner("apigateway").get_account().get("cloudwatchRoleArn"):
        raise Refused(
            "BadRequestException",
            "UpdateStage",
            "CloudWatch Logs role ARN must be set in account settings to enable logging",
        )


def function_logs(account: Account, function: Mapping[str, Any]) -> None:
    """A function whose role may not write to its log group loses its logs: silently on AWS, loudly here.

    Raises:
        Refused: the role may not.
    """
    group = function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function['FunctionName']}"
    resource = account.arn("logs", f"log-group:{group}:log-stream:sandbox")
    session = f"assumed-role/{function['Role'].rpartition('/')[2]}/{function['FunctionName']}"
    for action in denied_actions(account.owner("iam"), function["Role"], LOG_ACTIONS, resource):
        raise Refused(
            "AccessDeniedException",
            action.removeprefix("logs:"),
            f"User: arn:{account.partition}:sts::{account.id}:{session} is not authorized to perform: "
            f"{action} on resource: {resource} because no identity-based policy allows the {action} action",
        )


def integration(account: Account, uri: str, source: str) -> None:
    """API Gateway may call a function only if the function's own policy allows it; otherwise it answers 500.

    Args:
        account: where.
        uri: the integration's URI, which holds the function's ARN.
        source: the ARN of the calling method, with ``*`` as its stage.

    Raises:
        Refused: no statement of the function's policy covers this method.
    """
    client = account.owner("lambda")
    function = uri.partition("/functions/")[2].removesuffix("/invocations")
    try:
        policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
    except client.exceptions.ResourceNotFoundException:
        policy = {"Statement": []}
    for statement in policy["Statement"]:
        principal = statement.get("Principal")
        service = principal.get("Service") if isinstance(principal, dict) else principal
        pattern = (statement.get("Condition") or {}).get("ArnLike", {}).get("AWS:SourceArn", "*")
        if service == "apigateway.amazonaws.com" and _covers(pattern, source):
            return
    raise Refused(
        "InternalServerErrorException",
        "Invoke",
        f"Execution failed due to configuration error: Invalid permissions on Lambda function "
        f"(no permission of {function.rpartition(':')[2]} lets {source} invoke it)",
    )


def _covers(pattern: str, source: str) -> bool:
    """Whether an ARN pattern matches every stage of a method: segment by segment, ``*`` matching anything."""
    if pattern == "*":
        return True
    wanted, given = source.split("/"), pattern.split("/")
    if given[-1] == "*" and len(given) < len(wanted):
        given += ["*"] * (len(wanted) - len(given))
    return len(given) == len(wanted) and all(g in ("*", w) for g, w in zip(given, wanted, strict=True))


def scheduler_role(account: Account, role: str) -> None:
    """Scheduler takes only a role that it may assume; the emulator takes any.

    Source: EventBridge Scheduler User Guide, "Setting up", "Set up the execution role", read 2026-11.

    Raises:
        Refused: the role trusts others only.
    """
    trust = account.owner("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    if "scheduler.amazonaws.com" not in json.dumps(trust):
        sentence = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        raise Refused("ValidationException", "CreateSchedule", sentence)


def scheduled_call(account: Account, target: Mapping[str, Any]) -> None:
    """Scheduler calls a function only if its role may; the emulator calls any.

    Raises:
        Refused: the role may not.
    """
    action = "lambda:InvokeFunction"
    if denied_actions(account.owner("iam"), target["roleArn"], (action,), target["arn"]):
        sentence = f"User: {target['roleArn']} is not authorized to perform: {action} on resource: {target['arn']}"
        raise Refused("AccessDeniedException", "Invoke", sentence)
