"""Which stack: what an operator's commands need to know of it, and where they learn it."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.aws import OperatorAws
from ops.errors import OpsError

PULUMI_SECONDS = 120
PULUMI, SANDBOX = "pulumi stack output --json", "python -m sandbox up --json"
SANDBOX_REGION = "eu-central-1"
SANDBOX_KEY = ("test", "test")
"""The key of the account's owner in every sandbox."""
# The queue's URL names the region: "Amazon SQS endpoints and quotas" in the AWS General Reference.
REGION = re.compile(r"^https://sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A deployed stack.

    Attributes:
        queue_url: of the event queue.
        dead_letter_queue_url: of the dead-letter queue.
        ledger_table: the ledger's name.
        secrets_path: under which SSM keeps the secrets.
        page_id: the page that it answers for.
        graph_api_url, graph_api_version: where Facebook is.
        webhook_url: where Facebook is to send events.
        function_name: the bot's function, "" if it is not known here.
        app_id: the Facebook app's id, "" if it is not known here.
        region: of AWS.
        endpoint: of a sandbox's AWS; None for AWS itself.
        key: of a sandbox's owner; None for the operator's own.
    """

    queue_url: str
    dead_letter_queue_url: str
    ledger_table: str
    secrets_path: str
    page_id: str
    graph_api_url: str
    graph_api_version: str
    webhook_url: str
    function_name: str = ""
    app_id: str = ""
    region: str = ""
    endpoint: str | None = None
    key: tuple[str, str] | None = None


OUTPUTS = {
    "queueUrl": "queue_url",
    "deadLetterQueueUrl": "dead_letter_queue_url",
    "ledgerTable": "ledger_table",
    "secretsPath": "secrets_path",
    "pageId": "page_id",
    "graphApiUrl": "graph_api_url",
    "graphApiVersion": "graph_api_version",
    "webhookUrl": "webhook_url",
}


def from_file(name: str) -> Stack:
    """The stack whose outputs a file holds, as `pulumi stack output --json` prints them.

    Args:
        name: the file, `-` for standard input.

    Raises:
        OpsError: it cannot be read, or holds something else.
    """
    return _from_outputs(_object(_read(name), name, PULUMI), name)


def from_pulumi(name: str) -> Stack:
    """The stack of that name, asked of the Pulumi CLI in the project's folder.

    Raises:
        OpsError: the CLI is not there, or knows no such stack.
    """
    command = ["pulumi", "stack", "output", "--json", "--stack", name]
    try:
        # Without a terminal the CLI asks nothing.
        done = subprocess.run(  # noqa: S603  a list of arguments, no shell
            command, capture_output=True, text=True, timeout=PULUMI_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise OpsError(
            "The Pulumi CLI is not installed: install it, or hand in the outputs with --outputs FILE."
        ) from None
    except subprocess.TimeoutExpired:
        raise OpsError(f"Pulumi did not answer within {PULUMI_SECONDS} s: run `pulumi login` first.") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        raise OpsError(f"Pulumi gives no outputs of the stack {name} ({said[-1].strip()}): see `pulumi stack ls`.")
    return _from_outputs(_object(done.stdout, f"The stack {name}", PULUMI), f"the stack {name}")


def from_sandbox(where: str) -> Stack:
    """The stack in a running sandbox.

    Args:
        where: a file with the line that `python -m sandbox up --json` prints (`-` for standard input), or `cloudUrl`.

    Raises:
        OpsError: it is not there, or runs no bot.
    """
    if where.startswith(("http://", "https://")):
        return _discovered(where.rstrip("/"))
    described = _object(_read(where), where, SANDBOX)
    if not isinstance(described.get("cloudUrl"), str):
        raise OpsError(f"{where} holds no cloudUrl: give it what `{SANDBOX}` prints.")
    if not described.get("outputs"):
        raise OpsError(f"Nothing is deployed in this sandbox: start it with `{SANDBOX}`.")
    return _from_outputs(
        described["outputs"],
        where,
        app_id=str(described.get("appId") or ""),
        region=str(described.get("region") or SANDBOX_REGION),
        endpoint=described["cloudUrl"],
        key=SANDBOX_KEY,
    )


def _discovered(cloud_url: str) -> Stack:
    """The stack that a sandbox's cloud runs: the bot's function is told all of it."""
    region = os.environ.get("AWS_REGION", SANDBOX_REGION)
    try:
        with urllib.request.urlopen(f"{cloud_url}/_ministack/health", timeout=5) as answer:  # noqa: S310  http by its beginning
            answer.read()
    except (urllib.error.URLError, OSError, ValueError):
        raise OpsError(f"No sandbox answers at {cloud_url}: give the cloudUrl of a running one.") from None
    aws = OperatorAws(region, cloud_url, SANDBOX_KEY)
    for function in aws.call("lambda", "ListFunctions", {}).get("Functions", []):
        environment = function.get("Environment", {}).get("Variables", {})
        if {"QUEUE_URL", "LEDGER_TABLE", "SECRETS_PATH"} <= environment.keys():
            apis = aws.call("apigateway", "GetRestApis", {}).get("items", [])
            webhook = f"{cloud_url}/restapis/{apis[0]['id']}/live/_user_request_/webhook" if apis else ""
            return Stack(
                queue_url=environment["QUEUE_URL"],
                dead_letter_queue_url=environment["DEAD_LETTER_QUEUE_URL"],
                ledger_table=environment["LEDGER_TABLE"],
                secrets_path=environment["SECRETS_PATH"],
                page_id=environment["PAGE_ID"],
                graph_api_url=environment["GRAPH_API_URL"],
                graph_api_version=environment["GRAPH_API_VERSION"],
                webhook_url=webhook,
                function_name=function["FunctionName"],
                region=region,
                endpoint=cloud_url,
                key=SANDBOX_KEY,
            )
    raise OpsError(f"No bot is deployed in the sandbox at {cloud_url}, in {region}: another region? Set AWS_REGION.")


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise OpsError(f"{name} cannot be read ({reason}): name the file with the stack's outputs.") from None


def _object(text: str, source: str, command: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        named = "Standard input" if source == "-" else source
        raise OpsError(f"{named} holds no JSON object: give it what `{command}` prints.")
    return found


def _from_outputs(
    outputs: Mapping[str, Any],
    source: str,
    *,
    app_id: str = "",
    region: str = "",
    endpoint: str | None = None,
    key: tuple[str, str] | None = None,
) -> Stack:
    missing = [name for name in OUTPUTS if not isinstance(outputs.get(name), str) or not outputs[name]]
    if missing:
        raise OpsError(
            f"{source} lacks the outputs {', '.join(missing)}: it is no stack with a bot, or it was never deployed."
        )
    named = REGION.match(outputs["queueUrl"])
    region = region or (named[1] if named else os.environ.get("AWS_REGION", ""))
    if not region:
        raise OpsError(f"The queue's URL {outputs['queueUrl']} names no region: set AWS_REGION.")
    values = {field: str(outputs[name]) for name, field in OUTPUTS.items()}
    function_name = str(outputs.get("functionName") or "")
    return Stack(**values, function_name=function_name, app_id=app_id, region=region, endpoint=endpoint, key=key)
