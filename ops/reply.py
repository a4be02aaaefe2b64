"""A human's reply to a person, in the name of the page.

Source: Messenger Platform, "Policy Overview", 2026-09-28: within 24 hours of a person's last message the page may
answer, and within 7 days with the tag HUMAN_AGENT, if a human wrote the answer. Only this module uses the tag.
"""

from typing import Any, NamedTuple

from bot.messenger.client import GraphApi
from bot.messenger.errors import Ambiguous, SendError, WindowClosed
from bot.messenger.human import METADATA
from bot.messenger.messages import Refused, Text
from ops.aws import OperatorAws
from ops.errors import OpsError

Json = dict[str, Any]

RESPONSE, HUMAN_AGENT = "RESPONSE", "HUMAN_AGENT"


class Replied(NamedTuple):
    """A reply that was sent.

    Attributes:
        mid: the message's id.
        way: `RESPONSE`, or `HUMAN_AGENT` for the tag of a later answer.
    """

    mid: str
    way: str


def writer(aws: OperatorAws) -> str:
    """Who is writing: the name of the operator's IAM user, role session or account."""
    arn = str(aws.call("sts", "GetCallerIdentity", {}).get("Arn", ""))
    return arn.rpartition("/")[2] or arn.rpartition(":")[2]


def send(graph: GraphApi, person: str, text: str, by: str) -> Replied:
    """Send a person what a human wrote. The echo silences the bot for them, and the function's log says who wrote.

    Args:
        graph: calls Facebook as the page.
        person: their page-scoped id.
        text: fewer than 2,000 characters.
        by: see `writer`.

    Raises:
        OpsError: the text is invalid, or Facebook did not take it.
    """
    try:
        request: Json = dict(Text(text).to_request(person))
    except Refused as error:
        raise OpsError(str(error)) from None
    request["message"] = request["message"] | {"metadata": METADATA + by}
    try:
        try:
            return Replied(graph.send(request), RESPONSE)
        except WindowClosed:
            tagged = request | {"messaging_type": "MESSAGE_TAG", "tag": HUMAN_AGENT}
            return Replied(graph.send(tagged), HUMAN_AGENT)
    except WindowClosed:
        raise OpsError(
            "This person wrote more than 7 days ago: the page may not write to them before they do."
        ) from None
    except Ambiguous as error:
        raise OpsError(f"{error} Look into the page's inbox before you write it again.") from None
    except SendError as error:
        raise OpsError(str(error)) from None
