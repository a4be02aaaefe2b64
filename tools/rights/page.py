"""Writes `docs/rights.md`, and reads its table back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tools.recorder import ROOT
from tools.rights.proofs import Permission, Proof
from tools.rights.static_analysis import KINDS, findings, managed, together

PAGE = ROOT / "docs" / "rights.md"
TITLES = {
    "admins-data": "administrators: data",
    "admins-watch": "administrators: watch",
    "admins-schedule": "administrators: schedule",
    "admins-mfa": "administrators: MFA",
    "bot-access": "the function's role: access",
    "bot-log": "the function's role: log",
    "check": "the schedule's role",
    "api-account": "API Gateway's log role",
}
"""Policy → its name on the page."""
SHOWN = 4
ANSWERS = {
    "IAMFullAccess": "Leave it out where members only change what is there (below); else require MFA.",
    "AWSLambda_FullAccess": "It reaches every function of the account: keep other functions in another account.",
    "AmazonAPIGatewayInvokeFullAccess": "Nobody needs it for this stack: the webhook is public. Leave it out.",
    "AmazonAPIGatewayAdministrator": "It reaches every API of the account: keep other APIs in another account.",
    "AmazonLexFullAccess": "Leave it out as long as no bot of the team's uses Lex.",
}
"""What to do about what each of the documented five allows."""


def page(proofs: Sequence[Proof], denied: Iterable[tuple[str, str]], refused: int) -> str:
    """The whole page.

    Args:
        proofs: of every permission in every policy of ours.
        denied: action and resource of each call in the life of a stack that the documented five do not allow.
        refused: how many calls a member with all policies was denied in it.
    """
    shown = [proof for proof in proofs if proof.step]
    real = [proof for proof in proofs if proof.real]
    unneeded = [proof for proof in proofs if not proof.step and not proof.real]
    everything = findings(together(managed()))
    return f"""# Permissions

Written by `make rights`, which runs a stack in the sandbox with IAM enforced; the texts are in `tools/rights/page.py`.

| | |
|---|---|
| calls denied to a member in the whole life of a stack and of another environment | {refused} |
| actions in our own policies | {len(proofs)} |
| … without which a step fails | {len(shown)} |
| … that only the real AWS needs | {len(real)} |
| … that nothing needs | {len(unneeded)} |
| ways to escalate privileges in our own policies | 0 |
| … in the documented five together | {len(everything["privilege escalation"])} |

The first and the second last are tests: `tests/system/test_rights.py`, `tests/tools/test_rights.py`.

## What the documented five mean

**Every member of the group is an administrator of the whole account**: `IAMFullAccess` lets members grant themselves
anything. The analyser (cloudsplaining) finds this in each policy:

{_analysed(managed())}

`adminPolicies` can leave any of them out. Without `IAMFullAccess`, members can change functions, settings, secrets,
queues and alarms. Only the account's owner can then change roles, policies and the group itself:

```
pulumi config set --path 'innolab-fbm:adminPolicies[0]' AWSLambda_FullAccess
pulumi config set --path 'innolab-fbm:adminPolicies[1]' AmazonAPIGatewayAdministrator
```

The ways to escalate that the analyser finds in all five together: {", ".join(everything["privilege escalation"])}.

## What the documented five alone do not allow

A member created, changed and deleted a stack. With only the five, these calls would have been denied. So the group
also gets our own policies, for names that begin with the project and a stack that it administers:

{_denied(denied)}

## With MFA only

With `requireMfa` (on in `prod`), a member needs a session that began with an MFA code. Without one, a member can see
whether an alarm is on, and set up their own password, keys and MFA device. Everything else is denied, whatever other
policies allow. To begin a session:

```
aws sts get-session-token --serial-number arn:aws:iam::ACCOUNT:mfa/DEVICE --token-code CODE
```

A member who applies a stack whose group requires MFA needs such a session from then on. One risk remains: with a stolen
password or key, a thief can add their own MFA device to that user. So have members enable theirs on their first day,
and watch for `EnableMFADevice`.

## What cannot be narrowed

IAM cannot narrow the rows *AnyResource* below to a resource. So a member of one stack's group can do them to any
resource: they read names and settings, but no content. `sns:Unsubscribe` can end another stack's alarm e-mails.

## What each action is for

Each action was taken out of its policy, one at a time. Then the step in its row failed.

| policy | statement | action | what fails without it |
|---|---|---|---|
{"".join(_row(proof) for proof in proofs)}"""


def _analysed(documents: Mapping[str, Mapping[str, object]]) -> str:
    rows = []
    for name, document in documents.items():
        found = {kind: values for kind, values in findings(document).items() if values}
        texts = [f"{kind}: {_some(found[kind])}" for kind in KINDS if kind in found]
        rows.append(f"| {name} | {'; '.join(texts) or 'nothing'} | {ANSWERS[name]} |\n")
    return "| policy | what the analyser finds | what to do |\n|---|---|---|\n" + "".join(rows).rstrip("\n")


def _some(values: Sequence[str]) -> str:
    more = len(values) - SHOWN
    return ", ".join(values[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _denied(denied: Iterable[tuple[str, str]]) -> str:
    by_service = defaultdict(set)
    for action, _ in denied:
        service, _, name = action.partition(":")
        by_service[service].add(name)
    rows = [f"| {service} | {', '.join(sorted(names))} |\n" for service, names in sorted(by_service.items())]
    return "| service | denied |\n|---|---|\n" + "".join(rows).rstrip("\n")


def _row(proof: Proof) -> str:
    policy, statement, action = proof.permission
    what = proof.step or (f"real AWS only: {proof.real}" if proof.real else "**nothing needs it**")
    return f"| {TITLES[policy]} | {statement or 'the only one'} | `{action}` | {what} |\n"


def table() -> dict[Permission, str]:
    """The permissions in the page's table, with the last column of each."""
    titles = {title: policy for policy, title in TITLES.items()}
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0] in titles:
            statement = "" if cells[1] == "the only one" else cells[1]
            found[Permission(titles[cells[0]], statement, cells[2].strip("`"))] = cells[3]
    return found
