"""What AWS refuses and the emulator accepts, one by one."""

import secrets

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import Cloud
from sandbox.errors import Refused
from sandbox.provider.account import Account
from sandbox.provider.catalog import resource_type
from sandbox.provider.resource import Existing
from tests.sandbox.conftest import REGION
from tests.sandbox.provider.samples import SAMPLES, TRUST, World, create, function, policy, role

POLLER = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]
FUNCTION, SCHEDULE = resource_type("aws:lambda/function:Function"), resource_type("aws:scheduler/schedule:Schedule")
INTEGRATION, STAGE = resource_type("aws:apigateway/integration:Integration"), "aws:apigateway/stage:Stage"


@pytest.fixture
def world(account: Account) -> World:
    return World(account)


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


def integrated(world: World) -> tuple[Existing, str, str]:
    """An integration of `POST` with a function, its API's execution ARN, and its path."""
    integration = world.new(INTEGRATION.type_name)
    where = {"restApiId": integration.inputs["restApi"], "resourceId": integration.inputs["resourceId"]}
    path = world.account.client("apigateway").get_resource(**where)["path"].strip("/")
    return integration, world.one("aws:apigateway/restApi:RestApi").outputs["executionArn"], path


def permit(world: World, source: str) -> None:
    create(
        world.account,
        "aws:lambda/permission:Permission",
        action="lambda:InvokeFunction",
        function=world.function().id,
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


def test_a_schedule_needs_a_role_that_scheduler_may_assume_and_that_may_call_its_target(
    account: Account, shared: Existing
) -> None:
    with pytest.raises(Refused, match="must allow AWS EventBridge Scheduler to assume the role"):
        scheduled(account, shared, "lambda", "lambda:InvokeFunction")

    SCHEDULE.verify(account, scheduled(account, shared, "scheduler", "lambda:InvokeFunction"))
    with pytest.raises(Refused, match="not authorized to perform: lambda:InvokeFunction"):
        SCHEDULE.verify(account, scheduled(account, shared, "scheduler", "sqs:SendMessage"))


@pytest.mark.parametrize("covering", ["*/POST/{path}", "*/*/{path}", "*"])
def test_a_method_needs_a_permission_on_the_function_that_covers_it(world: World, covering: str) -> None:
    integration, api, path = integrated(world)
    for permitted in (f"*/GET/{path}", "*/POST/other", covering.format(path=path)):
        with pytest.raises(Refused, match="Invalid permissions on Lambda function"):
            INTEGRATION.verify(world.account, integration)
        permit(world, f"{api}/{permitted}")

    INTEGRATION.verify(world.account, integration)


def test_access_logs_need_the_accounts_role(account: Account, world: World) -> None:
    log = {"destinationArn": "arn:aws:logs:eu-central-1:000000000000:log-group:l", "format": "{}"}
    stage = SAMPLES[STAGE].inputs(world) | {"accessLogSettings": log}
    with pytest.raises(Refused, match="CloudWatch Logs role ARN must be set in account settings"):
        create(account, STAGE, **stage)

    settings = create(account, "aws:apigateway/account:Account", cloudwatchRoleArn=role(account, *LOGS).outputs["arn"])
    live = create(account, STAGE, **stage | {"stageName": "live"})
    assert live.outputs["invokeUrl"].startswith("http://127.0.0.1:")
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
