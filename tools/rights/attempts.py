"""What a member might try to get more than the stacks of the group, each attempt as a call or two."""

import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from botocore import xform_name
from botocore.exceptions import ClientError

from components.policy import VERSION, trust
from sandbox.aws.clients import Clients
from sandbox.aws.cloud import ACCOUNT, OWNER
from tools.rights.trial import PASSWORD

ADMINISTRATOR = "arn:aws:iam::aws:policy/IAMFullAccess"
ALL = json.dumps({"Version": VERSION, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
LAMBDA = trust("lambda.amazonaws.com")
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
OWN, OTHERS = "innolab-fbm-local-", "innolab-fbm-prod-"
SECRET = f"/{OTHERS}secrets/app-secret"
BUCKET, STATE = "innolab-fbm-state", ".pulumi/stacks/innolab-fbm/prod.json"


class Scene(NamedTuple):
    """A member, and what the member must not reach.

    Attributes:
        owner: The account's owner.
        member: The member's clients.
        sign_in: Clients that sign with the key (and token) of a session.
        name: The member's user name.
        group: The member's group.
        boundary: The ARN of the stack's boundary; `""` where there is none.
        api: The id of another stack's API.
    """

    owner: Clients
    member: Clients
    sign_in: Callable[[tuple[str, ...]], Clients]
    name: str
    group: str
    boundary: str
    api: str


def set_up(
    sign_in: Callable[[tuple[str, ...]], Clients], key: tuple[str, ...], name: str, group: str, boundary: str
) -> Scene:
    """Make what the member must not reach: another stack, its state, and another user.

    Args:
        sign_in: Clients that sign with the key (and token) of a session.
        key: The member's.
        name: The member's user name.
        group: The member's group.
        boundary: The ARN of the stack's boundary; `""` where there is none.
    """
    owner = sign_in(OWNER)
    iam = owner("iam")
    iam.create_user(UserName="somebody")
    role = iam.create_role(RoleName=f"{OTHERS}bot-role", AssumeRolePolicyDocument=LAMBDA)["Role"]["Arn"]
    iam.create_role(RoleName=f"{OWN}unbounded", AssumeRolePolicyDocument=LAMBDA)
    bound = boundary or ADMINISTRATOR
    iam.create_role(RoleName=f"{OWN}bounded", AssumeRolePolicyDocument=LAMBDA, PermissionsBoundary=bound)
    for function in (f"{OTHERS}bot", f"{OWN}function"):
        owner("lambda").create_function(
            FunctionName=function, Role=role, Runtime="python3.13", Handler="a.b", Code={"ZipFile": EMPTY_ZIP}
        )
    owner("ssm").put_parameter(Name=SECRET, Value="another stack's secret", Type="SecureString")
    owner("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    owner("s3").put_object(Bucket=BUCKET, Key=STATE, Body=b"{}")
    owner("sqs").create_queue(QueueName=f"{OWN}queue")
    api = owner("apigateway").create_rest_api(name="other", tags={"project": "innolab-fbm", "stack": "prod"})["id"]
    return Scene(owner, sign_in(key), sign_in, name, group, boundary, api)


class Attempt(NamedTuple):
    """One attempt.

    Attributes:
        name: What is tried.
        action: The action that must be refused. All calls before it are allowed.
        run: Makes the calls.
    """

    name: str
    action: str
    run: Callable[[Scene], object]


def refused_action(attempt: Attempt, scene: Scene) -> str:
    """The action that was refused; `""` if the attempt succeeded.

    Raises:
        ClientError: The attempt failed for another reason.
    """
    try:
        attempt.run(scene)
    except ClientError as error:
        named = re.search(r"not authorized to perform: ([\w:]+)", str(error))
        if not named:
            raise
        return named[1]
    return ""


def _own_policy(scene: Scene) -> str:
    attached = scene.owner("iam").list_attached_group_policies(GroupName=scene.group)["AttachedPolicies"]
    return next(str(each["PolicyArn"]) for each in attached if f":{ACCOUNT}:" in each["PolicyArn"])


def _change_policy(scene: Scene, arn: str) -> None:
    scene.member("iam").create_policy_version(PolicyArn=arn, PolicyDocument=ALL)


def _create_role(scene: Scene, **more: str) -> str:
    name = f"{OWN}{secrets.token_hex(4)}"
    call = {"RoleName": name, "AssumeRolePolicyDocument": LAMBDA, **more}
    scene.member("iam").create_role(**call)
    return name


@contextmanager
def _also_allowed(scene: Scene, action: str) -> Iterator[None]:
    """Within it, the owner allows the member one more action on everything."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": VERSION, "Statement": [statement]})
    scene.owner("iam").put_user_policy(UserName=scene.name, PolicyName="more", PolicyDocument=document)
    try:
        yield
    finally:
        scene.owner("iam").delete_user_policy(UserName=scene.name, PolicyName="more")


def _pass_elsewhere(scene: Scene) -> None:
    """With all rights on the other service, so that only passing the role can be refused."""
    role = f"arn:aws:iam::{ACCOUNT}:role/{OWN}bounded"
    operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
    with _also_allowed(scene, "apigateway:PATCH"):
        scene.member("apigateway").update_account(patchOperations=[operation])


def _through_own_role(scene: Scene) -> None:
    """All steps up to the last are allowed: the role is the member's own, and its policy allows everything."""
    user = f"arn:aws:iam::{ACCOUNT}:user/{scene.name}"
    own = {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": VERSION, "Statement": [own]})
    boundary = {"PermissionsBoundary": scene.boundary} if scene.boundary else {}
    name = _create_role(scene, AssumeRolePolicyDocument=document, **boundary)
    scene.member("iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=ALL)
    with _also_allowed(scene, "sts:AssumeRole"):  # on AWS, the role's trust in the user suffices
        role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        got = scene.member("sts").assume_role(RoleArn=role, RoleSessionName="member")["Credentials"]
    session = scene.sign_in((got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"]))
    session("ssm").get_parameter(Name=SECRET)


def _create_function(scene: Scene, role: str) -> None:
    scene.member("lambda").create_function(
        FunctionName=f"{OWN}{secrets.token_hex(4)}",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{role}",
        Runtime="python3.13",
        Handler="a.b",
        Code={"ZipFile": EMPTY_ZIP},
    )


def _iam(name: str, action: str, **fixed: Any) -> Attempt:
    return Attempt(name, f"iam:{action}", lambda scene: getattr(scene.member("iam"), xform_name(action))(**fixed))


ATTEMPTS = (
    Attempt(
        "attach a policy to oneself",
        "iam:AttachUserPolicy",
        lambda scene: scene.member("iam").attach_user_policy(UserName=scene.name, PolicyArn=ADMINISTRATOR),
    ),
    Attempt(
        "write a policy for oneself",
        "iam:PutUserPolicy",
        lambda scene: scene.member("iam").put_user_policy(UserName=scene.name, PolicyName="p", PolicyDocument=ALL),
    ),
    Attempt(
        "attach a policy to the group",
        "iam:AttachGroupPolicy",
        lambda scene: scene.member("iam").attach_group_policy(GroupName=scene.group, PolicyArn=ADMINISTRATOR),
    ),
    Attempt(
        "change a policy of the group",
        "iam:CreatePolicyVersion",
        lambda scene: _change_policy(scene, _own_policy(scene)),
    ),
    Attempt(
        "change the boundary",
        "iam:CreatePolicyVersion",
        lambda scene: _change_policy(scene, scene.boundary or _own_policy(scene)),
    ),
    _iam("take the boundary off a role", "DeleteRolePermissionsBoundary", RoleName=f"{OWN}bounded"),
    Attempt("create a role without the boundary", "iam:CreateRole", _create_role),
    Attempt(
        "create a role with another boundary",
        "iam:CreateRole",
        lambda scene: _create_role(scene, PermissionsBoundary=ADMINISTRATOR),
    ),
    _iam(
        "change a role that has no boundary",
        "PutRolePolicy",
        RoleName=f"{OWN}unbounded",
        PolicyName="p",
        PolicyDocument=ALL,
    ),
    _iam("attach a policy to a role", "AttachRolePolicy", RoleName=f"{OWN}bounded", PolicyArn=ADMINISTRATOR),
    Attempt("pass a role to another service", "iam:PassRole", _pass_elsewhere),
    Attempt(
        "create a function with another stack's role",
        "iam:PassRole",
        lambda scene: _create_function(scene, f"{OTHERS}bot-role"),
    ),
    Attempt(
        "get another stack's secret", "ssm:GetParameter", lambda scene: scene.member("ssm").get_parameter(Name=SECRET)
    ),
    Attempt("get another stack's secret with a role of one's own", "ssm:GetParameter", _through_own_role),
    Attempt(
        "read another stack's state",
        "s3:GetObject",
        lambda scene: scene.member("s3").get_object(Bucket=BUCKET, Key=STATE),
    ),
    Attempt(
        "change another stack's function",
        "lambda:UpdateFunctionCode",
        lambda scene: scene.member("lambda").update_function_code(FunctionName=f"{OTHERS}bot", ZipFile=EMPTY_ZIP),
    ),
    Attempt(
        "give a queue to another stack's function",
        "lambda:CreateEventSourceMapping",
        lambda scene: scene.member("lambda").create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:eu-central-1:{ACCOUNT}:{OWN}queue", FunctionName=f"{OTHERS}bot"
        ),
    ),
    Attempt(
        "let another account call a function",
        "lambda:AddPermission",
        lambda scene: scene.member("lambda").add_permission(
            FunctionName=f"{OWN}function", StatementId="s", Action="lambda:InvokeFunction", Principal="111122223333"
        ),
    ),
    Attempt(
        "change another stack's API",
        "apigateway:POST",
        lambda scene: scene.member("apigateway").create_resource(
            restApiId=scene.api,
            pathPart=secrets.token_hex(4),
            parentId=scene.owner("apigateway").get_resources(restApiId=scene.api)["items"][0]["id"],
        ),
    ),
    Attempt(
        "tag another stack's API as one's own",
        "apigateway:PUT",
        lambda scene: scene.member("apigateway").tag_resource(
            resourceArn=f"arn:aws:apigateway:eu-central-1::/restapis/{scene.api}",
            tags={"project": "innolab-fbm", "stack": "local"},
        ),
    ),
    _iam("create an access key for somebody else", "CreateAccessKey", UserName="somebody"),
    _iam("set somebody else's password", "CreateLoginProfile", UserName="somebody", Password=PASSWORD),
    _iam("create a user", "CreateUser", UserName="another"),
    Attempt(
        "add somebody to the group",
        "iam:AddUserToGroup",
        lambda scene: scene.member("iam").add_user_to_group(GroupName=scene.group, UserName="somebody"),
    ),
)
