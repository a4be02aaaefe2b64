"""What the commands need to know about a stack, and where they read it."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ops.aws import OperatorAws
from ops.errors import OpsError

PULUMI_SECONDS = 120
SANDBOX_SECONDS = 5
PULUMI, SANDBOX = "pulumi stack output --json", "python -m sandbox up --json"
SANDBOX_REGION = "eu-central-1"
SANDBOX_KEY = ("test", "test")
"""The access key of the account's owner in every sandbox."""
SANDBOX_APP_ID = "200000000000001"
"""The Facebook app's id in every sandbox."""
RUNNING = Path(__file__).parents[1] / ".sandbox"
"""The sandbox keeps a file here for each one that runs: what `python -m sandbox up --json` prints."""
# "Amazon SQS endpoints and quotas" in the AWS General Reference.
REGION = re.compile(r"^https://sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A deployed stack.

    Attributes:
        queue_url: of the event queue.
        dead_letter_queue_url: of the dead-letter queue.
        ledger_table: the name of the ledger's table.
        secrets_path: the SSM path of the secrets.
        page_id: the page that the bot answers for.
        graph_api_url: where the Graph API answers.
        graph_api_version: such as `v26.0`.
        webhook_url: where Facebook sends events.
        log_group: the function's log group; empty if unknown.
        privacy_url: the page that says what is kept about people; empty if it is not served.
        deletion_url: the page that says how to have it deleted; empty if it is not served.
        dashboard: the dashboard's name; empty if unknown.
        questions_table: the name of the table with what the bot did not understand; empty if there is none.
        function: the function's name; empty if unknown.
        alias: the alias that the webhook and the queue call; empty if unknown.
        release_minutes: how long a release is watched; 0 if Pulumi moves the alias.
        release_percent: the share of the work that a new version gets meanwhile.
        smoke_person: the page-scoped id of a team member for test messages; empty for none.
        app_id: the Facebook app's id; empty if unknown.
        registered_by_pulumi: whether the setting `appId` lets Pulumi register the bot with Facebook.
        region: of AWS.
        endpoint: of a sandbox's AWS; None for AWS itself.
        key: the access key of a sandbox's owner; None for the operator's own credentials.
    """

    queue_url: str
    dead_letter_queue_url: str
    ledger_table: str
    secrets_path: str
    page_id: str
    graph_api_url: str
    graph_api_version: str
    webhook_url: str
    log_group: str = ""
    privacy_url: str = ""
    deletion_url: str = ""
    dashboard: str = ""
    questions_table: str = ""
    function: str = ""
    alias: str = ""
    release_minutes: int = 0
    release_percent: int = 10
    smoke_person: str = ""
    app_id: str = ""
    registered_by_pulumi: bool = False
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

# What not every stack has.
FURTHER_OUTPUTS = {
    "logGroupName": "log_group",
    "dashboardName": "dashboard",
    "questionsTable": "questions_table",
    "functionName": "function",
    "aliasName": "alias",
    "smokePerson": "smoke_person",
    "appId": "app_id",
    "privacyUrl": "privacy_url",
    "deletionUrl": "deletion_url",
}


def from_file(name: str) -> Stack:
    """The stack whose outputs are in a file, as `pulumi stack output --json` prints them.

    Args:
        name: the file, `-` for standard input.

    Raises:
        OpsError: the file cannot be read, or holds something else.
    """
    return _in_aws(_object(_read(name), name, PULUMI), name)


def from_pulumi(name: str) -> Stack:
    """The stack of this name, from the Pulumi CLI in the project's folder.

    Raises:
        OpsError: the CLI is not installed, or does not know the stack.
    """
    command = ["pulumi", "stack", "output", "--json", "--stack", name]
    try:
        # Without a terminal, the CLI asks no questions.
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PULUMI_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise OpsError("The Pulumi CLI is not installed: install it, or use --outputs FILE.") from None
    except subprocess.TimeoutExpired:
        raise OpsError(f"Pulumi did not answer within {PULUMI_SECONDS} s: run `pulumi login` first.") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise OpsError(f"Pulumi has no outputs for the stack {name} ({lines[-1].strip()}): see `pulumi stack ls`.")
    return _in_aws(_object(done.stdout, f"The stack {name}", PULUMI), f"the stack {name}")


def from_sandbox(where: str) -> Stack:
    """The stack in a running sandbox.

    Args:
        where: a file with the line that `python -m sandbox up --json` prints (`-` for standard input), or the sandbox's
            `cloudUrl`.

    Raises:
        OpsError: no sandbox is there, or it runs no bot.
    """
    if where.startswith(("http://", "https://")):
        return _discovered(where.rstrip("/"))
    return from_described(_object(_read(where), where, SANDBOX), where)


def from_described(described: Mapping[str, Any], where: str) -> Stack:
    """The stack in a running sandbox, as `python -m sandbox up --json` describes it.

    Args:
        described: what it prints.
        where: what to call it in an error.

    Raises:
        OpsError: it runs no bot.
    """
    if not isinstance(described.get("cloudUrl"), str):
        raise OpsError(f"{where} holds no cloudUrl: use the output of `{SANDBOX}`.")
    if not described.get("outputs"):
        raise OpsError(f"Nothing is deployed in this sandbox: start it with `{SANDBOX}`.")
    return _described(described)


def _described(described: Mapping[str, Any]) -> Stack:
    outputs = described["outputs"]
    if public := described.get("publicUrl"):  # of a sandbox that serves a real page
        outputs = {**outputs, "webhookUrl": public}
    return replace(
        _from_outputs(outputs, "The sandbox"),
        app_id=str(outputs.get("appId") or described.get("appId") or ""),
        region=str(described.get("region") or SANDBOX_REGION),
        endpoint=described["cloudUrl"],
        key=SANDBOX_KEY,
    )


def from_running_sandbox() -> Stack:
    """The stack in the one sandbox of this project that runs.

    Raises:
        OpsError: none runs, or several do, or it runs no bot.
    """
    found = {}
    for path in sorted(RUNNING.glob("*.json")):
        described = _object(_read(str(path)), str(path), SANDBOX)
        if current := _current(described):
            found[current["cloudUrl"]] = current
    if not found:
        raise OpsError("No stack is named, and no sandbox runs: name one with --stack, or start one with `make up`.")
    if len(found) > 1:
        raise OpsError(f"Several sandboxes run: choose one with --sandbox, from {', '.join(found)}.")
    (described,) = found.values()
    return _described(described) if described.get("outputs") else _discovered(described["cloudUrl"])


def _current(described: dict[str, Any]) -> dict[str, Any] | None:
    """A running sandbox's description as it is now, since `update` changes outputs; None if it has ended."""
    try:
        with urllib.request.urlopen(f"{described['graphUrl']}/_sandbox/stack", timeout=SANDBOX_SECONDS) as answer:
            current: dict[str, Any] = described | json.loads(answer.read())
    except urllib.error.HTTPError:
        return described  # an emulated AWS without a stack of its own
    except OSError:
        return None
    return current


def _discovered(cloud_url: str) -> Stack:
    """The stack in a sandbox's cloud. The environment of the bot's function describes it."""
    region = os.environ.get("AWS_REGION", SANDBOX_REGION)
    try:
        with urllib.request.urlopen(f"{cloud_url}/_ministack/health", timeout=SANDBOX_SECONDS) as answer:
            answer.read()
    except (urllib.error.URLError, OSError, ValueError):
        raise OpsError(f"No sandbox answers at {cloud_url}: use the cloudUrl of a running one.") from None
    aws = OperatorAws(region, cloud_url, SANDBOX_KEY)
    for function in aws.call("lambda", "ListFunctions", {}).get("Functions", []):
        environment = function.get("Environment", {}).get("Variables", {})
        apis = aws.call("apigateway", "GetRestApis", {}).get("items", [])
        found = {field: environment.get(field.upper()) for field in OUTPUTS.values()}
        if apis:
            found["webhook_url"] = f"{cloud_url}/restapis/{apis[0]['id']}/live/_user_request_/webhook"
        if all(found.values()):
            group = function.get("LoggingConfig", {}).get("LogGroup", "")
            return Stack(
                **found, log_group=group, app_id=SANDBOX_APP_ID, region=region, endpoint=cloud_url, key=SANDBOX_KEY
            )
    raise OpsError(f"No bot is deployed in the sandbox at {cloud_url}, in {region}: set AWS_REGION for another region.")


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise OpsError(f"{name} cannot be read ({reason}): name the file with the stack's outputs.") from None


def _object(text: str, source: str, command: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        named = "Standard input" if source == "-" else source
        raise OpsError(f"{named} holds no JSON object: use the output of `{command}`.")
    return found


def _in_aws(outputs: Mapping[str, Any], source: str) -> Stack:
    stack = _from_outputs(outputs, source)
    named = REGION.match(stack.queue_url)
    region = named[1] if named else os.environ.get("AWS_REGION", "")
    if not region:
        raise OpsError(f"The queue's URL {stack.queue_url} names no region: set AWS_REGION.")
    return replace(stack, region=region)


def _from_outputs(outputs: Mapping[str, Any], source: str) -> Stack:
    missing = [name for name in OUTPUTS if not isinstance(outputs.get(name), str) or not outputs[name]]
    if missing:
        raise OpsError(f"{source} lacks the outputs {', '.join(missing)}: the stack has no bot, or was never deployed.")
    values: Any = {field: outputs[name] for name, field in OUTPUTS.items()}
    known: Any = {field: str(outputs.get(name) or "") for name, field in FURTHER_OUTPUTS.items()}
    return Stack(
        **values,
        **known,
        release_minutes=int(outputs.get("releaseMinutes") or 0),
        release_percent=int(outputs.get("releasePercent") or 10),
        registered_by_pulumi=bool(known["app_id"]),
    )
