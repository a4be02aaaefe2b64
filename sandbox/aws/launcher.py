"""Starts MiniStack with its known differences from AWS made up for: ``python -m sandbox.aws.launcher``.

Everything that can be made right inside the emulator is made right here, so that the sandbox and the real Pulumi CLI
(on ``python -m sandbox cloud``) meet the same AWS. What only a deployment can check: ``sandbox.provider.refusals``.

Environment: MiniStack's own (``GATEWAY_PORT``, ``BIND_HOST``, ``AUTH``, …), and two of ours: ``SANDBOX_TEMPORARY``, a
folder to make, use and remove; ``SANDBOX_WATCH_STDIN=1``, end everything once standard input is closed (the parent is
gone).
"""

# ruff: noqa: SLF001, ANN401, PLR0917, PLC0415 - it patches MiniStack's insides, untyped as they are, once the environment is set

import asyncio
import contextvars
import gc
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from sandbox.aws import functions

MANAGED_POLICIES = Path(__file__).with_name("aws-managed-policies.json")

DECISIONS = "decisions.jsonl"
"""The file in the temporary folder that holds what was decided of each call."""

SQS_IDENTIFIER_LIMIT = 128  # SQS API reference, SendMessage: MessageGroupId and MessageDeduplicationId

POLICIES = 1000  # the most that are kept as parsed

BATCH_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}

TAG_ACTIONS = {"TagResource", "UntagResource", "ListTagsForResource", "ListTagsOfResource"}

OWN_ACTIONS = {
    "iam:ChangePassword", "iam:GetUser", "iam:ListAccessKeys", "iam:CreateAccessKey", "iam:UpdateAccessKey",
    "iam:DeleteAccessKey", "iam:ListMFADevices",
}  # fmt: skip

Check = tuple[str, str, dict[str, str]]
"""A further right that a request needs: action, resource, condition keys."""

_further_checks: contextvars.ContextVar[tuple[Check, ...]] = contextvars.ContextVar("further_checks", default=())
_mfa_given: contextvars.ContextVar[bool] = contextvars.ContextVar("mfa_given", default=False)


def _json(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; empty if it is none."""
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def resource_arns(action: str, body: bytes, query: dict[str, Any], region: str, account: str) -> list[str]:
    """The resources that AWS checks ``action`` against, where MiniStack checks ``*``; empty where it is right itself.

    Source: Service Authorization Reference, each service's page.
    """
    request = {key: value[0] if isinstance(value, list) else value for key, value in query.items()} | _json(body)
    if action.rpartition(":")[2] in TAG_ACTIONS and (arn := request.get("ResourceArn") or request.get("ResourceARN")):
        return [str(arn)]
    if action == "cloudwatch:DeleteAlarms":
        listed = request.get("AlarmNames") or [request[key] for key in request if key.startswith("AlarmNames.member.")]
        return [f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}" for name in listed]
    if action in {"iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"}:
        name = request.get("VirtualMFADeviceName") or str(request.get("SerialNumber", "")).rpartition("mfa/")[2]
        return [f"arn:aws:iam::{account}:mfa/{name}"]
    parameter = f"arn:aws:ssm:{region}:{account}:parameter/"
    if action in {"ssm:GetParameters", "ssm:GetParametersByPath"}:
        return [parameter + str(name).lstrip("/") for name in request.get("Names") or [request.get("Path", "")]]
    if action == "lambda:CreateFunction" and request.get("FunctionName"):
        name = str(request["FunctionName"])
        return [name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{name}"]
    return []


def passed_role(action: str, path: str, body: bytes) -> list[Check]:
    """The ``iam:PassRole`` that AWS asks for when a role is handed to a service; MiniStack asks for none."""
    request = _json(body)
    if action in {"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"} and request.get("Role"):
        return [("iam:PassRole", str(request["Role"]), {"iam:PassedToService": "lambda.amazonaws.com"})]
    if action == "apigateway:PATCH" and path.rstrip("/") == "/account":
        operations = request.get("patchOperations") or []
        roles = [o.get("value") for o in operations if o.get("path") == "/cloudwatchRoleArn"]
        return [
            ("iam:PassRole", str(role), {"iam:PassedToService": "apigateway.amazonaws.com"}) for role in roles if role
        ]
    return []


def patch_actions_and_resources() -> None:
    """Authorise each call by the action, on the resource, and with the passed role, that AWS does."""
    from ministack.core import iam_actions, iam_evaluator

    original_action: Callable[..., str | None] = iam_actions.extract_iam_action
    original_arn: Callable[..., str] = iam_actions.extract_resource_arn
    original_enforce: Callable[..., Any] = iam_evaluator.enforce

    def extract_iam_action(*args: Any, **kwargs: Any) -> str | None:
        # A batch call has no action of its own on AWS: it is authorised as the single one.
        action = original_action(*args, **kwargs)
        return BATCH_ACTIONS.get(action or "", action)

    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, Any],
        region: str,
        account: str,
    ) -> str:
        arn = original_arn(service, method, path, headers, body, query, region, account)
        action = extract_iam_action(service, method, path, headers, body, query) or ""
        arns = resource_arns(action, body, query, region, account) or [arn]
        _further_checks.set((*((action, other, {}) for other in arns[1:]), *passed_role(action, path, body)))
        return arns[0]

    def enforce(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", service_context: Any = None
    ) -> Any:
        further = _further_checks.get()
        _further_checks.set(())
        if action in OWN_ACTIONS and resource_arn == "*":  # without a name IAM takes the caller's
            resource_arn = (iam_evaluator.resolve_caller_identity(key) or {}).get("userArn", "*")
        denied = original_enforce(key, action, service, region, resource_arn, service_context)
        for other, resource, context in () if denied else further:
            denied = original_enforce(key, other, service, region, resource, context)
            if denied and not isinstance(denied, iam_evaluator.AuthError):
                # MiniStack would name the call's own action; AWS names the right that was missing.
                message = iam_actions.identity_denial_message(
                    other, denied.principal_arn, resource, denied.decision == "Deny"
                )
                return iam_evaluator.AuthError("AccessDeniedException", message)
        return denied

    iam_actions.extract_iam_action = extract_iam_action
    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce


def patch_policy_variables() -> None:
    """Let ``${aws:username}`` in a policy's resources stand for the caller's name; MiniStack takes it literally."""
    from ministack.core import iam_evaluator

    original: Callable[..., Any] = iam_evaluator.resolve_principal

    variable = "${aws:username}"

    def resolved(resources: list[str], name: str) -> list[str]:
        return [each.replace(variable, name) for each in resources]

    def statement_for(name: str, statement: Any) -> Any:
        if variable not in "".join(statement.resources + statement.not_resources):
            return statement
        return replace(
            statement,
            resources=resolved(statement.resources, name),
            not_resources=resolved(statement.not_resources, name),
        )

    def resolve_principal(*args: Any, **kwargs: Any) -> Any:
        principal = original(*args, **kwargs)
        name = getattr(principal, "keys", {}).get("aws:username")
        if name and principal.policies:
            principal.policies = [[statement_for(name, each) for each in policy] for policy in principal.policies]
        return principal

    iam_evaluator.resolve_principal = resolve_principal


def record_decisions(file: Path) -> None:
    """Write down what was decided of each call, the owner's left out: a line of JSON for each that differs.

    Args:
        file: gets ``{"principal", "action", "resource", "allowed"}``, a line each.
    """
    from ministack.core import iam_evaluator

    original: Callable[..., Any] = iam_evaluator.enforce
    seen: set[tuple[str, str, str, bool]] = set()

    def enforce(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", service_context: Any = None
    ) -> Any:
        denied = original(key, action, service, region, resource_arn, service_context)
        call = (key, action, resource_arn, denied is None)
        if call not in seen and key and not iam_evaluator._is_root_key(key):
            seen.add(call)
            principal = (iam_evaluator.resolve_caller_identity(key) or {}).get("userArn", "")
            line = {"principal": principal, "action": action, "resource": resource_arn, "allowed": denied is None}
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")
        return denied

    iam_evaluator.enforce = enforce


def patch_multi_factor() -> None:
    """Make ``aws:MultiFactorAuthPresent`` true in a session got with the code of an MFA device of the caller's.

    The code itself is not checked beyond its six digits: the device is as virtual as the cloud.
    """
    from ministack.core import iam_evaluator
    from ministack.services import iam, sts

    original_handler: Callable[..., Any] = sts.handle_request
    original_register: Callable[..., None] = sts.register_session
    original_keys: Callable[..., dict[str, Any]] = iam_evaluator._principal_keys

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        given = {**query, **parse_qs(body.decode("utf-8", "replace"))}

        def first(name: str) -> str:
            value = given.get(name, "")
            return str(value[0] if isinstance(value, list) else value)

        serial, code = first("SerialNumber"), first("TokenCode")
        with_code = first("Action") == "GetSessionToken" and bool(serial or code)
        _mfa_given.set(with_code)
        if with_code:
            device = iam._mfa_devices.get(serial)
            if not (device and device.get("User") and re.fullmatch(r"\d{6}", code, re.ASCII)):
                return sts._error(
                    403,
                    "AccessDenied",
                    "MultiFactorAuthentication failed with invalid MFA one time pass code.",
                    ns="sts",
                )
        return await original_handler(method, path, headers, body, query)

    def register_session(access_key: str, session: dict[str, Any]) -> None:
        original_register(access_key, {**session, "MultiFactor": _mfa_given.get()})

    def principal_keys(credential: Any) -> dict[str, Any]:
        keys = original_keys(credential)
        session = sts._sessions.get(credential.access_key_id)
        if session and session.get("MultiFactor"):
            keys["aws:multifactorauthpresent"] = "true"
        return keys

    sts.handle_request = handle_request
    sts.register_session = register_session
    sts._principal_keys = principal_keys
    iam_evaluator._principal_keys = principal_keys


def patch_queue_identifiers() -> None:
    """Refuse message group and de-duplication ids that SQS refuses: over 128 characters, or not printable ASCII."""
    from ministack.services import sqs

    original: Callable[..., dict[str, Any]] = sqs._act_send_message

    def send_message(data: dict[str, Any], url: str) -> dict[str, Any]:
        for name in ("MessageGroupId", "MessageDeduplicationId"):
            value = data.get(name) or ""
            if len(value) > SQS_IDENTIFIER_LIMIT or not (value.isascii() and value.isprintable()) or " " in value:
                raise sqs._Err(
                    "InvalidParameterValue",
                    f"Value {value} for parameter {name} is invalid. Reason: {name} can only include alphanumeric and "
                    f"punctuation characters. 1 to {SQS_IDENTIFIER_LIMIT} in length.",
                )
        return original(data, url)

    sqs._act_send_message = send_message
    sqs._HANDLERS["SendMessage"] = send_message


def forget_identifiers(queue: dict[str, Any]) -> None:
    """Forget the de-duplication ids whose time is up: those longest known, and not, as MiniStack, looking at all.

    Args:
        queue: MiniStack's; its ids are in the order in which they came.
    """
    known, now = queue["dedup_cache"], time.time()
    for identifier in list(takewhile(lambda each: known[each]["expire"] <= now, known)):
        del known[identifier]


def spare_repeated_work() -> None:
    """Read each policy once, not at every call, and look at no more de-duplication ids than needed."""
    from ministack.core import iam_evaluator
    from ministack.services import sqs

    parse: Callable[[Any], Any] = iam_evaluator.parse_policy_document
    parse_text = lru_cache(POLICIES)(parse)

    def parsed(document: str | dict[str, Any]) -> Any:
        return parse_text(document) if isinstance(document, str) else parse(document)

    iam_evaluator.parse_policy_document = parsed
    sqs._prune_dedup = forget_identifiers


async def serve(app: Any, config: Any) -> None:
    """Serve MiniStack by uvicorn, in place of hypercorn: the same load takes a fifth less of the processor.

    Args:
        app: MiniStack's ASGI application.
        config: hypercorn's configuration, of which where to listen and for how long to keep a connection are taken.
    """
    import uvicorn

    host, _, port = config.bind[0].rpartition(":")
    await uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=int(port),
            http="httptools",
            loop="none",
            log_level=config.loglevel.lower(),
            access_log=False,
            server_header=False,
            date_header=False,  # MiniStack sends its own
            timeout_keep_alive=config.keep_alive_timeout,
        )
    ).serve()


def add_update_group() -> None:
    """Let IAM rename and move a group (``UpdateGroup``), which MiniStack cannot. Members and policies stay."""
    from ministack.core.responses import get_account_id
    from ministack.services import iam

    def update_group(parameters: dict[str, Any]) -> Any:
        name = iam._p(parameters, "GroupName")
        if name not in iam._groups:
            return iam._error(404, "NoSuchEntity", f"The group with name {name} cannot be found.", ns="iam")
        new_name = iam._p(parameters, "NewGroupName") or name
        if new_name != name and new_name in iam._groups:
            return iam._error(409, "EntityAlreadyExists", f"Group with name {new_name} already exists.", ns="iam")
        group = iam._groups.pop(name)
        path = iam._p(parameters, "NewPath") or group["Path"]
        arn = f"arn:aws:iam::{get_account_id()}:group{path}{new_name}"
        iam._groups[new_name] = {**group, "GroupName": new_name, "Path": path, "Arn": arn}
        if name in iam._group_inline_policies:
            iam._group_inline_policies[new_name] = iam._group_inline_policies.pop(name)
        return iam._xml(200, "UpdateGroupResponse", "", ns="iam")

    iam._IAM_HANDLERS["UpdateGroup"] = update_group


def load_managed_policies() -> None:
    """Teach MiniStack the managed policies of an administrators' group, word for word as AWS publishes them.

    Attaching one that it does not know is accepted there and grants nothing.
    """
    from ministack.services import iam

    original: Callable[[], None] = iam._seed_aws_managed_policies

    def seed() -> None:
        original()
        for name, policy in json.loads(MANAGED_POLICIES.read_text(encoding="utf-8")).items():
            record = iam._make_aws_managed_record(name, json.dumps(policy["document"]))
            iam._aws_managed_policies[policy["arn"]] = {**record, "Arn": policy["arn"]}

    iam._seed_aws_managed_policies = seed
    seed()


def end_with_parent(folder: Path | None) -> None:
    """Wait until standard input is closed, then remove ``folder`` and end the whole process group at once."""
    while sys.stdin.buffer.read(1):
        pass
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Patch MiniStack and run it until it is told to end."""
    folder = Path(os.environ["SANDBOX_TEMPORARY"]) if "SANDBOX_TEMPORARY" in os.environ else None
    if folder:
        folder.mkdir(mode=0o700, parents=True)
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    if os.environ.get("SANDBOX_WATCH_STDIN") == "1":
        threading.Thread(target=end_with_parent, args=(folder,), daemon=True).start()
    gc.disable()
    import hypercorn.asyncio
    import ministack.app
    import uvloop

    if folder:
        record_decisions(folder / DECISIONS)  # before what follows, which asks for further decisions on the way
    patch_actions_and_resources()
    patch_multi_factor()
    patch_policy_variables()
    patch_queue_identifiers()
    functions.patch()
    add_update_group()
    load_managed_policies()
    spare_repeated_work()
    gc.freeze()  # what is loaded by now stays: it need not be looked through for garbage
    gc.enable()
    uvloop.install()  # the same load takes a third less of the processor
    hypercorn.asyncio.serve = serve  # type: ignore[assignment]  # what MiniStack calls, with what it hands over
    try:
        ministack.app.main()
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
