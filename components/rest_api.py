"""The REST API that Facebook calls: one path, a method for each route, junk refused before the function is called."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import apigateway, cloudwatch, lambda_

from components.errors import require

EMPTY_ANSWERS: Sequence[Mapping[str, Any]] = (
    {"response_type": "BAD_REQUEST_PARAMETERS", "status_code": "400", "response_templates": {"application/json": "{}"}},
    {"response_type": "DEFAULT_4XX", "response_templates": {"application/json": "{}"}},
    {"response_type": "DEFAULT_5XX", "response_templates": {"application/json": "{}"}},
)
"""What the gateway itself answers, as `{}`: its own texts tell a stranger how the API is made."""

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
    """A method of the path, and what a request must bring to reach the function.

    Attributes:
        method_name: `GET`, `POST`, …
        required_query: Names of query parameters.
        required_headers: Names of headers.
    """

    method_name: str
    required_query: Sequence[str] = ()
    required_headers: Sequence[str] = ()

    def method(self) -> dict[str, Any]:
        """The inputs of the method. Anybody may call it: Facebook signs its requests, and the function checks that."""
        query = {f"method.request.querystring.{each}": True for each in self.required_query}
        headers = {f"method.request.header.{each}": True for each in self.required_headers}
        return {"http_method": self.method_name, "authorization": "NONE", "request_parameters": {**query, **headers}}


@dataclass(frozen=True, kw_only=True)
class RestApiArgs:
    """What `RestApi` needs.

    Attributes:
        path: The one path below the stage, without slashes, such as `webhook`.
        routes: Its methods, each once.
        function_name: The function behind all of them.
        function_invoke_arn: The function's URI for API Gateway.
        stage_name: The stage, a part of the URL.
        throttle_rate: Requests a second; the account's default is 10,000.
        throttle_burst: Requests at once; the account's default is 5,000.
        tags: Tags of API, stage and log group.
        access_log_days: How long the access log is kept. None: no access log. An account that has no CloudWatch role
            for API Gateway (`ApiAccount`) refuses a stage with one.

    Raises:
        InvalidArgs: If there is no route, a method twice, or throttling that lets nothing through.
    """

    path: str
    routes: Sequence[Route]
    function_name: pulumi.Input[str]
    function_invoke_arn: pulumi.Input[str]
    stage_name: str
    throttle_rate: int
    throttle_burst: int
    tags: Mapping[str, str]
    access_log_days: int | None = None

    def __post_init__(self) -> None:
        methods = [route.method_name for route in self.routes]
        require(len(methods) > 0, "A REST API without a route answers nobody: give it at least one.")
        require(len(set(methods)) == len(methods), f"Each method may have one route, but the routes are {methods}.")
        require(min(self.throttle_rate, self.throttle_burst) >= 1, "Throttling below 1 request lets nothing through.")


class RestApi(pulumi.ComponentResource):
    """A regional REST API with one path, its methods integrated with one function, and one stage.

    Attributes:
        url: The path's URL, stage and path; known once the function may be called through it.
        name: The API's name, as in its metrics.
        stage_name: The stage's name.
    """

    url: pulumi.Output[str]
    name: pulumi.Output[str]
    stage_name: pulumi.Output[str]

    def __init__(self, name: str, args: RestApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:RestApi", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        # No binary media types: `*/*` would hand over every body base64-encoded.
        api = apigateway.RestApi(
            f"{name}-api", endpoint_configuration={"types": "REGIONAL"}, tags=args.tags, opts=self._child
        )
        # What a deployment freezes: the resources, which must be there first, and their inputs, whose change asks for a
        # new one. The same values make both, so that none can be forgotten.
        frozen: list[pulumi.Resource] = []
        inputs: list[object] = [args.path]
        permissions = self._routes(name, args, api, frozen, inputs)
        for answer in EMPTY_ANSWERS:
            title = answer["response_type"].lower().replace("_", "-")
            frozen.append(apigateway.Response(f"{name}-{title}", rest_api_id=api.id, **answer, opts=self._child))
            inputs.append(answer)
        deployment = apigateway.Deployment(
            f"{name}-deployment",
            rest_api=api.id,
            triggers={"inputs": pulumi.Output.json_dumps(inputs, sort_keys=True).apply(_sha256)},
            opts=pulumi.ResourceOptions(parent=self, depends_on=frozen),
        )
        stage = self._stage(name, args, api, deployment)
        self.url = pulumi.Output.all(stage.invoke_url, *permissions).apply(lambda known: f"{known[0]}/{args.path}")
        self.name = api.name
        self.stage_name = stage.stage_name
        self.register_outputs({"url": self.url})

    def _routes(
        self,
        name: str,
        args: RestApiArgs,
        api: apigateway.RestApi,
        frozen: list[pulumi.Resource],
        inputs: list[object],
    ) -> list[pulumi.Output[str]]:
        """Make path, methods and integrations, add them and their inputs to the lists, return the permissions' ids."""
        resource = apigateway.Resource(
            f"{name}-{args.path}",
            rest_api=api.id,
            parent_id=api.root_resource_id,
            path_part=args.path,
            opts=self._child,
        )
        validation: dict[str, Any] = {"validate_request_parameters": True, "validate_request_body": False}
        validator = apigateway.RequestValidator(f"{name}-parameters", rest_api=api.id, **validation, opts=self._child)
        # Lambda is always called by POST.
        integration: dict[str, Any] = {
            "type": "AWS_PROXY",
            "integration_http_method": "POST",
            "uri": args.function_invoke_arn,
        }
        inputs += [validation, integration]
        permissions = []
        for route in args.routes:
            lower = route.method_name.lower()
            method = apigateway.Method(
                f"{name}-{lower}",
                rest_api=api.id,
                resource_id=resource.id,
                request_validator_id=validator.id,
                **route.method(),
                opts=self._child,
            )
            integrated = apigateway.Integration(
                f"{name}-{lower}-integration",
                rest_api=api.id,
                resource_id=resource.id,
                http_method=method.http_method,
                **integration,
                opts=self._child,
            )
            permission = lambda_.Permission(
                f"{name}-{lower}-permission",
                action="lambda:InvokeFunction",
                function=args.function_name,
                principal="apigateway.amazonaws.com",
                source_arn=pulumi.Output.concat(api.execution_arn, f"/*/{route.method_name}/{args.path}"),
                opts=self._child,
            )
            frozen += [method, integrated]
            inputs.append(route.method())
            permissions.append(permission.id)
        return permissions

    def _stage(
        self, name: str, args: RestApiArgs, api: apigateway.RestApi, deployment: apigateway.Deployment
    ) -> apigateway.Stage:
        access_log = None
        if args.access_log_days is not None:
            group = cloudwatch.LogGroup(
                f"{name}-access-log", retention_in_days=args.access_log_days, tags=args.tags, opts=self._child
            )
            access_log = apigateway.StageAccessLogSettingsArgs(destination_arn=group.arn, format=ACCESS_LOG_FORMAT)
        stage = apigateway.Stage(
            f"{name}-stage",
            rest_api=api.id,
            deployment=deployment.id,
            stage_name=args.stage_name,
            access_log_settings=access_log,
            tags=args.tags,
            opts=self._child,
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
            opts=self._child,
        )
        return stage


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
