"""A function of any runtime is deployed as its folder stands, with a log group of its own."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from components.bot_function import BotFunction, BotFunctionArgs
from components.bot_logs import BotLogs, BotLogsArgs
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
        "build_folder": folder.parent / "build",
        "tags": {"stack": "dev"},
    }
    return BotFunctionArgs(**{**values, **changes})


@pytest.fixture
def node(tmp_path: Path) -> Path:
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / "index.js").write_text("exports.handler = async () => ({ statusCode: 200 });\n", encoding="utf-8")
    return folder


def test_a_node_function_is_deployed_through_the_same_component(node: Path) -> None:
    function = run_program(lambda: BotFunction("bot", args(node))).one("aws:lambda/function:Function")

    assert (function.inputs["runtime"], function.inputs["handler"]) == ("nodejs22.x", "index.handler")
    assert zipfile.ZipFile(function.inputs["code"]["path"]).namelist() == ["index.js"]


def test_the_zip_s_name_tells_its_content_so_that_other_code_is_another_input(node: Path) -> None:
    def path() -> str:
        function = run_program(lambda: BotFunction("bot", args(node))).one("aws:lambda/function:Function")
        return str(function.inputs["code"]["path"])

    before = path()
    assert path() == before
    (node / "index.js").write_text("exports.handler = async () => ({ statusCode: 404 });\n", encoding="utf-8")
    assert path() != before


def test_the_function_writes_json_into_its_log_group(node: Path) -> None:
    function = run_program(lambda: BotFunction("bot", args(node))).one("aws:lambda/function:Function")

    assert function.inputs["loggingConfig"] == {"logFormat": "JSON", "logGroup": "logs"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"memory_mb": 127}, "no 127 MB of memory: choose 128 to 10240"),
        ({"memory_mb": 10_241}, "no 10241 MB of memory"),
        ({"timeout_seconds": 0}, "cannot run for 0 seconds: choose 1 to 900"),
        ({"timeout_seconds": 901}, "cannot run for 901 seconds"),
    ],
)
def test_what_lambda_has_not_is_refused(node: Path, changes: dict[str, int], told: str) -> None:
    with pytest.raises(InvalidArgs, match=told):
        args(node, **changes)


def test_the_log_group_forgets_after_its_retention() -> None:
    graph = run_program(lambda: BotLogs("logs", BotLogsArgs(retention_days=7, tags={"stack": "dev"})))

    assert graph.one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 7


@pytest.mark.parametrize("days", [0, 2, 31, 9999])
def test_a_retention_that_cloudwatch_has_not_is_refused(days: int) -> None:
    with pytest.raises(InvalidArgs, match=f"cannot keep lines for {days} days"):
        BotLogsArgs(retention_days=days, tags={})
