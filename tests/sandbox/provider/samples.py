"""One example of each resource type: inputs to create it, and one change for each way in which it can be updated."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pulumi

from sandbox.provider.account import Account
from sandbox.provider.catalog import resource_type
from sandbox.provider.resource import Existing, chosen

Json = dict[str, Any]

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
CODE = "def handle(event, context):\n    return {}\n"
TAGS, OTHER_TAGS = {"a": "1", "b": "2"}, {"b": "3", "c": "4"}


def policy(*actions: str, resource: str = "*") -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def code(text: str = CODE) -> pulumi.AssetArchive:
    return pulumi.AssetArchive({"index.py": pulumi.StringAsset(text)})


def create(account: Account, type_name: str, **inputs: object) -> Existing:
    """Create a resource under a name of its own."""
    provider = resource_type(type_name)
    return provider.create(account, provider.check(f"t{secrets.token_hex(4)}", inputs))


def role(account: Account, *actions: str) -> Existing:
    made = create(account, "aws:iam/role:Role", assumeRolePolicy=TRUST)
    create(account, "aws:iam/rolePolicy:RolePolicy", role=made.id, policy=policy(*actions))
    return made


def function(account: Account, *actions: str) -> Existing:
    return create(
        account,
        "aws:lambda/function:Function",
        role=role(account, *actions).outputs["arn"],
        runtime="python3.13",
        handler="index.handle",
        timeout=5,
        code=code(),
    )


class World:
    """What the examples refer to."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._made: dict[tuple[str, str], Any] = {}

    def once(self, type_name: str, key: str, make: Callable[[], Any]) -> Any:
        if (type_name, key) not in self._made:
            self._made[type_name, key] = make()
        return self._made[type_name, key]

    def new(self, type_name: str) -> Existing:
        """A type's example."""
        return create(self.account, type_name, **SAMPLES[type_name].inputs(self))

    def one(self, type_name: str, key: str = "") -> Existing:
        """A type's example, created once for each key."""
        found: Existing = self.once(type_name, key, lambda: self.new(type_name))
        return found

    def function(self) -> Existing:
        actions = ("sqs:*", "logs:CreateLogStream", "logs:PutLogEvents")
        found: Existing = self.once("function", "", lambda: function(self.account, *actions))
        return found

    def version(self, number: str) -> str:
        """Version 1 or 2 of the function."""

        def publish() -> str:
            client, name = self.account.client("lambda"), self.function().id
            client.update_function_configuration(FunctionName=name, Description=number)
            return str(client.publish_version(FunctionName=name)["Version"])

        published: str = self.once("version", number, publish)
        return published

    def user(self) -> str:
        name = f"u{secrets.token_hex(4)}"
        self.account.owner("iam").create_user(UserName=name)
        return name

    def child(self, **inputs: object) -> Json:
        return {"restApi": self.one("aws:apigateway/restApi:RestApi").id, **inputs}

    def stage(self, key: str) -> Json:
        return chosen(self.one("aws:apigateway/stage:Stage", key).inputs, ("restApi", "stageName"))

    def zone(self) -> str:
        made = self.account.client("route53").create_hosted_zone(
            Name="example.org", CallerReference=secrets.token_hex(4)
        )
        return str(made["HostedZone"]["Id"]).rpartition("/")[2]


METHOD = ("restApi", "resourceId", "httpMethod")
Changes = Callable[[World], list[Json]]


class Sample(NamedTuple):
    """An example.

    Attributes:
        inputs: to create it.
        changes: each made alone, one after the other.
        import_id: the id for ``import``, as a format of the resource's id and inputs; "" if it cannot be imported.
    """

    inputs: Callable[[World], Json]
    changes: Changes = lambda _: []
    import_id: str = "{id}"


SAMPLES: Mapping[str, Sample] = {
    "aws:iam/group:Group": Sample(
        lambda _: {}, lambda _: [{"name": f"renamed-{secrets.token_hex(4)}"}, {"path": "/elsewhere/"}]
    ),
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": Sample(
        lambda world: {
            "group": world.one("aws:iam/group:Group").id,
            "policyArn": world.one("aws:iam/policy:Policy").id,
        },
        import_id="{group}/{policyArn}",
    ),
    "aws:iam/userGroupMembership:UserGroupMembership": Sample(
        lambda world: {"user": world.user(), "groups": [world.one("aws:iam/group:Group").id]},
        lambda world: [{"groups": [world.one("aws:iam/group:Group", "other").id]}],
        "{user}/{groups[0]}",
    ),
    "aws:iam/policy:Policy": Sample(
        lambda _: {"policy": policy("sqs:SendMessage"), "tags": TAGS},
        lambda _: [{"policy": policy("sqs:DeleteMessage")}, {"tags": OTHER_TAGS}],
    ),
    "aws:iam/role:Role": Sample(
        lambda _: {"assumeRolePolicy": TRUST, "description": "before", "tags": TAGS},
        lambda world: [
            {"assumeRolePolicy": TRUST.replace("lambda.", "apigateway.")},
            {"description": "after"},
            {"maxSessionDuration": 7200},
            {"permissionsBoundary": world.one("aws:iam/policy:Policy").id},
            {"permissionsBoundary": None},
            {"tags": OTHER_TAGS},
        ],
    ),
    "aws:iam/rolePolicy:RolePolicy": Sample(
        lambda world: {"role": world.one("aws:iam/role:Role").id, "policy": policy("sqs:SendMessage")},
        lambda _: [{"policy": policy("sqs:DeleteMessage")}],
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Sample(
        lambda world: {"role": world.one("aws:iam/role:Role").id, "policyArn": world.one("aws:iam/policy:Policy").id},
        import_id="{role}/{policyArn}",
    ),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Sample(
        lambda _: {"url": "https://tokens.example.org", "clientIdLists": ["one", "two"], "tags": TAGS},
        lambda _: [{"clientIdLists": ["two", "three"]}, {"tags": OTHER_TAGS}],
    ),
    "aws:ssm/parameter:Parameter": Sample(
        lambda _: {"type": "SecureString", "value": "one", "tags": TAGS},
        lambda _: [{"value": "two"}, {"description": "after"}, {"tags": OTHER_TAGS}],
    ),
    "aws:cloudwatch/logGroup:LogGroup": Sample(
        lambda _: {"retentionInDays": 7, "tags": TAGS},
        lambda _: [{"retentionInDays": 14}, {"retentionInDays": None}, {"tags": OTHER_TAGS}],
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Sample(
        lambda world: {
            "logGroupName": world.one("aws:cloudwatch/logGroup:LogGroup").id,
            "pattern": "a",
            "metricTransformation": {"name": "n", "namespace": "s", "value": "1", "defaultValue": "0"},
        },
        lambda _: [{"pattern": "b"}],
        "{logGroupName}:{id}",
    ),
    "aws:cloudwatch/dashboard:Dashboard": Sample(
        lambda _: {"dashboardName": f"d{secrets.token_hex(4)}", "dashboardBody": '{"widgets": []}'},
        lambda _: [{"dashboardBody": '{"widgets": [], "start": "-PT1H"}'}],
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Sample(
        lambda _: {
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 1,
            "metricName": "n",
            "namespace": "s",
            "period": 300,
            "statistic": "Sum",
            "threshold": 3,
            "dimensions": {"Queue": "q"},
            "tags": TAGS,
        },
        lambda _: [{"threshold": 1}, {"tags": OTHER_TAGS}],
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Sample(
        lambda world: {
            "alarmName": f"t{secrets.token_hex(4)}",
            "alarmRule": f'ALARM("{world.one("aws:cloudwatch/metricAlarm:MetricAlarm").id}")',
            "tags": TAGS,
        },
        lambda _: [{"alarmDescription": "after"}, {"tags": OTHER_TAGS}],
    ),
    "aws:scheduler/schedule:Schedule": Sample(
        lambda world: {
            "scheduleExpression": "rate(1 hour)",
            "flexibleTimeWindow": {"mode": "OFF"},
            "target": {
                "arn": world.function().outputs["arn"],
                "roleArn": create(
                    world.account, "aws:iam/role:Role", assumeRolePolicy=TRUST.replace("lambda.", "scheduler.")
                ).outputs["arn"],
                "input": "{}",
            },
        },
        lambda _: [{"scheduleExpression": "rate(2 hours)"}],
    ),
    "aws:sns/topic:Topic": Sample(lambda _: {"tags": TAGS}, lambda _: [{"displayName": "after"}, {"tags": OTHER_TAGS}]),
    "aws:sns/topicSubscription:TopicSubscription": Sample(
        lambda world: {
            "topic": world.one("aws:sns/topic:Topic").id,
            "protocol": "sqs",
            "endpoint": world.one("aws:sqs/queue:Queue").outputs["arn"],
        },
        lambda _: [{"rawMessageDelivery": True}],
    ),
    "aws:sqs/queue:Queue": Sample(
        lambda _: {"fifoQueue": True, "deduplicationScope": "messageGroup", "tags": TAGS},
        lambda _: [{"visibilityTimeoutSeconds": 60}, {"tags": OTHER_TAGS}],
    ),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": Sample(
        lambda world: {
            "queueUrl": world.one("aws:sqs/queue:Queue").id,
            "redriveAllowPolicy": '{"redrivePermission":"allowAll"}',
        },
        lambda _: [{"redriveAllowPolicy": '{"redrivePermission":"denyAll"}'}],
    ),
    "aws:dynamodb/table:Table": Sample(
        lambda _: {
            "billingMode": "PAY_PER_REQUEST",
            "hashKey": "id",
            "attributes": [{"name": "id", "type": "S"}],
            "ttl": {"attributeName": "expires", "enabled": True},
            "pointInTimeRecovery": {"enabled": True},
            "tags": TAGS,
        },
        lambda _: [
            {"tableClass": "STANDARD_INFREQUENT_ACCESS"},
            {"deletionProtectionEnabled": True},
            {"deletionProtectionEnabled": False},
            {"pointInTimeRecovery": {"enabled": False}},
            {"ttl": None},
            {"tags": OTHER_TAGS},
        ],
    ),
    "aws:lambda/function:Function": Sample(
        lambda world: {
            "role": world.one("aws:iam/role:Role").outputs["arn"],
            "runtime": "python3.13",
            "handler": "index.handle",
            "code": code(),
            "environment": {"variables": {"lower": "x"}},
            "tags": TAGS,
        },
        lambda _: [
            {"timeout": 7},
            {"code": code("pass\n")},
            {"reservedConcurrentExecutions": 3},
            {"reservedConcurrentExecutions": None},
            {"environment": None},
            {"publish": True},
            {"tags": OTHER_TAGS},
        ],
    ),
    "aws:lambda/alias:Alias": Sample(
        lambda world: {"functionName": world.function().id, "functionVersion": world.version("1"), "name": "live"},
        lambda world: [
            {"functionVersion": world.version("2")},
            {"description": "after"},
            {"routingConfig": {"additionalVersionWeights": {"1": 0.1}}},
            {"routingConfig": None},
        ],
        "{functionName}/{name}",
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Sample(
        lambda world: {
            "eventSourceArn": world.one("aws:sqs/queue:Queue").outputs["arn"],
            "functionName": world.function().outputs["arn"],
            "functionResponseTypes": ["ReportBatchItemFailures"],
            "tags": TAGS,
        },
        lambda _: [{"batchSize": 5}, {"scalingConfig": {"maximumConcurrency": 4}}, {"tags": OTHER_TAGS}],
    ),
    "aws:lambda/permission:Permission": Sample(
        lambda world: {
            "action": "lambda:InvokeFunction",
            "function": world.function().id,
            "principal": "apigateway.amazonaws.com",
            "sourceArn": "arn:aws:execute-api:eu-central-1:000000000000:a/*/POST/webhook",
        },
        import_id="{function}/{id}",
    ),
    "aws:apigateway/restApi:RestApi": Sample(
        lambda _: {"endpointConfiguration": {"types": "REGIONAL"}, "description": "before", "tags": TAGS},
        lambda _: [{"description": "after"}, {"tags": OTHER_TAGS}],
    ),
    "aws:apigateway/resource:Resource": Sample(
        lambda world: world.child(
            parentId=world.one("aws:apigateway/restApi:RestApi").outputs["rootResourceId"],
            pathPart=secrets.token_hex(4),
        ),
        lambda _: [{"pathPart": "after"}],
        "{restApi}/{id}",
    ),
    "aws:apigateway/requestValidator:RequestValidator": Sample(
        lambda world: world.child(validateRequestParameters=True),
        lambda _: [{"validateRequestBody": True}],
        "{restApi}/{id}",
    ),
    "aws:apigateway/method:Method": Sample(
        lambda world: world.child(
            resourceId=world.new("aws:apigateway/resource:Resource").id,
            httpMethod="POST",
            authorization="NONE",
            requestParameters={"method.request.header.A": True},
        ),
        lambda _: [{"requestParameters": {"method.request.header.B": True}}, {"authorization": "AWS_IAM"}],
        "{restApi}/{resourceId}/{httpMethod}",
    ),
    "aws:apigateway/integration:Integration": Sample(
        lambda world: {
            **chosen(world.new("aws:apigateway/method:Method").inputs, METHOD),
            "type": "AWS_PROXY",
            "integrationHttpMethod": "POST",
            "uri": world.function().outputs["invokeArn"],
        },
        lambda _: [{"timeoutMilliseconds": 10000}],
        "{restApi}/{resourceId}/{httpMethod}",
    ),
    "aws:apigateway/response:Response": Sample(
        lambda world: {
            "restApiId": world.one("aws:apigateway/restApi:RestApi").id,
            "responseType": "DEFAULT_4XX",
            "statusCode": "400",
            "responseTemplates": {"text/plain": "no"},
        },
        lambda _: [{"statusCode": "404"}],
        "{restApiId}/{responseType}",
    ),
    "aws:apigateway/deployment:Deployment": Sample(
        lambda world: {
            "restApi": world.one("aws:apigateway/integration:Integration").inputs["restApi"],
            "triggers": {"a": "1"},
        },
        lambda _: [{"description": "after"}],
        "{restApi}/{id}",
    ),
    "aws:apigateway/stage:Stage": Sample(
        lambda world: world.child(
            deployment=world.one("aws:apigateway/deployment:Deployment").id, stageName=secrets.token_hex(4), tags=TAGS
        ),
        lambda world: [
            {"deployment": world.one("aws:apigateway/deployment:Deployment", "other").id},
            {"tags": OTHER_TAGS},
        ],
        "{restApi}/{stageName}",
    ),
    "aws:apigateway/methodSettings:MethodSettings": Sample(
        lambda world: {
            **world.stage("settings"),
            "methodPath": "*/*",
            "settings": {"metricsEnabled": True, "loggingLevel": "OFF", "throttlingRateLimit": 50},
        },
        lambda _: [{"settings": {"metricsEnabled": True, "loggingLevel": "OFF", "throttlingRateLimit": 70}}],
        "{restApi}/{stageName}/{methodPath}",
    ),
    "aws:apigateway/account:Account": Sample(
        lambda world: {"cloudwatchRoleArn": world.one("aws:iam/role:Role").outputs["arn"]},
        lambda _: [{"cloudwatchRoleArn": ""}],
    ),
    "aws:apigateway/domainName:DomainName": Sample(
        lambda world: {
            "domainName": f"{secrets.token_hex(4)}.example.org",
            "regionalCertificateArn": world.one("aws:acm/certificate:Certificate").id,
            "endpointConfiguration": {"types": "REGIONAL"},
            "tags": TAGS,
        },
        lambda world: [
            {"regionalCertificateArn": world.one("aws:acm/certificate:Certificate", "other").id},
            {"tags": OTHER_TAGS},
        ],
    ),
    "aws:apigateway/basePathMapping:BasePathMapping": Sample(
        lambda world: {"domainName": world.one("aws:apigateway/domainName:DomainName").id, **world.stage("mapped")},
        lambda world: [{"stageName": world.stage("another")["stageName"]}, {"basePath": "bot"}],
    ),
    "aws:acm/certificate:Certificate": Sample(
        lambda _: {"domainName": "bot.example.org", "validationMethod": "DNS", "tags": TAGS},
        lambda _: [{"tags": OTHER_TAGS}],
    ),
    "aws:acm/certificateValidation:CertificateValidation": Sample(
        lambda world: {"certificateArn": world.one("aws:acm/certificate:Certificate").id}, import_id=""
    ),
    "aws:route53/record:Record": Sample(
        lambda world: {
            "zoneId": world.zone(),
            "name": "a.example.org",
            "type": "A",
            "ttl": 60,
            "records": ["192.0.2.1"],
        },
        lambda _: [{"ttl": 300}],
    ),
}
