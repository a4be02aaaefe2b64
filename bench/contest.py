"""Who takes part: our bot, the same bot made with claudia-bot-builder, and the floor; all on one emulated AWS."""

import hashlib
import hmac
import http.client
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sandbox.facebook.webhooks import text_item
from sandbox.local import PROJECT, Sandbox

HERE = Path(__file__).parent

# The whole stack as it is deployed, and beside it two functions behind REST APIs of the same kind.
PROGRAM = """
import runpy, sys
from pathlib import Path
sys.path.insert(0, {project!r})
runpy.run_path({project!r} + "/__main__.py")

import pulumi
import components as fbm
from settings import load

settings = load()
bot, tags = settings.bot, {{}}
for title, code, handler, runtime, path in {peers!r}:
    name = f"{{settings.name}}-{{title}}"
    logs = fbm.BotLogs(f"{{name}}-logs", fbm.BotLogsArgs(retention_days=1, tags=tags))
    role = fbm.BotRole(name, fbm.BotRoleArgs(tags=tags))
    function = fbm.BotFunction(name, fbm.BotFunctionArgs(
        code=Path(code), package="", handler=handler, runtime=runtime, build_folder=Path({build!r}), memory_mb=512,
        timeout_seconds=30, role_arn=role.arn, log_group_name=logs.name, tags=tags, environment={{
            "facebookAccessToken": bot.page_access_token, "facebookAppSecret": bot.app_secret,
            "facebookVerifyToken": bot.verify_token, "GRAPH_API_URL": bot.graph_api_url,
            "GRAPH_API_VERSION": bot.graph_api_version, "PAGE_ID": bot.page_id}}))
    api = fbm.RestApi(f"{{name}}-api", fbm.RestApiArgs(
        path=path, stage_name="live", function_name=function.name, function_invoke_arn=function.invoke_arn,
        throttle_rate=10000, throttle_burst=5000, routes=[fbm.Route(method_name="POST")], tags=tags))
    pulumi.export(f"{{title}}Url", api.url)
    pulumi.export(f"{{title}}Function", function.name)
"""


class NotAcknowledged(Exception):
    """A webhook was answered other than 200; the text says how."""


class Contestant(NamedTuple):
    """Who takes part.

    Attributes:
        name: as in the tables.
        url: where it takes webhooks.
        function: the function's name.
        answers: whether it sends answers.
    """

    name: str
    url: str
    function: str
    answers: bool


class Contest:
    """One sandbox with all contestants deployed.

    Args:
        sandbox: it runs.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        outputs = sandbox.outputs
        self.ours = Contestant("this bot", sandbox.webhook_url, outputs["functionName"], True)
        self.claudia = Contestant("claudia-bot-builder", outputs["claudiaUrl"], outputs["claudiaFunction"], True)
        self.floor = Contestant("floor", outputs["floorUrl"], outputs["floorFunction"], False)
        self.everybody = (self.ours, self.claudia, self.floor)
        self.answering = [each for each in self.everybody if each.answers]

    @contextmanager
    def turn(self, contestant: Contestant, delay: float = 0.0) -> Iterator[None]:
        """One contestant's turn, the Graph API answering after `delay` seconds; it ends when all is done that it began.

        Facebook sends echoes to those who subscribe to them, as the peer does not.
        """
        faults: dict[str, object] = {"delaySeconds": delay} if delay else {}
        self.sandbox.faults(faults if contestant is self.ours else faults | {"loseEchoes": True})
        yield
        self.sandbox.faults({})
        self.sandbox.settle(300)

    def request(self, person: str, text: str = "status") -> tuple[bytes, Mapping[str, str]]:
        """A signed webhook in which a person says something: body and headers."""
        if self.sandbox.facebook is None:
            raise RuntimeError("The stack holds no bot.")
        self.sandbox.graph.note_message(person)
        body = self.sandbox.facebook.body([text_item(self.sandbox.page_id, person, text)])
        legacy = hmac.new(self.sandbox.app_secret.encode(), body, hashlib.sha1).hexdigest()
        signed = {"X-Hub-Signature-256": self.sandbox.facebook.sign(body), "X-Hub-Signature": f"sha1={legacy}"}
        return body, {"Content-Type": "application/json", **signed}

    def size(self, contestant: Contestant) -> int:
        """How many bytes are deployed."""
        answer = self.sandbox.client("lambda").get_function_configuration(FunctionName=contestant.function)
        return int(answer["CodeSize"])

    def memory(self) -> dict[str, int]:
        """Largest resident memory, in KiB, of each running function, by a word of its command line or environment."""
        found: dict[str, int] = {}
        for worker in self.sandbox.function_workers():
            status = Path(f"/proc/{worker}/status").read_text()
            environment = Path(f"/proc/{worker}/environ").read_bytes().decode(errors="replace")
            peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
            for contestant in self.everybody:
                if f"AWS_LAMBDA_FUNCTION_NAME={contestant.function}" in environment:
                    found[contestant.name] = max(found.get(contestant.name, 0), peak)
        return found


class Caller:
    """One connection to one contestant, as Facebook keeps one."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._path, self._connection = target.path, http.client.HTTPConnection(target.netloc, timeout=30)

    def post(self, body: bytes, headers: Mapping[str, str]) -> float:
        """Send a webhook and return the seconds to its acknowledgement.

        Raises:
            NotAcknowledged: the answer is another than 200.
        """
        began = time.perf_counter()
        self._connection.request("POST", self._path, body, dict(headers))
        answer = self._connection.getresponse()
        text = answer.read()
        took = time.perf_counter() - began
        if answer.status != http.client.OK:
            raise NotAcknowledged(f"A webhook was answered {answer.status}: {text[:200]!r}")
        return took

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def contest() -> Iterator[Contest]:
    """Install the peer, deploy everybody, and take it all away again."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        claudia = folder / "claudia"
        shutil.copytree(HERE / "claudia", claudia)
        install = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(install, cwd=claudia, check=True, timeout=120)  # noqa: S603  the command above
        for settings in PROJECT.glob("Pulumi*.yaml"):
            shutil.copy(settings, folder)
        peers = [
            ("claudia", str(claudia), "index.proxyRouter", "nodejs22.x", "facebook"),
            ("floor", str(HERE / "floor"), "index.handle", "python3.13", "webhook"),
        ]
        program = PROGRAM.format(project=str(PROJECT), peers=peers, build=str(folder / "build"))
        (folder / "__main__.py").write_text(program)
        limits: Any = {"throttleRate": "10000", "throttleBurst": "5000"}
        with Sandbox(folder=folder, settings=limits, functions_endpoint="") as sandbox:
            yield Contest(sandbox)
