"""Who is measured: this bot, the same bot made with claudia-bot-builder, and the floor; and what they are sent."""

import hashlib
import hmac
import itertools
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.lambda_runtime import stubs
from bench.lambda_runtime.certificates import Certificates
from bench.lambda_runtime.install import Installed
from bench.lambda_runtime.runtime_api import Function
from bot.environment import variables

HERE = Path(__file__).parent
BOT = HERE.parent.parent / "bot"
OURS, PEER, FLOOR = "this bot", "claudia-bot-builder", "floor"
MEMORY_MB = 512

Json = dict[str, Any]

_people = itertools.count(6_000_000_000_000_000)


class Contestant(NamedTuple):
    """A function that can be started.

    Attributes:
        name: as in the tables.
        command: starts it in AWS's runtime client.
        environment: of its process.
        folder: where its code is.
        log: the file that takes what it prints.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path

    def start(self, **variables: str) -> Function:
        """Start a new execution environment, with more variables if given."""
        return Function(self.command, {**self.environment, **variables}, self.folder, self.log)


class Contest(NamedTuple):
    """All that take part, with the same stubs."""

    ours: Contestant
    peer: Contestant
    floor: Contestant

    @property
    def by_name(self) -> dict[str, Contestant]:
        """Everybody."""
        return {each.name: each for each in self}


def contest(
    installed: Installed, urls: Mapping[str, str], folder: Path, trusted: Certificates | None = None
) -> Contest:
    """Put everybody's code into place.

    Args:
        installed: where the runtime clients are.
        urls: of the stubs, by service.
        folder: takes code and logs.
        trusted: the authority of the stubs' certificates, if they have some.
    """
    lambda_ = {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": stubs.REGION,
        "AWS_DEFAULT_REGION": stubs.REGION,
        "AWS_ACCESS_KEY_ID": stubs.KEY,
        "AWS_SECRET_ACCESS_KEY": stubs.SECRET,
        "AWS_SESSION_TOKEN": stubs.SESSION,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        **{f"AWS_ENDPOINT_URL_{name.upper()}": urls[name] for name in ("ssm", "sqs", "dynamodb")},
    }
    if trusted:
        lambda_ |= {"SSL_CERT_FILE": str(trusted.bundle), "NODE_EXTRA_CA_CERTS": str(trusted.authority)}
    # Lambda's folder cannot be written to, so what a function loads of its own is compiled at each cold start.
    python = lambda_ | {"PYTHONPATH": str(installed.python), "PYTHONDONTWRITEBYTECODE": "1"}
    ours, floor, claudia = (folder / name for name in ("ours", "floor", "claudia"))
    shutil.copytree(BOT, ours / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(HERE / "floor", floor, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(HERE / "claudia", claudia)
    (claudia / "node_modules").symlink_to(installed.node / "node_modules")
    return Contest(
        Contestant(OURS, _python("bot.handler.handle"), python | _bot(urls["graph"]), ours, folder / "ours.log"),
        Contestant(
            PEER,
            ["node", str(installed.node / "node_modules/aws-lambda-ric/bin/index.mjs"), "index.proxyRouter"],
            lambda_ | _claudia(urls["graph"]),
            claudia,
            folder / "claudia.log",
        ),
        Contestant(FLOOR, _python("index.handle"), python, floor, folder / "floor.log"),
    )


def _python(handler: str) -> list[str]:
    # -S: this interpreter's own packages are out of sight, as they are on Lambda.
    return [str(Path(sys.executable).resolve()), "-S", "-m", "awslambdaric", handler]


def _bot(graph_url: str) -> dict[str, str]:
    found = variables(
        page_id=stubs.PAGE,
        graph_api_url=graph_url,
        graph_api_version=stubs.GRAPH_VERSION,
        queue_url=stubs.EVENTS,
        dead_letter_queue_url=stubs.DEAD_LETTERS,
        message_bytes=1024 * 1024,
        ledger_table=stubs.TABLE,
        secrets_path=stubs.SECRETS_PATH,
        state_days=30,
        echo_seconds=20,
        concurrency=5,
    )
    return {name: str(value) for name, value in found.items()}


def _claudia(graph_url: str) -> dict[str, str]:
    return {
        "facebookAccessToken": stubs.TOKEN,
        "facebookAppSecret": stubs.APP_SECRET,
        "facebookVerifyToken": stubs.VERIFY_TOKEN,
        "GRAPH_API_URL": graph_url,
        "GRAPH_API_VERSION": stubs.GRAPH_VERSION,
        "PAGE_ID": stubs.PAGE,
    }


def new_person() -> str:
    """The page-scoped id of somebody who has not written before."""
    return str(next(_people))


def text(person: str, content: str = "status") -> Json:
    """An item of a webhook: somebody writes something."""
    message = {"mid": f"m_{secrets.token_urlsafe(60)}", "text": content}
    return {**_between(person, stubs.PAGE), "message": message}


def echo(person: str, metadata: str) -> Json:
    """An item of a webhook: Facebook repeats what the page said."""
    message = {"mid": f"m_{secrets.token_urlsafe(60)}", "is_echo": True, "app_id": 1, "metadata": metadata, "text": "…"}
    return {**_between(stubs.PAGE, person), "message": message}


def _between(sender: str, recipient: str) -> Json:
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": round(time.time() * 1000)}


def webhook(*items: Json) -> Json:
    """A signed webhook as the REST API passes it to a function."""
    entry = {"id": stubs.PAGE, "time": round(time.time() * 1000), "messaging": list(items)}
    body = json.dumps({"object": "page", "entry": [entry]})

    def signed(how: Callable[[], Any]) -> str:
        return hmac.new(stubs.APP_SECRET.encode(), body.encode(), how).hexdigest()

    headers = {
        "Content-Type": "application/json",
        "X-Hub-Signature-256": f"sha256={signed(hashlib.sha256)}",
        "X-Hub-Signature": f"sha1={signed(hashlib.sha1)}",
    }
    return {
        "resource": "/webhook",
        "path": "/facebook",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"resourcePath": "/facebook", "httpMethod": "POST", "stage": "live", "requestId": "bench"},
        "body": body,
        "isBase64Encoded": False,
    }
