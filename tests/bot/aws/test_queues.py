"""What is put on the queues, in which calls, and what happens when SQS does not take it."""

import base64
import json

import pytest

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
from tests.bot.connections import FixedAnswers

HEAD = {"object": "page", "page": "1", "received": 2}
MESSAGES = [Message(f"group {number}", f"once {number}", "x" * 10) for number in range(30)]


def took(**answer: object) -> Response:
    return Response(200, {}, json.dumps(answer).encode())


def queues(sqs: FixedAnswers, now: float = 0.0) -> Queues:
    return Queues(sqs.aws(), "https://events", "https://dead", lambda: now)


def test_a_batch_that_was_taken_in_part_is_an_error() -> None:
    sqs = FixedAnswers(took(Failed=[{"Id": "3", "Code": "InternalError"}]))
    with pytest.raises(NotQueued, match="a part"):
        queues(sqs).put(MESSAGES, 4.0)
    assert len(sqs.asked) == 1


@pytest.mark.parametrize("left", [0.5, 0.7, 1.0, 2.15, 2.2, 4.0])
def test_both_tries_of_a_call_fit_into_the_time_that_is_left(left: float) -> None:
    sqs = FixedAnswers(took())
    queues(sqs, now=10.0).put(MESSAGES[:1], 10.0 + left)
    assert 0 < sqs.asked[0].timeout <= 1.0
    assert 2 * sqs.asked[0].timeout + 0.1 < left


def test_without_time_no_call_is_made() -> None:
    with pytest.raises(NotQueued, match="no time"):
        queues(FixedAnswers(), now=10.0).put(MESSAGES[:1], 10.4)


def test_each_look_for_dead_letters_asks_all_servers_and_a_second_try_gets_what_the_first_one_hid() -> None:
    sqs = FixedAnswers(Response(503, {}, b""), took(Messages=[{"Body": "b", "ReceiptHandle": "r"}]), took())
    assert list(queues(sqs).letters()) == [("b", "r")]
    looks = [json.loads(each.body) for each in sqs.asked]
    tried, again, then = [each["ReceiveRequestAttemptId"] for each in looks]
    assert tried == again != then
    for asked, look in zip(sqs.asked, looks, strict=True):
        assert look["WaitTimeSeconds"] > 0
        assert asked.timeout > 2 * look["WaitTimeSeconds"]


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
