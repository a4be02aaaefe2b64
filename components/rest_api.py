"""The REST API that Facebook calls: its path, a method per route, and junk refused before it reaches the function."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import apigateway, cloudwatch, lambda_

from components.errors import require, require_within

# API Gateway Developer Guide, "Amazon API Gateway quotas": what an account has, for all its APIs together.
THROTTLE_RATE = range(1, 10_000 + 1)
THROTTLE_BURST = range(1, 5_000 + 1)

TLS: Mapping[str, Any] = {
    # TLS 1.2 and 1.3. Without a policy, a regional API accepts TLS 1.0.
    "security_policy": "SecurityPolicy_TLS13_1_2_2021_06",
    # Where AWS advises to begin. STRICT also compares the TLS server name with the request's host, and guards nothing
    # here: the function trusts only what is signed.
    "endpoint_access_mode": "BASIC",
}
"""A policy named SecurityPolicy_… needs an access mode, and a change takes effect with the next deployment. API Gateway
Developer Guide, "Security policies for REST APIs" and "How to change a security policy", read 2026-11."""
VALIDATION: Mapping[str, Any] = {"validate_request_parameters": True, "validate_request_body": False}
EMPTY_ANSWERS: Sequence[Mapping[str, Any]] = (
    {"response_type": "BAD_REQUEST_PARAMETERS", "status_code": "400", "response_templates": {"application/json": "{}"}},
    {"response_type": "DEFAULT_4XX", "response_templates": {"application/json": "{}"}},
    {"response_type": "DEFAULT_5XX", "response_templates": {"application/json": "{}"}},
)
"""The gateway's own answers, as `{}`: its default texts show a stranger how the API is built."""

ACCESS_LOG_FORMAT = json.dumps(
    {
        "requestId": "$context.requestId",
        "requestTime": "$context.requestTime",
        "ip": "$context.identity.sourceIp",
        "method": "$context.httpMethod",
        "path": "$context.resourcePath",  # without the query, which holds the verify token
        "status": "$context.status",
        "latencyMs": "$context.responseLatency",
        "error": "$context.error.responseType",
    }
)


@dataclass(frozen=True, kw_only=True)
class Route:
    """A method of the path, and what a request must have to reach the function.

    Attributes:
        method_name: `GET`, `POST`, …
        required_query: Names of query parameters. There is no such thing for headers: API Gateway compares their names
            case-sensitively, and HTTP/2 writes them in lower case (API Gateway Developer Guide, "Amazon API Gateway
            important notes", read 2026-11).
    """

    method_name: str
    required_query: Sequence[str] = ()

    def method(self) -> dict[str, Any]:
        """The method's inputs. Anybody may call it: Facebook signs its requests, and the function checks that."""
        query = {f"method.request.querystring.{each}": True for each in self.required_query}
        return {"http_method": self.method_name, "authorization": "NONE", "request_parameters": query}


@dataclass(frozen=True, kw_only=True)
class RestApiArgs:
    """What `RestApi` needs.

    Attributes:
        path: The path below the stage that Facebook calls, without slashes, such as `webhook`.
        routes: Its methods, each once.
        function_name: The function behind all of them.
        alias_name: The function's alias that is called.
        alias_invoke_arn: The alias's URI for API Gateway.
        stage_name: The stage, a part of the URL.
        throttle_rate: Requests per second, 1 to 10,000.
        throttle_burst: Requests at once, 1 to 5,000.
        pages: Other paths, which anybody may GET.
        access_log_days: How long the access log is kept. None: no access log. API Gateway refuses a stage with one
            unless the account has a CloudWatch role for it (`ApiAccount`).

    Raises:
        InvalidArgs: If there is no route, a method or path twice, or throttling outside the account's quotas.
    """

    path: str
    routes: Sequence[Route]
    function_name: pulumi.Input[str]
    alias_name: pulumi.Input[str]
    alias_invoke_arn: pulumi.Input[str]
    stage_name: str
    throttle_rate: int
    throttle_burst: int
    pages: Sequence[str] = ()
    access_log_days: int | None = None

    def __post_init__(self) -> None:
        methods = [route.method_name for route in self.routes]
        require(len(methods) > 0, "A REST API without a route answers nobody: give it at least one.")
        require(len(set(methods)) == len(methods), f"Each method may have one route, but the routes are {methods}.")
        paths = [self.path, *self.pages]
        require(len(set(paths)) == len(paths), f"Each path may be named once, but the paths are {paths}.")
        require_within(THROTTLE_RATE, self.throttle_rate, "number of requests per second")
        require_within(THROTTLE_BURST, self.throttle_burst, "number of requests at once")

    def methods(self) -> dict[str, tuple[str, Route]]:
        """Every method by its logical name, with its path."""
        found = {route.method_name.lower(): (self.path, route) for route in self.routes}
        return found | {f"{page}-get": (page, Route(method_name="GET")) for page in self.pages}

    def integration(self) -> dict[str, Any]:
        """The inputs of each method's integration. API Gateway always calls Lambda with POST."""
        return {"type": "AWS_PROXY", "integration_http_method": "POST", "uri": self.alias_invoke_arn}


def deployment_trigger(args: RestApiArgs) -> pulumi.Output[str]:
    """A hash of everything that a deployment freezes. A new value makes Pulumi deploy the API again.

    Args:
        args: The API's arguments.
    """
    methods = [route.method() for route in args.routes]
    frozen = [args.path, TLS, VALIDATION, args.integration(), methods, EMPTY_ANSWERS, *args.pages]
    return pulumi.Output.json_dumps(frozen, sort_keys=True).apply(
        lambda text: hashlib.sha256(text.encode()).hexdigest()
    )


class RestApi(pulumi.ComponentResource):
    """A regional REST API whose methods are all integrated with one function, and one stage.

    A deployment freezes the API before Pulumi deletes what was removed. So a removed route is still answered until the
    deployment is replaced: run `pulumi up` again with `--replace` and the URN of the deployment.

    Attributes:
        id: The API's id.
        url: The URL of `path`; known once the API may call the function.
        name: The API's name, as in its metrics.
        stage_name: The stage's name.
    """

    id: pulumi.Output[str]
    url: pulumi.Output[str]
    name: pulumi.Output[str]
    stage_name: pulumi.Output[str]

    def __init__(self, name: str, args: RestApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:RestApi", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # No binary media types: with `*/*`, the function would get every body in base64.
        api = apigateway.RestApi(f"{name}-api", endpoint_configuration={"types": "REGIONAL"}, **TLS, opts=child)
        resources = {
            path: apigateway.Resource(
                f"{name}-{path}", rest_api=api.id, parent_id=api.root_resource_id, path_part=path, opts=child
            )
            for path in (args.path, *args.pages)
        }
        validator = apigateway.RequestValidator(f"{name}-parameters", rest_api=api.id, **VALIDATION, opts=child)
        methods = {
            label: apigateway.Method(
                f"{name}-{label}",
                rest_api=api.id,
                resource_id=resources[path].id,
                request_validator_id=validator.id,
                **route.method(),
                opts=child,
            )
            for label, (path, route) in args.methods().items()
        }
        integrations = [
            apigateway.Integration(
                f"{name}-{label}-integration",
                rest_api=api.id,
                resource_id=resources[path].id,
                http_method=methods[label].http_method,
                **args.integration(),
                opts=child,
            )
            for label, (path, _) in args.methods().items()
        ]
        permissions = [
            lambda_.Permission(
                f"{name}-{label}-permission",
                action="lambda:InvokeFunction",
                function=args.function_name,
                qualifier=args.alias_name,
                principal="apigateway.amazonaws.com",
                source_arn=pulumi.Output.concat(api.execution_arn, f"/*/{route.method_name}/{path}"),
                opts=child,
            )
            for label, (path, route) in args.methods().items()
        ]
        answers = [
            apigateway.Response(
                f"{name}-{answer['response_type'].lower().replace('_', '-')}", rest_api_id=api.id, **answer, opts=child
            )
            for answer in EMPTY_ANSWERS
        ]
        deployment = apigateway.Deployment(
            f"{name}-deployment",
            rest_api=api.id,
            triggers={"inputs": deployment_trigger(args)},
            # It freezes the API as it is at that moment.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*methods.values(), *integrations, *answers]),
        )
        stage = apigateway.Stage(
            f"{name}-stage",
            rest_api=api.id,
            deployment=deployment.id,
            stage_name=args.stage_name,
            access_log_settings=_access_log(name, args, child),
            opts=child,
        )
        apigateway.MethodSettings(
            f"{name}-settings",
            rest_api=api.id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings={
                "metrics_enabled": True,
                "logging_level": "OFF",
                "data_trace_enabled": False,  # it would log whole messages and the verify token
                "throttling_rate_limit": args.throttle_rate,
                "throttling_burst_limit": args.throttle_burst,
            },
            opts=child,
        )
        # Their URNs, unlike their ids, are known in a preview: so it announces no change of whatever uses the URL.
        callable_urns = [permission.urn for permission in permissions]
        self.url = pulumi.Output.all(stage.invoke_url, *callable_urns).apply(lambda known: f"{known[0]}/{args.path}")
        self.id = api.id
        self.name = api.name
        self.stage_name = stage.stage_name
        self.register_outputs({"url": self.url})


def _access_log(
    name: str, args: RestApiArgs, opts: pulumi.ResourceOptions
) -> apigateway.StageAccessLogSettingsArgs | None:
    if args.access_log_days is None:
        return None
    group = cloudwatch.LogGroup(f"{name}-access-log", retention_in_days=args.access_log_days, opts=opts)
    return apigateway.StageAccessLogSettingsArgs(destination_arn=group.arn, format=ACCESS_LOG_FORMAT)
