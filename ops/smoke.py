"""A test message: signed and sent through the webhook in a team member's name, and watched until it is answered."""

import json
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from bot.aws.client import Aws
from bot.aws.queues import fingerprint
from bot.messenger.signature import sign
from bot.registration import call_webhook
from ops.errors import OpsError
from ops.function_log import lines
from ops.stack import Stack

LOOK_SECONDS = 2.0
# What an event's last line says if there is no answer.
FAILED = {"dead_letter": "became a dead letter", "fault": "failed", "defect": "ran into a defect"}


class Answered(NamedTuple):
    """The bot's answer: which version of the function gave it, with how many messages, after how many milliseconds."""

    version: int
    messages: int
    milliseconds: int


def ask(
    aws: Aws,
    stack: Stack,
    app_secret: str,
    text: str,
    *,
    seconds: float,
    now: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> Answered:
    """Write to the bot as the stack's `smoke_person`, and wait for its answer.

    The person gets the answer on Messenger if they wrote to the page within a day. Otherwise Facebook refuses it, and
    the bot has answered all the same.

    Args:
        aws: the stack's.
        stack: the stack.
        app_secret: signs the request, as Facebook does.
        text: what the person says.
        seconds: how long to wait.
        now: the clock, in seconds since the epoch.
        pause: waits so many seconds.

    Raises:
        OpsError: the webhook did not accept the message, or the bot did not answer it.
    """
    began, mid = now(), f"m_smoke_{uuid.uuid4().hex}"
    milliseconds = round(began * 1000)
    item = {
        "sender": {"id": stack.smoke_person},
        "recipient": {"id": stack.page_id},
        "timestamp": milliseconds,
        "message": {"mid": mid, "text": text},
    }
    entry = {"id": stack.page_id, "time": milliseconds, "messaging": [item]}
    body = json.dumps({"object": "page", "entry": [entry]}).encode()
    headers = {"content-type": "application/json", "x-hub-signature-256": sign(body, app_secret)}
    status, said = call_webhook(stack.webhook_url, "POST", "", headers, body)
    if status != HTTPStatus.OK:
        raise OpsError(f"The webhook did not accept the test message ({status or said}): see the function's log.")
    event = fingerprint(stack.page_id, mid)
    while True:
        for version, content in lines(aws, stack.log_group, began):
            if content.get("event") != event:
                continue
            if content["kind"] == "answered":
                return Answered(version, content["messages"], content["milliseconds"])
            if failed := FAILED.get(content["kind"]):
                raise OpsError(f"The test message {failed} in version {version} ({content['reason']}): see its log.")
        if now() - began > seconds:
            raise OpsError(f"The test message was accepted, but not answered within {seconds:.0f} s: see the log.")
        pause(LOOK_SECONDS)
