"""The page about rights is complete and true to the policies; and no policy of ours allows what it is not for."""

import json
from typing import Any

import pytest

from tests.harness import STACKS, Graph, run_main
from tests.policies import documents
from tools.rights.__main__ import LEX
from tools.rights.judgement import findings, managed, together, unconstrained
from tools.rights.mutation import REAL_AWS_ONLY, Right, rights
from tools.rights.page import PAGE, table

# API Gateway refuses a role with less than its own managed policy, which is about all logs.
AS_AWS_ASKS = "api-account"


def ours(graph: Graph) -> dict[str, dict[str, Any]]:
    """Title → document of each policy of ours in a graph, trust policies left out."""
    start = f"innolab-fbm-{graph.stack}-"
    return {
        name.removeprefix(start).removesuffix("-policy"): document
        for name, document in documents(graph).items()
        if "Principal" not in document["Statement"][0]
    }


@pytest.fixture(scope="module")
def full() -> Graph:
    """A stack with every policy that there can be."""
    return run_main("prod", {"adminMembers": ["anna"], "manageApiGatewayAccount": True, "apiAccessLog": True, **LEX})


def test_every_action_of_every_policy_is_in_the_table_and_no_other(full: Graph, graphs: dict[str, Graph]) -> None:
    found = {right for graph in (full, *graphs.values()) for right in rights(ours(graph))}

    assert found == set(table()), "run `make rights`"


def test_nothing_in_the_table_is_needless() -> None:
    assert [right for right, need in table().items() if "nothing needs it" in need or not need] == []


def test_what_only_the_real_aws_needs_is_in_the_table_with_reason_and_source() -> None:
    listed = json.loads(REAL_AWS_ONLY.read_text(encoding="utf-8"))
    marked = {right: need for right, need in table().items() if need.startswith("real AWS only: ")}

    named = {
        Right(policy, statement, action): reason
        for policy, statements in listed.items()
        for statement, actions in statements.items()
        for action, reason in actions.items()
    }
    for right, need in marked.items():
        reason = named.get(right, named.get(right._replace(action="*"), ""))
        assert need == f"real AWS only: {reason}", right
        assert "(" in reason
    for right in named:
        assert any(right in {each, each._replace(action="*")} for each in marked), f"{right} is no right of ours"


@pytest.mark.parametrize("stack", STACKS)
def test_no_policy_of_ours_lets_anybody_rise_take_data_out_or_open_anything(
    stack: str, graphs: dict[str, Graph]
) -> None:
    for title, document in ours(graphs[stack]).items():
        assert {kind: found for kind, found in findings(document).items() if found} == {}, title
        assert unconstrained(document) == [], title


def test_all_policies_of_ours_together_do_not_either(full: Graph) -> None:
    policies = {title: each for title, each in ours(full).items() if title != AS_AWS_ASKS}
    members = together({title: each for title, each in policies.items() if title.startswith("admins-")})
    function = together({title: each for title, each in policies.items() if title.startswith("bot-")})

    assert not any(findings(members).values())
    assert not any(findings(function).values())


def test_the_analyser_finds_what_is_there() -> None:
    """Or the tests above would hold whatever the policies say."""
    statement = {"Effect": "Allow", "Action": ["iam:PutUserPolicy", "s3:GetObject", "sqs:*"], "Resource": "*"}
    found = findings({"Version": "2012-10-17", "Statement": [statement]})

    assert found["privilege escalation"] == ["PutUserPolicy"]
    assert found["data exfiltration"] == ["s3:GetObject"]
    assert found["service wildcard"] == ["sqs"]


def test_the_page_tells_what_the_documented_five_bring() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = findings(together(managed()))

    assert f"| … in the documented five together | {len(found['privilege escalation'])} |" in text
    assert all(way in text for way in found["privilege escalation"])
    assert all(f"| {name} |" in text for name in managed())
