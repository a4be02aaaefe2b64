"""The worker, put together with everything that it works with."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from bot.aws.client import Aws
from bot.aws.ledger import Ledger
from bot.aws.questions import Questions
from bot.aws.queues import BATCH_MESSAGES, Queues
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

if TYPE_CHECKING:
    from bot.dialogue import Context

W = TypeVar("W")


def worker(environment: Environment, aws: Aws, secrets: Secrets, queues: Queues, recent: RecentlyAnswered) -> Worker:
    """Put a worker together, from what it shares with the webhook."""
    ledger = Ledger(aws, environment.ledger_table, environment.state_days)
    senders = _Senders(secrets, environment)
    converse, converse_seconds = (_remote if environment.conversation_function else _packaged)(
        environment, aws, senders
    )
    questions = None
    if environment.questions_table:
        questions = Questions(aws, environment.questions_table, environment.unknown_days)
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
        questions=questions,
    )
    mapper = ThreadPoolExecutor(BATCH_MESSAGES).map
    return Worker(ledger, queues, responder, message_bytes=environment.message_bytes, mapper=mapper)


# Each loads only what it needs: a cold start waits for it.


def _packaged(environment: Environment, aws: Aws, senders: "_Senders") -> tuple[Converse, float]:
    """The conversation in the package `bot.conversation`, and how long it waits for anything."""
    from bot import conversation

    world, lex = conversation.world(environment), None
    if environment.lex_bot_id:
        from bot.aws.lex import LexRuntime

        lex = LexRuntime(aws, environment.lex_bot_id, environment.lex_bot_alias_id, environment.lex_locale_id)
    context = _context(environment, senders, world).replace(lex=lex)

    def converse(event: Event, state: Mapping[str, Any], now: float) -> Answer:
        return conversation.bot.answer(event, state, context.replace(now=now))

    return converse, 0.0


def _remote(environment: Environment, aws: Aws, senders: "_Senders") -> tuple[Converse, float]:
    """The conversation in a function of its own, and how long its answer is waited for."""
    from bot.aws.function import ANSWER_SECONDS, Function
    from bot.dialogue.remote import RemoteConversation

    function = Function(aws, environment.conversation_function)
    remote = RemoteConversation(function.invoke, tuple(environment.conversation_person.split()))
    context = _context(environment, senders, None)

    def converse(event: Event, state: Mapping[str, Any], now: float) -> Answer:
        began = time.monotonic()
        try:
            return remote.answer(event, state, context.replace(now=now))
        finally:
            milliseconds = round((time.monotonic() - began) * 1000)
            log("INFO", "conversation", milliseconds=milliseconds)

    return converse, ANSWER_SECONDS


def _context(environment: Environment, senders: "_Senders", world: W) -> "Context[W]":
    """What either conversation gets from outside, but for the time."""
    from bot.dialogue import Context
    from bot.people import People

    return Context(
        0.0,
        world,
        people=People(senders),
        human_hours=environment.human_hours,
        disclose_days=environment.disclose_days,
        inbox=environment.inbox_app_id,
    )


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
