"""Searches for a way from some rights to more: who may change what, and what that may change in turn."""

import fnmatch
import re
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
# With one of these, a function or a schedule is given a role, and makes its calls as that.
GIVES_ROLE = (
    "lambda:CreateFunction",
    "lambda:UpdateFunctionConfiguration",
    "scheduler:CreateSchedule",
    "scheduler:UpdateSchedule",
)
NAMED = re.compile(
    r"arn:(?:[^:]*:){4}"
    r"(?:(?:table|parameter|role|policy|dashboard|schedule/default)/|(?:log-group|alarm|function):)?(.*)"
)
"""An ARN, with the name of what it is about."""
ONESELF = "user/${aws:username}"


class Role(NamedTuple):
    """A role of Lambda that exists.

    Attributes:
        rights: What its boundary allows; what its policies allow if it has none.
        function: The ARN of the function that runs as it.
    """

    rights: Sequence[Statement]
    function: str


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
        roles: ARN → role, of the roles that exist.
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
    for arn, role in roles.items():
        if how := _use(rights, arn, role):
            yield how, arn, role.rights


def _use(rights: Sequence[Statement], arn: str, role: Role) -> str:
    """How a role can be used: in a session, by a function that runs as it, or by one that it is given to; or `""`."""
    if any(_covers(each, "sts:AssumeRole", arn) for each in rights):
        return "sts:AssumeRole"
    if any(_covers(each, "lambda:UpdateFunctionCode", role.function) for each in rights):
        return "lambda:UpdateFunctionCode"
    giving = [action for each in rights for action in _allowed(each, GIVES_ROLE)]
    if giving and any(_covers(each, "iam:PassRole", arn) for each in rights):
        return f"iam:PassRole and {giving[0]}"
    return ""


def _covers(statement: Statement, action: str, arn: str) -> bool:
    patterns = listed(statement.get("Resource", []))
    return bool(list(_allowed(statement, (action,)))) and any(fnmatch.fnmatchcase(arn, each) for each in patterns)


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
    for each in rights:
        if each["Effect"] == "Allow" and not _narrowed(each.get("Condition", {}), project, stacks):
            for resource in listed(each["Resource"]):
                named = NAMED.fullmatch(resource)
                if not (named and named[1].startswith(prefixes)):
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
