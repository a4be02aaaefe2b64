"""Prove every right and write `docs/rights.md`: `make rights`."""

import json
import sys

from sandbox.local import Sandbox
from tools.rights.bench import SETTINGS, STACK, Bench
from tools.rights.judgement import managed
from tools.rights.mutation import prove_all
from tools.rights.page import PAGE, page

MEMBER = "anna"
OTHER = "dev"
# The emulator has no Lex, and the steps say nothing that would be asked of it.
LEX = {"lexBotId": "ABCDEFGHIJ", "lexBotAliasId": "TSTALIASID", "lexLocaleId": "en_US"}


def denied_to_the_five(sandbox: Sandbox) -> set[tuple[str, str]]:
    """Action and resource of each call in the life of a stack that the documented five alone would not allow.

    The owner has deployed it; a member changes it, and makes, changes and deletes another.
    """
    key = sandbox.session_of(MEMBER)
    changes = {
        "memoryMb": "1024", "timeoutSeconds": "20", "logRetentionDays": "60", "protectData": "true",
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
            continue  # asks for no right
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
        proofs = list(prove_all(Bench(sandbox)))
    PAGE.write_text(page(proofs, denied, len(refused)), encoding="utf-8")
    for call in refused:
        sys.stderr.write(f"A member was denied {call}.\n")
    unneeded = [proof.right for proof in proofs if not proof.step and not proof.real]
    for right in unneeded:
        sys.stderr.write(f"Nothing needs {right.action} in {right.policy}, {right.statement}: take it out.\n")
    sys.stderr.write(f"{len(proofs)} rights, {len(unneeded)} of them needless; written: {PAGE.name}\n")
    return 1 if unneeded or refused else 0


if __name__ == "__main__":
    sys.exit(main())
