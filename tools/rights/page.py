"""Writes `docs/rights.md`, and reads its table back."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from components.scoped_policies import READ_ANYTHING, WRITE_SUBSCRIPTIONS
from tools.recorder import ROOT
from tools.rights.attempts import ATTEMPTS
from tools.rights.proofs import Permission, Proof
from tools.rights.static_analysis import KINDS, findings, managed, together
from tools.rights.trial import BOUNDARY

PAGE = ROOT / "docs" / "rights.md"
TITLES = {
    "admins-data": "administrators: data",
    "admins-watch": "administrators: watch",
    "admins-scoped-data": "scoped administrators: data",
    "admins-scoped-watch": "scoped administrators: watch",
    "admins-scoped-functions": "scoped administrators: functions",
    "admins-scoped-access": "scoped administrators: access",
    BOUNDARY: "the boundary of the stack's roles",
    "admins-tools": "administrators: tools",
    "admins-upkeep": "administrators: upkeep",
    "admins-mfa": "administrators: MFA",
    "bot-access": "the function's role: access",
    "bot-log": "the function's role: log",
    "check": "the schedule's role",
    "dialogue-log": "the conversation function's role: log",
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


class Evidence(NamedTuple):
    """What was found with one kind of rights.

    Attributes:
        proofs: Of every permission in every policy of ours.
        denied: How many calls a member was denied in the life of a stack and of another environment.
        escalations: How many ways to escalate privileges the analyser finds in all that a member has.
        attempts: Name → whether it was refused, of each attempt to get more.
    """

    proofs: Sequence[Proof]
    denied: int
    escalations: int
    attempts: Mapping[str, bool]


def page(documented: Evidence, scoped: Evidence, denied: Iterable[tuple[str, str]]) -> str:
    """The whole page.

    Args:
        documented: What was found with the documented rights.
        scoped: What was found with scoped rights.
        denied: Action and resource of each call in the life of a stack that the documented five do not allow.
    """
    everything = findings(together(managed()))
    rows = {proof.permission: proof for proof in (*documented.proofs, *scoped.proofs)}
    order = list(TITLES)
    proofs = sorted(rows.values(), key=lambda proof: order.index(proof.permission.policy))
    return f"""# Permissions

Written by `make rights`, which runs a stack in the sandbox with IAM enforced; the texts are in `tools/rights/page.py`.

The setting `adminRights` chooses what administrators may do. Side by side:

| | `documented` | `scoped` |
|---|---|---|
{_compared(documented, scoped)}

These are tests too: `tests/system/test_rights.py`, `tests/sandbox/test_scoped_rights.py`,
`tests/tools/test_rights.py` and `tests/components/test_scoped_policies.py`.

## Scoped rights

With `adminRights: scoped`, the group has four policies of ours and no other. They allow the calls that Pulumi's AWS
provider makes for what a stack holds, and what operators do by hand. Everything is narrowed to names that begin with
the project and a stack of the group, or to the tags `project` and `stack` where AWS chooses the name.

Members create the roles of a stack, and a role could be allowed anything. So each role has a *boundary*: the policy
`<project>-<stack>-boundary`, which allows no more than the bot needs in its own stack. The stack with the group creates
the boundary of every stack that the group administers. Members cannot change it, create a role without it, or pass a
role to anything but Lambda.

What follows from it:

- Set `adminRights: scoped` in every stack that the group administers. The account's owner applies the stack with the
  group first.
- To change an existing stack to `scoped`, the owner applies it once: only the owner may give a role its boundary.
- One group administers a stack: two groups would both create its boundary.
- A stack whose name begins with another stack's name and a hyphen (`dev` and `dev-anna`) belongs to that one's group
  too.
- The owner also applies a stack with `manageApiGatewayAccount`: API Gateway has one log role per account, which may
  read all logs.
- A stage has no tags of its own. It inherits those of its API for permissions, but not for cost allocation.
- To use Amazon Lex, the owner of the Lex bot tags its alias with `project` and `stack`.

What a member tried, in this order, and what became of it. With the documented rights, the second attempt gives a
member everything:

| attempt | `documented` | `scoped` |
|---|---|---|
{_attempts(documented, scoped)}

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

IAM cannot narrow some rows below to a resource: *AnyResource* with the documented rights, *ReadAnything* and
*WriteSubscriptions* with scoped ones. So a member of one stack's group can do these to any resource of the region:

- Read names and settings, but no content: {_named(READ_ANYTHING)}.
- End another stack's alarm e-mails: {_named(WRITE_SUBSCRIPTIONS)}.

*ReadApiAccount* reads which role API Gateway uses for the logs of the whole account.

## What each action is for

Each action was taken out of its policy, one at a time. Then the step in its row failed.

| policy | statement | action | what fails without it |
|---|---|---|---|
{"".join(_row(proof) for proof in proofs)}"""


def _named(actions: Iterable[str]) -> str:
    return ", ".join(f"`{action}`" for action in actions)


def _compared(documented: Evidence, scoped: Evidence) -> str:
    def row(title: str, value: Callable[[Evidence], object]) -> str:
        return f"| {title} | {value(documented)} | {value(scoped)} |"

    return "\n".join(
        [
            row("actions in our own policies", lambda each: len(each.proofs)),
            row("… without which a step fails", lambda each: sum(1 for proof in each.proofs if proof.step)),
            row("… that only the real AWS needs", lambda each: sum(1 for proof in each.proofs if proof.real)),
            row("… that nothing needs", lambda each: sum(1 for proof in each.proofs if not (proof.step or proof.real))),
            row("calls denied to a member in the life of a stack and of another environment", lambda each: each.denied),
            row("ways to escalate privileges in all that a member has", lambda each: each.escalations),
            row(f"attempts to get more that are refused, of {len(ATTEMPTS)}", lambda each: sum(each.attempts.values())),
        ]
    )


def _attempts(documented: Evidence, scoped: Evidence) -> str:
    def outcome(each: Evidence, name: str) -> str:
        return "refused" if each.attempts[name] else "**succeeds**"

    return "\n".join(
        f"| {each.name} | {outcome(documented, each.name)} | {outcome(scoped, each.name)} |" for each in ATTEMPTS
    )


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
