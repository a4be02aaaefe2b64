"""Each documented webhook: what it is, in which message group it is enqueued, and what the sample bot answers."""

import json

import pytest

from bot.aws.queues import fingerprint
from bot.conversation import bot
from bot.conversation.parcels import DemonstrationParcels, World
from bot.dialogue import Context
from bot.messenger import events
from bot.recently_answered import RecentlyAnswered
from bot.webhook import split_by_user
from tests.examples import EXAMPLES, Json, body, page_of

MESSAGE_BYTES = 1024 * 1024
THEN = 1_795_521_600.0
WORLD = World(DemonstrationParcels(), "DE")


@pytest.mark.parametrize("example", EXAMPLES, ids=[each["id"] for each in EXAMPLES])
def test_a_documented_webhook_is_understood(example: Json) -> None:
    expected = example["expected"]
    split = split_by_user(body(example), page_of(example), RecentlyAnswered(), MESSAGE_BYTES)

    found: list[events.Event] = []
    for message in split.messages:
        queued = json.loads(message.body)
        for item in queued["items"]:
            event = events.parse(item, queued["page"], platform=queued["object"])
            in_order = event.user and not isinstance(event, events.Echo)
            assert (message.group == fingerprint(event.page, event.user)) is bool(in_order)
            found.append(event)
    assert [shown(event) for event in found] == expected["events"]
    assert {name: number for name, number in split.counts.items() if number and name not in {"events", "changes"}} == (
        expected.get("counts", {})
    )
    assert split.unhandled == expected.get("unhandled", {})
    assert [json.loads(letter.body)["reason"] for letter in split.letters] == expected.get("letters", [])
    assert answers(found) == expected["answers"]


def shown(event: events.Event) -> list[object]:
    attachments = [type(each).__name__ for each in getattr(event, "attachments", ())]
    return [type(event).__name__, event.user, *([attachments] if attachments else [])]


def answers(found: list[events.Event]) -> list[list[object]]:
    """The answers, each with its address and the beginning of its text; to an event that comes twice, once."""
    states: dict[str, Json] = {}
    said: list[list[object]] = []
    for event in {each.id: each for each in found}.values():
        state = states.get(event.owner, {"session": {"disclosed": THEN}})
        answer = bot.answer(event.replace(timestamp=None), state, Context(THEN, WORLD))
        assert answer.defect is None
        states[event.owner] = answer.state
        requests: list[Json] = [dict(message.to_request(event.user)) for message in answer.messages]
        addressed = [each for each in requests if any(each["recipient"].values())]
        said += [[each["recipient"], shortened(each)] for each in addressed]
    return said


def shortened(request: Json) -> str:
    return str(request["message"]["text"].split("\n")[0][:16] if "message" in request else request["control"])
