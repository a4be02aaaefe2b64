"""Policy documents: the statements that each owner of a resource offers, and the document made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi

VERSION = "2012-10-17"
"""The current version of the policy language (IAM User Guide, "IAM JSON policy elements: Version")."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One right: what may be done with which resources; or, as a denial, what may not.

    Attributes:
        actions: IAM actions, such as `sqs:SendMessage`.
        resources: ARNs, or `*` where AWS knows nothing narrower.
        sid: The statement's name within its document; letters and digits only. Empty: none.
        conditions: Condition operator → key → values. Empty: none.
        effect: `Deny` wins over every `Allow`.
        actions_are: `NotAction`: it is about all actions but these.
        resources_are: `NotResource`: it is about all resources but these.
    """

    actions: Sequence[str]
    resources: Sequence[pulumi.Input[str]]
    sid: str = ""
    conditions: Mapping[str, Mapping[str, str | Sequence[str]]] = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"
    actions_are: Literal["Action", "NotAction"] = "Action"
    resources_are: Literal["Resource", "NotResource"] = "Resource"

    def as_dict(self) -> dict[str, object]:
        """The statement as the policy language writes it; a single resource stands alone."""
        resources = list(self.resources)
        return {
            **({"Sid": self.sid} if self.sid else {}),
            "Effect": self.effect,
            self.actions_are: list(self.actions),
            self.resources_are: resources[0] if len(resources) == 1 else resources,
            **({"Condition": dict(self.conditions)} if self.conditions else {}),
        }


def document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """A policy document of these statements, as JSON.

    Args:
        statements: At least one; their order is kept.
    """
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": [each.as_dict() for each in statements]})


def trust(service: str) -> str:
    """The trust policy that lets one AWS service, and nobody else, take a role.

    Args:
        service: The service principal, such as `lambda.amazonaws.com`.
    """
    return (
        f'{{"Version": "{VERSION}", "Statement": [{{"Effect": "Allow", '
        f'"Principal": {{"Service": "{service}"}}, "Action": "sts:AssumeRole"}}]}}'
    )
