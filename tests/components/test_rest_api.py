"""The REST API lets through what its routes accept, and is deployed again exactly when something in it changes."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from pulumi_aws import sns

from components import rest_api
from components.errors import InvalidArgs
from components.rest_api import RestApi, RestApiArgs, Route
from tests.harness import Graph, run_program

GET = Route(method_name="GET", required_query=["hub.mode", "hub.challenge"])
POST = Route(method_name="POST")


def args(routes: Sequence[Route] = (GET, POST), **changes: Any) -> RestApiArgs:
    values: dict[str, Any] = {
        "path": "webhook",
        "routes": routes,
        "function_name": "bot",
        "alias_name": "live",
        "alias_invoke_arn": "arn:aws:apigateway:eu-central-1:lambda:path/functions/bot/invocations",
        "stage_name": "live",
        "throttle_rate": 100,
        "throttle_burst": 200,
    }
    return RestApiArgs(**{**values, **changes})


def make(routes: Sequence[Route] = (GET, POST), **changes: Any) -> Graph:
    return run_program(lambda: RestApi("api", args(routes, **changes)))


@pytest.fixture(scope="module")
def usual() -> Graph:
    return make()


def trigger(graph: Graph) -> Any:
    return graph.one("aws:apigateway/deployment:Deployment").inputs["triggers"]


def test_a_request_without_what_a_route_needs_is_refused_by_the_gateway() -> None:
    graph = make()

    validator = graph.one("aws:apigateway/requestValidator:RequestValidator")
    assert validator.inputs["validateRequestParameters"] is True
    assert validator.inputs["validateRequestBody"] is False
    assert {
        each.inputs["httpMethod"]: each.inputs["requestParameters"] for each in graph.of("aws:apigateway/method:Method")
    } == {
        "GET": {"method.request.querystring.hub.mode": True, "method.request.querystring.hub.challenge": True},
        "POST": {},
    }
    assert all(each.inputs["requestValidatorId"] for each in graph.of("aws:apigateway/method:Method"))


def test_the_gateways_own_answers_are_empty() -> None:
    answers = make().of("aws:apigateway/response:Response")

    assert {each.inputs["responseType"]: each.inputs.get("statusCode") for each in answers} == {
        "BAD_REQUEST_PARAMETERS": "400",
        "DEFAULT_4XX": None,
        "DEFAULT_5XX": None,
    }
    assert all(each.inputs["responseTemplates"] == {"application/json": "{}"} for each in answers)


def test_each_method_has_its_own_permission_to_call_the_function() -> None:
    permissions = make().of("aws:lambda/permission:Permission")

    start = "arn:aws:execute-api:eu-central-1:111122223333:restapi1"
    assert {each.inputs["sourceArn"] for each in permissions} == {f"{start}/*/GET/webhook", f"{start}/*/POST/webhook"}
    for each in permissions:
        assert each.inputs["action"] == "lambda:InvokeFunction"
        assert each.inputs["principal"] == "apigateway.amazonaws.com"
        assert (each.inputs["function"], each.inputs["qualifier"]) == ("bot", "live")


def test_the_api_is_regional_and_passes_bodies_unchanged_and_accepts_no_tls_before_1_2() -> None:
    api = make().one("aws:apigateway/restApi:RestApi")

    assert api.inputs["endpointConfiguration"] == {"types": "REGIONAL"}
    assert api.inputs["securityPolicy"] == "SecurityPolicy_TLS13_1_2_2021_06"
    assert api.inputs["endpointAccessMode"] == "BASIC"
    assert "binaryMediaTypes" not in api.inputs


def test_the_stage_is_throttled_and_measured_and_does_not_trace_data() -> None:
    settings = make().one("aws:apigateway/methodSettings:MethodSettings")

    assert settings.inputs["methodPath"] == "*/*"
    assert settings.inputs["settings"] == {
        "throttlingRateLimit": 100,
        "throttlingBurstLimit": 200,
        "metricsEnabled": True,
        "loggingLevel": "OFF",
        "dataTraceEnabled": False,
    }


def test_a_deployment_waits_for_everything_that_it_freezes() -> None:
    graph = make()

    needs = graph.needs(graph.one("aws:apigateway/deployment:Deployment"))
    for kind in ("method:Method", "integration:Integration", "response:Response", "requestValidator:RequestValidator"):
        assert {each.name for each in graph.of(f"aws:apigateway/{kind}")} <= needs


def test_the_url_is_known_only_once_the_api_may_call_the_function() -> None:
    def program() -> None:
        sns.TopicSubscription("probe", topic="topic", protocol="https", endpoint=RestApi("api", args()).url)

    graph = run_program(program)

    needs = graph.needs(graph.one("aws:sns/topicSubscription:TopicSubscription"))
    assert {each.name for each in graph.of("aws:lambda/permission:Permission")} <= needs


@pytest.mark.parametrize(
    "changed",
    [
        {"routes": [GET]},
        {"routes": [GET, POST, Route(method_name="PUT")]},
        {"routes": [GET, Route(method_name="POST", required_query=["X-Hub-Signature-256"])]},
        {"routes": [Route(method_name="GET", required_query=["hub.mode"]), POST]},
        {"path": "hook"},
        {"pages": ["privacy"]},
        {"alias_invoke_arn": "arn:aws:apigateway:eu-central-1:lambda:path/functions/other/invocations"},
    ],
)
def test_any_changed_route_gives_another_trigger(usual: Graph, changed: dict[str, Any]) -> None:
    assert trigger(make(**changed)) != trigger(usual)


@pytest.mark.parametrize(
    ("constant", "changed"),
    [("EMPTY_ANSWERS", rest_api.EMPTY_ANSWERS[:2]), ("VALIDATION", {"validate_request_body": True}), ("TLS", {})],
)
def test_another_tls_policy_or_validation_or_other_answers_give_another_trigger(
    usual: Graph, monkeypatch: pytest.MonkeyPatch, constant: str, changed: object
) -> None:
    monkeypatch.setattr(rest_api, constant, changed)

    assert trigger(make()) != trigger(usual)


@pytest.mark.parametrize("changed", [{}, {"throttle_rate": 5}, {"access_log_days": 7}, {"stage_name": "other"}])
def test_what_a_deployment_does_not_freeze_leaves_the_trigger_unchanged(usual: Graph, changed: dict[str, Any]) -> None:
    assert trigger(make(**changed)) == trigger(usual)


def test_an_access_log_is_one_json_line_without_the_query_that_holds_the_verify_token() -> None:
    graph = make(access_log_days=7)

    log = graph.one("aws:cloudwatch/logGroup:LogGroup")
    access_log = graph.one("aws:apigateway/stage:Stage").inputs["accessLogSettings"]
    assert log.inputs["retentionInDays"] == 7
    assert "accessLogSettings" not in make().one("aws:apigateway/stage:Stage").inputs
    assert "\n" not in access_log["format"]
    assert json.loads(access_log["format"])["status"] == "$context.status"
    assert "query" not in access_log["format"].lower()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"routes": []}, "without a route"),
        ({"routes": [GET, GET]}, "Each method may have one route"),
        ({"pages": ["webhook"]}, "Each path may be named once"),
        ({"throttle_rate": 0}, "cannot be 0: choose 1 to 10000"),
        ({"throttle_burst": 5_001}, "cannot be 5001: choose 1 to 5000"),
    ],
)
def test_an_api_that_cannot_work_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgs, match=message):
        args(**changed)
