"""What people asked and the bot did not understand: counted, readable by an operator, and in no log."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import cli
from sandbox.local import Sandbox

TEXT = "Where is my  UNICORN?"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(settings={"unknownDays": "7"}) as sandbox:
        for text in (TEXT, "status", TEXT.lower()):
            sandbox.say(text)
        sandbox.settle()
        yield sandbox


def test_a_text_is_counted_without_who_wrote_it_until_it_expires(running: Sandbox) -> None:
    (item,) = running.client("dynamodb").scan(TableName=running.outputs["questionsTable"])["Items"]

    assert item.keys() == {"id", "said", "asked", "expires"}
    assert (item["said"]["S"], item["asked"]["N"]) == (TEXT.lower(), "2")
    assert abs(int(item["expires"]["N"]) - time.time() - 7 * 24 * 3600) < 120


def test_an_operator_reads_it_and_the_log_only_counts_it(
    running: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    described = tmp_path / "sandbox.json"
    described.write_text(json.dumps(running.described()))

    assert cli.run(["questions", "--json", "--sandbox", str(described)]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["said"], found["asked"]) == (TEXT.lower(), 2)
    log = "".join(
        event["message"]
        for page in running.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=running.outputs["logGroupName"])
        for event in page["events"]
    )
    assert log.count('"not_understood"') == 2
    assert "unicorn" not in log.lower()
