"""What is put on the queues, in which calls, and what happens when SQS does not take it."""

import base64
import json
import time
from typing import Any

import pytest

from bot.aws.client import Aws
from bot.aws.compact import compact
from bot.aws.queues import (
    BATCH_BYTES,
    Message,
    NotQueued,
    Queues,
    event_bytes,
    event_messages,
    fingerprint,
    unusable_letters,
)
from bot.http import Response
from tests.bot.connections import ENVIRON

Json = dict[str, Any]

HEAD = {"object": "page", "page": "1", "received": 2}


class Sqs:
    """Takes each call and gives the next answer: a status, a received message, or the ids of the entries that fail."""

    def __init__(self, *answers: int | Json | list[str]) -> None:
        self.calls: list[tuple[str, Json, float]] = []
        self._answers = list(answers)

    def request(self, _method: str, _path: str, headers: dict[str, str], body: bytes, timeout: float) -> Response:
        asked = json.loads(body)
        self.calls.append((headers["x-amz-target"].partition(".")[2], asked, timeout))
        answer = self._answers.pop(0) if self._answers else []
        if isinstance(answer, int):
            return Response(answer, {}, b'{"__type": "ServiceUnavailable"}')
        if isinstance(answer, dict):
            return Response(200, {}, json.dumps({"Messages": [answer]}).encode())
        failed = [{"Id": each, "Code": "InternalError"} for each in answer]
        return Response(200, {}, json.dumps({"Successful": [], "Failed": failed}).encode())


def queues(sqs: Sqs, now: float = 0.0) -> Queues:
    aws = Aws(ENVIRON, time.time, lambda _origin: sqs, lambda _seconds: None)
    return Queues(aws, "https://events", "https://dead", lambda: now)


def message(number: int, size: int = 10) -> Message:
    return Message(f"group {number}", f"once {number}", "x" * size)


def test_a_batch_that_was_taken_in_part_is_an_error() -> None:
    sqs = Sqs(["3"])
    with pytest.raises(NotQueued, match="a part"):
        queues(sqs).put([message(number) for number in range(30)], 4.0)
    assert len(sqs.calls) == 1


@pytest.mark.parametrize("left", [0.5, 0.7, 1.0, 2.15, 2.2, 4.0])
def test_both_tries_of_a_call_fit_into_the_time_that_is_left(left: float) -> None:
    sqs = Sqs()
    queues(sqs, now=10.0).put([message(0)], 10.0 + left)
    ((_, _, timeout),) = sqs.calls
    assert 0 < timeout <= 1.0
    assert 2 * timeout + 0.1 < left


def test_without_time_no_call_is_made() -> None:
    sqs = Sqs()
    with pytest.raises(NotQueued, match="no time"):
        queues(sqs, now=10.0).put([message(0)], 10.4)
    assert sqs.calls == []


def test_each_look_for_dead_letters_asks_all_servers_and_a_second_try_gets_what_the_first_one_hid() -> None:
    sqs = Sqs(503, {"Body": "b", "ReceiptHandle": "r"})
    assert list(queues(sqs).letters()) == [("b", "r")]
    tried, again, then = [asked["ReceiveRequestAttemptId"] for _, asked, _ in sqs.calls]
    assert tried == again != then
    assert all(
        asked["WaitTimeSeconds"] > 0 and timeout > 2 * asked["WaitTimeSeconds"] for _, asked, timeout in sqs.calls
    )


def test_only_events_too_large_for_one_message_are_split_and_none_is_lost() -> None:
    items = [(str(number), compact({"n": number, "text": "x" * 300_000})) for number in range(7)]
    made = list(event_messages(HEAD, "group", items, BATCH_BYTES))
    assert [each["n"] for one in made for each in json.loads(one.body)["items"]] == list(range(7))
    assert [len(json.loads(one.body)["items"]) for one in made] == [3, 3, 1]
    assert all(len(one.body) <= BATCH_BYTES for one in made)


def test_the_same_events_have_the_same_deduplication_id_whenever_they_come() -> None:
    (first,) = event_messages(HEAD, "group", [("a", "{}"), ("b", "{}")], BATCH_BYTES)
    (again,) = event_messages(HEAD | {"received": 99}, "group", [("a", "{}"), ("b", "{}")], BATCH_BYTES)
    (other,) = event_messages(HEAD, "group", [("b", "{}"), ("a", "{}")], BATCH_BYTES)
    assert first.deduplication == again.deduplication != other.deduplication
    assert len(first.deduplication) <= 128


def test_fingerprints_differ_for_ids_that_join_to_the_same_text() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert len(fingerprint("x" * 5000, "\ud83d")) == 64


@pytest.mark.parametrize("message_bytes", [262_144, BATCH_BYTES])
def test_no_message_is_longer_than_its_queue_takes(message_bytes: int) -> None:
    longest = compact({"text": "x" * event_bytes(message_bytes)})[: event_bytes(message_bytes)]
    made = [
        *event_messages(HEAD, "group", [("a", longest), ("b", longest), ("c", "{}")], message_bytes),
        *unusable_letters("why", b"x" * 3_000_000, message_bytes),
    ]
    assert message_bytes - 2048 <= max(len(one.body) for one in made) <= message_bytes


@pytest.mark.parametrize("size", [0, 1, 784_896, 784_897, 2_500_000])
def test_unusable_bytes_are_kept_whole_in_letters_that_sqs_takes(size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    letters = list(unusable_letters("why", content, BATCH_BYTES))
    bodies = [json.loads(letter.body) for letter in letters]
    assert b"".join(base64.b64decode(body["base64"]) for body in bodies) == content
    assert [(body["part"], body["of"]) for body in bodies] == [(n, len(bodies)) for n in range(1, len(bodies) + 1)]
    assert all(len(letter.body) <= BATCH_BYTES for letter in letters)
    assert len({letter.deduplication for letter in letters}) == len(letters)
