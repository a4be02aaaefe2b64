"""A conversation's function is deployed from its folder, with a role that can write its log and nothing else."""

from pathlib import Path

import pytest

from components.bot_role import BotRole, BotRoleArgs
from components.conversation_function import TIMEOUT_SECONDS, ConversationFunction, ConversationFunctionArgs
from components.errors import InvalidArgs
from tests.harness import Graph, run_program
from tools.recorder import ACCOUNT, REGION


def args(folder: Path, runtime: str = "", handler: str = "") -> ConversationFunctionArgs:
    return ConversationFunctionArgs(code=folder, memory_mb=256, log_retention_days=30, runtime=runtime, handler=handler)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.mjs").write_text("export const handler = async () => ({});\n", encoding="utf-8")
    return tmp_path


def deployed(folder: Path) -> Graph:
    def program() -> None:
        conversation = ConversationFunction("talk", args(folder))
        BotRole("bot", BotRoleArgs(statements=[conversation.caller_statement]))

    return run_program(program)


def test_the_function_is_ended_in_time_and_has_no_environment(folder: Path) -> None:
    function = deployed(folder).one("aws:lambda/function:Function").inputs

    assert (function["runtime"], function["handler"]) == ("nodejs24.x", "index.handler")
    assert function["code"]["assets"].keys() == {"index.mjs"}
    assert function["timeout"] == TIMEOUT_SECONDS
    assert not (function.get("environment") or {}).get("variables")


def test_its_role_may_write_its_own_log_and_nothing_else(folder: Path) -> None:
    graph = deployed(folder)
    policies = [each.policy() for each in graph.of("aws:iam/rolePolicy:RolePolicy") if each.name.startswith("talk")]

    assert [policy["Statement"] for policy in policies] == [
        [
            {
                "Sid": "WriteLog",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:talk-logs-group-1a2b3c4:*",
            }
        ]
    ]
    assert graph.one("aws:lambda/function:Function").inputs["loggingConfig"]["logGroup"] == "talk-logs-group-1a2b3c4"


@pytest.mark.parametrize(
    ("file", "runtime", "handler"),
    [
        ("index.mjs", "nodejs24.x", "index.handler"),
        ("index.py", "python3.13", "index.handler"),
        ("org/example/Bot.class", "java21", "Bot::answer"),
        ("Bot.runtimeconfig.json", "dotnet10", "Bot"),
    ],
)
def test_the_language_follows_from_the_files_unless_it_is_given(
    tmp_path: Path, file: str, runtime: str, handler: str
) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("{}", encoding="utf-8")

    assert args(tmp_path).language == (runtime, handler)
    assert args(tmp_path, "nodejs22.x", "a.b").language == ("nodejs22.x", "a.b")


def test_a_folder_that_is_missing_or_in_no_known_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgs, match=r"There is no conversation to deploy: .*nowhere is not a folder"):
        args(tmp_path / "nowhere")
    with pytest.raises(InvalidArgs, match="is in no known language"):
        args(tmp_path)
    with pytest.raises(InvalidArgs, match="is in no known language"):
        args(tmp_path, runtime="java21")
    assert args(tmp_path, "java21", "A::b").language == ("java21", "A::b")
