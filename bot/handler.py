"""The Lambda entry point: it puts the function together and passes each event on by its source."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from bot.aws.client import Aws
from bot.aws.queues import Queues
from bot.aws.secrets import Secrets
from bot.environment import DELETION, PRIVACY, Environment, read
from bot.recently_answered import RecentlyAnswered
from bot.webhook import Webhook

if TYPE_CHECKING:
    from bot.self_check import SelfCheck
    from bot.worker import Worker

Json = dict[str, Any]

# API Gateway's `resource` of each page.
PAGES = {f"/{page}": page for page in (PRIVACY, DELETION)}


class LambdaContext(Protocol):
    """What is used of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """How long this run may still take."""


def handle(event: Json, context: LambdaContext) -> Json:
    """Answer a request of the REST API, work on a batch of the event queue, or check whether all is well.

    Args:
        event: Lambda's event: a proxy request, a batch of SQS, or what the schedule sends.
        context: Lambda's context.

    Returns:
        The proxy response, the partial batch response, or what was found.
    """
    if "check" in event:
        return _self_check().run(event["check"])
    if "Records" in event:
        return _worker().handle(event, lambda: context.get_remaining_time_in_millis() / 1000)
    if page := PAGES.get(event.get("resource", "")):
        return _page(page)
    return _webhook().handle(event)


@cache
def _page(page: str) -> Json:
    from bot.privacy import answer  # nor until the pages are

    return answer(page, read(os.environ))


@cache
def _shared() -> tuple[Environment, Aws, Secrets, Queues, RecentlyAnswered]:
    environment, aws = read(os.environ), Aws(os.environ)
    queues = Queues(aws, environment.queue_url, environment.dead_letter_queue_url)
    return environment, aws, Secrets(aws, environment.secrets_path), queues, RecentlyAnswered()


@cache
def _webhook() -> Webhook:
    environment, _, secrets, queues, recent = _shared()
    return Webhook(secrets, queues, recent, page_id=environment.page_id, message_bytes=environment.message_bytes)


@cache
def _worker() -> "Worker":
    # An acknowledgement must not wait until the conversation is loaded.
    from bot.compose import worker

    return worker(*_shared())


@cache
def _self_check() -> "SelfCheck":
    from bot.self_check import SelfCheck

    environment, aws, secrets, *_ = _shared()
    return SelfCheck(environment, aws, secrets)
