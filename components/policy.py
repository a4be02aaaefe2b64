"""Policy documents: the statements that the owner of each resource offers, and the documents made of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi

VERSION = "2012-10-17"
"""The current version of the policy language (IAM User Guide, "IAM JSON policy elements: Version")."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy: what it allows or denies on which resources.

    Attributes:
        actions: IAM actions, such as `sqs:SendMessage`.
        resources: ARNs, or `*` where AWS accepts nothing narrower.
        sid: The statement's name within its document, in letters and digits. Empty: no name.
        conditions: Condition operator → key → values. Empty: no conditions.
        effect: `Deny` wins over every `Allow`.
        actions_are: `NotAction`: the statement covers all actions except these.
        resources_are: `NotResource`: the statement covers all resources except these.
    """

    actions: Sequence[str]
    resources: Sequence[pulumi.Input[str]]
    sid: str = ""
    conditions: Mapping[str, Mapping[str, str | Sequence[pulumi.Input[str]]]] = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"
    actions_are: Literal["Action", "NotAction"] = "Action"
    resources_are: Literal["Resource", "NotResource"] = "Resource"

    def as_dict(self) -> dict[str, object]:
        """The statement in the policy language; a single resource is not in a list."""
        resources = list(self.resources)
        return {
            **({"Sid": self.sid} if self.sid else {}),
            "Effect": self.effect,
            self.actions_are: list(self.actions),
            self.resources_are: resources[0] if len(resources) == 1 else resources,
            **({"Condition": dict(self.conditions)} if self.conditions else {}),
        }


@dataclass(frozen=True, kw_only=True)
class Account:
    """Where resources are, to write their ARNs before they exist.

    Attributes:
        partition: `aws`, `aws-cn` or `aws-us-gov`.
        region: Such as `eu-central-1`.
        account_id: Twelve digits.
    """

    partition: pulumi.Input[str]
    region: pulumi.Input[str]
    account_id: pulumi.Input[str]

    def arn(self, service: str, resource: str) -> pulumi.Input[str]:
        """The ARN of a resource in the region; plain text if the account is.

        Args:
            service: The service's prefix, such as `sqs`.
            resource: The last part of the ARN.
        """
        return joined("arn:", self.partition, f":{service}:", self.region, ":", self.account_id, f":{resource}")

    def iam_arn(self, resource: str) -> pulumi.Input[str]:
        """The ARN of something in IAM, which knows no regions; plain text if the account is.

        Args:
            resource: Such as `user/anna`.
        """
        return self.global_arn("iam", resource)

    def global_arn(self, service: str, resource: str) -> pulumi.Input[str]:
        """The ARN of a resource that belongs to no region; plain text if the account is.

        Args:
            service: The service's prefix, such as `cloudwatch`.
            resource: The last part of the ARN, such as `dashboard/ours`.
        """
        return joined("arn:", self.partition, f":{service}::", self.account_id, f":{resource}")

    def managed_policy_arn(self, name: str) -> pulumi.Input[str]:
        """The ARN of a policy that AWS manages; plain text if the account is.

        Args:
            name: Such as `IAMFullAccess`.
        """
        return joined("arn:", self.partition, f":iam::aws:policy/{name}")


def joined(*parts: pulumi.Input[str]) -> pulumi.Input[str]:
    """The parts as one text; plain text if all of them are."""
    plain = [part for part in parts if isinstance(part, str)]
    return "".join(plain) if len(plain) == len(parts) else pulumi.Output.concat(*parts)


def document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """A policy document of these statements, as JSON.

    Args:
        statements: At least one; their order is kept.
    """
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": [each.as_dict() for each in statements]})


def trust(service: str) -> str:
    """The trust policy that lets one AWS service, and nobody else, assume a role.

    Args:
        service: The service principal, such as `lambda.amazonaws.com`.
    """
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": VERSION, "Statement": [statement]})


def trust_in(account: Account, service: str) -> pulumi.Output[str]:
    """The same, only for what the service does for this account.

    Args:
        account: The account.
        service: The service principal.
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account.account_id}},
    }
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": [statement]})


def actions(service: str, names: str) -> tuple[str, ...]:
    """IAM actions of one service.

    Args:
        service: The service's prefix, such as `sqs`.
        names: The actions' names, separated by blanks.
    """
    return tuple(f"{service}:{name}" for name in names.split())
