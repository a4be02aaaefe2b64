"""A function of any runtime is deployed from its folder, and logs to its own log group."""

from pathlib import Path
from typing import Any

import pytest

from components.bot_function import BotFunction, BotFunctionArgs
from components.bot_logs import BotLogsArgs
from components.errors import InvalidArgs
from tests.harness import run_program


def args(folder: Path, **changes: Any) -> BotFunctionArgs:
    values: dict[str, Any] = {
        "code": folder,
        "package": "",
        "handler": "index.handler",
        "runtime": "nodejs22.x",
        "role_arn": "arn:aws:iam::111122223333:role/bot",
        "log_group_name": "logs",
        "environment": {"PAGE_ID": "1"},
        "memory_mb": 256,
        "timeout_seconds": 30,
    }
    return BotFunctionArgs(**{**values, **changes})


def test_a_node_function_is_deployed_and_writes_json_to_its_log_group(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text("exports.handler = async () => ({ statusCode: 200 });\n", encoding="utf-8")

    function = run_program(lambda: BotFunction("bot", args(tmp_path))).one("aws:lambda/function:Function")

    assert (function.inputs["runtime"], function.inputs["handler"]) == ("nodejs22.x", "index.handler")
    assert function.inputs["code"]["assets"].keys() == {"index.js"}
    assert function.inputs["loggingConfig"] == {"logFormat": "JSON", "logGroup": "logs"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory_mb": 127}, "memory in MB cannot be 127: choose 128 to 10240"),
        ({"timeout_seconds": 901}, "timeout in seconds cannot be 901: choose 1 to 900"),
    ],
)
def test_a_size_outside_lambdas_limits_is_refused(tmp_path: Path, changes: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidArgs, match=message):
        args(tmp_path, **changes)


@pytest.mark.parametrize("days", [0, 31])
def test_a_retention_that_cloudwatch_does_not_offer_is_refused(days: int) -> None:
    with pytest.raises(InvalidArgs, match=f"cannot keep lines for {days} days"):
        BotLogsArgs(retention_days=days)
