"""Takes each action out of each of our policies, one at a time, and reports which step fails without it."""

import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tools.rights.scoped_steps import SCOPED_STEPS
from tools.rights.steps import (
    BOT_STEPS,
    CHECK_STEPS,
    DIALOGUE_STEPS,
    MEMBER_STEPS,
    OWN_STEPS,
    STATE_STEPS,
    Missing,
    Step,
    allowed_on_another,
)
from tools.rights.trial import BOUNDARY, Trial

REAL_AWS_ONLY = Path(__file__).with_name("real_aws_only.json")
"""What no step in the sandbox can need: policy → statement → action (or `*`, all of it) → why, and the source."""

OTHERS_STATEMENT = "NobodyElsesWithoutMfa"

STEPS: dict[str, tuple[Step, ...]] = {
    "admins-data": MEMBER_STEPS,
    "admins-watch": MEMBER_STEPS,
    "admins-scoped-data": SCOPED_STEPS,
    "admins-scoped-watch": SCOPED_STEPS,
    "admins-scoped-functions": SCOPED_STEPS,
    "admins-scoped-access": SCOPED_STEPS,
    BOUNDARY: BOT_STEPS,
    "admins-tools": STATE_STEPS,
    "admins-upkeep": MEMBER_STEPS,
    "admins-mfa": OWN_STEPS,
    "bot-access": BOT_STEPS,
    "bot-log": BOT_STEPS,
    "check": CHECK_STEPS,
    "dialogue-log": DIALOGUE_STEPS,
    "api-account": (),
}
"""Policy → the steps that need it, by the policy's name without stack and ending."""


class Permission(NamedTuple):
    """One action in one statement of one policy."""

    policy: str
    statement: str
    action: str


class Proof(NamedTuple):
    """What a permission is for: the step that fails without it, or why only the real AWS can show it. Or nothing."""

    permission: Permission
    step: str
    real: str


def permissions(policies: dict[str, dict[str, Any]]) -> Iterator[Permission]:
    """Every action of these policies, in the order of `STEPS`: the order of deployment varies."""
    for title in sorted(policies, key=list(STEPS).index):
        for each in policies[title]["Statement"]:
            named = each.get("Action", each.get("NotAction"))
            for action in [named] if isinstance(named, str) else named:
                yield Permission(title, each.get("Sid", ""), action)


def real_reason(permission: Permission) -> str:
    """Why only the real AWS needs a permission; `""` if the sandbox can show it."""
    statements = json.loads(REAL_AWS_ONLY.read_text(encoding="utf-8")).get(permission.policy, {})
    actions = statements.get(permission.statement, {})
    return str(actions.get(permission.action, actions.get("*", "")))


def prove_all(trial: Trial, titles: Collection[str]) -> Iterator[Proof]:
    """Run every step with all permissions, then take each permission of some policies away, one at a time.

    Args:
        trial: Where.
        titles: The policies.

    Raises:
        AssertionError: a step fails although no permission is missing.
    """
    for step in dict.fromkeys(step for title in titles for step in STEPS[title]):
        try:
            step.run(trial)
        except Missing as error:
            raise AssertionError(f"With all permissions, this step fails: {step.name}: {error}") from None
    for permission in permissions({title: trial.policies[title] for title in titles}):
        yield prove(trial, permission)


def prove_denial(trial: Trial, permission: Permission) -> Proof:
    """Take one action out of what is denied on other users, and see whether it is allowed then."""
    if allowed_on_another(trial, permission.action):
        raise AssertionError(f"A member without MFA may do {permission.action} to another user.")
    with trial.without(*permission):
        freed = allowed_on_another(trial, permission.action)
    return Proof(permission, "without MFA: that another user is left alone" if freed else "", "")


def prove(trial: Trial, permission: Permission) -> Proof:
    """Take one permission away, and see which step fails."""
    if reason := real_reason(permission):
        return Proof(permission, "", reason)
    if permission.statement == OTHERS_STATEMENT:
        return prove_denial(trial, permission)
    with trial.without(*permission):
        for step in STEPS[permission.policy]:
            if permission.action.partition(":")[0] not in step.services:
                continue
            try:
                step.run(trial)
            except Missing as error:
                if permission.action.lower() not in str(error).lower():
                    raise AssertionError(f"Without {permission} a step misses something else: {error}") from None
                sys.stderr.write(f"{permission.policy} {permission.statement} {permission.action}: {step.name}\n")
                break
        else:
            sys.stderr.write(f"{permission.policy} {permission.statement} {permission.action}: NOTHING NEEDS IT\n")
            return Proof(permission, "", "")
    if STEPS[permission.policy] is BOT_STEPS:
        trial.sandbox.faults({})
        trial.restart_function()
        trial.sandbox.settle()
    return Proof(permission, step.name, "")
