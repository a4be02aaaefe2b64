"""Starts MiniStack with corrections for what it gets wrong: ``python -m sandbox.aws.launcher``.

What can be corrected inside the emulator is corrected here, so that the sandbox and the real Pulumi CLI (on
``python -m sandbox cloud``) meet the same AWS. What only a deployment can check is in ``sandbox.provider.refusals``.

Environment: MiniStack's own variables (``GATEWAY_PORT``, ``BIND_HOST``, ``AUTH``, …), and two of ours:
``SANDBOX_TEMPORARY``, a folder to make, use and remove; ``SANDBOX_WATCH_STDIN=1``, end everything once standard input
closes (the parent is gone).
"""

# ruff: noqa: SLF001, PLR0917 - it patches MiniStack's insides, which have no types, once its environment is set

import asyncio
import contextvars
import copy
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from sandbox.aws import runtimes
from sandbox.aws.condition_keys import Check, condition_keys, encryption_key, tag_checks
from sandbox.aws.metrics import measure_queues, run_metric_filters

MANAGED_POLICIES = Path(__file__).with_name("aws-managed-policies.json")

DECISIONS = "decisions.jsonl"
"""The file in the temporary folder that records each authorization decision."""

SQS_IDENTIFIER_LIMIT = 128  # SQS API Reference, SendMessage: MessageGroupId and MessageDeduplicationId

# Service Authorization Reference, Amazon SQS: a batch call has no action of its own.
BATCH_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}

# On one event source mapping, MiniStack takes reading for listing, and authorises neither changing nor deleting.
MAPPING_ACTIONS = {
    "GET": "lambda:GetEventSourceMapping",
    "PUT": "lambda:UpdateEventSourceMapping",
    "DELETE": "lambda:DeleteEventSourceMapping",
}
ALIAS_ACTIONS = {"GET": "lambda:GetAlias", "PUT": "lambda:UpdateAlias", "DELETE": "lambda:DeleteAlias"}
"""For one alias; MiniStack takes all of these for ListAliases. Source: Service Authorization Reference, AWS Lambda."""

# The argument that names a resource, and what its ARN begins with. A dashboard belongs to no region.
DASHBOARD_ARN = "arn:aws:cloudwatch::{account}:dashboard/"
OF_CLOUDWATCH = {
    "cloudwatch:DeleteAlarms": ("AlarmNames", "arn:aws:cloudwatch:{region}:{account}:alarm:"),
    "cloudwatch:PutDashboard": ("DashboardName", DASHBOARD_ARN),
    "cloudwatch:GetDashboard": ("DashboardName", DASHBOARD_ARN),
    "cloudwatch:DeleteDashboards": ("DashboardNames", DASHBOARD_ARN),
}

TAG_ACTIONS = {"TagResource", "UntagResource", "ListTagsForResource", "ListTagsOfResource"}

# IAM API Reference: UserName is optional in these; without it, they act on the caller.
OWN_ACTIONS = {
    f"iam:{action}"
    for action in (
        "ChangePassword",
        "GetUser",
        "ListAccessKeys",
        "CreateAccessKey",
        "UpdateAccessKey",
        "DeleteAccessKey",
        "ListMFADevices",
    )
}


def _json(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; empty if it is something else."""
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _request(body: bytes, query: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a request, from its query and its body."""
    return {key: value[0] if isinstance(value, list) else value for key, value in query.items()} | _json(body)


def resource_arns(action: str, request: dict[str, Any], region: str, account: str) -> list[str]:
    """The resources that AWS checks ``action`` against, where MiniStack checks ``*``; empty where MiniStack is right.

    Source: Service Authorization Reference, the page of each service.
    """
    arn: object = ""
    if action.startswith("kms:"):
        arn = encryption_key(request).get("Arn")  # also where the request names an alias
    elif action.rpartition(":")[2] in TAG_ACTIONS:
        arn = request.get("ResourceArn") or request.get("ResourceARN")
    if arn:
        return [str(arn)]
    if action in OF_CLOUDWATCH:
        argument, prefix = OF_CLOUDWATCH[action]
        listed = request.get(argument) or [request[key] for key in request if key.startswith(f"{argument}.member.")]
        named = listed if isinstance(listed, list) else [listed]
        return [f"{prefix.format(region=region, account=account)}{name}" for name in named]
    if action in {"iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"}:
        name = request.get("VirtualMFADeviceName") or str(request.get("SerialNumber", "")).rpartition("mfa/")[2]
        return [f"arn:aws:iam::{account}:mfa/{name}"]
    if action in {"ssm:GetParameters", "ssm:GetParametersByPath"}:
        names = request.get("Names") or [request.get("Path", "")]
        return [f"arn:aws:ssm:{region}:{account}:parameter/{str(name).lstrip('/')}" for name in names]
    if action == "lambda:CreateFunction" and request.get("FunctionName"):
        name = str(request["FunctionName"])
        return [name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{name}"]
    return []


def passed_roles(action: str, path: str, request: dict[str, Any]) -> list[Check]:
    """The ``iam:PassRole`` checks of a request that gives a service a role; MiniStack makes none.

    Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
    """
    roles: list[Any] = []
    service = "lambda"
    if action in {"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"}:
        roles = [request.get("Role")]
    elif action in {"scheduler:CreateSchedule", "scheduler:UpdateSchedule"}:
        service = "scheduler"
        roles = [request.get("Target", {}).get("RoleArn")]
    elif action == "apigateway:PATCH" and path.rstrip("/") == "/account":
        service = "apigateway"
        operations = request.get("patchOperations") or []
        roles = [each.get("value") for each in operations if each.get("path") == "/cloudwatchRoleArn"]
    context = {"iam:PassedToService": f"{service}.amazonaws.com"}
    return [("iam:PassRole", str(role), context) for role in roles if role]


def correct_actions_and_resources() -> None:
    """Authorize each request by the action and the resources that AWS uses, and by the roles that it passes."""
    from ministack.core import iam_actions, iam_evaluator

    original_action: Callable[..., str | None] = iam_actions.extract_iam_action
    original_arn: Callable[..., str] = iam_actions.extract_resource_arn
    original_enforce: Callable[..., Any] = iam_evaluator.enforce
    further_checks: contextvars.ContextVar[tuple[Check, ...]] = contextvars.ContextVar("further_checks", default=())
    own_keys: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("own_keys", default=None)

    def extract_iam_action(service: str, method: str, path: str, *rest: Any) -> str | None:
        if service == "lambda" and "/event-source-mappings/" in path.rstrip("/"):
            return MAPPING_ACTIONS.get(method)
        if service == "lambda" and "/aliases/" in path:
            return ALIAS_ACTIONS.get(method)
        action = original_action(service, method, path, *rest)
        return BATCH_ACTIONS.get(action or "", action)

    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, Any],
        region: str,
        account: str,
    ) -> str:
        first = original_arn(service, method, path, headers, body, query, region, account)
        action = extract_iam_action(service, method, path, headers, body, query) or ""
        request = _request(body, query)
        first, *others = resource_arns(action, request, region, account) or [first]
        own_keys.set(condition_keys(action, path, request, account))
        further: list[Check] = [(action, other, {}) for other in others]
        further += [*passed_roles(action, path, request), *tag_checks(action, path, request, region, account)]
        further_checks.set(tuple(further))
        return first

    def enforce(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", service_context: Any = None
    ) -> Any:
        further = further_checks.get()
        further_checks.set(())
        service_context = {**(service_context or {}), **(own_keys.get() or {})}
        own_keys.set(None)
        if action in OWN_ACTIONS and resource_arn == "*":
            resource_arn = (iam_evaluator.resolve_caller_identity(key) or {}).get("userArn", "*")
        denied = original_enforce(key, action, service, region, resource_arn, service_context)
        for other, resource, context in () if denied else further:
            denied = original_enforce(key, other, service, region, resource, context)
            if denied and not isinstance(denied, iam_evaluator.AuthError):
                # MiniStack's message would name the request's own action; AWS names the missing permission.
                message = iam_actions.identity_denial_message(
                    other, denied.principal_arn, resource, denied.decision == "Deny"
                )
                return iam_evaluator.AuthError("AccessDeniedException", message)
        return denied

    iam_actions.extract_iam_action = extract_iam_action
    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce


def correct_policy_variables() -> None:
    """Replace ``${aws:username}`` in a policy's resources with the caller's name, and take ``${*}`` for a star.

    MiniStack takes the first literally, and the star in the second for any text.

    Source: IAM User Guide, "IAM policy elements: Variables and tags".
    """
    from ministack.core import iam_evaluator

    original: Callable[..., Any] = iam_evaluator.resolve_principal
    compile_pattern: Callable[..., re.Pattern[str]] = iam_evaluator._fnmatch_compile

    def with_stars(pattern: str, ignore_case: bool) -> re.Pattern[str]:
        parts = [compile_pattern(part, ignore_case).pattern[1:-1] for part in pattern.split("${*}")]
        return re.compile(f"^{re.escape('*').join(parts)}$", re.IGNORECASE if ignore_case else 0)

    def filled_in(statement: Any, name: str) -> Any:
        def fill(resources: list[str]) -> list[str]:
            return [each.replace("${aws:username}", name) for each in resources]

        return replace(statement, resources=fill(statement.resources), not_resources=fill(statement.not_resources))

    def resolve_principal(*args: Any, **kwargs: Any) -> Any:
        principal = original(*args, **kwargs)
        name = getattr(principal, "keys", {}).get("aws:username")
        if name and principal.policies:
            principal.policies = [[filled_in(each, name) for each in policy] for policy in principal.policies]
        return principal

    iam_evaluator.resolve_principal = resolve_principal
    iam_evaluator._fnmatch_compile = with_stars


def correct_multi_factor() -> None:
    """Make ``aws:MultiFactorAuthPresent`` true in a session that was started with a code of the caller's MFA device.

    Of the code, only its form is checked (six digits): the device is as virtual as the cloud.
    Source: STS API Reference, GetSessionToken and AssumeRole; IAM User Guide, "AWS global condition context keys".
    """
    from ministack.core import iam_evaluator
    from ministack.services import iam, sts

    original_handler: Callable[..., Any] = sts.handle_request
    original_keys: Callable[..., dict[str, Any]] = iam_evaluator._principal_keys
    started_with_code: set[str] = set()

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        request = {name: values[0] for name, values in (query | parse_qs(body.decode("utf-8", "replace"))).items()}
        serial, code = request.get("SerialNumber", ""), request.get("TokenCode", "")
        if request.get("Action") not in {"GetSessionToken", "AssumeRole"} or not (serial or code):
            return await original_handler(method, path, headers, body, query)
        device = iam._mfa_devices.get(serial)
        if not (device and device.get("User") and re.fullmatch(r"\d{6}", code, re.ASCII)):
            message = "MultiFactorAuthentication failed with invalid MFA one time pass code."
            return sts._error(403, "AccessDenied", message, ns="sts")
        answer = await original_handler(method, path, headers, body, query)
        started_with_code.update(re.findall(r"<AccessKeyId>(\w+)<", answer[2].decode()))
        return answer

    def principal_keys(credential: Any) -> dict[str, Any]:
        keys = original_keys(credential)
        if credential.access_key_id in started_with_code:
            keys["aws:multifactorauthpresent"] = "true"
        return keys

    sts.handle_request = handle_request
    sts._principal_keys = iam_evaluator._principal_keys = principal_keys


def correct_web_identity() -> None:
    """Refuse what STS refuses of a token: an unknown issuer, a wrong audience, and a session longer than the role's.

    MiniStack checks only the role's trust policy. Nobody checks the signature: the issuer's keys are on the internet.
    Source: STS API Reference, AssumeRoleWithWebIdentity.
    """
    from ministack.core.responses import get_account_id
    from ministack.services import iam, sts
    from ministack.services.cognito import _decode_id_token_unverified

    original: Callable[..., Any] = sts.handle_request

    def refusal(request: dict[str, str]) -> Any:
        try:
            claims: dict[str, Any] = _decode_id_token_unverified(request.get("WebIdentityToken", ""))
        except (ValueError, TypeError):
            claims = {}
        issuer = str(claims.get("iss", ""))
        arn = f"arn:aws:iam::{get_account_id()}:oidc-provider/{issuer.removeprefix('https://')}"
        provider = iam._oidc_providers.get(arn)
        if provider is None:
            message = f"No OpenIDConnect provider found in your account for {issuer}"
            return sts._error(400, "InvalidIdentityToken", message, ns="sts")
        if claims.get("aud") not in provider["ClientIDList"]:
            return sts._error(400, "InvalidIdentityToken", "Incorrect token audience", ns="sts")
        role = iam._roles.get(request.get("RoleArn", "").rpartition("/")[2]) or {}
        if int(request.get("DurationSeconds", 0)) > int(role.get("MaxSessionDuration", 3600)):
            message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            return sts._error(400, "ValidationError", message, ns="sts")
        return None

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        request = {name: values[0] for name, values in (query | parse_qs(body.decode("utf-8", "replace"))).items()}
        if request.get("Action") == "AssumeRoleWithWebIdentity" and (refused := refusal(request)):
            return refused
        return await original(method, path, headers, body, query)

    sts.handle_request = handle_request


def add_identity_provider_calls() -> None:
    """Let IAM tag an identity provider and change its audiences, which MiniStack cannot."""
    from ministack.services import iam

    def changing(name: str, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
        def call(parameters: dict[str, Any]) -> Any:
            arn = iam._p(parameters, "OpenIDConnectProviderArn")
            if arn not in iam._oidc_providers:
                return iam._error(404, "NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", ns="iam")
            provider = dict(iam._oidc_providers[arn])
            change(provider, parameters)
            iam._oidc_providers[arn] = provider
            return iam._xml(200, f"{name}Response", "", ns="iam")

        iam._IAM_HANDLERS[name] = call

    def add_client(provider: dict[str, Any], parameters: dict[str, Any]) -> None:
        provider["ClientIDList"] = [*provider["ClientIDList"], iam._p(parameters, "ClientID")]

    def remove_client(provider: dict[str, Any], parameters: dict[str, Any]) -> None:
        removed = iam._p(parameters, "ClientID")
        provider["ClientIDList"] = [each for each in provider["ClientIDList"] if each != removed]

    def tag(provider: dict[str, Any], parameters: dict[str, Any]) -> None:
        added = iam._extract_tags(parameters)
        kept = [each for each in provider["Tags"] if each["Key"] not in {one["Key"] for one in added}]
        provider["Tags"] = [*kept, *added]

    def untag(provider: dict[str, Any], parameters: dict[str, Any]) -> None:
        removed = {values[0] for key, values in parameters.items() if key.startswith("TagKeys.member.")}
        provider["Tags"] = [each for each in provider["Tags"] if each["Key"] not in removed]

    changing("AddClientIDToOpenIDConnectProvider", add_client)
    changing("RemoveClientIDFromOpenIDConnectProvider", remove_client)
    changing("TagOpenIDConnectProvider", tag)
    changing("UntagOpenIDConnectProvider", untag)


def correct_queue_identifiers() -> None:
    """Refuse message group ids and de-duplication ids that SQS refuses: over 128 characters, or not printable ASCII."""
    from ministack.services import sqs

    original: Callable[..., dict[str, Any]] = sqs._act_send_message

    def send_message(data: dict[str, Any], url: str) -> dict[str, Any]:
        for name in ("MessageGroupId", "MessageDeduplicationId"):
            value = data.get(name) or ""
            if len(value) > SQS_IDENTIFIER_LIMIT or not (value.isascii() and value.isprintable()) or " " in value:
                raise sqs._Err(
                    "InvalidParameterValue",
                    f"Value {value} for parameter {name} is invalid. Reason: {name} can only include alphanumeric and "
                    f"punctuation characters. 1 to {SQS_IDENTIFIER_LIMIT} in length.",
                )
        return original(data, url)

    sqs._act_send_message = sqs._HANDLERS["SendMessage"] = send_message


def add_update_group() -> None:
    """Let IAM rename and move a group (``UpdateGroup``), which MiniStack cannot. Members and policies stay."""
    from ministack.core.responses import get_account_id
    from ministack.services import iam

    def update_group(parameters: dict[str, Any]) -> Any:
        name = iam._p(parameters, "GroupName")
        if name not in iam._groups:
            return iam._error(404, "NoSuchEntity", f"The group with name {name} cannot be found.", ns="iam")
        new_name = iam._p(parameters, "NewGroupName") or name
        if new_name != name and new_name in iam._groups:
            return iam._error(409, "EntityAlreadyExists", f"Group with name {new_name} already exists.", ns="iam")
        group = iam._groups.pop(name)
        path = iam._p(parameters, "NewPath") or group["Path"]
        arn = f"arn:aws:iam::{get_account_id()}:group{path}{new_name}"
        iam._groups[new_name] = {**group, "GroupName": new_name, "Path": path, "Arn": arn}
        if name in iam._group_inline_policies:
            iam._group_inline_policies[new_name] = iam._group_inline_policies.pop(name)
        return iam._xml(200, "UpdateGroupResponse", "", ns="iam")

    iam._IAM_HANDLERS["UpdateGroup"] = update_group


def correct_groups() -> None:
    """Refuse to delete a group that has members or policies. Source: IAM API Reference, DeleteGroup."""
    from ministack.services import iam

    original: Callable[..., Any] = iam._delete_group

    def delete_group(parameters: dict[str, Any]) -> Any:
        name = iam._p(parameters, "GroupName")
        group = iam._groups.get(name, {})
        held = {
            "remove users from group": group.get("Users"),
            "detach all policies": group.get("AttachedPolicies"),
            "delete policies": iam._group_inline_policies.get(name),
        }
        for what in (what for what, some in held.items() if some):
            return iam._error(409, "DeleteConflict", f"Cannot delete entity, must {what} first.", ns="iam")
        return original(parameters)

    iam._IAM_HANDLERS["DeleteGroup"] = delete_group


def correct_domain_names() -> None:
    """Change a domain name and its base path mapping in place; MiniStack knows neither call.

    Source: API Gateway API Reference, UpdateDomainName and UpdateBasePathMapping.
    """
    from ministack.services import apigateway_v1 as gateway

    original: Callable[..., Any] = gateway.handle_request
    names = {"restapiId": "restApiId"}

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        parts = [unquote(each) for each in path.strip("/").split("/")]
        if method != "PATCH" or parts[0] != "domainnames":
            return await original(method, path, headers, body, query)
        domain, mapping = parts[1], parts[3] if len(parts) > 3 else None
        held = gateway._domain_names if mapping is None else gateway._base_path_mappings.get(domain, {})
        found = held.get(domain if mapping is None else mapping)
        if found is None:
            return gateway._v1_error("NotFoundException", "Invalid identifier specified", HTTPStatus.NOT_FOUND)
        for each in _json(body).get("patchOperations", []):
            key = each["path"].strip("/")
            found[names.get(key, key)] = each.get("value")
        if mapping is not None:
            found["basePath"] = found["basePath"] or "(none)"
            held[found["basePath"]] = held.pop(mapping)
        return gateway._v1_response(found)

    gateway.handle_request = handle_request


def correct_security_policies() -> None:
    """Keep a REST API's security policy and access mode, which MiniStack drops, and refuse a wrong pair.

    Source: API Gateway Developer Guide, "Security policies for REST APIs".
    """
    from ministack.services import apigateway_v1 as gateway

    create: Callable[..., Any] = gateway._create_rest_api
    update: Callable[..., Any] = gateway._update_rest_api

    def refusal(api: dict[str, Any]) -> Any:
        policy, mode = api["securityPolicy"], api["endpointAccessMode"]
        if policy.startswith("SecurityPolicy_") == bool(mode):
            return None
        message = f"The security policy {policy} does not go with the endpoint access mode {mode or None}."
        return gateway._v1_error("BadRequestException", message, 400)

    def create_rest_api(data: dict[str, Any]) -> Any:
        kept = {"securityPolicy": "TLS_1_0", "endpointAccessMode": ""}
        kept |= {key: data[key] for key in kept if key in data}
        if refused := refusal(kept):
            return refused
        status, headers, body = create(data)
        gateway._rest_apis[json.loads(body)["id"]].update(kept)
        return status, headers, json.dumps(json.loads(body) | kept).encode()

    def update_rest_api(api_id: str, data: dict[str, Any]) -> Any:
        changed = dict(gateway._rest_apis[api_id])
        gateway._apply_patch(changed, [each for each in data["patchOperations"] if each["path"].count("/") == 1])
        return refusal(changed) or update(api_id, data)

    gateway._create_rest_api, gateway._update_rest_api = create_rest_api, update_rest_api


def freeze_deployments() -> None:
    """Serve a stage as it was when its deployment was made; MiniStack serves paths and methods as they are now.

    Source: API Gateway Developer Guide, "Deploy REST APIs": a deployment is a snapshot.
    """
    from ministack.services import apigateway_v1 as gateway

    create: Callable[..., Any] = gateway._create_deployment
    execute: Callable[..., Any] = gateway._execute_in_scope
    match: Callable[..., Any] = gateway._match_resource_tree
    snapshots: dict[str, dict[str, Any]] = {}
    current: contextvars.ContextVar[str] = contextvars.ContextVar("deployment", default="")

    def create_deployment(api_id: str, data: dict[str, Any]) -> Any:
        answer = create(api_id, data)
        if answer[0] == HTTPStatus.CREATED:
            snapshots[json.loads(answer[2])["id"]] = copy.deepcopy(dict(gateway._resources[api_id]))
        return answer

    async def execute_in_scope(request: Any, api_id: str, stage: str, *rest: Any) -> Any:
        current.set(gateway._stages_v1.get(api_id, {}).get(stage, {}).get("deploymentId", ""))
        return await execute(request, api_id, stage, *rest)

    def match_resource_tree(api_id: str, segments: list[str]) -> Any:
        resources = snapshots.get(current.get())
        if resources is None or not segments:
            return match(api_id, segments)
        root = next(each["id"] for each in resources.values() if each["path"] == "/")
        return gateway._match_recursive(resources, root, segments, {})

    gateway._create_deployment, gateway._execute_in_scope = create_deployment, execute_in_scope
    gateway._match_resource_tree = match_resource_tree


def split_by_weight() -> None:
    """Let an alias divide its invocations between two versions by their weights, which MiniStack keeps and ignores.

    Source: Lambda Developer Guide, "Implement Lambda canary deployments using a weighted alias".
    """
    from ministack.services import lambda_svc

    find: Callable[..., Any] = lambda_svc._effective_func_record_for_qualifier
    invoke: Callable[..., Any] = lambda_svc._invoke

    def drawn(function: Any, qualifier: str | None) -> str | None:
        alias = ((function or {}).get("aliases") or {}).get(qualifier) or {}
        point = random.random()
        for version, weight in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items():
            if point < weight:
                return str(version)
        return qualifier

    def effective_record(function: Any, qualifier: str | None) -> Any:
        return find(function, drawn(function, qualifier))

    async def invoke_weighted(
        name: str, event: Any, headers: Any, path_qualifier: str | None = None, query: Any = None
    ) -> Any:
        named = path_qualifier or lambda_svc._qp_first(query or {}, "Qualifier")
        return await invoke(name, event, headers, drawn(lambda_svc._functions.get(name), named), query)

    lambda_svc._effective_func_record_for_qualifier = effective_record
    lambda_svc._invoke = invoke_weighted


def report_failed_invocations() -> None:
    """Log how an invocation of a function with JSON logs failed, as Lambda's own line does; MiniStack writes none.

    Source: Lambda Developer Guide, "Lambda Telemetry API Event schema reference", `platform.report`.
    """
    from ministack.services import lambda_svc

    original: Callable[..., None] = lambda_svc._emit_lambda_logs

    def emit_logs(function: Any, request_id: str, text: str, error: bool, *rest: Any, **options: Any) -> None:
        configuration = function.get("config") or function
        if error and (configuration.get("LoggingConfig") or {}).get("LogFormat") == "JSON":
            report = {"type": "platform.report", "record": {"requestId": request_id, "status": "error"}}
            text = f"{text}\n{json.dumps(report)}"
        original(function, request_id, text, error, *rest, **options)

    lambda_svc._emit_lambda_logs = emit_logs


def load_managed_policies() -> None:
    """Add the managed policies of an administrators' group, word for word as AWS publishes them.

    MiniStack lets a policy be attached that it does not have, and the policy then grants nothing.
    Source: AWS Managed Policy Reference Guide.
    """
    from ministack.services import iam

    original: Callable[[], None] = iam._seed_aws_managed_policies

    def seed() -> None:
        original()
        for name, policy in json.loads(MANAGED_POLICIES.read_text(encoding="utf-8")).items():
            record = iam._make_aws_managed_record(name, json.dumps(policy["document"]))
            iam._aws_managed_policies[policy["arn"]] = {**record, "Arn": policy["arn"]}

    iam._seed_aws_managed_policies = seed
    seed()


def record_decisions(file: Path) -> None:
    """Record each authorization decision, except those about the account's owner. A decision is recorded once.

    Args:
        file: gets one line of JSON for each: ``{"principal", "action", "resource", "allowed"}``.
    """
    from ministack.core import iam_evaluator

    original: Callable[..., Any] = iam_evaluator.enforce
    seen: set[tuple[str, str, str, bool]] = set()

    def enforce(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", service_context: Any = None
    ) -> Any:
        denied = original(key, action, service, region, resource_arn, service_context)
        decision = (key, action, resource_arn, denied is None)
        if decision not in seen and key and not iam_evaluator._is_root_key(key):
            seen.add(decision)
            principal = (iam_evaluator.resolve_caller_identity(key) or {}).get("userArn", "")
            line = {"principal": principal, "action": action, "resource": resource_arn, "allowed": denied is None}
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")
        return denied

    iam_evaluator.enforce = enforce


def end_with_parent(folder: Path | None) -> None:
    """Wait until standard input closes, then remove ``folder`` and kill the whole process group."""
    while sys.stdin.buffer.read(1):
        pass
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Correct MiniStack and run it until it is asked to end."""
    folder = Path(os.environ["SANDBOX_TEMPORARY"]) if "SANDBOX_TEMPORARY" in os.environ else None
    if folder:
        folder.mkdir(mode=0o700, parents=True)
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    if os.environ.get("SANDBOX_WATCH_STDIN") == "1":
        threading.Thread(target=end_with_parent, args=(folder,), daemon=True).start()
    import ministack.app

    if folder:
        record_decisions(folder / DECISIONS)  # first, so that it also sees the further checks of the next one
    correct_actions_and_resources()
    correct_multi_factor()
    correct_web_identity()
    add_identity_provider_calls()
    correct_policy_variables()
    correct_queue_identifiers()
    add_update_group()
    correct_groups()
    correct_security_policies()
    correct_domain_names()
    freeze_deployments()
    split_by_weight()
    report_failed_invocations()
    load_managed_policies()
    runtimes.describe_errors()
    runtimes.end_with_nothing()
    runtimes.run_other_languages()
    run_metric_filters()
    measure_queues()
    try:
        ministack.app.main()
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
