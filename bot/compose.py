"""The worker with all that it works with."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot import conversation
from bot.aws.client import Aws, AwsError
from bot.aws.ledger import Ledger
from bot.aws.queues import BATCH_MESSAGES, Queues
from bot.aws.secrets import Secrets
from bot.dialogue import Context, LexUnavailable
from bot.dialogue.lex import recognize_path
from bot.environment import Environment
from bot.http import Pool
from bot.log import log
from bot.messenger.client import GraphApi
from bot.pace import Pace
from bot.recently_answered import RecentlyAnswered
from bot.worker import Sender, Worker

# What a person waits for Lex before the bot answers in its own words; and what a run's time allows for.
LEX_SECONDS = 2.0


def worker(aws: Aws, secrets: Secrets, queues: Queues, recent: RecentlyAnswered, environment: Environment) -> Worker:
    """Put a worker together.

    Args:
        aws: the door to AWS.
        secrets: where the page's token comes from.
        queues: the event queue and its dead-letter queue.
        recent: what this instance has dealt with.
        environment: the function's environment.
    """
    world, lex = conversation.world(environment), LexRuntime(aws, environment) if environment.lex_bot_id else None
    return Worker(
        ledger=Ledger(aws, environment.ledger_table, environment.state_days),
        queues=queues,
        conversation=conversation.bot,
        context=lambda now: Context(now, world, lex),
        sender=_sender(secrets, environment),
        recent=recent,
        pace=Pace(environment.concurrency),
        echo_seconds=environment.echo_seconds,
        together=ThreadPoolExecutor(BATCH_MESSAGES).map,
    )


class LexRuntime:
    """Amazon Lex as a conversation meets it.

    Args:
        aws: the door to AWS.
        environment: names the Lex bot, its alias and its locale.
    """

    def __init__(self, aws: Aws, environment: Environment) -> None:
        self._aws = aws
        self._asked = (environment.lex_bot_id, environment.lex_bot_alias_id, environment.lex_locale_id)

    def recognize(self, session: str, text: str) -> Mapping[str, Any]:
        """What Lex makes of a text; see `bot.dialogue.Lex`."""
        path = recognize_path(*self._asked, session)
        try:
            # Not repeated where it may have been heard: to say a thing twice changes what Lex believes was said.
            return self._aws.call(
                "lex", "RecognizeText", {"text": text}, path=path, timeout=LEX_SECONDS, repeatable=False
            )
        except AwsError as error:
            log("WARN", "lex_unavailable", reason=str(error))
            raise LexUnavailable from None


def _sender(secrets: Secrets, environment: Environment) -> Callable[[bool], Sender]:
    """Gives the Send API with the page's token as it is now, over one pool of connections."""
    url = environment.graph_api_url
    pool = Pool(url)

    def sender(renewed: bool) -> Sender:
        found = secrets.renewed() if renewed else secrets.get()
        version, page = environment.graph_api_version, environment.page_id
        return GraphApi(url, version, page, found.page_access_token, found.app_secrets[0], connection=pool)

    return sender
