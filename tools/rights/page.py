"""Writes `docs/rights.md`, and reads its table back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tools.recorder import ROOT
from tools.rights.judgement import KINDS, findings, managed, together
from tools.rights.mutation import Proof, Right

PAGE = ROOT / "docs" / "rights.md"
TITLES = {
    "admins-data": "administrators: data",
    "admins-watch": "administrators: watch",
    "admins-mfa": "administrators: MFA",
    "bot-access": "the function's role: access",
    "bot-log": "the function's role: log",
    "api-account": "API Gateway's log role",
}
"""Policy → how the page calls it."""
SHOWN = 4
ANSWERS = {
    "IAMFullAccess": "Leave it out where members only change what is there (below); else require MFA.",
    "AWSLambda_FullAccess": "It reaches every function of the account: keep other functions in another account.",
    "AmazonAPIGatewayInvokeFullAccess": "Nobody needs it for this stack: the webhook is public. Leave it out.",
    "AmazonAPIGatewayAdministrator": "It reaches every API of the account: keep other APIs in another account.",
    "AmazonLexFullAccess": "Leave it out as long as no bot of the team's uses Lex.",
}
"""What to do about what each of the documented five brings."""


def page(proofs: Sequence[Proof], denied: Iterable[tuple[str, str]], refused: int) -> str:
    """The whole page.

    Args:
        proofs: of every right in every policy of ours.
        denied: action and resource of each call in the life of a stack that the documented five alone do not allow.
        refused: how many calls a member was denied in it, with all policies.
    """
    shown = [proof for proof in proofs if proof.step]
    real = [proof for proof in proofs if proof.real]
    unneeded = [proof for proof in proofs if not proof.step and not proof.real]
    everything = findings(together(managed()))
    return f"""# Rights

Written by `make rights`, which runs a stack in the sandbox with IAM enforced; the texts are in `tools/rights/page.py`.

| | |
|---|---|
| calls denied to a member in the full life of a stack, and of another environment | {refused} |
| actions in policies of ours | {len(proofs)} |
| … of which a step fails without them | {len(shown)} |
| … which only the real AWS needs | {len(real)} |
| … which nothing needs | {len(unneeded)} |
| ways to escalate privileges in policies of ours | 0 |
| … in the documented five together | {len(everything["privilege escalation"])} |

The first and the last but one are tests: `tests/system/test_rights.py`, `tests/tools/test_rights.py`.

## What the documented five mean

**Who is in the group is an administrator of the whole account**: `IAMFullAccess` lets a member grant themself
anything. The analyser (cloudsplaining) finds in each:

{_judged(managed())}

`adminPolicies` leaves any of them out. Without `IAMFullAccess` members change functions, settings, secrets, queues
and alarms; roles, policies and the group itself are then the account owner's:

```
pulumi config set --path 'innolab-fbm:adminPolicies[0]' AWSLambda_FullAccess
pulumi config set --path 'innolab-fbm:adminPolicies[1]' AmazonAPIGatewayAdministrator
```

The ways up that the analyser finds with all five: {", ".join(everything["privilege escalation"])}.

## What the documented five alone do not allow

A member made, changed and deleted a stack; with the five alone these calls would have been denied. So the group
also gets policies of ours, for names that begin with the project and a stack that it administers:

{_denied(denied)}

## With MFA only

With `requireMfa` (on in `prod`) a member without a session that began with an MFA code sees whether an alarm is on,
and sets up their own password, keys and MFA device; everything else is denied, whatever other policies allow. To begin
a session:

```
aws sts get-session-token --serial-number arn:aws:iam::ACCOUNT:mfa/DEVICE --token-code CODE
```

Who applies a stack whose group requires MFA, being a member of it, needs such a session from then on. What remains: a
stolen password or key lets a thief add an MFA device of theirs to that user. So let members enable theirs on their
first day, and be told of each `EnableMFADevice`.

## What cannot be narrowed

IAM authorises the rows *AnyResource* below on any resource only, so a member of one stack's group may do them to any:
they read names and settings, no content. `sns:Unsubscribe` can end another stack's alarm e-mails.

## What each action of ours is for

Each was taken out of its policy in turn, and the step in its row failed.

| policy | statement | action | without it this fails |
|---|---|---|---|
{"".join(_row(proof) for proof in proofs)}"""


def _judged(documents: Mapping[str, Mapping[str, object]]) -> str:
    rows = []
    for name, document in documents.items():
        found = {kind: values for kind, values in findings(document).items() if values}
        texts = [f"{kind}: {_some(found[kind])}" for kind in KINDS if kind in found]
        rows.append(f"| {name} | {'; '.join(texts) or 'nothing'} | {ANSWERS[name]} |\n")
    return "| policy | what it brings | what to do |\n|---|---|---|\n" + "".join(rows).rstrip("\n")


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
    policy, statement, action = proof.right
    what = proof.step or (f"real AWS only: {proof.real}" if proof.real else "**nothing needs it**")
    return f"| {TITLES[policy]} | {statement or 'the only one'} | `{action}` | {what} |\n"


def table() -> dict[Right, str]:
    """The rights in the page's table, and what its last column says of each."""
    titles = {title: policy for policy, title in TITLES.items()}
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0] in titles:
            statement = "" if cells[1] == "the only one" else cells[1]
            found[Right(titles[cells[0]], statement, cells[2].strip("`"))] = cells[3]
    return found
