"""After a deployment, a test message goes the way of every message, and the command says how it went."""

import json
from collections.abc import Iterator
from functools import partial

import pytest

from sandbox.local import Sandbox, new_person
from tests.system.conftest import Ops


@pytest.fixture
def somebody() -> str:
    return new_person()


@pytest.fixture
def smoke(sandbox: Sandbox, ops: Ops, somebody: str) -> Iterator[Ops]:
    """Runs `ops smoke` for a stack with a `smokePerson`."""
    yield partial(ops, "smoke", smokePerson=somebody)
    sandbox.faults({})
    sandbox.settle()


def test_a_test_message_is_answered_by_the_live_version(sandbox: Sandbox, smoke: Ops, somebody: str) -> None:
    code, out, err = smoke("--text", "status", "--json")

    assert (code, err) == (0, "")
    assert json.loads(out)["version"] == 1
    bodies = [each["body"] or {} for each in sandbox.requests()]
    assert [each["recipient"] for each in bodies if "message" in each].count({"id": somebody}) == 1


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"error": {"status": 400, "code": 100, "message": "No."}}, "The test message failed in version 1"),
        ({"error": {"status": 500, "code": 2, "message": "No."}}, "was accepted, but not answered within 3 s"),
    ],
    ids=["refused", "out of order"],
)
def test_a_test_message_that_is_not_answered_fails_with_the_reason(
    sandbox: Sandbox, smoke: Ops, fault: dict[str, object], sentence: str
) -> None:
    sandbox.faults([fault])

    code, _, err = smoke("--seconds", "3")

    assert code == 1
    assert sentence in err


def test_a_webhook_that_does_not_accept_the_test_message_fails(sandbox: Sandbox, smoke: Ops) -> None:
    sandbox.aws_faults({"sqs:*": {"status": 503, "code": "ServiceUnavailable"}})

    code, _, err = smoke()

    assert (code, "did not accept the test message (503)" in err) == (1, True)


def test_without_a_person_no_test_message_is_sent(sandbox: Sandbox, ops: Ops) -> None:
    before = len(sandbox.requests())

    code, out, err = ops("smoke")

    assert (code, out) == (0, "")
    assert "set smokePerson" in err
    assert len(sandbox.requests()) == before
