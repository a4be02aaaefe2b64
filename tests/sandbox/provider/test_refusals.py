"""What AWS refuses and the emulator accepts, one by one."""

import secrets
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import Cloud
from sandbox.errors import Refused
from sandbox.provider.account import Account
from sandbox.provider.catalog import resource_type
from sandbox.provider.resource import Existing
from tests.sandbox.conftest import REGION
from tests.sandbox.provider.samples import TRUST, create, function, policy, role

POLLER = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]
FUNCTION, INTEGRATION = resource_type("aws:lambda/function:Function"), "aws:apigateway/integration:Integration"


@pytest.fixture(scope="session")
def shared(cloud: Cloud, owner: Clients) -> Existing:
    """One function for the tests that can share it: creating one takes half a second."""
    return function(Account(cloud.url, REGION, owner, owner), *LOGS)


def grant(account: Account, target: Existing, *actions: str) -> None:
    """Let a function's role do exactly this."""
    arn = account.owner("lambda").get_function_configuration(FunctionName=target.id)["Role"]
    account.owner("iam").put_role_policy(
        RoleName=arn.rpartition("/")[2], PolicyName="granted", PolicyDocument=policy(*actions)
    )


def connect(account: Account, target: Existing, **queue: object) -> Existing:
    polled = create(account, "aws:sqs/queue:Queue", **queue)
    return create(
        account,
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        eventSourceArn=polled.outputs["arn"],
        functionName=target.id,
    )


def integrated(account: Account, target: Existing) -> tuple[Existing, str]:
    """An integration of `POST /webhook` with a function, and its API's execution ARN."""
    api = create(account, "aws:apigateway/restApi:RestApi", endpointConfiguration={"types": "REGIONAL"})
    path = create(
        account,
        "aws:apigateway/resource:Resource",
        restApi=api.id,
        parentId=api.outputs["rootResourceId"],
        pathPart="webhook",
    )
    where = {"restApi": api.id, "resourceId": path.id, "httpMethod": "POST"}
    create(account, "aws:apigateway/method:Method", **where, authorization="NONE")
    integration = create(
        account,
        INTEGRATION,
        **where,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=target.outputs["invokeArn"],
    )
    return integration, api.outputs["executionArn"]


def permit(account: Account, target: Existing, source: str) -> None:
    create(
        account,
        "aws:lambda/permission:Permission",
        action="lambda:InvokeFunction",
        function=target.id,
        principal="apigateway.amazonaws.com",
        sourceArn=source,
    )


def test_a_queue_is_polled_only_with_each_permission_and_a_visibility_timeout_of_the_functions_timeout(
    account: Account, shared: Existing
) -> None:
    for missing in POLLER:
        grant(account, shared, *(action for action in POLLER if action != missing))
        with pytest.raises(Refused, match=f"does not have permissions to call {missing[4:]} on SQS"):
            connect(account, shared, visibilityTimeoutSeconds=30)

    grant(account, shared, *POLLER)
    with pytest.raises(Refused, match="timeout: 4 seconds is less than Function timeout: 5 seconds"):
        connect(account, shared, visibilityTimeoutSeconds=4)
    assert connect(account, shared, visibilityTimeoutSeconds=5).outputs["functionArn"] == shared.outputs["arn"]


def test_a_role_that_cannot_write_its_log_is_refused(account: Account) -> None:
    target = function(account, *POLLER)
    for missing in LOGS:
        grant(account, target, *(action for action in LOGS if action != missing))
        with pytest.raises(Refused, match=f"not authorized to perform: {missing}"):
            FUNCTION.verify(account, target)

    grant(account, target, *LOGS)
    FUNCTION.verify(account, target)


def scheduled(account: Account, target: Existing, service: str, *actions: str) -> Existing:
    caller = create(account, "aws:iam/role:Role", assumeRolePolicy=TRUST.replace("lambda.", f"{service}."))
    create(account, "aws:iam/rolePolicy:RolePolicy", role=caller.id, policy=policy(*actions))
    called = {"arn": target.outputs["arn"], "roleArn": caller.outputs["arn"], "input": "{}"}
    every = {"scheduleExpression": "rate(1 hour)", "flexibleTimeWindow": {"mode": "OFF"}}
    return create(account, "aws:scheduler/schedule:Schedule", **every, target=called)


def test_a_schedule_needs_a_role_that_scheduler_may_assume(account: Account, shared: Existing) -> None:
    with pytest.raises(Refused, match="must allow AWS EventBridge Scheduler to assume the role"):
        scheduled(account, shared, "lambda", "lambda:InvokeFunction")


def test_a_schedule_whose_role_may_not_call_its_target_is_refused(account: Account, shared: Existing) -> None:
    schedules = resource_type("aws:scheduler/schedule:Schedule")

    schedules.verify(account, scheduled(account, shared, "scheduler", "lambda:InvokeFunction"))
    with pytest.raises(Refused, match="not authorized to perform: lambda:InvokeFunction"):
        schedules.verify(account, scheduled(account, shared, "scheduler", "sqs:SendMessage"))


def test_a_method_needs_a_permission_on_the_function_for_itself(account: Account, shared: Existing) -> None:
    integration, api = integrated(account, shared)
    for path in ("GET/webhook", "POST/other"):
        with pytest.raises(Refused, match="Invalid permissions on Lambda function"):
            resource_type(INTEGRATION).verify(account, integration)
        permit(account, shared, f"{api}/*/{path}")

    with pytest.raises(Refused, match="Invalid permissions on Lambda function"):
        resource_type(INTEGRATION).verify(account, integration)


@pytest.mark.parametrize("path", ["*/POST/webhook", "*/*/webhook", "*"])
def test_a_permission_that_covers_the_method_counts(account: Account, shared: Existing, path: str) -> None:
    integration, api = integrated(account, shared)
    permit(account, shared, f"{api}/{path}")

    resource_type(INTEGRATION).verify(account, integration)


def test_access_logs_need_the_accounts_role(account: Account, shared: Existing) -> None:
    integration, _ = integrated(account, shared)
    api = integration.inputs["restApi"]
    deployment = create(account, "aws:apigateway/deployment:Deployment", restApi=api)

    def stage(name: str) -> Existing:
        log = {"destinationArn": "arn:aws:logs:eu-central-1:000000000000:log-group:l", "format": "{}"}
        inputs: dict[str, Any] = {"restApi": api, "deployment": deployment.id, "accessLogSettings": log}
        return create(account, "aws:apigateway/stage:Stage", **inputs, stageName=name)

    with pytest.raises(Refused, match="CloudWatch Logs role ARN must be set in account settings"):
        stage("refused")

    settings = create(account, "aws:apigateway/account:Account", cloudwatchRoleArn=role(account, *LOGS).outputs["arn"])
    assert stage("live").outputs["invokeUrl"].startswith("http://127.0.0.1:")
    resource_type("aws:apigateway/account:Account").delete(account, settings)


def test_an_empty_parameter_is_refused(account: Account) -> None:
    with pytest.raises(Refused, match="length greater than or equal to 1"):
        create(account, "aws:ssm/parameter:Parameter", name="/a/b", type="SecureString", value="")


def test_a_retired_managed_policy_cannot_be_attached(account: Account) -> None:
    group = create(account, "aws:iam/group:Group")

    with pytest.raises(Refused, match="AWSLambdaFullAccess does not exist or is not attachable"):
        create(
            account,
            "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
            group=group.id,
            policyArn="arn:aws:iam::aws:policy/AWSLambdaFullAccess",
        )


def test_a_renamed_group_keeps_its_members_and_policies(account: Account, owner: Clients) -> None:
    provider, user = resource_type("aws:iam/group:Group"), f"u{secrets.token_hex(4)}"
    group = create(account, "aws:iam/group:Group")
    owner("iam").create_user(UserName=user)
    key = owner("iam").create_access_key(UserName=user)["AccessKey"]
    create(account, "aws:iam/userGroupMembership:UserGroupMembership", user=user, groups=[group.id])
    create(
        account,
        "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
        group=group.id,
        policyArn="arn:aws:iam::aws:policy/AWSLambda_FullAccess",
    )
    member = Clients(account.url, account.region, (key["AccessKeyId"], key["SecretAccessKey"]))

    renamed = provider.update(account, group, provider.check("g", {"name": f"{group.id}-new"}))

    assert renamed.outputs["arn"].endswith(f"group/{group.id}-new")
    assert provider.read(account, group) is None
    member("lambda").list_functions()
    # A managed policy grants what it grants on AWS, and no more.
    with pytest.raises(ClientError, match="not authorized to perform: sqs:CreateQueue"):
        member("sqs").create_queue(QueueName="mine")


def test_a_managed_policy_may_be_changed_more_often_than_it_has_versions(account: Account) -> None:
    provider = resource_type("aws:iam/policy:Policy")
    existing = create(account, "aws:iam/policy:Policy", policy=policy("sqs:SendMessage", resource="arn:aws:sqs:::0"))
    for number in range(1, 8):
        document = policy("sqs:SendMessage", resource=f"arn:aws:sqs:::{number}")
        existing = provider.update(account, existing, {**existing.inputs, "policy": document})

    found = provider.read(account, existing)
    assert found is not None
    assert found.inputs["policy"] == existing.inputs["policy"]
    provider.delete(account, existing)
