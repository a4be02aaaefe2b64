"""What AWS knows of a request when it weighs a policy's conditions, and MiniStack does not supply.

Source: Service Authorization Reference, the page of each service (2026-11-25).
"""

# ruff: noqa: SLF001 - it reads MiniStack's insides, once its environment is set

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

Check = tuple[str, str, dict[str, Any]]
"""One more permission that a request needs: action, resource, condition keys."""

WITH_BOUNDARY = {
    f"iam:{action}"
    for action in (
        "AttachRolePolicy", "CreateRole", "DeleteRole", "DeleteRolePermissionsBoundary", "DeleteRolePolicy",
        "DetachRolePolicy", "GetRole", "PutRolePermissionsBoundary", "PutRolePolicy", "UpdateAssumeRolePolicy",
        "UpdateRole", "UpdateRoleDescription",
    )
}  # fmt: skip
"""The actions on a role whose conditions know the role's boundary."""
SETS_BOUNDARY = {"iam:CreateRole", "iam:PutRolePermissionsBoundary"}


def condition_keys(action: str, path: str, request: Mapping[str, Any], account: str) -> dict[str, Any]:
    """Condition key → value of a request; without those that MiniStack supplies, and those that the request lacks.

    Args:
        action: The IAM action.
        path: The request's path.
        request: The request's parameters, from its body or its query.
        account: The account's id.
    """
    service, _, name = action.partition(":")
    keys: dict[str, Any] = {}
    if service == "iam":
        keys["iam:PolicyARN"] = request.get("PolicyArn") if name.endswith("Policy") else None
        keys["iam:PermissionsBoundary"] = _boundary(action, request)
    elif service == "lambda":
        keys["lambda:Principal"] = request.get("Principal") if name == "AddPermission" else None
        if "event-source-mapping" in path:
            keys |= _of_mapping(path, request, account)
    elif service == "kms":
        keys |= {f"kms:EncryptionContext:{key}": value for key, value in request.get("EncryptionContext", {}).items()}
        keys["kms:ResourceAliases"] = _aliases(encryption_key(request))
    elif service == "apigateway":
        keys |= _tag_keys("aws:RequestTag", request.get("tags") or {})
        keys |= _tag_keys("aws:ResourceTag", _api_tags(path))
    return {key: value for key, value in keys.items() if value}


def tag_checks(action: str, path: str, request: Mapping[str, Any], region: str, account: str) -> list[Check]:
    """The further permissions of a request that creates something with tags.

    Sources: IAM User Guide, "Tags for IAM resources"; Lambda Developer Guide, "Using tags"; for REST APIs, the resource
    that AWS's own refusals name when an API without an id yet gets tags (2026-11-25).
    """
    tags = request.get("Tags") or request.get("tags") or {}
    if action == "iam:CreateRole" and "Tags.member.1.Key" in request:
        return [("iam:TagRole", f"arn:aws:iam::{account}:role/{request['RoleName']}", {})]
    if action == "lambda:CreateFunction" and tags:
        function = f"arn:aws:lambda:{region}:{account}:function:{request['FunctionName']}"
        return [("lambda:TagResource", function, _tag_keys("aws:RequestTag", tags))]
    if action == "lambda:CreateEventSourceMapping" and tags:
        mapping = f"arn:aws:lambda:{region}:{account}:event-source-mapping:*"
        return [("lambda:TagResource", mapping, _tag_keys("aws:RequestTag", tags))]
    if action == "apigateway:POST" and tags:
        name = request.get("stageName", "*")
        tagged = quote(f"arn:aws:apigateway:{region}::{path.rstrip('/')}/", safe="") + name
        resource = f"arn:aws:apigateway:{region}::/tags/{tagged}"
        return [("apigateway:PUT", resource, _tag_keys("aws:RequestTag", tags))]
    return []


def encryption_key(request: Mapping[str, Any]) -> dict[str, Any]:
    """The KMS key that a request is about, named or in what it decrypts; empty if there is none."""
    from ministack.core.iam_actions import _kms_key_id_from_ciphertext
    from ministack.services import kms

    named = request.get("KeyId") or _kms_key_id_from_ciphertext(request.get("CiphertextBlob", ""))
    return kms._resolve_key(named) or {}


def _aliases(key: Mapping[str, Any]) -> list[str]:
    from ministack.services import kms

    return [arn.rpartition(":")[2] for arn, target in kms._aliases.items() if target == key.get("KeyId")]


def _boundary(action: str, request: Mapping[str, Any]) -> str | None:
    """The boundary that a request sets, or the one of the role that it is about."""
    from ministack.services import iam

    if action in SETS_BOUNDARY:
        return request.get("PermissionsBoundary")
    role = iam._roles.get(request.get("RoleName", "")) if action in WITH_BOUNDARY else None
    return role.get("PermissionsBoundary") if role else None


def _of_mapping(path: str, request: Mapping[str, Any], account: str) -> dict[str, Any]:
    """The function and the tags of an event source mapping, or the function that a request maps."""
    from ministack.core.responses import get_region
    from ministack.services import lambda_svc

    named = request.get("FunctionName", "")
    if named and not named.startswith("arn:"):
        named = f"arn:aws:lambda:{get_region()}:{account}:function:{named}"
    mapping = lambda_svc._esms.get(re.split("[/:]", unquote(path).rstrip("/"))[-1]) or {}
    tags = _tag_keys("aws:ResourceTag", mapping.get("Tags") or {})
    return {"lambda:FunctionArn": named or mapping.get("FunctionArn"), **tags}


def _api_tags(path: str) -> dict[str, str]:
    """The tags of the REST API that something is in: everything in an API inherits them."""
    from ministack.services import apigateway_v1 as gateway

    parts = path.strip("/").split("/")
    if parts[0] != "restapis" or len(parts) == 1:
        return {}
    found: dict[str, str] = gateway._v1_tags.get(gateway._rest_api_arn(parts[1])) or {}
    return found


def _tag_keys(key: str, tags: Mapping[str, str]) -> dict[str, str]:
    return {f"{key}/{name}": value for name, value in tags.items()}
