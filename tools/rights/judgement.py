"""Static judgement of policies, by cloudsplaining: what each would let its holder do beyond what it is for."""

import json
from collections.abc import Mapping
from typing import Any

from cloudsplaining.scan.policy_document import PolicyDocument

from sandbox.aws.launcher import MANAGED_POLICIES

Document = Mapping[str, Any]
KINDS = ("privilege escalation", "data exfiltration", "resource exposure", "credentials exposure", "service wildcard")


def findings(document: Document) -> dict[str, list[str]]:
    """Kind of finding → what was found, in a policy document.

    Of actions it counts those that may be taken on any resource although IAM could narrow them.
    """
    judged = PolicyDocument(dict(document))
    return {
        "privilege escalation": sorted(str(each["type"]) for each in judged.allows_privilege_escalation),
        "data exfiltration": sorted(judged.allows_data_exfiltration_actions),
        "resource exposure": sorted(judged.permissions_management_without_constraints),
        "credentials exposure": sorted(judged.credentials_exposure),
        "service wildcard": sorted(judged.service_wildcard),
    }


def unconstrained(document: Document) -> list[str]:
    """Actions that are allowed on any resource although IAM could narrow them."""
    judged = PolicyDocument(dict(document))
    return sorted({*judged.write_actions_without_constraints, *judged.tagging_actions_without_constraints})


def managed() -> dict[str, dict[str, Any]]:
    """Name → document of the documented five, as AWS publishes them."""
    policies = json.loads(MANAGED_POLICIES.read_text(encoding="utf-8"))
    return {name: policy["document"] for name, policy in policies.items()}


def together(documents: Mapping[str, Document]) -> dict[str, Any]:
    """One document with all statements of several: together they can allow what none does alone."""
    statements = [each for document in documents.values() for each in document["Statement"]]
    return {"Version": "2012-10-17", "Statement": statements}
