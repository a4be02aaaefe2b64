"""Takes each action out of each policy of ours in turn, and tells which step fails then."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tools.rights.bench import Bench
from tools.rights.steps import BOT_STEPS, MEMBER_STEPS, OWN_STEPS, Missing, Step, allowed_on_another

REAL_AWS_ONLY = Path(__file__).with_name("real_aws_only.json")
"""What no step in the sandbox can need: policy → statement → action (or `*`, all of it) → why, and the source."""

OTHERS_STATEMENT = "NobodyElsesWithoutMfa"

STEPS: dict[str, tuple[Step, ...]] = {
    "admins-data": MEMBER_STEPS,
    "admins-watch": MEMBER_STEPS,
    "admins-mfa": OWN_STEPS,
    "bot-access": BOT_STEPS,
    "bot-log": BOT_STEPS,
    "api-account": (),
}
"""Policy → the steps that need it, by the policy's name without stack and ending."""


class Right(NamedTuple):
    """One action in one statement of one policy."""

    policy: str
    statement: str
    action: str


class Proof(NamedTuple):
    """What a right is for: the step that fails without it, or why only the real AWS can tell; neither: nothing."""

    right: Right
    step: str
    real: str


def rights(policies: dict[str, dict[str, Any]]) -> Iterator[Right]:
    """Every action of these policies, by their titles."""
    for title, document in policies.items():
        for each in document["Statement"]:
            named = each.get("Action", each.get("NotAction"))
            for action in [named] if isinstance(named, str) else named:
                yield Right(title, each.get("Sid", ""), action)


def real_reason(right: Right) -> str:
    """Why only the real AWS needs a right; `""` if the sandbox has to show it."""
    statements = json.loads(REAL_AWS_ONLY.read_text(encoding="utf-8")).get(right.policy, {})
    actions = statements.get(right.statement, {})
    return str(actions.get(right.action, actions.get("*", "")))


def prove_all(bench: Bench) -> Iterator[Proof]:
    """First every step with all rights, then each right taken away in turn.

    Raises:
        AssertionError: a step fails although nothing is missing.
    """
    for step in dict.fromkeys(step for steps in STEPS.values() for step in steps):
        try:
            step.run(bench)
        except Missing as error:
            raise AssertionError(f"With all rights, this step fails: {step.name}: {error}") from None
    for right in rights(bench.policies):
        yield prove(bench, right)


def prove_denial(bench: Bench, right: Right) -> Proof:
    """Take one action out of what is denied on other users, and look whether it is allowed then."""
    if allowed_on_another(bench, right.action):
        raise AssertionError(f"A member without MFA may do {right.action} to another user.")
    with bench.without(*right):
        freed = allowed_on_another(bench, right.action)
    return Proof(right, "without MFA: that another user is left alone" if freed else "", "")


def prove(bench: Bench, right: Right) -> Proof:
    """Take one right away, and look which step fails."""
    if reason := real_reason(right):
        return Proof(right, "", reason)
    if right.statement == OTHERS_STATEMENT:
        return prove_denial(bench, right)
    with bench.without(*right):
        for step in STEPS[right.policy]:
            if right.action.partition(":")[0] not in step.services:
                continue
            try:
                step.run(bench)
            except Missing as error:
                if right.action.lower() not in str(error).lower():
                    raise AssertionError(f"Without {right} a step misses something else: {error}") from None
                sys.stderr.write(f"{right.policy} {right.statement} {right.action}: {step.name}\n")
                break
        else:
            sys.stderr.write(f"{right.policy} {right.statement} {right.action}: NOTHING NEEDS IT\n")
            return Proof(right, "", "")
    if right.policy.startswith("bot-"):
        bench.sandbox.faults({})
        bench.restart_function()
        bench.sandbox.settle()
    return Proof(right, step.name, "")
