"""The bot's AWS client: what goes over the wire, compared with botocore, and what becomes of the answers."""

import contextlib
import datetime
import json
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
from tests.bot.connections import FixedAnswers


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
    moment = mock.Mock(return_value=datetime.datetime.fromtimestamp(now, datetime.UTC))
    with mock.patch("botocore.auth.get_current_datetime", moment):
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(theirs)
    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token")


@pytest.mark.parametrize(
    ("service", "model"), [("dynamodb", "dynamodb"), ("lex", "lexv2-runtime"), ("sqs", "sqs"), ("ssm", "ssm")]
)
def test_a_service_is_called_as_its_model_says(service: str, model: str) -> None:
    described = botocore.loaders.Loader().load_service_model(model, "service-2")["metadata"]
    json_kind = {"json": f"application/x-amz-json-{described['jsonVersion']}", "rest-json": "application/json"}

    assert service == described.get("signingName", described["endpointPrefix"])
    assert aws.PROTOCOLS[service] == (
        described["endpointPrefix"],
        described["serviceId"].upper().replace(" ", "_"),
        next(json_kind[protocol] for protocol in described["protocols"] if protocol in json_kind),
        described.get("targetPrefix", ""),
    )


def test_a_request_goes_out_signed_with_its_operation_in_a_header_unless_the_path_names_it() -> None:
    connection = FixedAnswers(answered(200, {}), answered(200, {}))

    connection.aws().call("lex", "RecognizeText", {}, path="/bots/B/sessions/1%3A2/text")
    connection.aws().call("sqs", "SendMessageBatch", {"QueueUrl": "q", "Entries": []})

    assert [each.path for each in connection.asked] == ["/bots/B/sessions/1%3A2/text", "/"]
    assert "x-amz-target" not in connection.asked[0].headers
    _, _, headers, body, _ = connection.asked[1]
    assert headers["x-amz-target"] == "AmazonSQS.SendMessageBatch"
    assert headers["host"] == "sqs.eu-central-1.amazonaws.com"
    assert headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260528/eu-central-1/sqs/aws4_request"
    )
    assert json.loads(body) == {"QueueUrl": "q", "Entries": []}


@pytest.mark.parametrize(
    ("region", "environ", "origin"),
    [
        ("eu-central-1", {}, "https://ssm.eu-central-1.amazonaws.com"),
        ("cn-north-1", {}, "https://ssm.cn-north-1.amazonaws.com.cn"),
        ("eu-central-1", {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}, "http://127.0.0.1:4566"),
        ("eu-central-1", {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_SSM": "http://b"}, "http://b"),
    ],
)
def test_a_named_endpoint_replaces_the_services_own(region: str, environ: dict[str, str], origin: str) -> None:
    assert aws.endpoint("ssm", region, environ) == origin


@pytest.mark.parametrize(
    "first",
    [
        NotSent("ConnectionRefusedError"),
        Unanswered("TimeoutError"),
        answered(500, {"__type": "InternalServerError"}),
        answered(503, b"<html>"),
        answered(400, {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}),
        answered(400, {"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException"}),
    ],
)
def test_a_transient_failure_is_tried_once_more_and_no_third_time(first: Response | Exception) -> None:
    connection = FixedAnswers(first, answered(200, {"ok": 1}), first, NotSent("x"), answered(200, {}))

    assert connection.aws().call("dynamodb", "UpdateItem", {}) == {"ok": 1}
    with pytest.raises(aws.AwsError, match="NotSent"):
        connection.aws().call("dynamodb", "UpdateItem", {})
    assert len(connection.asked) == 4


@pytest.mark.parametrize(("first", "calls"), [(Unanswered("x"), 1), (answered(500, {}), 1), (NotSent("x"), 2)])
def test_an_unrepeatable_call_is_tried_again_only_if_aws_did_nothing(first: Response | Exception, calls: int) -> None:
    connection = FixedAnswers(first, answered(200, {}))

    with contextlib.suppress(aws.AwsError):
        connection.aws().call("dynamodb", "UpdateItem", {}, repeatable=False)

    assert len(connection.asked) == calls


@pytest.mark.parametrize(
    "refusal",
    [
        answered(400, {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}),
        answered(400, {"__type": "x#Y"}, x_amzn_query_error="AWS.SQS.ConditionalCheckFailedException;Sender"),
        answered(403, {"message": "no"}, x_amzn_errortype="ConditionalCheckFailedException:http://internal"),
    ],
    ids=["DynamoDB", "SQS", "Lex"],
)
def test_a_refusal_is_typed_by_its_code_and_not_tried_again(refusal: Response) -> None:
    with pytest.raises(aws.AwsError) as caught:
        FixedAnswers(refusal).aws().call("dynamodb", "UpdateItem", {})

    assert (caught.value.code, caught.value.status) == ("ConditionalCheckFailedException", refusal.status)
    assert caught.value.refused
    assert not caught.value.transient


def test_a_cancelled_transaction_gives_the_reason_of_each_part() -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}, {"Code": "ValidationError"}]
    refusal = answered(400, {"__type": "x#TransactionCanceledException", "CancellationReasons": reasons})

    with pytest.raises(aws.AwsError) as caught:
        FixedAnswers(refusal).aws().call("dynamodb", "TransactWriteItems", {})

    assert caught.value.reasons == ("None", "ConditionalCheckFailed", "ValidationError")
    assert caught.value.invalid, "one of its items is larger than DynamoDB takes"


def test_an_error_quotes_nothing_that_was_sent_or_received() -> None:
    refusal = answered(400, {"__type": "ValidationException", "message": "Value 'the-secret' is too long"})

    with pytest.raises(aws.AwsError) as caught:
        FixedAnswers(refusal).aws().call("ssm", "GetParametersByPath", {"Path": "/the-secret"})

    assert "the-secret" not in f"{caught.value} {caught.value!r}"
