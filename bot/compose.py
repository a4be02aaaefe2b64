"""The worker with all that it works with."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from bot.aws import Aws
from bot.conversation import bot
from bot.http import Pool
from bot.ledger import Ledger
from bot.messenger.client import GraphApi
from bot.pace import Pace
from bot.parcels import DemonstrationParcels
from bot.queue import BATCH_MESSAGES, Queues
from bot.rules import Context
from bot.secrets import Secrets
from bot.worker import Sender, Worker


def worker(aws: Aws, secrets: Secrets, queues: Queues, environ: Mapping[str, str]) -> Worker:
    """Put a worker together.

    Args:
        aws: the door to AWS.
        secrets: where the page's token comes from.
        queues: the event queue and its dead-letter queue.
        environ: the function's environment.
    """
    parcels = DemonstrationParcels()
    return Worker(
        ledger=Ledger(aws, environ["LEDGER_TABLE"], int(environ["STATE_DAYS"])),
        queues=queues,
        conversation=bot,
        context=lambda now: Context(now=now, parcels=parcels),
        sender=_sender(secrets, environ),
        pace=Pace(int(environ["CONCURRENCY"])),
        echo_seconds=float(environ["ECHO_SECONDS"]),
        together=ThreadPoolExecutor(BATCH_MESSAGES).map,
    )


def _sender(secrets: Secrets, environ: Mapping[str, str]) -> Callable[[bool], Sender]:
    """Gives the Send API with the page's token as it is now, over one pool of connections."""
    url = environ["GRAPH_API_URL"]
    pool = Pool(url)

    def sender(renewed: bool) -> Sender:
        found = secrets.renewed() if renewed else secrets.get()
        version, page = environ["GRAPH_API_VERSION"], environ["PAGE_ID"]
        return GraphApi(url, version, page, found.page_access_token, found.app_secrets[0], connection=pool)

    return sender
