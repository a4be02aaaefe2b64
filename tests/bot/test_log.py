"""The lines that the function writes, as Lambda and CloudWatch read them."""

import json
from datetime import UTC, datetime

import pytest

from bot.log import about, log


def test_a_line_is_json_with_its_time_in_rfc_3339_and_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    before = datetime.now(UTC)
    about()

    log("WARN", "handed_back", reason="a\nb", age=7)

    line = json.loads(capsys.readouterr().out)
    timestamp = line.pop("timestamp")
    assert timestamp[10] == "T"
    assert timestamp.endswith("Z")
    assert abs((datetime.fromisoformat(timestamp) - before).total_seconds()) < 1
    assert line == {"level": "WARN", "kind": "handed_back", "reason": "a\nb", "age": 7}
