"""The bot's door to AWS: what goes over the wire, held against botocore, and what becomes of the answers."""

import contextlib
import json
from typing import Any
from unittest import mock
from urllib.parse import quote

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.loaders
import botocore.model
import botocore.validate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.aws import client as aws
from bot.http import NotSent, Response, Unanswered

ENVIRON = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalr"}
NOON = 1_780_000_000.0


class Way:
    """A connection that gives prepared answers and keeps what it was asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers, self.asked, self.paths = list(answers), list[tuple[dict[str, str], Any]](), list[str]()

    def request(self, _method: str, path: str, headers: dict[str, str], body: bytes, _timeout: float) -> Response:
        self.paths.append(path)
        self.asked.append((headers, json.loads(body)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def door(way: Way, **environ: str) -> aws.Aws:
    return aws.Aws(ENVIRON | environ, now=lambda: NOON, connect=lambda _origin: way)


def answered(status: int, body: object, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, body if isinstance(body, bytes) else json.dumps(body).encode())


HEADER_VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@given(
    body=st.binary(max_size=200),
    service=st.sampled_from(["sqs", "ssm", "dynamodb"]),
    region=st.sampled_from(["eu-central-1", "us-east-1", "cn-north-1"]),
    key=st.text("ABCDEFGHIJ0123456789", min_size=16, max_size=20),
    secret=HEADER_VALUES,
    token=st.just("") | HEADER_VALUES,
    target=HEADER_VALUES,
    parts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), max_size=3),
    now=st.integers(1_000_000_000, 4_000_000_000),
)
def test_a_signature_is_the_one_that_botocore_makes(
    body: bytes, service: str, region: str, key: str, secret: str, token: str, target: str, parts: list[str], now: int
) -> None:
    host = f"{service}.{region}.amazonaws.com"
    headers = {"content-type": "application/x-amz-json-1.0", "host": host, "x-amz-target": target}

    path = "/" + "/".join(quote(part, safe="") for part in parts if part not in {".", ".."})

    ours = aws.sign(
        headers,
        body,
        path=path,
        service=service,
        region=region,
        by=aws.Credentials(key, secret, token),
        now=float(now),
    )

    theirs = botocore.awsrequest.AWSRequest("POST", f"https://{host}{path}", headers=headers, data=body)
    credentials = botocore.credentials.Credentials(key, secret, token or None)
    moment = mock.Mock(return_value=time_of(now))
    with mock.patch("botocore.auth.get_current_datetime", moment):
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(theirs)
    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token")


def time_of(now: int) -> Any:
    import datetime

    return datetime.datetime.fromtimestamp(now, datetime.UTC)


@pytest.mark.parametrize(
    ("service", "model"), [("dynamodb", "dynamodb"), ("lex", "lexv2-runtime"), ("sqs", "sqs"), ("ssm", "ssm")]
)
def test_a_service_is_spoken_to_as_its_model_says(service: str, model: str) -> None:
    described = botocore.loaders.Loader().load_service_model(model, "service-2")["metadata"]
    json_kind = {"json": f"application/x-amz-json-{described['jsonVersion']}", "rest-json": "application/json"}

    assert service == described.get("signingName", described["endpointPrefix"])
    assert aws.PROTOCOLS[service] == (
        described["endpointPrefix"],
        described["serviceId"].upper().replace(" ", "_"),
        next(json_kind[protocol] for protocol in described["protocols"] if protocol in json_kind),
        described.get("targetPrefix", ""),
    )


def test_where_the_path_names_the_operation_no_header_does() -> None:
    way = Way(answered(200, {"messages": []}))

    door(way).call("lex", "RecognizeText", {"text": "hi"}, path="/bots/B/sessions/1%3A2/text")

    headers, body = way.asked[0]
    assert way.paths == ["/bots/B/sessions/1%3A2/text"]
    assert "x-amz-target" not in headers
    assert headers["host"] == "runtime-v2-lex.eu-central-1.amazonaws.com"
    assert body == {"text": "hi"}


def test_lex_names_its_code_in_a_header_too() -> None:
    refusal = answered(403, {"message": "no"}, x_amzn_errortype="AccessDeniedException:http://internal")

    with pytest.raises(aws.AwsError, match="AccessDeniedException"):
        door(Way(refusal)).call("lex", "RecognizeText", {}, path="/bots")


def test_a_request_goes_out_signed_with_its_operation_in_a_header() -> None:
    way = Way(answered(200, {"Successful": []}))

    door(way).call("sqs", "SendMessageBatch", {"QueueUrl": "q", "Entries": []})

    headers, body = way.asked[0]
    assert headers["x-amz-target"] == "AmazonSQS.SendMessageBatch"
    assert headers["host"] == "sqs.eu-central-1.amazonaws.com"
    assert headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260528/eu-central-1/sqs/aws4_request"
    )
    assert body == {"QueueUrl": "q", "Entries": []}


@pytest.mark.parametrize(
    ("environ", "origin"),
    [
        ({}, "https://ssm.eu-central-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}, "http://127.0.0.1:4566"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_SSM": "http://b"}, "http://b"),
    ],
)
def test_a_named_endpoint_takes_the_place_of_the_service_s_own(environ: dict[str, str], origin: str) -> None:
    assert aws.endpoint("ssm", "eu-central-1", environ) == origin


def test_a_region_in_china_has_endpoints_of_its_own() -> None:
    assert aws.endpoint("sqs", "cn-north-1", {}) == "https://sqs.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize(
    "first",
    [
        NotSent("ConnectionRefusedError"),
        Unanswered("TimeoutError"),
        answered(500, {"__type": "InternalServerError"}),
        answered(503, b"<html>"),
        answered(400, {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}),
    ],
)
def test_what_may_pass_is_tried_once_more(first: Response | Exception) -> None:
    way = Way(first, answered(200, {"ok": 1}))

    assert door(way).call("dynamodb", "UpdateItem", {}) == {"ok": 1}
    assert len(way.asked) == 2


def test_no_call_is_tried_a_third_time() -> None:
    way = Way(NotSent("a"), Unanswered("b"), answered(200, {}))

    with pytest.raises(aws.AwsError, match="Unanswered"):
        door(way).call("dynamodb", "UpdateItem", {})
    assert len(way.asked) == 2


@pytest.mark.parametrize(("first", "calls"), [(Unanswered("x"), 1), (answered(500, {}), 1), (NotSent("x"), 2)])
def test_what_must_not_happen_twice_is_tried_again_only_if_it_certainly_did_not_happen(
    first: Response | Exception, calls: int
) -> None:
    way = Way(first, answered(200, {}))

    with contextlib.suppress(aws.AwsError):
        door(way).call("dynamodb", "UpdateItem", {}, repeatable=False)

    assert len(way.asked) == calls


def test_a_refusal_is_typed_by_its_code_and_not_tried_again() -> None:
    way = Way(answered(400, {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}))

    with pytest.raises(aws.AwsError) as caught:
        door(way).call("dynamodb", "UpdateItem", {})

    assert (caught.value.code, caught.value.status) == ("ConditionalCheckFailedException", 400)
    assert caught.value.refused
    assert not caught.value.transient


def test_sqs_names_its_code_in_a_header() -> None:
    refusal = answered(400, {"__type": "com.amazonaws.sqs#X"}, x_amzn_query_error="AWS.SimpleQueueService.Gone;Sender")

    with pytest.raises(aws.AwsError, match="Gone"):
        door(Way(refusal)).call("sqs", "SendMessageBatch", {})


def test_a_cancelled_transaction_tells_the_reason_of_each_part() -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}]
    refusal = answered(400, {"__type": "x#TransactionCanceledException", "CancellationReasons": reasons})

    with pytest.raises(aws.AwsError) as caught:
        door(Way(refusal)).call("dynamodb", "TransactWriteItems", {})

    assert caught.value.reasons == ("None", "ConditionalCheckFailed")


def test_an_error_says_nothing_of_what_was_sent_or_received() -> None:
    refusal = answered(400, {"__type": "ValidationException", "message": "Value 'the-secret' is too long"})

    with pytest.raises(aws.AwsError) as caught:
        door(Way(refusal)).call("ssm", "GetParametersByPath", {"Path": "/the-secret"})

    assert "the-secret" not in f"{caught.value} {caught.value!r}"
