"""Sends the bot a notice: news from the page owner's systems, put on the event queue like Facebook's events.

The conversation decides what to say (`@bot.notice`). It says nothing to people who may not be written to.
"""

import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from bot.aws.client import Aws
from bot.aws.compact import compact
from bot.aws.queues import BATCH_BYTES, Message, NotQueued, Queues, event_messages
from bot.messenger.identity import identify
from bot.webhook import message_group
from ops.errors import OpsError
from ops.stack import Stack

PAGE, INSTAGRAM = "page", "instagram"
NAME = re.compile(r"[\w.-]{1,100}")
SEND_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class NewNotice:
    """News for one person.

    Attributes:
        person: their page-scoped id.
        platform: where they wrote: `PAGE` or `INSTAGRAM`.
        account: the page or Instagram account that they wrote to.
        topic: which rule of the conversation handles it.
        data: texts by name.
        identity: a second notice with the same identity for the same person is dropped; empty for a fresh identity.
    """

    person: str
    platform: str
    account: str
    topic: str
    data: dict[str, str]
    identity: str = ""


def pairs(arguments: Sequence[str]) -> dict[str, str]:
    """A notice's data.

    Args:
        arguments: each `name=text`.

    Raises:
        OpsError: an argument has another form, or a name appears twice.
    """
    data: dict[str, str] = {}
    for each in arguments:
        name, separator, text = each.partition("=")
        if not separator or not NAME.fullmatch(name):
            raise OpsError(f"{each!r} is not name=text: write it like number=12345678.")
        if name in data:
            raise OpsError(f"{name} is given twice: give each name once.")
        data[name] = text
    return data


def message(notice: NewNotice, now: float) -> Message:
    """The queue message for a notice. It joins the order of the person's events.

    Args:
        notice: the notice.
        now: seconds since the epoch.

    Raises:
        OpsError: the notice is invalid.
    """
    if not NAME.fullmatch(notice.topic):
        raise OpsError(f"The topic {notice.topic!r} is invalid: name the subject in one word, such as parcel.")
    milliseconds = round(now * 1000)
    item = {
        "sender": {"id": notice.person},
        "recipient": {"id": notice.account},
        "timestamp": milliseconds,
        "notice": {"id": notice.identity or uuid.uuid4().hex, "topic": notice.topic, "data": notice.data},
    }
    text = compact(item)
    if len(text) > BATCH_BYTES // 2:
        raise OpsError(f"The notice has {len(text)} bytes: send a name, and let the bot look up the rest.")
    event = identify(item, notice.account)
    head = {"object": notice.platform, "page": notice.account, "received": milliseconds}
    (made,) = event_messages(head, message_group(event), [(event.id, text)], BATCH_BYTES)
    return made


def send(made: Message, aws: Aws, stack: Stack) -> None:
    """Put a notice on a stack's event queue.

    Raises:
        OpsError: SQS did not accept it.
    """
    try:
        Queues(aws, stack.queue_url, stack.dead_letter_queue_url).put([made], time.monotonic() + SEND_SECONDS)
    except NotQueued as error:
        raise OpsError(
            f"The event queue did not accept the notice ({error}): send it again with the same --id."
        ) from None
