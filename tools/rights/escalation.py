"""Searches for a way from some rights to more: who may change what, and what that may change in turn."""

import fnmatch
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Statement = Mapping[str, Any]

EVERYTHING = "everything in the account"

# Each of these alone gives whoever may do it, on any resource, all rights in the account (Rhino Security Labs, "AWS IAM
# Privilege Escalation"; the list that cloudsplaining uses).
TAKES_ALL = (
    "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:PutGroupPolicy", "iam:AttachGroupPolicy",
    "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:AddUserToGroup", "iam:CreateAccessKey", "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile", "iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
)  # fmt: skip
# With one of these, a role can be made one's own, and then allowed whatever its boundary allows.
TAKES_ROLE = (
    "iam:CreateRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:AttachRolePolicy",
    "iam:PutRolePermissionsBoundary",
)  # fmt: skip
# With one of these, the code of a function, which runs as its role, can be chosen.
TAKES_FUNCTION = ("lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration")
ONESELF = "user/${aws:username}"


class Role(NamedTuple):
    """A role that exists: what its policies and its boundary allow, and which service may assume it."""

    allowed: Sequence[Statement]
    boundary: Sequence[Statement] | None
    service: str


class Found(NamedTuple):
    """What can be reached: its rights, and how."""

    rights: Sequence[Statement]
    path: tuple[str, ...]


def reachable(
    start: Sequence[Statement], roles: Mapping[str, Role], boundaries: Mapping[str, Sequence[Statement]]
) -> dict[str, Found]:
    """Name → what can be reached from some rights; the rights themselves as "the start".

    Args:
        start: The statements of all policies that somebody has.
        roles: Name → role, of the roles that exist.
        boundaries: ARN → statements, of the policies that may bound a role.
    """
    found = {"the start": Found(start, ())}
    waiting = deque(found)
    while waiting:
        name = waiting.popleft()
        for how, target, rights in _steps(found[name].rights, roles, boundaries):
            if target not in found:
                found[target] = Found(rights, (*found[name].path, how))
                waiting.append(target)
    return found


def _steps(
    rights: Sequence[Statement], roles: Mapping[str, Role], boundaries: Mapping[str, Sequence[Statement]]
) -> Iterator[tuple[str, str, Sequence[Statement]]]:
    """What can be reached at once: how, its name, and its rights."""
    for each in (each for each in rights if each["Effect"] == "Allow"):
        for action in _allowed(each, TAKES_ALL):
            if not all(resource.endswith(ONESELF) for resource in listed(each["Resource"])):
                yield action, EVERYTHING, ALL
        for action in _allowed(each, TAKES_ROLE):
            bounds = each.get("Condition", {}).get("StringEquals", {}).get("iam:PermissionsBoundary")
            for bound in listed(bounds) if bounds else ():
                yield action, f"a role within {bound}", boundaries[bound]
            if not bounds:
                yield action, EVERYTHING, ALL
        for name, role in roles.items():
            how = _use(rights, each, name, role)
            if how:
                yield how, name, role.allowed if role.boundary is None else [*role.boundary]


def _use(rights: Sequence[Statement], passing: Statement, name: str, role: Role) -> str:
    """How a role can be used: by its own session, or by a function that it is passed to; or `""`."""
    covered = any(fnmatch.fnmatchcase(f"x:role/{name}", f"*{_last(each)}") for each in listed(passing["Resource"]))
    if covered and list(_allowed(passing, ("sts:AssumeRole",))):
        return "sts:AssumeRole"
    if covered and list(_allowed(passing, ("iam:PassRole",))) and role.service == "lambda.amazonaws.com":
        for each in rights:
            for action in _allowed(each, TAKES_FUNCTION):
                return f"iam:PassRole and {action}"
    return ""


def _last(arn: str) -> str:
    return "role/" + arn.partition(":role/")[2] if ":role/" in arn else "*" if arn == "*" else "-"


def _allowed(statement: Statement, actions: Iterable[str]) -> Iterator[str]:
    if statement["Effect"] == "Allow":
        for action in actions:
            patterns = listed(statement.get("Action", []))
            if any(fnmatch.fnmatch(action.lower(), pattern.lower()) for pattern in patterns):
                yield action


def listed(value: str | Sequence[str]) -> Sequence[str]:
    """A value of the policy language as a list: one alone may stand without a list."""
    return [value] if isinstance(value, str) else value


ALL: Sequence[Statement] = ({"Effect": "Allow", "Action": "*", "Resource": "*"},)


def outside(rights: Sequence[Statement], project: str, stacks: Sequence[str]) -> list[tuple[str, str]]:
    """Action and resource of all that is allowed beyond the names and the tags of some stacks.

    Args:
        rights: Statements.
        project: The project's name.
        stacks: The stacks' names.
    """
    prefixes = tuple(f"{project}-{stack}-" for stack in stacks)
    found = []
    for each in (each for each in rights if each["Effect"] == "Allow"):
        if not _narrowed(each.get("Condition", {}), project, stacks):
            for resource in listed(each["Resource"]):
                name = resource.rpartition(":")[2].rpartition("/")[2] if ":parameter/" not in resource else resource
                named = name.partition(":parameter/")[2] or name
                group = resource.partition(":log-group:")[2]
                if not (group or named).startswith(prefixes):
                    found += [(action, resource) for action in listed(each["Action"])]
    return found


def _narrowed(conditions: Mapping[str, Mapping[str, Any]], project: str, stacks: Sequence[str]) -> bool:
    """Whether conditions narrow a statement to the tags, or to the functions, of the stacks."""
    equal = conditions.get("StringEquals", {})
    for key in ("aws:ResourceTag", "aws:RequestTag"):
        if equal.get(f"{key}/project") == project and set(listed(equal[f"{key}/stack"])) <= set(stacks):
            return True
    functions = [
        function
        for operator in ("ArnLike", "ArnLikeIfExists")
        for function in listed(conditions.get(operator, {}).get("lambda:FunctionArn", []))
    ]
    starts = tuple(f"{project}-{stack}-" for stack in stacks)
    return bool(functions) and all(each.rpartition(":function:")[2].startswith(starts) for each in functions)
