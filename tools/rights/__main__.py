"""Prove every permission and write `docs/rights.md`: `make rights`."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.aws.clients import Clients
from sandbox.local import Sandbox
from tools.rights.attempts import ATTEMPTS, refused_action, set_up
from tools.rights.page import PAGE, Evidence, page
from tools.rights.proofs import Proof, permissions, prove_all
from tools.rights.proofs import prove as prove_one
from tools.rights.static_analysis import findings, managed, together
from tools.rights.trial import SETTINGS, STACK, Trial

MEMBER = "anna"
OTHER = "dev"
# The emulator has no Lex, and the steps say nothing that the bot would ask Lex.
LEX = {"lexBotId": "ABCDEFGHIJ", "lexBotAliasId": "TSTALIASID", "lexLocaleId": "en_US"}
CONVERSATION = {"conversationCode": "examples/nodejs", "timeoutSeconds": "30"}
CALL, DIALOGUE = "lambda:InvokeFunction", "dialogue-log"
"""The permission to call the conversation's function, and the policy for that function's log."""


def live(sandbox: Sandbox, rights: str) -> list[dict[str, Any]]:
    """The decisions about a member in the life of a stack, each once.

    The owner has deployed the stack. A member changes it, and creates, changes and deletes another one.
    """
    key = sandbox.session_of(MEMBER)
    changes = {
        "memoryMb": "1024", "timeoutSeconds": "25", "logRetentionDays": "60", "protectData": "true",
        "alarmEmail": "others@example.org",
    }  # fmt: skip
    sandbox.update(changes, key=key)
    sandbox.update({"protectData": "false"}, key=key)
    other = {"adminGroupName": "", "adminRights": rights, "alarmEmail": "team@example.org"}
    sandbox.update(other, stack=OTHER, key=key)
    sandbox.destroy(stack=OTHER, key=key)
    return [each for each in sandbox.decisions() if f"/{MEMBER}" in each["principal"]]


def denied_to_the_five(sandbox: Sandbox, decisions: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Action and resource of each call that the documented five would not allow."""
    iam = sandbox.client("iam")
    documents = [json.dumps(document) for document in managed().values()]
    denied = set()
    for action, resource in {(each["action"], each["resource"]) for each in decisions}:
        if action.startswith("sts:"):
            continue  # needs no permission
        found = iam.simulate_custom_policy(PolicyInputList=documents, ActionNames=[action], ResourceArns=[resource])[
            "EvaluationResults"
        ]
        if found[0]["EvalDecision"] != "allowed":
            denied.add((action, resource))
    return denied


def attempts(sandbox: Sandbox, trial: Trial) -> dict[str, bool]:
    """Name → whether it was refused, of each attempt of a member to get more. Nothing can be proven afterwards."""

    def sign_in(key: tuple[str, ...]) -> Clients:
        return Clients(sandbox.cloud_url, sandbox.configuration.region, key)

    group = sandbox.outputs["adminGroupName"]
    scene = set_up(sign_in, sandbox.session_of(MEMBER), MEMBER, group, trial.boundary)
    return {each.name: bool(refused_action(each, scene)) for each in ATTEMPTS}


def prove_conversation() -> list[Proof]:
    """Prove what a conversation in a function of its own needs, each on a new stack that has one."""
    settings = {**SETTINGS, **CONVERSATION, "adminRights": "scoped"}
    with Sandbox(STACK, settings=settings) as sandbox:
        given = permissions(Trial(sandbox).policies)
    proofs = []
    for permission in given:
        if permission.action == CALL or permission.policy == DIALOGUE:
            with Sandbox(STACK, settings=settings) as sandbox:
                proofs.append(prove_one(Trial(sandbox), permission))
    return proofs


def prove(
    rights: str, of_conversation: Sequence[Proof], known: Sequence[Proof] = ()
) -> tuple[Evidence, set[tuple[str, str]], list[str]]:
    """Prove one kind of rights.

    Args:
        rights: `documented` or `scoped`.
        of_conversation: see `prove_conversation`.
        known: What has been proven already: some policies are the same in both.

    Returns:
        What was found, the calls that the documented five would not allow, and the calls that were denied to a member.
    """
    settings = {**SETTINGS, **LEX, "adminStacks": f'["{OTHER}"]', "adminRights": rights}
    with Sandbox(STACK, settings=settings) as sandbox:
        decisions = live(sandbox, rights)
        five = denied_to_the_five(sandbox, decisions)
        denied = [f"{each['action']} on {each['resource']}" for each in sandbox.decisions() if not each["allowed"]]
        trial = Trial(sandbox)
        # Without the policy for MFA: the analyser takes what that denies under conditions for denied altogether.
        given = [title for title in trial.policies if title.startswith("admins-") and title != "admins-mfa"]
        policies = {title: trial.policies[title] for title in given}
        everything = together({**policies, **(managed() if rights == "documented" else {})})
        escalations = findings(everything)["privilege escalation"]
        titles = set(trial.policies) - {each.permission.policy for each in known}
        proofs = [each for each in known if each.permission.policy in trial.policies]
        proofs += [each for each in prove_all(trial, titles) if each.permission.action != CALL]
        proofs += [
            each
            for each in of_conversation
            if each not in proofs and (each.permission.policy in (*trial.policies, DIALOGUE))
        ]
        return Evidence(proofs, len(denied), len(escalations), attempts(sandbox, trial)), five, denied


def main() -> int:
    """Run everything, and write the page.

    Returns:
        1 if there is an action that nothing needs, a call that a member is denied, or an attempt that succeeds.
    """
    argparse.ArgumentParser("python -m tools.rights", description=__doc__, epilog="Example: make rights").parse_args()
    of_conversation = prove_conversation()
    documented, five, denied = prove("documented", of_conversation)
    scoped, _, also_denied = prove("scoped", of_conversation, documented.proofs)
    PAGE.write_text(page(documented, scoped, five), encoding="utf-8")
    mistakes = [f"A member was denied {call}." for call in (*denied, *also_denied)]
    mistakes += [
        f"Nothing needs {each.permission.action} in {each.permission.policy}, {each.permission.statement}: take it out."
        for each in (*documented.proofs, *scoped.proofs)
        if not each.step and not each.real
    ]
    mistakes += [
        f"With scoped rights, a member can {name}." for name, refused in scoped.attempts.items() if not refused
    ]
    for mistake in mistakes:
        sys.stderr.write(f"{mistake}\n")
    sys.stderr.write(f"{len(mistakes)} mistakes; written: {PAGE.name}\n")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
