"""The page about permissions is complete and matches the policies; no policy of ours allows what it is not for."""

import json
from typing import Any

import pytest

from tests.harness import Graph, run_main
from tests.policies import documents
from tools.rights.__main__ import CONVERSATION, LEX
from tools.rights.page import PAGE, table
from tools.rights.proofs import REAL_AWS_ONLY, Permission, permissions
from tools.rights.static_analysis import findings, managed, together, unconstrained

# API Gateway refuses a role with less than AWS's managed policy for it, which covers all logs.
AS_AWS_ASKS = "api-account"


def ours(graph: Graph) -> dict[str, dict[str, Any]]:
    """Title → document of each policy of ours in a graph, without trust policies."""
    start = f"innolab-fbm-{graph.stack}-"
    return {
        name.removeprefix(start).removesuffix("-policy"): document
        for name, document in documents(graph).items()
        if "Principal" not in document["Statement"][0]
    }


@pytest.fixture(scope="module")
def full() -> Graph:
    """A stack with every policy that there can be."""
    added = {"manageApiGatewayAccount": True, "apiAccessLog": True, "unknownDays": 7}
    return run_main("prod", {"adminMembers": ["anna"], **added, **CONVERSATION, "timeoutSeconds": 30, **LEX})


@pytest.fixture(scope="module")
def scoped() -> Graph:
    """A stack with scoped rights."""
    return run_main("local", {"adminRights": "scoped", **LEX, **CONVERSATION, "timeoutSeconds": 30})


def test_every_action_of_every_policy_is_in_the_table_and_no_other(
    full: Graph, scoped: Graph, graphs: dict[str, Graph]
) -> None:
    found = {permission for graph in (full, scoped, *graphs.values()) for permission in permissions(ours(graph))}

    assert found == set(table()), "run `make rights`"


def test_every_action_in_the_table_is_needed() -> None:
    assert [permission for permission, need in table().items() if "nothing needs it" in need or not need] == []


def test_what_only_the_real_aws_needs_is_in_the_table_with_reason_and_source() -> None:
    listed = json.loads(REAL_AWS_ONLY.read_text(encoding="utf-8"))
    marked = {permission: need for permission, need in table().items() if need.startswith("real AWS only: ")}

    named = {
        Permission(policy, statement, action): reason
        for policy, statements in listed.items()
        for statement, actions in statements.items()
        for action, reason in actions.items()
    }
    for permission, need in marked.items():
        reason = named.get(permission, named.get(permission._replace(action="*"), ""))
        assert need == f"real AWS only: {reason}", permission
        assert "(" in reason
    for permission in named:
        assert any(permission in {each, each._replace(action="*")} for each in marked), (
            f"{permission} is no permission of ours"
        )


def test_our_policies_together_allow_no_escalation_exfiltration_or_exposure(full: Graph) -> None:
    policies = {title: each for title, each in ours(full).items() if title != AS_AWS_ASKS}
    for start in ("admins-", "bot-"):
        found = findings(together({title: each for title, each in policies.items() if title.startswith(start)}))
        assert {kind: values for kind, values in found.items() if values} == {}
    assert {title: wide for title, each in policies.items() if (wide := unconstrained(each))} == {}


def test_the_analyser_finds_what_is_there() -> None:
    """Otherwise the tests above would pass whatever the policies say."""
    statement = {"Effect": "Allow", "Action": ["iam:PutUserPolicy", "s3:GetObject", "sqs:*"], "Resource": "*"}
    found = findings({"Version": "2012-10-17", "Statement": [statement]})

    assert found["privilege escalation"] == ["PutUserPolicy"]
    assert found["data exfiltration"] == ["s3:GetObject"]
    assert found["service wildcard"] == ["sqs"]


def test_the_page_says_what_the_documented_five_allow() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = findings(together(managed()))

    assert (
        f"| ways to escalate privileges in all that a member has | {len(found['privilege escalation'])} | 0 |" in text
    )
    assert all(way in text for way in found["privilege escalation"])
    assert all(f"| {name} |" in text for name in managed())
