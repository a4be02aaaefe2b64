"""The administrators' policies as a permission set, for people who log in through IAM Identity Center.

They are no IAM users, so they cannot be members of the group. A permission set names the same policies; Identity Center
makes a role of it in the account.
"""

import re
from typing import Any

from bot.aws.client import AwsError
from ops.aws import OperatorAws
from ops.errors import OpsError

REGION = "us-east-1"
"""IAM is the same in all regions; a call needs one all the same."""
NAME_CHARACTERS = 32  # IAM Identity Center API Reference, CreatePermissionSet
SESSION = "PT8H"  # a working day
# It denies everything to sessions that cannot say whether they began with MFA. Those of Identity Center cannot: it asks
# for MFA itself (IAM User Guide, "aws:MultiFactorAuthPresent").
MFA_POLICY = re.compile("-mfa-policy-[0-9a-f]{7}$")


def template(aws: OperatorAws, group: str) -> dict[str, Any]:
    """A CloudFormation template of a permission set (CloudFormation Template Reference, AWS::SSO::PermissionSet).

    Args:
        aws: the account with the group.
        group: the administrators' group.

    Raises:
        OpsError: there is no such group, or it has no policies.
        AwsError: AWS refused otherwise.
    """
    try:
        attached = aws.call("iam", "ListAttachedGroupPolicies", {"GroupName": group})["AttachedPolicies"]
    except AwsError as error:
        if error.code != "NoSuchEntity":
            raise
        raise OpsError(f"The account has no group {group}: name it, as adminGroupName in the stack's file.") from None
    arns = [each["PolicyArn"] for each in attached if not MFA_POLICY.search(each["PolicyName"])]
    if not arns:
        raise OpsError(f"The group {group} has no policies: deploy its stack first.")
    own = [arn for arn in arns if ":iam::aws:" not in arn]
    properties = {
        "InstanceArn": {"Ref": "InstanceArn"},
        "Name": group[:NAME_CHARACTERS],
        "Description": f"What members of {group} may do.",
        "SessionDuration": SESSION,
        "ManagedPolicies": [arn for arn in arns if arn not in own],
        "CustomerManagedPolicyReferences": [_reference(arn) for arn in own],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"InstanceArn": {"Type": "String"}},
        "Resources": {"Administrators": {"Type": "AWS::SSO::PermissionSet", "Properties": properties}},
    }


def _reference(arn: str) -> dict[str, str]:
    path, _, name = arn.partition(":policy/")[2].rpartition("/")
    return {"Name": name, "Path": f"/{path}/" if path else "/"}
