"""The administrators' policies as a permission set: the same policies as the group's, by name."""

import json

import pytest

from ops import cli
from ops.aws import OperatorAws
from ops.permission_set import template
from sandbox.local import Sandbox

GROUP = "Innolab_FBM"


def test_it_names_the_policies_of_the_group(sandbox: Sandbox, aws: OperatorAws) -> None:
    attached = sandbox.client("iam").list_attached_group_policies(GroupName=GROUP)["AttachedPolicies"]
    found = template(aws, GROUP)["Resources"]["Administrators"]

    assert found["Type"] == "AWS::SSO::PermissionSet"
    properties = found["Properties"]
    assert properties["Name"] == GROUP
    assert len(properties["ManagedPolicies"]) == 5
    own = properties["CustomerManagedPolicyReferences"]
    assert {each["Path"] for each in own} == {"/"}
    assert {arn.rpartition("/")[2] for arn in properties["ManagedPolicies"]} | {each["Name"] for each in own} == {
        each["PolicyName"] for each in attached
    }


def test_it_leaves_out_what_requires_mfa_of_a_user(sandbox: Sandbox, aws: OperatorAws) -> None:
    iam = sandbox.client("iam")
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_group(GroupName="g" * 40)
    for name in ("x-admins-mfa-policy-0123abc", "x-admins-data-policy-0123abc"):
        arn = iam.create_policy(PolicyName=name, Path="/team/", PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_group_policy(GroupName="g" * 40, PolicyArn=arn)

    properties = template(aws, "g" * 40)["Resources"]["Administrators"]["Properties"]

    assert properties["CustomerManagedPolicyReferences"] == [{"Name": "x-admins-data-policy-0123abc", "Path": "/team/"}]
    assert properties["Name"] == "g" * 32


def test_the_command_prints_the_template_needs_no_stack_and_names_a_group_without_policies(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.cloud_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")

    assert cli.run(["permission-set", GROUP]) == 0
    assert json.loads(capsys.readouterr().out)["Resources"]["Administrators"]["Properties"]["Name"] == GROUP
    sandbox.client("iam").create_group(GroupName="empty")
    for group in ("nobody", "empty"):
        assert cli.run(["permission-set", group]) == 1
        assert group in capsys.readouterr().err
