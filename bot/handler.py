"""The Lambda entry point: which event source is this?

What one of them needs is loaded when its first event comes: an acknowledgement does not wait for the conversation.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from bot.aws.client import Aws
from bot.aws.queues import Queues
from bot.aws.secrets import Secrets
from bot.environment import Environment, read
from bot.recently_answered import RecentlyAnswered

if TYPE_CHECKING:
    from bot.webhook import Webhook
    from bot.worker import Worker

Json = dict[str, Any]


class LambdaContext(Protocol):
    """What is used of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """How long this run may still take."""


def handle(event: Json, context: LambdaContext) -> Json:
    """Answer a request of the REST API, or work on a batch of the event queue.

    Args:
        event: Lambda's event: a proxy request, or a batch of SQS.
        context: Lambda's context.

    Returns:
        The proxy response, or the partial batch response.
    """
    if "Records" in event:
        return _worker().handle(event, lambda: context.get_remaining_time_in_millis() / 1000)
    return _webhook().handle(event)


@cache
def _environment() -> Environment:
    return read(os.environ)


@cache
def _aws() -> Aws:
    return Aws()


@cache
def _secrets() -> Secrets:
    return Secrets(_aws(), _environment().secrets_path)


@cache
def _queues() -> Queues:
    return Queues(_aws(), _environment().queue_url, _environment().dead_letter_queue_url)


@cache
def _recently_answered() -> RecentlyAnswered:
    return RecentlyAnswered()


@cache
def _webhook() -> "Webhook":
    from bot.webhook import Webhook  # noqa: PLC0415  loaded when first needed

    return Webhook(_secrets(), _queues(), _recently_answered(), _environment().page_id)


@cache
def _worker() -> "Worker":
    from bot.compose import worker  # noqa: PLC0415  loaded when first needed

    return worker(_aws(), _secrets(), _queues(), _recently_answered(), _environment())
