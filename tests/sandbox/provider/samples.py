"""One example of each resource type: inputs to create it, and one change for each way in which it can be updated."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pulumi

from sandbox.provider.account import Account
from sandbox.provider.catalog import resource_type
from sandbox.provider.resource import Existing

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
    """What the examples refer to, each created once."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._made: dict[str, Any] = {}

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def one(self, type_name: str, key: str = "", **inputs: object) -> Existing:
        found: Existing = self.once(type_name + key, lambda: create(self.account, type_name, **inputs))
        return found

    def function(self) -> Existing:
        actions = ("sqs:*", "logs:CreateLogStream", "logs:PutLogEvents")
        found: Existing = self.once("function", lambda: function(self.account, *actions))
        return found

    def version(self, number: str) -> str:
        """Version 1 or 2 of the function."""

        def publish() -> str:
            client, name = self.account.client("lambda"), self.function().id
            client.update_function_configuration(FunctionName=name, Description=number)
            return str(client.publish_version(FunctionName=name)["Version"])

        published: str = self.once(f"version {number}", publish)
        return published

    def policy(self) -> str:
        return self.one("aws:iam/policy:Policy", policy=policy("sqs:SendMessage")).id

    def role(self) -> Existing:
        return self.one("aws:iam/role:Role", assumeRolePolicy=TRUST)

    def group(self, key: str = "") -> str:
        return self.one("aws:iam/group:Group", key).id

    def certificate(self, key: str = "") -> str:
        return self.one("aws:acm/certificate:Certificate", key, **CERTIFICATE).id

    def user(self) -> str:
        name = f"u{secrets.token_hex(4)}"
        self.account.owner("iam").create_user(UserName=name)
        return name

    def api(self) -> Existing:
        return self.one("aws:apigateway/restApi:RestApi", endpointConfiguration={"types": "REGIONAL"})

    def child(self, **inputs: object) -> Json:
        return {"restApi": self.api().id, **inputs}

    def path(self, key: str) -> Existing:
        parent = self.api().outputs["rootResourceId"]
        return self.one("aws:apigateway/resource:Resource", key, **self.child(parentId=parent, pathPart=key))

    def method(self, key: str) -> Json:
        where = self.child(resourceId=self.path(key).id, httpMethod="POST")
        self.one("aws:apigateway/method:Method", key, **where, authorization="NONE")
        return where

    def integrated(self) -> Json:
        where = self.method("integrated")
        self.one("aws:apigateway/integration:Integration", **where, **INTEGRATION)
        return where

    def deployment(self, key: str = "") -> str:
        self.integrated()
        return self.one("aws:apigateway/deployment:Deployment", key, **self.child()).id

    def stage(self, name: str) -> Json:
        self.one("aws:apigateway/stage:Stage", name, **self.child(deployment=self.deployment(), stageName=name))
        return self.child(stageName=name)

    def domain_name(self, **more: object) -> Json:
        return {
            "domainName": f"{secrets.token_hex(4)}.example.org",
            "regionalCertificateArn": self.certificate(),
            "endpointConfiguration": {"types": "REGIONAL"},
            **more,
        }

    def zone(self) -> str:
        made = self.account.client("route53").create_hosted_zone(
            Name="example.org", CallerReference=secrets.token_hex(4)
        )
        return str(made["HostedZone"]["Id"]).rpartition("/")[2]


INTEGRATION: Json = {"type": "MOCK"}
CERTIFICATE: Json = {"domainName": "bot.example.org", "validationMethod": "DNS"}
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


def _alarm(account: Account) -> Existing:
    return create(
        account,
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=1,
        metricName="n",
        namespace="s",
        period=300,
        statistic="Sum",
        threshold=3,
    )


SAMPLES: Mapping[str, Sample] = {
    "aws:iam/group:Group": Sample(
        lambda _: {}, lambda _: [{"name": f"renamed-{secrets.token_hex(4)}"}, {"path": "/elsewhere/"}]
    ),
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": Sample(
        lambda world: {"group": world.group(), "policyArn": world.policy()}, import_id="{group}/{policyArn}"
    ),
    "aws:iam/userGroupMembership:UserGroupMembership": Sample(
        lambda world: {"user": world.user(), "groups": [world.group()]},
        lambda world: [{"groups": [world.group("other")]}],
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
            {"permissionsBoundary": world.policy()},
            {"permissionsBoundary": None},
            {"tags": OTHER_TAGS},
        ],
    ),
    "aws:iam/rolePolicy:RolePolicy": Sample(
        lambda world: {"role": world.role().id, "policy": policy("sqs:SendMessage")},
        lambda _: [{"policy": policy("sqs:DeleteMessage")}],
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Sample(
        lambda world: {"role": world.role().id, "policyArn": world.policy()}, import_id="{role}/{policyArn}"
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
            "alarmRule": f'ALARM("{_alarm(world.account).id}")',
            "tags": TAGS,
        },
        lambda _: [{"alarmDescription": "after"}, {"tags": OTHER_TAGS}],
    ),
    "aws:scheduler/schedule:Schedule": Sample(
        lambda world: {
            "scheduleExpression": "rate(1 hour)",
            "flexibleTimeWindow": {"mode": "OFF"},
            "target": {
                "arn": function(world.account, "logs:PutLogEvents").outputs["arn"],
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
            "role": world.role().outputs["arn"],
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
            "eventSourceArn": world.one("aws:sqs/queue:Queue", "polled", fifoQueue=True).outputs["arn"],
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
        lambda world: world.child(parentId=world.api().outputs["rootResourceId"], pathPart="before"),
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
            resourceId=world.path("method").id,
            httpMethod="POST",
            authorization="NONE",
            requestParameters={"method.request.header.A": True},
        ),
        lambda _: [{"requestParameters": {"method.request.header.B": True}}, {"authorization": "AWS_IAM"}],
        "{restApi}/{resourceId}/{httpMethod}",
    ),
    "aws:apigateway/integration:Integration": Sample(
        lambda world: {
            **world.method("integration"),
            "type": "AWS_PROXY",
            "integrationHttpMethod": "POST",
            "uri": world.function().outputs["invokeArn"],
        },
        lambda _: [{"timeoutMilliseconds": 10000}],
        "{restApi}/{resourceId}/{httpMethod}",
    ),
    "aws:apigateway/response:Response": Sample(
        lambda world: {
            "restApiId": world.api().id,
            "responseType": "DEFAULT_4XX",
            "statusCode": "400",
            "responseTemplates": {"text/plain": "no"},
        },
        lambda _: [{"statusCode": "404"}],
        "{restApiId}/{responseType}",
    ),
    "aws:apigateway/deployment:Deployment": Sample(
        lambda world: {"restApi": world.integrated()["restApi"], "triggers": {"a": "1"}},
        lambda _: [{"description": "after"}],
        "{restApi}/{id}",
    ),
    "aws:apigateway/stage:Stage": Sample(
        lambda world: world.child(deployment=world.deployment(), stageName="sample", tags=TAGS),
        lambda world: [{"deployment": world.deployment("other")}, {"tags": OTHER_TAGS}],
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
        lambda world: {"cloudwatchRoleArn": world.role().outputs["arn"]}, lambda _: [{"cloudwatchRoleArn": ""}]
    ),
    "aws:apigateway/domainName:DomainName": Sample(
        lambda world: world.domain_name(tags=TAGS),
        lambda world: [{"regionalCertificateArn": world.certificate("other")}, {"tags": OTHER_TAGS}],
    ),
    "aws:apigateway/basePathMapping:BasePathMapping": Sample(
        lambda world: {
            "domainName": world.one("aws:apigateway/domainName:DomainName", **world.domain_name()).id,
            **world.stage("mapped"),
        },
        lambda world: [{"stageName": world.stage("another")["stageName"]}, {"basePath": "bot"}],
    ),
    "aws:acm/certificate:Certificate": Sample(
        lambda _: {**CERTIFICATE, "tags": TAGS}, lambda _: [{"tags": OTHER_TAGS}]
    ),
    "aws:acm/certificateValidation:CertificateValidation": Sample(
        lambda world: {"certificateArn": world.certificate()}, import_id=""
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
