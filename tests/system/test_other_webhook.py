"""A webhook that somebody wrote in Node.js runs on the same components."""

import json
import re
import shutil
from contextlib import AbstractContextManager
from pathlib import Path

from sandbox.facebook.webhooks import text_item
from sandbox.local import PROJECT, Sandbox, new_person
from tests.bot.servers import Served, serve
from tests.system.test_main_job import call

NODE_PROGRAM = """
import sys
from pathlib import Path
import pulumi
sys.path.insert(0, {project!r})
import components as fbm

fbm.tag_everything({{"project": pulumi.get_project(), "stack": pulumi.get_stack()}})
name = f"{{pulumi.get_project()}}-{{pulumi.get_stack()}}"
logs = fbm.BotLogs(f"{{name}}-logs", fbm.BotLogsArgs(retention_days=1))
role = fbm.BotRole(f"{{name}}-bot", fbm.BotRoleArgs())
function = fbm.BotFunction(f"{{name}}-bot", fbm.BotFunctionArgs(
    code=Path({code!r}), package="", handler="index.handle", runtime="nodejs22.x",
    memory_mb=128, timeout_seconds=10, role_arn=role.arn, log_group_name=logs.name,
    environment={{"ANSWERS_URL": {answers!r}}}))
live = fbm.LiveAlias(f"{{name}}-live", fbm.LiveAliasArgs(
    function_name=function.name, version=function.version, moved_by="pulumi"))
api = fbm.RestApi(f"{{name}}-webhook", fbm.RestApiArgs(
    path="webhook", stage_name="live", function_name=function.name, alias_name=live.name,
    alias_invoke_arn=live.invoke_arn, throttle_rate=10, throttle_burst=10,
    routes=[fbm.Route(method_name="GET"), fbm.Route(method_name="POST")]))
pulumi.export("webhookUrl", api.url)
pulumi.export("functionName", function.name)
"""


def test_a_function_in_node_js_on_the_same_components_answers_too(tmp_path: Path) -> None:
    told = []

    def take(request: Served) -> tuple[int, bytes]:
        told.append(json.loads(request.body))
        return 200, b""

    served: AbstractContextManager[str] = serve(take)
    with served as answers:
        for settings in PROJECT.glob("Pulumi*.yaml"):
            shutil.copy(settings, tmp_path)
        (tmp_path / "__main__.py").write_text(
            NODE_PROGRAM.format(
                project=str(PROJECT),
                code=str(Path(__file__).parent / "node_bot"),
                answers=answers,
            )
        )
        with Sandbox(folder=tmp_path) as sandbox:
            assert call(f"{sandbox.webhook_url}?hub.challenge=42")[::2] == (200, "42")
            person = new_person()
            sandbox.deliver([text_item(sandbox.page_id, person, "status")])

    assert [answer["to"] for answer in told] == [person]
    assert re.match(r"status, says Node\.js v\d+", told[0]["text"])
