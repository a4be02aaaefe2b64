"""What AWS refuses and the emulator lets pass, one by one; and what else the makers refuse."""

import io
import json
import secrets
import zipfile
from pathlib import Path
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import Cloud
from sandbox.errors import Refused, SandboxError
from sandbox.provider import resources
from sandbox.provider.resources import Account, Made
from tests.sandbox.conftest import REGION

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
POLLER = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]
CODE = "def handle(event, context):\n    return {}\n"


def policy(*actions: str, resource: str = "*") -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make(account: Account, resource_type: str, **inputs: object) -> Made:
    return resources.make(account, resource_type, f"t{secrets.token_hex(4)}", inputs)


def role(account: Account, *actions: str) -> Made:
    made = make(account, "aws:iam/role:Role", assumeRolePolicy=TRUST)
    make(account, "aws:iam/rolePolicy:RolePolicy", role=made.id, policy=policy(*actions))
    return made


def function(account: Account, *actions: str) -> Made:
    return make(
        account,
        "aws:lambda/function:Function",
        role=role(account, *actions).outputs["arn"],
        runtime="python3.13",
        handler="index.handle",
        timeout=5,
        code=pulumi.AssetArchive({"index.py": pulumi.StringAsset(CODE)}),
    )


def api_method(account: Account) -> dict[str, Any]:
    api = make(account, "aws:apigateway/restApi:RestApi", endpointConfiguration={"types": "REGIONAL"})
    resource = make(
        account,
        "aws:apigateway/resource:Resource",
        restApi=api.id,
        parentId=api.outputs["rootResourceId"],
        pathPart="webhook",
    )
    where = {"restApi": api.id, "resourceId": resource.id, "httpMethod": "POST"}
    make(account, "aws:apigateway/method:Method", **where, authorization="NONE")
    return where | {"executionArn": api.outputs["executionArn"]}


def integrate(account: Account, where: dict[str, Any], target: Made) -> None:
    make(
        account,
        "aws:apigateway/integration:Integration",
        **{key: where[key] for key in ("restApi", "resourceId", "httpMethod")},
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=target.outputs["invokeArn"],
    )


def check(account: Account) -> None:
    for each in account.unchecked:
        each()


@pytest.fixture(scope="session")
def shared(cloud: Cloud, owner: Clients) -> Made:
    """One function for those tests that do not care which: making one takes half a second."""
    return function(Account(cloud.url, REGION, owner, owner), *LOGS)


def grant(account: Account, target: Made, *actions: str) -> None:
    """Let a function's role do exactly this."""
    arn = account.owner("lambda").get_function_configuration(FunctionName=target.id)["Role"]
    account.owner("iam").put_role_policy(
        RoleName=arn.rpartition("/")[2], PolicyName="granted", PolicyDocument=policy(*actions)
    )


@pytest.mark.parametrize("missing", POLLER)
def test_a_queue_is_not_polled_by_a_role_without_the_right(account: Account, shared: Made, missing: str) -> None:
    grant(account, shared, *(action for action in POLLER if action != missing))
    queue = make(account, "aws:sqs/queue:Queue", visibilityTimeoutSeconds=30)

    with pytest.raises(Refused, match=f"does not have permissions to call {missing[4:]} on SQS"):
        make(
            account,
            "aws:lambda/eventSourceMapping:EventSourceMapping",
            eventSourceArn=queue.outputs["arn"],
            functionName=shared.id,
        )


def test_a_queue_is_polled_by_a_role_with_the_rights(account: Account, shared: Made) -> None:
    grant(account, shared, *POLLER)
    queue = make(account, "aws:sqs/queue:Queue", fifoQueue=True, visibilityTimeoutSeconds=30)

    mapping = make(
        account,
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        eventSourceArn=queue.outputs["arn"],
        functionName=shared.id,
        functionResponseTypes=["ReportBatchItemFailures"],
        scalingConfig={"maximumConcurrency": 2},
    )

    assert account.owner("lambda").get_event_source_mapping(UUID=mapping.id)["EventSourceArn"] == queue.outputs["arn"]


def test_a_visibility_timeout_below_the_functions_timeout_is_refused(account: Account, shared: Made) -> None:
    grant(account, shared, *POLLER)
    queue = make(account, "aws:sqs/queue:Queue", visibilityTimeoutSeconds=4)

    with pytest.raises(Refused, match="timeout: 4 seconds is less than Function timeout: 5 seconds"):
        make(
            account,
            "aws:lambda/eventSourceMapping:EventSourceMapping",
            eventSourceArn=queue.outputs["arn"],
            functionName=shared.id,
        )


@pytest.mark.parametrize("missing", LOGS)
def test_a_role_that_cannot_write_its_log_is_refused(account: Account, missing: str) -> None:
    function(account, *(action for action in LOGS if action != missing))

    with pytest.raises(Refused, match=f"not authorized to perform: {missing}"):
        check(account)


def test_a_role_that_can_write_its_log_is_not_refused(account: Account) -> None:
    function(account, *LOGS)

    check(account)


def test_a_method_without_permission_on_the_function_is_refused(account: Account, shared: Made) -> None:
    where = api_method(account)
    integrate(account, where, shared)

    with pytest.raises(Refused, match="Invalid permissions on Lambda function"):
        check(account)


@pytest.mark.parametrize("path", ["GET/webhook", "POST/other"])
def test_a_permission_for_another_method_or_path_does_not_count(account: Account, shared: Made, path: str) -> None:
    where = api_method(account)
    integrate(account, where, shared)
    permit(account, shared, f"{where['executionArn']}/*/{path}")

    with pytest.raises(Refused, match="Invalid permissions on Lambda function"):
        check(account)


@pytest.mark.parametrize("path", ["*/POST/webhook", "*/*/webhook", "*"])
def test_a_permission_that_covers_the_method_counts(account: Account, shared: Made, path: str) -> None:
    where = api_method(account)
    integrate(account, where, shared)
    permit(account, shared, f"{where['executionArn']}/{path}")

    check(account)


def permit(account: Account, target: Made, source: str) -> None:
    make(
        account,
        "aws:lambda/permission:Permission",
        action="lambda:InvokeFunction",
        function=target.id,
        principal="apigateway.amazonaws.com",
        sourceArn=source,
    )


def test_access_logs_need_the_accounts_role(account: Account, shared: Made) -> None:
    where = api_method(account)
    integrate(account, where, shared)
    deployment = make(account, "aws:apigateway/deployment:Deployment", restApi=where["restApi"])
    stage = {
        "restApi": where["restApi"],
        "deployment": deployment.id,
        "stageName": "live",
        "accessLogSettings": {"destinationArn": "arn:aws:logs:eu-central-1:000000000000:log-group:l", "format": "{}"},
    }

    with pytest.raises(Refused, match="CloudWatch Logs role ARN must be set in account settings"):
        make(account, "aws:apigateway/stage:Stage", **stage)

    make(account, "aws:apigateway/account:Account", cloudwatchRoleArn=role(account, *LOGS).outputs["arn"])
    made = make(account, "aws:apigateway/stage:Stage", **stage)
    account.owner("apigateway").update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}]
    )
    assert made.outputs["invokeUrl"].startswith("http://127.0.0.1:")


def test_an_empty_parameter_is_refused(account: Account) -> None:
    with pytest.raises(Refused, match="length greater than or equal to 1"):
        make(account, "aws:ssm/parameter:Parameter", name="/a/b", type="SecureString", value="")


def test_a_retired_managed_policy_cannot_be_attached(account: Account) -> None:
    group = make(account, "aws:iam/group:Group")

    with pytest.raises(Refused, match="AWSLambdaFullAccess does not exist or is not attachable"):
        make(
            account,
            "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
            group=group.id,
            policyArn="arn:aws:iam::aws:policy/AWSLambdaFullAccess",
        )


def test_a_managed_policy_grants_what_it_grants_on_aws_and_no_more(account: Account, owner: Clients) -> None:
    group, user = make(account, "aws:iam/group:Group"), f"u{secrets.token_hex(4)}"
    owner("iam").create_user(UserName=user)
    key = owner("iam").create_access_key(UserName=user)["AccessKey"]
    make(account, "aws:iam/userGroupMembership:UserGroupMembership", user=user, groups=[group.id])
    make(
        account,
        "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
        group=group.id,
        policyArn="arn:aws:iam::aws:policy/AWSLambda_FullAccess",
    )
    member = Clients(account.url, account.region, (key["AccessKeyId"], key["SecretAccessKey"]))

    member("lambda").list_functions()
    with pytest.raises(ClientError, match="not authorized to perform: sqs:CreateQueue"):
        member("sqs").create_queue(QueueName="mine")


def test_a_name_longer_than_the_service_allows_is_refused(account: Account) -> None:
    with pytest.raises(Refused, match="64 are allowed"):
        resources.make(account, "aws:iam/role:Role", "r" * 57, {"assumeRolePolicy": TRUST})


def test_a_fifo_queue_has_its_suffix_last(account: Account) -> None:
    made = resources.make(account, "aws:sqs/queue:Queue", "events", {"fifoQueue": True})

    assert made.outputs["name"].startswith("events-")
    assert len(made.outputs["name"]) == len("events-1234567.fifo")
    assert made.outputs["name"].endswith(".fifo")


def test_an_unknown_type_is_named(account: Account) -> None:
    with pytest.raises(SandboxError, match="aws:ec2/vpc:Vpc"):
        make(account, "aws:ec2/vpc:Vpc")


def test_an_unknown_input_is_named(account: Account) -> None:
    with pytest.raises(SandboxError, match="does not know colour of aws:sqs/queue:Queue"):
        make(account, "aws:sqs/queue:Queue", colour="blue")


def test_a_folder_a_zip_and_a_text_can_be_code(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_text(CODE)
    zipped = tmp_path / "code.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("index.py", CODE)

    for code in (
        pulumi.FileArchive(str(zipped)),
        pulumi.FileArchive(str(tmp_path / "code")),
        pulumi.AssetArchive({"index.py": pulumi.StringAsset(CODE)}),
        pulumi.AssetArchive({"index.py": pulumi.FileAsset(str(tmp_path / "code" / "index.py"))}),
    ):
        with zipfile.ZipFile(io.BytesIO(resources.archive(code))) as archive:
            assert archive.read("index.py") == CODE.encode()
