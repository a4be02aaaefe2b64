"""The worker, put together with everything that it works with."""

from concurrent.futures import ThreadPoolExecutor

from bot import conversation
from bot.aws.client import Aws
from bot.aws.ledger import Ledger
from bot.aws.lex import LexRuntime
from bot.aws.questions import Questions
from bot.aws.queues import BATCH_MESSAGES, Queues
from bot.aws.secrets import Secrets, SecretValues
from bot.dialogue import Context
from bot.environment import Environment
from bot.http import Pool
from bot.messenger.client import GraphApi
from bot.pace import Pace
from bot.recently_answered import RecentlyAnswered
from bot.responder import Responder
from bot.worker import Worker


def worker(environment: Environment, aws: Aws, secrets: Secrets, queues: Queues, recent: RecentlyAnswered) -> Worker:
    """Put a worker together, from what it shares with the webhook."""
    ledger = Ledger(aws, environment.ledger_table, environment.state_days)
    world, lex = conversation.world(environment), None
    if environment.lex_bot_id:
        lex = LexRuntime(aws, environment.lex_bot_id, environment.lex_bot_alias_id, environment.lex_locale_id)
    questions = None
    if environment.questions_table:
        questions = Questions(aws, environment.questions_table, environment.unknown_days)
    responder = Responder(
        ledger=ledger,
        queues=queues,
        converse=lambda event, state, now: conversation.bot.answer(event, state, Context(now, world, lex)),
        senders=_Senders(secrets, environment),
        recent=recent,
        pace=Pace(environment.concurrency),
        echo_seconds=environment.echo_seconds,
        questions=questions,
    )
    mapper = ThreadPoolExecutor(BATCH_MESSAGES).map
    return Worker(ledger, queues, responder, message_bytes=environment.message_bytes, mapper=mapper)


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
