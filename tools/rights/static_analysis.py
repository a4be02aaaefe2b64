"""Static analysis of policies, by cloudsplaining: what each allows beyond what it is for."""

import json
from collections.abc import Mapping
from typing import Any

from cloudsplaining.scan.policy_document import PolicyDocument

from sandbox.aws.launcher import MANAGED_POLICIES

Document = Mapping[str, Any]
KINDS = ("privilege escalation", "data exfiltration", "resource exposure", "credentials exposure", "service wildcard")


def findings(document: Document) -> dict[str, list[str]]:
    """Kind of finding → what was found, in a policy document.

    Of actions, only those count that are allowed on any resource although IAM could narrow them.
    """
    analysed = PolicyDocument(dict(document))
    return {
        "privilege escalation": sorted(str(each["type"]) for each in analysed.allows_privilege_escalation),
        "data exfiltration": sorted(analysed.allows_data_exfiltration_actions),
        "resource exposure": sorted(analysed.permissions_management_without_constraints),
        "credentials exposure": sorted(analysed.credentials_exposure),
        "service wildcard": sorted(analysed.service_wildcard),
    }


def unconstrained(document: Document) -> list[str]:
    """Actions that are allowed on any resource although IAM could narrow them."""
    analysed = PolicyDocument(dict(document))
    return sorted({*analysed.write_actions_without_constraints, *analysed.tagging_actions_without_constraints})


def managed() -> dict[str, dict[str, Any]]:
    """Name → document of the documented five, as AWS publishes them."""
    policies = json.loads(MANAGED_POLICIES.read_text(encoding="utf-8"))
    return {name: policy["document"] for name, policy in policies.items()}


def together(documents: Mapping[str, Document]) -> dict[str, Any]:
    """One document with all statements of several: together they can allow what none of them does."""
    statements = [each for document in documents.values() for each in document["Statement"]]
    return {"Version": "2012-10-17", "Statement": statements}
