"""All resource types that the sandbox knows, by the provider's token."""

from sandbox.errors import SandboxError
from sandbox.provider import (
    acm,
    apigateway,
    cloudwatch,
    dynamic,
    dynamodb,
    iam,
    lambda_,
    logs,
    route53,
    scheduler,
    sns,
    sqs,
    ssm,
)
from sandbox.provider.resource import ResourceType

CLASSES: tuple[type[ResourceType], ...] = (
    iam.Group, iam.GroupPolicyAttachment, iam.UserGroupMembership, iam.Policy, iam.Role, iam.RolePolicy,
    iam.RolePolicyAttachment, iam.OpenIdConnectProvider,
    ssm.Parameter, logs.LogGroup, logs.LogMetricFilter, cloudwatch.MetricAlarm, cloudwatch.CompositeAlarm,
    cloudwatch.Dashboard, sns.Topic, sns.TopicSubscription,
    sqs.Queue, sqs.RedriveAllowPolicy, dynamodb.Table,
    lambda_.Function, lambda_.Alias, lambda_.EventSourceMapping, lambda_.Permission,
    apigateway.RestApi, apigateway.Resource, apigateway.RequestValidator, apigateway.Method, apigateway.Integration,
    apigateway.Response, apigateway.Deployment, apigateway.Stage, apigateway.MethodSettings,
    apigateway.ApiGatewayAccount, apigateway.DomainName, apigateway.BasePathMapping,
    acm.Certificate, acm.CertificateValidation, route53.Record, scheduler.Schedule,
)  # fmt: skip
TYPES: dict[str, ResourceType] = {each.type_name: each() for each in CLASSES}
DYNAMIC = dynamic.DynamicResource()


def resource_type(token: str) -> ResourceType:
    """The class of a resource type.

    Raises:
        SandboxError: the sandbox does not know the type.
    """
    if token == DYNAMIC.type_name:
        return DYNAMIC
    if token not in TYPES:
        raise SandboxError(
            f"The sandbox does not know the resource type {token}: give it a class in sandbox/provider/."
        )
    return TYPES[token]
