"""The REST API that Facebook calls: one path, a method for each route, junk refused before the function is called."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import apigateway, cloudwatch, lambda_

from components.errors import require

EMPTY_ANSWERS: Mapping[str, str | None] = {"BAD_REQUEST_PARAMETERS": "400", "DEFAULT_4XX": None, "DEFAULT_5XX": None}
"""What the gateway itself answers, as `{}`: its own texts tell a stranger how the API is made. None: its own status."""

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
        method: `GET`, `POST`, …
        required_query: Names of query parameters.
        required_headers: Names of headers.
    """

    method: str
    required_query: Sequence[str] = ()
    required_headers: Sequence[str] = ()

    def request_parameters(self) -> dict[str, bool]:
        """The requirements as API Gateway names them."""
        query = {f"method.request.querystring.{each}": True for each in self.required_query}
        headers = {f"method.request.header.{each}": True for each in self.required_headers}
        return {**query, **headers}


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
        methods = [route.method for route in self.routes]
        require(len(methods) > 0, "A REST API without a route answers nobody: give it at least one.")
        require(len(set(methods)) == len(methods), f"Each method may have one route, but the routes are {methods}.")
        require(min(self.throttle_rate, self.throttle_burst) >= 1, "Throttling below 1 request lets nothing through.")


def trigger(routes: Sequence[Mapping[str, object]]) -> str:
    """What a deployment is made of, as a hash: the same inputs give the same, any change another.

    Args:
        routes: The inputs of everything that a deployment freezes, as plain values.
    """
    return hashlib.sha256(json.dumps(routes, sort_keys=True).encode()).hexdigest()


class RestApi(pulumi.ComponentResource):
    """A regional REST API with one path, its methods integrated with one function, and one stage.

    Attributes:
        url: The path's URL: stage and path.
        name: The API's name, as in its metrics.
        stage_name: The stage's name.
    """

    url: pulumi.Output[str]
    name: pulumi.Output[str]
    stage_name: pulumi.Output[str]

    def __init__(self, name: str, args: RestApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:RestApi", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # No binary media types: `*/*` would hand over every body base64-encoded.
        api = apigateway.RestApi(
            f"{name}-api", endpoint_configuration={"types": "REGIONAL"}, tags=args.tags, opts=child
        )
        resource = apigateway.Resource(
            f"{name}-{args.path}", rest_api=api.id, parent_id=api.root_resource_id, path_part=args.path, opts=child
        )
        validator = apigateway.RequestValidator(
            f"{name}-parameters",
            rest_api=api.id,
            validate_request_parameters=True,
            validate_request_body=False,
            opts=child,
        )
        frozen: list[pulumi.Resource] = []
        inputs: list[Mapping[str, object]] = []
        for route in args.routes:
            lower = route.method.lower()
            method = apigateway.Method(
                f"{name}-{lower}",
                rest_api=api.id,
                resource_id=resource.id,
                http_method=route.method,
                authorization="NONE",  # Facebook signs its requests; the function checks that
                request_parameters=route.request_parameters(),
                request_validator_id=validator.id,
                opts=child,
            )
            integration = apigateway.Integration(
                f"{name}-{lower}-integration",
                rest_api=api.id,
                resource_id=resource.id,
                http_method=method.http_method,
                type="AWS_PROXY",
                integration_http_method="POST",  # Lambda is always called by POST
                uri=args.function_invoke_arn,
                opts=child,
            )
            lambda_.Permission(
                f"{name}-{lower}-permission",
                action="lambda:InvokeFunction",
                function=args.function_name,
                principal="apigateway.amazonaws.com",
                source_arn=pulumi.Output.concat(api.execution_arn, f"/*/{route.method}/{args.path}"),
                opts=child,
            )
            frozen += [method, integration]
            inputs.append({"path": args.path, "method": route.method, "parameters": route.request_parameters()})
        for response_type, status in EMPTY_ANSWERS.items():
            frozen.append(
                apigateway.Response(
                    f"{name}-{response_type.lower().replace('_', '-')}",
                    rest_api_id=api.id,
                    response_type=response_type,
                    status_code=status,
                    response_templates={"application/json": "{}"},
                    opts=child,
                )
            )
        inputs.append({"answers": dict(EMPTY_ANSWERS)})
        deployment = apigateway.Deployment(
            f"{name}-deployment",
            rest_api=api.id,
            triggers={
                "inputs": pulumi.Output.from_input(args.function_invoke_arn).apply(
                    lambda uri: trigger([*inputs, {"uri": uri}])
                )
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=frozen),
        )
        stage = apigateway.Stage(
            f"{name}-stage",
            rest_api=api.id,
            deployment=deployment.id,
            stage_name=args.stage_name,
            access_log_settings=self._access_log(name, args),
            tags=args.tags,
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
        self.url = pulumi.Output.concat(stage.invoke_url, f"/{args.path}")
        self.name = api.name
        self.stage_name = stage.stage_name
        self.register_outputs({"url": self.url})

    def _access_log(self, name: str, args: RestApiArgs) -> apigateway.StageAccessLogSettingsArgs | None:
        if args.access_log_days is None:
            return None
        group = cloudwatch.LogGroup(
            f"{name}-access-log",
            retention_in_days=args.access_log_days,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return apigateway.StageAccessLogSettingsArgs(destination_arn=group.arn, format=ACCESS_LOG_FORMAT)
