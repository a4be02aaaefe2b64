"""The worker, put together with everything that it works with."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.aws.client import Aws
from bot.aws.ledger import Ledger
from bot.aws.queues import BATCH_MESSAGES, Queues, fingerprint
from bot.aws.secrets import Secrets, SecretValues
from bot.environment import Environment
from bot.http import Pool
from bot.log import log
from bot.messenger.client import GraphApi
from bot.messenger.events import Event
from bot.pace import Pace
from bot.recently_answered import RecentlyAnswered
from bot.responder import Answer, Converse, Responder
from bot.worker import Worker


def worker(environment: Environment, aws: Aws, secrets: Secrets, queues: Queues, recent: RecentlyAnswered) -> Worker:
    """Put a worker together, from what it shares with the webhook."""
    ledger = Ledger(aws, environment.ledger_table, environment.state_days)
    senders = _Senders(secrets, environment)
    converse, converse_seconds = (_remote if environment.conversation_function else _packaged)(
        environment, aws, senders
    )
    responder = Responder(
        ledger=ledger,
        queues=queues,
        converse=converse,
        senders=senders,
        recent=recent,
        pace=Pace(environment.concurrency),
        echo_seconds=environment.echo_seconds,
        human_hours=environment.human_hours,
        converse_seconds=converse_seconds,
    )
    mapper = ThreadPoolExecutor(BATCH_MESSAGES).map
    return Worker(ledger, queues, responder, message_bytes=environment.message_bytes, mapper=mapper)


# Each loads only what it needs: a cold start waits for it.


def _packaged(environment: Environment, aws: Aws, senders: "_Senders") -> tuple[Converse, float]:
    """The conversation in the package `bot.conversation`, and how long it waits for anything."""
    from bot import conversation
    from bot.dialogue import Context
    from bot.people import People

    world, lex = conversation.world(environment), None
    if environment.lex_bot_id:
        from bot.aws.lex import LexRuntime

        lex = LexRuntime(aws, environment.lex_bot_id, environment.lex_bot_alias_id, environment.lex_locale_id)
    people = People(senders)

    def converse(event: Event, state: Mapping[str, Any], now: float) -> Answer:
        hours, days = environment.human_hours, environment.disclose_days
        inbox = environment.inbox_app_id
        context = Context(now, world, lex, people, human_hours=hours, disclose_days=days, inbox=inbox)
        return conversation.bot.answer(event, state, context)

    return converse, 0.0


def _remote(environment: Environment, aws: Aws, _senders: "_Senders") -> tuple[Converse, float]:
    """The conversation in a function of its own, and how long its answer is waited for."""
    from bot.aws.function import ANSWER_SECONDS, Function
    from bot.dialogue.remote import RemoteConversation

    remote = RemoteConversation(Function(aws, environment.conversation_function).invoke)

    def converse(event: Event, state: dict[str, Any], now: float) -> Answer:
        began = time.monotonic()
        try:
            return remote.answer(event, state, now)
        finally:
            milliseconds = round((time.monotonic() - began) * 1000)
            log("INFO", "conversation", event=fingerprint(event.page, event.id), milliseconds=milliseconds)

    return converse, ANSWER_SECONDS


class _Senders:
    """Gives the Send API with the page's token; see `bot.responder.Senders`.

    Args:
        secrets: hold the token.
        environment: names the page and the Graph API.
    """

    def __init__(self, secrets: Secrets, environment: Environment) -> None:
        self._secrets, self._environment, self._pool = secrets, environment, Pool(environment.graph_api_url)

    def get(self) -> GraphApi:
        return self._made(self._secrets.get())

    def renewed(self) -> GraphApi:
        return self._made(self._secrets.renewed())

    def _made(self, found: SecretValues) -> GraphApi:
        named = self._environment
        return GraphApi(
            named.graph_api_url,
            named.graph_api_version,
            named.page_id,
            found.page_access_token,
            found.app_secrets[0],
            connection=self._pool,
        )
