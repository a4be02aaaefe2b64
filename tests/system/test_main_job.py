"""The main job: the real program on the emulated AWS with IAM enforced, signed requests, real answers."""

import hashlib
import hmac
import itertools
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import OWNER
from sandbox.facebook.webhooks import Facebook, text_item
from sandbox.local import Sandbox, new_person
from sandbox.provider.account import Account
from sandbox.provider.catalog import resource_type
from sandbox.provider.resource import Existing

Json = dict[str, Any]


def call(url: str, body: bytes | None = None, signature: str | None = None) -> tuple[int, str, str]:
    """One request: status, content type and body of the answer."""
    headers = {"X-Hub-Signature-256": signature} if signature is not None else {}
    try:
        request = urllib.request.Request(url, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get_content_type(), error.read().decode()


def facebook(sandbox: Sandbox) -> Facebook:
    assert sandbox.facebook is not None
    return sandbox.facebook


def hello(sandbox: Sandbox, person: str | None = None) -> bytes:
    """The body of a webhook: somebody says hello."""
    return facebook(sandbox).body([text_item(sandbox.page_id, person or new_person(), "hello")])


def function_log(sandbox: Sandbox) -> list[str]:
    """The function's own lines, in order."""
    pages = sandbox.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=sandbox.outputs["logGroupName"])
    lines = [event["message"].strip() for page in found for event in page["events"]]
    return [line for line in lines if not re.match(r"(START|END|REPORT|INIT_START) ", line)]


# The bot answers


def test_whoever_posts_a_signed_webhook_is_answered(sandbox: Sandbox) -> None:
    described, person = sandbox.described(), new_person()
    body = hello(sandbox, person)
    signature = hmac.new(described["appSecret"].encode(), body, hashlib.sha256).hexdigest()

    assert call(described["webhookUrl"], body, f"sha256={signature}")[0] == 200

    sandbox.settle()
    with urllib.request.urlopen(f"{described['graphUrl']}/_sandbox/requests") as answer:
        received = json.load(answer)
    assert [each["status"] for each in received if person in json.dumps(each["body"])] == [200]


def test_every_item_of_a_request_is_answered_to_its_sender(sandbox: Sandbox) -> None:
    people = [new_person() for _ in range(12)]
    before = len(sandbox.requests())

    sandbox.deliver([text_item(sandbox.page_id, person, "status") for person in people])
    sandbox.settle()

    answered = [each["body"]["recipient"]["id"] for each in sandbox.requests()[before:] if each["status"] == 200]
    assert sorted(answered) == sorted(people)


def test_an_event_delivered_again_is_not_answered_again(sandbox: Sandbox) -> None:
    item = text_item(sandbox.page_id, new_person(), "status")
    before = len(sandbox.requests())

    # The queue does not recognize the second request as a duplicate: its ids differ.
    for items in ([item], [item, item], [item]):
        sandbox.deliver(items)
        sandbox.settle()

    assert len(sandbox.requests()) == before + 1


def test_users_of_one_batch_do_not_wait_for_each_other(sandbox: Sandbox) -> None:
    sandbox.faults({"delaySeconds": 1.0})
    before = len(sandbox.requests())

    sandbox.deliver([text_item(sandbox.page_id, new_person(), "status") for _ in range(8)])
    sandbox.settle()

    began = sorted(each["time"] for each in sandbox.requests()[before:])
    assert len(began) == 8
    # In sequence, each send would begin a second after the one before.
    assert [later - earlier < 1.0 for earlier, later in itertools.pairwise(began)].count(True) >= 4


# The way in


def test_a_request_without_a_signature_is_refused_however_its_other_headers_are_named(sandbox: Sandbox) -> None:
    signed = {"X-Hub-Signature": facebook(sandbox).sign(hello(sandbox))}

    assert call(sandbox.webhook_url, hello(sandbox))[::2] == (400, "{}")
    assert facebook(sandbox).post(hello(sandbox), signed)[0] == 400


def test_the_queues_take_the_longest_messages_that_the_function_writes(sandbox: Sandbox) -> None:
    before = len(function_log(sandbox))
    long = {"text": "x" * 500_000}
    items = [text_item(sandbox.page_id, person := new_person(), "status"), text_item(sandbox.page_id, person, "hello")]

    assert facebook(sandbox).post(b"signed, but not JSON " + b"x" * 2_500_000)[0] == 200
    assert facebook(sandbox).post(facebook(sandbox).body([{**each, "padding": long} for each in items]))[0] == 200
    sandbox.settle()
    accepted = [json.loads(line) for line in function_log(sandbox)[before:] if '"accepted"' in line]
    assert (2, 1) in [(each["events"], each["messages"]) for each in accepted]
    sqs, dead = sandbox.client("sqs"), sandbox.outputs["deadLetterQueueUrl"]
    letters = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]
    assert len(letters) == 4
    for letter in letters:
        sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])


# Secrets


def test_no_secret_is_in_environment_log_or_outputs_and_no_word_of_a_person_in_the_log(
    sandbox: Sandbox,
) -> None:
    person = new_person()
    sandbox.say("my very private words", person)
    assert call(sandbox.webhook_url, hello(sandbox), "sha256=" + "0" * 64)[::2] == (403, "{}")
    function = sandbox.client("lambda").get_function_configuration(FunctionName=sandbox.outputs["functionName"])
    log = function_log(sandbox)
    shown = json.dumps(
        [function["Environment"], log, sandbox.resources, sandbox.deployed.shown_outputs, sandbox.outputs]
    )

    assert {json.loads(line)["kind"] for line in log} >= {"accepted", "answered", "signature_refused"}
    for secret in (sandbox.app_secret, sandbox.page_token, sandbox.verify_token):
        assert secret not in shown
    assert not [line for line in log if "private" in line or person in line]


# Permissions


def test_a_member_without_iam_full_access_can_refresh_the_whole_stack(sandbox: Sandbox) -> None:
    region, iam = sandbox.configuration.region, sandbox.client("iam")
    member, owner = (Clients(sandbox.cloud_url, region, key) for key in (sandbox.key_of("anna"), OWNER))
    account = Account(sandbox.cloud_url, region, member, owner)
    full_access = {"GroupName": sandbox.outputs["adminGroupName"], "PolicyArn": "arn:aws:iam::aws:policy/IAMFullAccess"}

    iam.detach_group_policy(**full_access)
    try:
        with pytest.raises(ClientError, match="not authorized to perform: iam:ListUsers"):
            member("iam").list_users()
        for each in sandbox.resources:
            if each["type"].startswith("aws:") and not each["inputs"].get("policyArn", "").endswith("IAMFullAccess"):
                found = resource_type(each["type"]).read(account, Existing(each["id"], each["inputs"]))
                assert found, each["name"]
    finally:
        iam.attach_group_policy(**full_access)
