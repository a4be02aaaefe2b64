"""The whole program, once per stack: what it registers, and that nothing is more open than it should be."""

import importlib
import inspect
import json
import re
from typing import Any

import pytest
import yaml

from bot.aws.function import ANSWER_SECONDS
from bot.responder import STEP_SECONDS
from settings import SHORTEST_TIMEOUT_WITH_CONVERSATION
from tests.harness import (
    ACCOUNT,
    PROJECT,
    REGION,
    ROOT,
    SECRETS,
    STACKS,
    Graph,
    Resource,
    run_main,
    stack_file,
)
from tests.policies import documents, mistakes, statements
from tools import recorder

# Names that others know: people know the group, the function knows the path of the parameters.
FIXED_NAMES = {"aws:iam/group:Group", "aws:ssm/parameter:Parameter", "aws:lambda/alias:Alias"}
# Lambda and IAM allow 64 characters, and Pulumi adds eight to a logical name.
SHORT_NAMES = {"aws:lambda/function:Function": 64 - 8, "aws:iam/role:Role": 64 - 8, "aws:sqs/queue:Queue": 80 - 8 - 5}
LONGEST_STACK = 24
# What IAM authorises on `*` only, or, for alarms, with composite ones among them (CloudWatch API, `DescribeAlarms`).
ONLY_ON_ANY_RESOURCE = {
    "ssm:DescribeParameters",
    "cloudwatch:DescribeAlarms",
    "logs:DescribeLogGroups",
    "sns:GetSubscriptionAttributes",
    "sns:Unsubscribe",
    "iam:GetAccountPasswordPolicy",
}
# A member's own user, and the MFA device that they are about to make.
OF_THE_CALLER = {f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}", f"arn:aws:iam::{ACCOUNT}:mfa/*"}
# What `pulumi refresh` reads of the group: no name of these starts with the stack's.
OF_THE_GROUP = {"iam:GetGroup", "iam:ListAttachedGroupPolicies", "iam:ListGroupsForUser"}
# The files of a stack in the bucket, and its key, which an encryption context narrows to the stack. The login.
OF_THE_TOOLS = {
    "s3:ListBucket",
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "kms:Decrypt",
    "kms:Encrypt",
    "signin:AuthorizeOAuth2Access",
    "signin:CreateOAuth2Token",
}
ENVIRONMENT = {
    "PAGE_ID",
    "QUEUE_URL",
    "DEAD_LETTER_QUEUE_URL",
    "MESSAGE_BYTES",
    "LEDGER_TABLE",
    "SECRETS_PATH",
    "GRAPH_API_URL",
    "GRAPH_API_VERSION",
    "STATE_DAYS",
    "ECHO_SECONDS",
    "HUMAN_HOURS",
    "DISCLOSE_DAYS",
    "CONCURRENCY",
    "LOG_DAYS",
}
MORE_IN_THE_ENVIRONMENT = {
    "dev": set[str](),
    "prod": {"BACKUP_DAYS"},
    "local": {"ORGANISATION", "PRIVACY_CONTACT"},
}
OUTPUTS = {
    "webhookUrl",
    "functionName",
    "aliasName",
    "releaseMinutes",
    "releasePercent",
    "smokePerson",
    "roleName",
    "adminGroupName",
    "queueUrl",
    "deadLetterQueueUrl",
    "ledgerTable",
    "logGroupName",
    "dashboardName",
    "secretsPath",
    "pageId",
    "graphApiUrl",
    "graphApiVersion",
}


@pytest.fixture(scope="module")
def full() -> Graph:
    """A stack with everything that a setting can add."""
    return run_main(
        "prod",
        {
            "adminMembers": ["anna"],
            "adminStacks": ["dev"],
            "alarmEmail": "team@example.org",
            "apiAccessLog": True,
            "appSecretPrevious": "canary-previous-app-secret",
            "conversationCode": "tests/system/node_conversation",
            "manageApiGatewayAccount": True,
            "unknownDays": 7,
        },
    )


def test_every_setting_is_typed_described_and_has_a_default_and_none_is_declared_secret() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    types: dict[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list}

    for key, declared in project["config"].items():
        assert type(declared["default"]) is types[declared["type"]], key
        assert len(declared["description"]) > 20, key
        assert "secret" not in declared, key
    assert project["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}


def test_the_local_stack_has_a_local_endpoint_for_every_service_it_uses(graphs: dict[str, Graph]) -> None:
    (endpoints,) = stack_file("local")["aws:endpoints"]
    used = {each.type.split(":")[1].split("/")[0] for each in graphs["local"].resources.values() if "aws:" in each.type}

    assert used | {"logs", "sts"} <= endpoints.keys()
    assert set(endpoints.values()) == {"http://127.0.0.1:4566"}
    assert graphs["local"].outputs["graphApiUrl"] == "http://127.0.0.1:4567"


def test_every_name_starts_with_project_and_stack(graph: Graph) -> None:
    for each in graph.resources.values():
        assert each.name.startswith(f"{PROJECT}-{graph.stack}-")
        longest = len(each.name) - len(graph.stack) + LONGEST_STACK
        assert longest <= SHORT_NAMES.get(each.type, longest)
        if each.type not in FIXED_NAMES:
            assert "name" not in each.inputs


def test_every_resource_is_a_child_of_a_component_of_the_stack(graph: Graph) -> None:
    for each in graph.resources.values():
        parent = each.parent.split("::")[2].split("$")[-1]
        assert parent.startswith("fbm:index:" if each.type.startswith("aws:") else "pulumi:pulumi:Stack")


def accepts_tags(resource: Resource) -> bool:
    """Has the provider's class for this resource an argument for tags?"""
    service, _, kind = resource.type.removeprefix("aws:").partition("/")
    module = importlib.import_module(f"pulumi_aws.{'lambda_' if service == 'lambda' else service}")
    return "tags" in inspect.signature(getattr(module, kind.rpartition(":")[2])._internal_init).parameters


def test_exactly_the_resources_that_accept_tags_have_project_and_stack(full: Graph, graph: Graph) -> None:
    for each in [*graph.resources.values(), *full.resources.values()]:
        expected = {"project": PROJECT, "stack": each.urn.split(":")[2]}
        taggable = each.type.startswith("aws:") and accepts_tags(each)
        assert each.inputs.get("tags") == (expected if taggable else None), each.name


def test_a_stack_exports_what_its_users_need_and_no_secret(graph: Graph) -> None:
    pages = {"privacyUrl", "deletionUrl"} if graph.stack == "local" else set()
    assert graph.outputs.keys() == OUTPUTS | pages
    assert graph.outputs["webhookUrl"].endswith("/live/webhook")
    assert graph.outputs["secretsPath"] == f"/{PROJECT}-{graph.stack}-secrets"
    assert "canary" not in json.dumps(graph.outputs)


def test_secrets_are_nowhere_but_in_encrypted_parameters(full: Graph, graph: Graph) -> None:
    for each in [*graph.resources.values(), *full.resources.values()]:
        if each.type == "aws:ssm/parameter:Parameter":
            assert each.inputs["type"] == "SecureString"
            assert each.secret_inputs == {"value"}
        else:
            assert "canary" not in json.dumps(each.inputs)


def test_the_function_runs_the_bot_and_knows_its_stack(graph: Graph) -> None:
    function = graph.one("aws:lambda/function:Function")
    variables = function.inputs["environment"]["variables"]

    assert (function.inputs["handler"], function.inputs["runtime"]) == ("bot.handler.handle", "python3.13")
    assert function.inputs["architectures"] == ["arm64"]
    assert function.inputs["loggingConfig"] == {"logFormat": "JSON", "logGroup": graph.outputs["logGroupName"]}
    assert variables.keys() == ENVIRONMENT | MORE_IN_THE_ENVIRONMENT[graph.stack]


def test_the_code_is_the_package_bot_and_nothing_else(graph: Graph) -> None:
    names = graph.one("aws:lambda/function:Function").inputs["code"]["assets"].keys()

    assert {"bot/__init__.py", "bot/handler.py"} <= names
    assert all(name.startswith("bot/") and name.endswith(".py") for name in names)


def test_the_function_waits_for_its_log_its_permissions_and_its_secrets_and_so_does_the_queue(graph: Graph) -> None:
    function = graph.needs(graph.one("aws:lambda/function:Function"))
    consumer = graph.needs(graph.one("aws:lambda/eventSourceMapping:EventSourceMapping"))

    for kind in ("iam/rolePolicy:RolePolicy", "cloudwatch/logGroup:LogGroup", "ssm/parameter:Parameter"):
        needed = {each.name for each in graph.of(f"aws:{kind}")} - {f"{PROJECT}-{graph.stack}-check-policy"}
        assert needed <= function & consumer


def test_the_schedule_calls_the_function_once_everything_is_there_and_its_role_may_do_nothing_else(
    graph: Graph,
) -> None:
    schedule = graph.one("aws:scheduler/schedule:Schedule")
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{PROJECT}-{graph.stack}-bot-function-1a2b3c4:live"

    assert schedule.inputs["target"]["arn"] == function
    assert json.loads(schedule.inputs["target"]["input"])["check"]["webhook_url"] == graph.outputs["webhookUrl"]
    policy = graph.one("aws:iam/rolePolicy:RolePolicy", "check-policy").policy()
    assert list(statements(policy)) == [(["lambda:InvokeFunction"], [function])]
    for needed in ("check-policy", "webhook-stage", "webhook-post-permission"):
        assert f"{PROJECT}-{graph.stack}-{needed}" in graph.needs(schedule)


def test_only_a_stack_with_an_app_id_is_registered_with_facebook_and_may_heal_itself() -> None:
    for app_id, heals in (("", False), ("200000000000001", True)):
        graph = run_main("dev", {"appId": app_id})
        order = json.loads(graph.one("aws:scheduler/schedule:Schedule").inputs["target"]["input"])["check"]
        assert (order["app_id"], order["self_heal"]) == (app_id, heals)
        assert len(graph.of("pulumi-python:dynamic:Resource")) == bool(app_id)
    registered = graph.one("pulumi-python:dynamic:Resource")
    assert {"pageAccessToken", "appSecret", "verifyToken"} <= registered.secret_inputs
    for needed in ("webhook-stage", "webhook-get-permission", "consumer-mapping", "secrets-verify-token"):
        assert f"{PROJECT}-dev-{needed}" in graph.needs(registered)
    assert graph.outputs["appId"] == "200000000000001"


def test_the_queues_wait_six_timeouts_and_keep_events_as_long_as_they_can(graph: Graph) -> None:
    timeout = graph.one("aws:lambda/function:Function").inputs["timeout"]
    queue = graph.one("aws:sqs/queue:Queue", "-queue")

    assert queue.inputs["visibilityTimeoutSeconds"] >= 6 * timeout
    for each in graph.of("aws:sqs/queue:Queue"):
        assert each.inputs["fifoQueue"] is True
        assert each.inputs["messageRetentionSeconds"] == 14 * 24 * 3600
        assert each.inputs["fifoThroughputLimit"] == "perMessageGroupId"
        assert each.inputs["deduplicationScope"] == "messageGroup"
        assert each.inputs["maxMessageSize"] == 1024 * 1024
        assert each.inputs["sqsManagedSseEnabled"] is True


def test_prod_and_no_other_stack_protects_its_data_and_nothing_else_and_requires_mfa(graphs: dict[str, Graph]) -> None:
    data = {
        "aws:sqs/queue:Queue",
        "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
        "aws:dynamodb/table:Table",
    }
    for stack, graph in graphs.items():
        table = graph.one("aws:dynamodb/table:Table").inputs
        protected = {each.type for each in graph.resources.values() if each.protect and "aws:" in each.type}

        assert protected == (data if stack == "prod" else set())
        assert table["deletionProtectionEnabled"] is (stack == "prod")
        assert table["pointInTimeRecovery"] == {"enabled": stack == "prod"}
        assert any("-mfa-" in each.name for each in graph.of("aws:iam/policy:Policy")) is (stack == "prod")


def test_every_policy_document_is_valid_and_names_actions_that_exist(full: Graph, graph: Graph) -> None:
    # API Gateway refuses a log role with fewer permissions; for alarms see above.
    on_any_resource = {f"{PROJECT}-prod-api-account-policy", *(f"{PROJECT}-{s}-admins-watch-policy" for s in STACKS)}
    for name, document in {**documents(graph), **documents(full)}.items():
        if "Principal" in document["Statement"][0]:
            continue  # the trust policies have a test of their own
        found = [
            each for each in mistakes(document) if not (name in on_any_resource and "resources of its own" in each)
        ]
        assert found == [], name


def test_every_resource_of_a_policy_belongs_to_the_stack(graph: Graph) -> None:
    for document in documents(graph).values():
        for actions, resources in statements(document):
            for resource in resources:
                if resource == "*":
                    assert set(actions) <= ONLY_ON_ANY_RESOURCE
                elif resource in OF_THE_CALLER:
                    assert all(action.startswith("iam:") for action in actions)
                elif set(actions) <= OF_THE_GROUP:
                    assert re.fullmatch(
                        rf"arn:aws:iam::{ACCOUNT}:(group/Innolab_FBM(_prod)?|user/(anna|ben))", resource
                    )
                elif not set(actions) <= OF_THE_TOOLS:  # tests/system/test_deployer.py
                    # Roles and dashboards belong to no region.
                    own = rf"arn:aws:(iam:|[a-z]+:({REGION})?):{ACCOUNT}:[a-z/:-]*{PROJECT}-{graph.stack}-"
                    assert re.match(own, resource)


def test_no_arn_of_the_program_has_another_partition_than_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    made = recorder.created

    def in_china(*args: Any) -> Any:
        return json.loads(json.dumps(made(*args)).replace("arn:aws:", "arn:aws-cn:"))

    monkeypatch.setattr(recorder, "created", in_china)
    monkeypatch.setitem(recorder.LOOKUPS, "aws:index/getPartition:getPartition", {"partition": "aws-cn"})
    graph = run_main("prod", {**OTHER_VALUES, "adminMembers": ["anna"], "apiAccessLog": True})

    for each in graph.resources.values():
        assert "arn:aws:" not in json.dumps(each.inputs), each.name


def test_the_role_allows_exactly_what_the_function_does(graph: Graph) -> None:
    access = graph.one("aws:iam/rolePolicy:RolePolicy", "access-policy").policy()
    log = graph.one("aws:iam/rolePolicy:RolePolicy", "log-policy").policy()
    start = f"{REGION}:{ACCOUNT}"
    name = f"{PROJECT}-{graph.stack}"

    allowed = {
        (action, resource) for actions, resources in statements(access) for action in actions for resource in resources
    }

    queue = f"arn:aws:sqs:{start}:{name}-events-queue-1a2b3c4.fifo"
    dead_letters = f"arn:aws:sqs:{start}:{name}-events-dead-letters-1a2b3c4.fifo"
    table = f"arn:aws:dynamodb:{start}:table/{name}-ledger-table-1a2b3c4"
    assert allowed == {
        ("sqs:SendMessage", queue),
        ("sqs:ReceiveMessage", queue),
        ("sqs:DeleteMessage", queue),
        ("sqs:GetQueueAttributes", queue),
        ("sqs:ChangeMessageVisibility", queue),
        *((f"sqs:{verb}Message", dead_letters) for verb in ("Send", "Receive", "Delete")),
        ("sqs:GetQueueAttributes", dead_letters),
        ("ssm:GetParametersByPath", f"arn:aws:ssm:{start}:parameter/{name}-secrets"),
        *((f"dynamodb:{verb}Item", table) for verb in ("BatchGet", "Put", "Update", "Delete")),
        ("dynamodb:Scan", table),
    }
    assert list(statements(log)) == [
        (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [f"arn:aws:logs:{start}:log-group:{name}-bot-logs-group-1a2b3c4:*"],
        )
    ]


def test_only_its_service_assumes_a_role(full: Graph) -> None:
    trusted = {each.name: each.policy("assumeRolePolicy") for each in full.of("aws:iam/role:Role")}

    def trust(service: str, **more: Any) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **more}
        return {"Version": "2012-10-17", "Statement": [statement]}

    assert trusted == {
        f"{PROJECT}-prod-bot-role": trust("lambda.amazonaws.com"),
        f"{PROJECT}-prod-dialogue-role": trust("lambda.amazonaws.com"),
        f"{PROJECT}-prod-api-account-role": trust("apigateway.amazonaws.com"),
        f"{PROJECT}-prod-check-role": trust(
            "scheduler.amazonaws.com", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}
        ),
    }


def test_the_account_of_api_gateway_stays_when_a_stack_goes_and_nothing_else_does(full: Graph, graph: Graph) -> None:
    account = full.one("aws:apigateway/account:Account")
    stage = full.one("aws:apigateway/stage:Stage")

    assert all(each.retain_on_delete for each in full.resources.values() if "api-account-" in each.name)
    assert f"{PROJECT}-prod-api-account-policy" in full.needs(account)
    assert stage.inputs["accessLogSettings"]["destinationArn"].endswith(f"{PROJECT}-prod-webhook-access-log-1a2b3c4")
    assert account.name in full.needs(stage)
    assert not [each.name for each in graph.resources.values() if each.retain_on_delete]


def test_a_stack_without_a_bot_holds_only_the_group() -> None:
    graph = run_main("dev", {"bot": False, "pageId": "", **dict.fromkeys(SECRETS, "")})

    assert {each.type.split(":")[1].split("/")[0] for each in graph.resources.values()} == {"index", "iam"}
    assert graph.outputs == {"adminGroupName": "Innolab_FBM"}


def test_a_stack_without_a_group_holds_only_the_bot() -> None:
    graph = run_main("dev", {"adminGroupName": ""})

    assert not graph.of("aws:iam/group:Group")
    assert not graph.of("aws:iam/policy:Policy")
    assert graph.outputs.keys() == OUTPUTS - {"adminGroupName"}


def test_a_retired_policy_is_replaced_by_its_successor_with_the_only_warning(graph: Graph) -> None:
    retired = run_main("dev", {"adminPolicies": ["AWSLambdaFullAccess", "AWSLambda_FullAccess"]})

    attached = retired.of("aws:iam/groupPolicyAttachment:GroupPolicyAttachment")
    by_aws = [each.inputs["policyArn"] for each in attached if ":aws:policy/" in each.inputs["policyArn"]]
    assert by_aws == ["arn:aws:iam::aws:policy/AWSLambda_FullAccess"]
    (warning,) = retired.warnings
    assert "AWS retired the policy AWSLambdaFullAccess" in warning
    assert graph.warnings == ()


def test_only_a_stack_with_a_conversation_of_its_own_may_call_a_function_and_only_that_one(
    full: Graph, graph: Graph
) -> None:
    def callable_functions(stack: Graph) -> list[str]:
        access = stack.one("aws:iam/rolePolicy:RolePolicy", "bot-access-policy").policy()
        return [each["Resource"] for each in access["Statement"] if each["Action"] == ["lambda:InvokeFunction"]]

    function = full.one("aws:lambda/function:Function", "-dialogue-function")
    bot = full.one("aws:lambda/function:Function", "-bot-function")
    name = f"{function.name}-1a2b3c4"
    assert callable_functions(full) == [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:*"]
    assert bot.inputs["environment"]["variables"]["CONVERSATION_FUNCTION"] == f"{name}:1"
    assert callable_functions(graph) == []


def test_a_conversations_answer_leaves_the_bot_time_to_send(full: Graph) -> None:
    conversation = full.one("aws:lambda/function:Function", "-dialogue-function").inputs["timeout"]

    assert conversation < ANSWER_SECONDS
    assert ANSWER_SECONDS + STEP_SECONDS < SHORTEST_TIMEOUT_WITH_CONVERSATION


OTHER_VALUES = {
    "memoryMb": 1024,
    "timeoutSeconds": 60,
    "logRetentionDays": 7,
    "throttleRate": 7,
    "throttleBurst": 9,
    "alarmEmail": "a@b.org",
    "pageId": "42",
    "graphApiVersion": "v27.0",
    "graphApiUrl": "https://example.org",
    "stateDays": 8,
    "echoSeconds": 9,
    "humanHours": 11,
    "discloseDays": 12,
    "concurrency": 10,
    "assetsUrl": "https://example.org/assets",
    "lexBotId": "ABCDEFGHIJ",
    "conversationPerson": "first_name locale",
    "inboxAppId": "263902037430900",
    "lexBotAliasId": "TSTALIASID",
    "lexLocaleId": "de_DE",
}


@pytest.fixture(scope="module")
def changed() -> Graph:
    return run_main("dev", OTHER_VALUES)


def test_a_setting_reaches_its_resource(changed: Graph) -> None:
    function = changed.one("aws:lambda/function:Function").inputs
    mapping = changed.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    throttling = changed.one("aws:apigateway/methodSettings:MethodSettings").inputs["settings"]

    assert (function["memorySize"], function["timeout"]) == (1024, 60)
    assert changed.one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 7
    assert (throttling["throttlingRateLimit"], throttling["throttlingBurstLimit"]) == (7, 9)
    assert mapping["scalingConfig"] == {"maximumConcurrency": 10}
    assert changed.one("aws:sns/topicSubscription:TopicSubscription").inputs["endpoint"] == "a@b.org"


def test_a_setting_reaches_the_function(changed: Graph) -> None:
    variables = changed.one("aws:lambda/function:Function").inputs["environment"]["variables"]

    given = {name: value for name, value in variables.items() if not name.endswith(("_URL", "_TABLE", "_PATH"))}
    assert given == {
        "PAGE_ID": "42",
        "MESSAGE_BYTES": "1048576",
        "GRAPH_API_VERSION": "v27.0",
        "STATE_DAYS": "8",
        "ECHO_SECONDS": "9",
        "HUMAN_HOURS": "11",
        "DISCLOSE_DAYS": "12",
        "CONCURRENCY": "10",
        "LOG_DAYS": "7",
        "LEX_BOT_ID": "ABCDEFGHIJ",
        "CONVERSATION_PERSON": "first_name locale",
        "INBOX_APP_ID": "263902037430900",
        "LEX_BOT_ALIAS_ID": "TSTALIASID",
        "LEX_LOCALE_ID": "de_DE",
    }
    assert (variables["GRAPH_API_URL"], variables["ASSETS_URL"]) == (
        "https://example.org",
        "https://example.org/assets",
    )


def test_only_a_stack_with_lex_may_ask_it(changed: Graph, graph: Graph) -> None:
    def lex_resources(stack: Graph) -> list[str]:
        access = stack.one("aws:iam/rolePolicy:RolePolicy", "access-policy").policy()
        return [each["Resource"] for each in access["Statement"] if each["Action"] == ["lex:RecognizeText"]]

    assert lex_resources(changed) == [f"arn:aws:lex:{REGION}:{ACCOUNT}:bot-alias/ABCDEFGHIJ/TSTALIASID"]
    assert lex_resources(graph) == []


def test_the_webhook_keeps_its_address_under_a_domain_of_ones_own(graph: Graph) -> None:
    stack = run_main("dev", {"domainName": "bot.example.org", "hostedZoneId": "Z123"})
    mapping = stack.one("aws:apigateway/basePathMapping:BasePathMapping")
    name = stack.one("aws:apigateway/domainName:DomainName").inputs

    assert stack.outputs["webhookUrl"] == "https://bot.example.org/webhook"
    assert mapping.inputs["stageName"] == "live"
    assert "basePath" not in mapping.inputs
    assert name["regionalCertificateArn"]
    assert name["securityPolicy"] == stack.one("aws:apigateway/restApi:RestApi").inputs["securityPolicy"]
    assert not graph.of("aws:apigateway/domainName:DomainName")


def test_texts_that_the_bot_does_not_understand_are_kept_only_if_a_setting_says_so(full: Graph, graph: Graph) -> None:
    table = full.one("aws:dynamodb/table:Table", "-questions-table")
    assert table.inputs["ttl"] == {"attributeName": "expires", "enabled": True}
    assert "pointInTimeRecovery" not in table.inputs
    variables = full.one("aws:lambda/function:Function", "-bot-function").inputs["environment"]["variables"]
    assert variables["QUESTIONS_TABLE"] == full.outputs["questionsTable"]
    assert variables["UNKNOWN_DAYS"] == "7"

    of_the_role = full.one("aws:iam/rolePolicy:RolePolicy", "access-policy").policy()
    assert [
        actions
        for actions, resources in statements(of_the_role)
        if any("-questions-table-" in arn for arn in resources)
    ] == [["dynamodb:UpdateItem"]]
    assert not [each for each in graph.resources.values() if "questions" in each.name]
