"""Prove every permission and write `docs/rights.md`: `make rights`."""

import json
import sys

from sandbox.local import Sandbox
from tools.rights.page import PAGE, page
from tools.rights.proofs import prove_all
from tools.rights.static_analysis import managed
from tools.rights.trial import SETTINGS, STACK, Trial

MEMBER = "anna"
OTHER = "dev"
# The emulator has no Lex, and the steps say nothing that the bot would ask Lex.
LEX = {"lexBotId": "ABCDEFGHIJ", "lexBotAliasId": "TSTALIASID", "lexLocaleId": "en_US"}


def denied_to_the_five(sandbox: Sandbox) -> set[tuple[str, str]]:
    """Action and resource of each call in the life of a stack that the documented five would not allow.

    The owner has deployed the stack. A member changes it, and creates, changes and deletes another one.
    """
    key = sandbox.session_of(MEMBER)
    changes = {
        "memoryMb": "1024", "timeoutSeconds": "25", "logRetentionDays": "60", "protectData": "true",
        "alarmEmail": "others@example.org",
    }  # fmt: skip
    sandbox.update(changes, key=key)
    sandbox.update({"protectData": "false"}, key=key)
    sandbox.update({"adminGroupName": "", "alarmEmail": "team@example.org"}, stack=OTHER, key=key)
    sandbox.destroy(stack=OTHER, key=key)
    calls = {
        (each["action"], each["resource"])
        for each in sandbox.decisions()
        if each["principal"].endswith(f"user/{MEMBER}") or f"/{MEMBER}" in each["principal"]
    }
    iam = sandbox.client("iam")
    documents = [json.dumps(document) for document in managed().values()]
    denied = set()
    for action, resource in calls:
        if action.startswith("sts:"):
            continue  # needs no permission
        found = iam.simulate_custom_policy(PolicyInputList=documents, ActionNames=[action], ResourceArns=[resource])[
            "EvaluationResults"
        ]
        if found[0]["EvalDecision"] != "allowed":
            denied.add((action, resource))
    return denied


def main() -> int:
    """Run everything, and write the page.

    Returns:
        1 if there is an action that nothing needs, or a call that a member is denied.
    """
    with Sandbox(STACK, settings={**SETTINGS, **LEX, "adminStacks": f'["{OTHER}"]'}) as sandbox:
        denied = denied_to_the_five(sandbox)
        refused = [f"{each['action']} on {each['resource']}" for each in sandbox.decisions() if not each["allowed"]]
        proofs = list(prove_all(Trial(sandbox)))
    PAGE.write_text(page(proofs, denied, len(refused)), encoding="utf-8")
    for call in refused:
        sys.stderr.write(f"A member was denied {call}.\n")
    unneeded = [proof.permission for proof in proofs if not proof.step and not proof.real]
    for permission in unneeded:
        sys.stderr.write(
            f"Nothing needs {permission.action} in {permission.policy}, {permission.statement}: take it out.\n"
        )
    sys.stderr.write(f"{len(proofs)} permissions, {len(unneeded)} of them not needed; written: {PAGE.name}\n")
    return 1 if unneeded or refused else 0


if __name__ == "__main__":
    sys.exit(main())
