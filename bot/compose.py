"""The worker with all that it works with."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.aws.client import Aws, AwsError
from bot.aws.ledger import Ledger
from bot.aws.queues import BATCH_MESSAGES, Queues
from bot.aws.secrets import Secrets
from bot.conversation import bot
from bot.conversation.parcels import DemonstrationParcels
from bot.dialogue.lex import recognize_path
from bot.dialogue.rules import Context, LexUnavailable
from bot.http import Pool
from bot.log import log
from bot.messenger.client import GraphApi
from bot.pace import Pace
from bot.settled import Settled
from bot.worker import Sender, Worker

# What a person waits for Lex before the bot answers in its own words; and what a run's time allows for.
LEX_SECONDS = 2.0


def worker(aws: Aws, secrets: Secrets, queues: Queues, settled: Settled, environ: Mapping[str, str]) -> Worker:
    """Put a worker together.

    Args:
        aws: the door to AWS.
        secrets: where the page's token comes from.
        queues: the event queue and its dead-letter queue.
        settled: what this instance has dealt with.
        environ: the function's environment.
    """
    parcels, lex = DemonstrationParcels(), LexRuntime(aws, environ) if "LEX_BOT_ID" in environ else None
    pictures = environ.get("PICTURES_URL", "")
    return Worker(
        ledger=Ledger(aws, environ["LEDGER_TABLE"], int(environ["STATE_DAYS"])),
        queues=queues,
        conversation=bot,
        context=lambda now: Context(now=now, parcels=parcels, pictures=pictures, lex=lex),
        sender=_sender(secrets, environ),
        settled=settled,
        pace=Pace(int(environ["CONCURRENCY"])),
        echo_seconds=float(environ["ECHO_SECONDS"]),
        together=ThreadPoolExecutor(BATCH_MESSAGES).map,
    )


class LexRuntime:
    """Amazon Lex as a conversation meets it.

    Args:
        aws: the door to AWS.
        environ: names the Lex bot, its alias and its locale.
    """

    def __init__(self, aws: Aws, environ: Mapping[str, str]) -> None:
        self._aws = aws
        self._asked = (environ["LEX_BOT_ID"], environ["LEX_BOT_ALIAS_ID"], environ["LEX_LOCALE_ID"])

    def recognize(self, session: str, text: str) -> Mapping[str, Any]:
        """What Lex makes of a text; see `bot.dialogue.rules.Lex`."""
        path = recognize_path(*self._asked, session)
        try:
            # Not repeated where it may have been heard: to say a thing twice changes what Lex believes was said.
            return self._aws.call(
                "lex", "RecognizeText", {"text": text}, path=path, timeout=LEX_SECONDS, repeatable=False
            )
        except AwsError as error:
            log("WARN", "lex_unavailable", reason=str(error))
            raise LexUnavailable from None


def _sender(secrets: Secrets, environ: Mapping[str, str]) -> Callable[[bool], Sender]:
    """Gives the Send API with the page's token as it is now, over one pool of connections."""
    url = environ["GRAPH_API_URL"]
    pool = Pool(url)

    def sender(renewed: bool) -> Sender:
        found = secrets.renewed() if renewed else secrets.get()
        version, page = environ["GRAPH_API_VERSION"], environ["PAGE_ID"]
        return GraphApi(url, version, page, found.page_access_token, found.app_secrets[0], connection=pool)

    return sender
