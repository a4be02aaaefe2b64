"""What people asked and the bot did not understand: counted, readable by an operator, and in no log."""

import json
import time
from collections.abc import Iterator

import pytest

from sandbox.local import Sandbox
from tests.system.conftest import Ops
from tests.system.test_main_job import function_log

TEXT = "Where is my  UNICORN?"


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """In place of the shared one: a stack that keeps what the bot did not understand, and people have written to it."""
    with Sandbox(settings={"unknownDays": "7"}) as sandbox:
        for text in (TEXT, "delete my data", TEXT.lower()):
            sandbox.say(text)
        sandbox.settle()
        yield sandbox


def test_a_text_is_counted_without_who_wrote_it_until_it_expires_for_the_operator_and_in_no_log(
    sandbox: Sandbox, ops: Ops
) -> None:
    (item,) = sandbox.client("dynamodb").scan(TableName=sandbox.outputs["questionsTable"])["Items"]
    assert item.keys() == {"id", "said", "asked", "expires"}
    assert (item["said"]["S"], item["asked"]["N"]) == (TEXT.lower(), "2")
    assert abs(int(item["expires"]["N"]) - time.time() - 7 * 24 * 3600) < 120

    (found,) = json.loads(ops("questions", "--json")[1])
    assert (found["said"], found["asked"]) == (TEXT.lower(), 2)
    log = "\n".join(function_log(sandbox))
    assert log.count('"not_understood"') == 2
    assert "unicorn" not in log.lower()
