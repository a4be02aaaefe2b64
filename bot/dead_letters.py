"""Finds the dead letters about a person, so that they can be deleted at their wish."""

import base64
import json
import re

from bot.messenger import events
from bot.messenger.identity import USER_REF


def about(body: str, page: str, person: str) -> tuple[str, ...] | None:
    """The events in a dead letter about a person, by their ids; None if the letter is not about them.

    Args:
        body: the letter, as `bot.aws.queues` writes it, or a message that SQS itself moved, unchanged.
        page: the page (or Instagram account) that the person wrote to.
        person: their page-scoped id, or `USER_REF` and a plugin's reference.
    """
    content = body.encode()
    try:
        letter = json.loads(body)
        if "base64" in letter:
            content = base64.b64decode(letter["base64"])
        message = letter.get("message", letter)
        found = [events.parse(item, message["page"], platform=message["object"]) for item in message["items"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return () if mentions(content, person) else None
    theirs = message["page"] == page and any(each.user == person for each in found)
    return tuple(each.id for each in found) if theirs else None


def mentions(content: bytes, person: str) -> bool:
    """Whether bytes contain a person's id as a whole word: one id can be the beginning of another.

    A plugin's reference counts only as the value of `user_ref`: the same number can be another person's id.
    """
    if person.startswith(USER_REF):
        reference = re.escape(person.removeprefix(USER_REF).encode())
        return re.search(rb"user_ref[\\\":\s]*" + reference + rb"(?![\w.-])", content) is not None
    return re.search(rb"(?<![0-9A-Za-z])" + re.escape(person.encode()) + rb"(?![0-9A-Za-z])", content) is not None
