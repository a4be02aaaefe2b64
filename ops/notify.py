"""Tell the bot of news: an event of the page owner's systems, put on the event queue as the webhook puts Facebook's.

What comes of it is the conversation's affair (`@bot.notice`): to whom nothing may be sent, nothing is.
"""

import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from bot.aws.client import Aws
from bot.aws.queues import BODY_BYTES, Message, NotQueued, Queues, compact, event_messages
from bot.messenger.identity import identify
from bot.webhook import message_group
from ops.errors import OpsError
from ops.stack import Stack

PAGE, INSTAGRAM = "page", "instagram"
NAME = re.compile(r"[\w.-]{1,100}")
SEND_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Notice:
    """News for one person.

    Attributes:
        person: their page-scoped id.
        platform: where they wrote: `PAGE` or `INSTAGRAM`.
        account: the page or Instagram account that they wrote to.
        topic: which rule of the conversation is to take it.
        data: texts by name.
        identity: two notices with the same one, for the same person, are answered once; "" for a new one.
    """

    person: str
    platform: str
    account: str
    topic: str
    data: dict[str, str]
    identity: str = ""


def pairs(given: Sequence[str]) -> dict[str, str]:
    """What a notice tells, by name.

    Args:
        given: each `name=text`.

    Raises:
        OpsError: one is not of that form, or a name is given twice.
    """
    data: dict[str, str] = {}
    for each in given:
        name, separator, text = each.partition("=")
        if not separator or not NAME.fullmatch(name):
            raise OpsError(f"{each!r} is no name=text: write it like number=12345678.")
        if name in data:
            raise OpsError(f"{name} is given twice: give each name once.")
        data[name] = text
    return data


def message(notice: Notice, now: float) -> Message:
    """The queue's message for a notice: in the order of its person's events, and kept like any of them.

    Args:
        notice: the news.
        now: seconds since 1970.

    Raises:
        OpsError: the notice cannot be one.
    """
    if not NAME.fullmatch(notice.topic):
        raise OpsError(f"The topic {notice.topic!r} is none: name what it is about in one word, such as parcel.")
    milliseconds = round(now * 1000)
    told = {"id": notice.identity or uuid.uuid4().hex, "topic": notice.topic, "data": notice.data}
    item = {
        "sender": {"id": notice.person},
        "recipient": {"id": notice.account},
        "timestamp": milliseconds,
        "notice": told,
    }
    text = compact(item)
    if len(text) > BODY_BYTES // 2:
        raise OpsError(f"The notice has {len(text)} bytes: tell the bot a name, and let it look up the rest.")
    event = identify(item, notice.account)
    head = {"object": notice.platform, "page": notice.account, "received": milliseconds}
    (made,) = event_messages(head, message_group(event), [(event.id, text)])
    return made


def send(made: Message, aws: Aws, stack: Stack) -> None:
    """Put a notice on a stack's event queue.

    Raises:
        OpsError: SQS did not take it.
    """
    try:
        Queues(aws, stack.queue_url, stack.dead_letter_queue_url).put([made], time.monotonic() + SEND_SECONDS)
    except NotQueued as error:
        raise OpsError(
            f"The event queue did not take the notice ({error}): give it again with the same --id."
        ) from None
