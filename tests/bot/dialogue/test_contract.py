"""The contract with a conversation in any language: what goes in, what may come out, and what is refused."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.dialogue import Answer, Context
from bot.dialogue.engine import NEVER_ANSWERED
from bot.dialogue.middleware import DAY
from bot.dialogue.remote import RemoteConversation
from bot.dialogue.send_form import BadReply, forms_of
from bot.dialogue.testing import readable
from bot.fault import ConversationFault
from bot.messenger import events, messages
from bot.messenger.human import Human
from bot.messenger.news import OTHERWISE
from sandbox.facebook.schema import FOLDER
from tests.examples import EXAMPLES

Json = dict[str, Any]

SCHEMAS = Path("docs/contract")
DOCUMENTS: list[Json] = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in (SCHEMAS / "turn.schema.json", SCHEMAS / "reply.schema.json", FOLDER / "send-api.json")
]
TURN, REPLY, SEND_API = map(Draft202012Validator, DOCUMENTS)
SENT: list[Json] = [
    each
    for each in json.loads(Path("tests/data/send-examples.json").read_text(encoding="utf-8"))
    if isinstance(each["body"], dict)
    and (isinstance(each["body"].get("message"), dict) or "sender_action" in each["body"])
]
# Messages that Facebook takes and that the library does not have; `metadata` is the bot's own.
NOT_IN_THE_LIBRARY = {
    "send-text-metadata",
    "generic-extensions",
    "receipt",
    "coupon-full",
    "customer-feedback",
    "customer-feedback-tagged",
    "instant-form",
    "customer-information",
    "one-time-request",
    "recurring-request",
    "sticker",
    "sticker-thumb",
    "utility-positional",
    "utility-named",
    "utility-postback-button",
    "ig-images",
    "ig-post",
}
HTTPS = "https://example.org/"
NOON = 1_700_000_000.0


def message_of(request: Mapping[str, Any]) -> Json:
    """What a reply holds of a request."""
    others = ("recipient", "messaging_type")
    return dict(request.get("message") or {name: request[name] for name in request if name not in others})


def events_of_the_examples() -> Iterator[events.Event]:
    for example in EXAMPLES:
        body = example.get("body")
        for entry in body.get("entry", ()) if isinstance(body, dict) else ():
            for item in [*entry.get("messaging", ()), *entry.get("standby", ()), *entry.get("changes", ())]:
                event = events.parse(item, str(entry.get("id", "")), platform=example["object"])
                if not isinstance(event, NEVER_ANSWERED):
                    yield event


# The bot has said lately that it is one.
DISCLOSED: Json = {"session": {"disclosed": NOON}}


def text(words: str = "hi", at: float = NOON, **fields: Any) -> events.TextMessage:
    return events.TextMessage(words, id="m1", user="24", page="1", timestamp=round(at * 1000), **fields)


def answer(
    returned: object, event: events.Event | None = None, state: Json | None = None, now: float = NOON, **outside: Any
) -> Answer:
    """What becomes of what a function returned."""
    body = returned if isinstance(returned, bytes) else json.dumps(returned).encode()
    kept = DISCLOSED if state is None else state
    return RemoteConversation(lambda _: body).answer(event or text(at=now), kept, Context(now, None, **outside))


def turn_of(
    event: events.Event, state: Json, now: float = NOON, *, person: tuple[str, ...] = (), **outside: Any
) -> Json:
    """What the function is asked; it answers with silence."""
    asked: list[Json] = []

    def silence(turn: bytes) -> bytes:
        asked.append(json.loads(turn))
        return b"{}"

    RemoteConversation(silence, person).answer(event, state, Context(now, None, **outside))
    (turn,) = asked
    TURN.validate(turn)
    return turn


def read(found: Answer) -> list[str]:
    return [readable(each) for each in found.messages]


# The turn


@pytest.mark.parametrize("event", [*events_of_the_examples()], ids=lambda event: event.kind)
def test_the_turn_of_every_event_fits_the_schema_and_has_all_its_fields(event: events.Event) -> None:
    turn = turn_of(event, {"user": {"a": [1]}, "session": {"language": "de"}})

    assert turn["event"].keys() == {"kind", *event.fields()}
    assert (turn["version"], turn["state"], turn["now"]) == (1, {"a": [1]}, 1_700_000_000_000)
    assert turn["session"]["language"] == "de"


def test_every_kind_of_event_in_the_schema_has_an_example() -> None:
    definitions = [each["$ref"].rpartition("/")[2] for each in DOCUMENTS[0]["properties"]["event"]["anyOf"]]

    kinds = {DOCUMENTS[0]["$defs"][each]["properties"]["kind"]["const"] for each in definitions}
    assert kinds == {event.kind for event in events_of_the_examples()} | {"notice"}


def test_the_turn_says_until_when_the_window_is_open() -> None:
    closed, opened = turn_of(events.OptedIn(id="o1", user="24"), {}), turn_of(text(), {})

    assert closed["session"]["windowOpenUntil"] == 0
    assert opened["session"]["windowOpenUntil"] == round((NOON + 24 * 3600) * 1000)


def test_the_turn_says_since_when_a_human_has_the_conversation_and_whether_the_person_waits() -> None:
    human = {"since": NOON - 60, "until": NOON + 60, "wrote": NOON - 30}
    turn = turn_of(text(), {"human": human})

    assert turn_of(text(), {})["session"]["human"] is None
    assert turn["session"]["human"] == {
        "since": round((NOON - 60) * 1000),
        "until": round((NOON + 60) * 1000),
        "wrote": round((NOON - 30) * 1000),
        "waiting": round(NOON * 1000),
    }


def test_the_turn_says_who_the_person_is_if_the_setting_asks_facebook() -> None:
    class Facebook:
        def read(self, _psid: str, fields: Sequence[str]) -> Mapping[str, str]:
            known = {"first_name": "Ada", "last_name": "Byron", "locale": "de_DE"}
            return {name: known[name] for name in fields}

    unasked, asked = turn_of(text(), {}), turn_of(text(), {}, person=("first_name", "locale"), people=Facebook())

    assert (unasked["person"], unasked["locale"]) == ({"firstName": "", "lastName": "", "profilePic": ""}, "")
    assert (asked["person"], asked["locale"]) == ({"firstName": "Ada", "lastName": "", "profilePic": ""}, "de_DE")


def test_the_turn_has_the_texts_that_wait_but_for_those_from_one_on_that_calls_the_bot_back() -> None:
    waiting = tuple(map(text, ("two", "three", "Bot!", "five")))

    turn = turn_of(text("one", waiting=waiting), {})
    assert [each["text"] for each in turn["event"]["waiting"]] == ["two", "three"]
    assert turn_of(text("bot", waiting=waiting), {})["event"]["waiting"] == []


# The reply


def test_texts_and_messages_are_sent_in_their_order_and_the_state_is_kept() -> None:
    found = answer({"messages": ["One", {"text": "Two"}, {"sender_action": "typing_on"}], "state": {"n": 1}})

    assert found.messages == (messages.Text("One"), messages.Text("Two"), messages.Action("typing_on"))
    assert found.state["user"] == {"n": 1}


def test_a_reply_without_a_state_keeps_it_and_an_empty_one_or_forget_deletes_it() -> None:
    known = {"user": {"n": 1}, "session": {"language": "de", "disclosed": NOON}}
    assert answer({}, state=known).state["user"] == {"n": 1}
    assert "user" not in answer({"state": {}}, state=known).state
    forgotten = answer({"messages": ["Gone."], "forget": True}, state=known)
    assert (forgotten.state, forgotten.forget, read(forgotten)) == ({}, True, ["Gone."])


def test_a_reply_answers_the_first_of_the_messages_that_wait_together() -> None:
    burst = text("one", waiting=(text("two"), text("three", NOON + 5)))

    assert [answer({"together": number}, burst).together for number in (1, 2, 3)] == [0, 1, 2]
    assert answer({}, burst).together == 0
    late = answer({"together": 3}, burst, now=NOON + 10)
    assert late.state["session"]["opened"] == NOON + 5


def test_a_text_is_counted_as_not_understood_if_the_function_says_so() -> None:
    confused = {"messages": ["What?"], "understood": False}
    assert [answer(each, text("Hm!")).not_understood for each in (confused, {"messages": ["Yes."]})] == ["Hm!", ""]
    silent = answer(confused, text("Hm!"), answer({"handOver": True}).state, now=NOON + 1)
    assert silent.not_understood == ""  # a human was meant to read it


# Who has the conversation


HUMAN_ASKED = {"messages": ["A colleague comes."], "handOver": True, "reason": "A refund."}


def test_while_a_human_has_the_conversation_the_state_is_kept_and_nothing_is_sent() -> None:
    asked = answer(HUMAN_ASKED, human_hours=2.0)
    silent = answer({"messages": ["Hm?"], "state": {"n": 1}}, state=asked.state, now=NOON + 3600)
    later = answer({"messages": ["Yes?"], "disclosed": True}, state=silent.state, now=NOON + 2 * 3600)

    assert [read(each) for each in (asked, silent, later)] == [["A colleague comes."], [], ["Yes?"]]
    assert silent.state["user"] == {"n": 1}


def test_the_app_for_humans_gets_the_thread_and_the_reason() -> None:
    assert answer(HUMAN_ASKED, inbox="7").messages[1] == messages.PassThread("7", "A refund.")


def test_whoever_calls_the_bot_back_has_it_back_before_the_function_is_asked() -> None:
    kept = Human().written("24", NOON, 12.0).put(DISCLOSED)

    called = [turn_of(text(said, NOON + 9), kept, NOON + 10)["session"]["human"] for said in ("Bot", "hello")]
    assert [human is None for human in called] == [True, False]


@pytest.mark.parametrize(("wrote", "said"), [(NOON, ["Here I am."]), (NOON + 20, [])])
def test_the_function_brings_the_bot_back_unless_the_human_has_written_since(wrote: float, said: list[str]) -> None:
    kept = Human().written("24", wrote, 12.0).put(DISCLOSED)
    found = answer(
        {"messages": ["Here I am."], "handOver": False, "disclosed": True}, text("zurück", NOON + 10), kept, NOON + 30
    )

    assert read(found) == said
    assert Human.of(found.state).has(NOON + 30) != bool(said)


def test_a_reply_that_is_always_sent_is_sent_until_a_human_writes() -> None:
    asked = answer(HUMAN_ASKED).state
    talks = Human().written("24", NOON, 12.0).put(DISCLOSED)
    reply = {"messages": ["I will not write any more."], "always": True}

    assert [len(answer(reply, state=each, now=NOON + 1).messages) for each in (asked, talks)] == [1, 0]


def test_another_app_that_asks_for_the_thread_gets_it_unless_the_function_decides_otherwise() -> None:
    asks = events.ThreadRequested(requested_owner="7", metadata="refund", user="24")
    own = {"control": "pass_thread_control", "target_app_id": "8"}

    assert answer({}, asks).messages == (messages.PassThread("7", "refund"),)
    assert answer({"handOver": False}, asks).messages == ()
    assert answer({"messages": [own]}, asks).messages == (messages.PassThread("8"),)


# Saying that this is a bot


def test_the_first_message_says_that_this_is_a_bot_unless_the_function_says_it() -> None:
    german = answer({"messages": ["Hallo."], "language": "de"}, state={})
    unknown = answer({"messages": ["Szia."], "language": "hu"}, state={})
    itself = answer({"messages": ["I am a bot."], "disclosed": True}, state={})
    again = answer({"messages": ["Hi."]}, state=itself.state, now=NOON + 7 * DAY, disclose_days=7)

    assert read(german) == ["Sie schreiben mit einem Bot.\n\nHallo."]
    assert read(unknown) == ["You are chatting with a bot.\n\nSzia."]
    assert (read(itself), read(again)) == (["I am a bot."], ["You are chatting with a bot.\n\nHi."])
    assert [turn_of(text(), each)["session"]["disclose"] for each in ({}, german.state, itself.state)] == [
        True,
        False,
        False,
    ]


# Outside the window


def test_outside_the_window_only_a_message_to_an_opt_in_is_sent() -> None:
    notice = events.Notice("order", id="n1", user="24", page="1")
    found = answer({"messages": ["No."], "optIns": [{"token": "t", "message": "Your parcel is here."}]}, notice)

    (sent,) = found.messages
    assert sent.to_request("24")["recipient"] == {"notification_messages_token": "t"}
    assert found.outside_window == 1


TEMPLATE = {"name": "moved", "language": "en", "values": {"number": "12345678"}, "payload": "12345678"}


def test_news_goes_the_first_way_that_is_open() -> None:
    notice = events.Notice("order", id="n1", user="24", page="1")
    reply = {"news": [{"message": "It moved.", "template": TEMPLATE, "token": "t"}]}
    inside = {"session": {"opened": NOON - 60, "disclosed": NOON}}
    update, *_ = answer(reply, notice, inside).messages
    utility, consent = (each.to_request("24") for each in answer(reply, notice).messages)

    assert update == messages.Update(messages.Text("It moved."))
    assert utility["message"] == {
        "template": {
            "name": "moved",
            "language": {"code": "en"},
            "components": [
                {"type": "body", "parameters": [{"type": "text", "parameter_name": "number", "text": "12345678"}]},
                {"type": "buttons", "parameters": [{"type": "POSTBACK", "payload": "12345678"}]},
            ],
        }
    }
    assert consent["recipient"] == {"notification_messages_token": "t"}


# Comments


def test_a_comment_is_answered_once_privately_and_in_public() -> None:
    comment = events.Comment("c1", id="comment:c1", user="24")

    private, public = answer({"messages": ["Hello."], "publicReply": "Look into your inbox."}, comment).messages
    assert public.to_request("")["public_reply"] == "Look into your inbox."
    assert private.to_request("")["recipient"] == {"comment_id": "c1"}
    with pytest.raises(BadReply, match=r"reply\.messages A comment is answered with several messages"):
        answer({"messages": ["Hello.", "You."]}, comment)


# Messages with what no documented example has that the library takes.
OTHERS: list[messages.Message] = [
    messages.Text("Hi", quick_replies=(messages.QuickReply("Yes", "YES", HTTPS),)),
    messages.Buttons("Choose", (messages.Link("Site", HTTPS, "compact"), messages.Play("Play", "L1"))),
    messages.Carousel((messages.Card("One", "first", HTTPS, HTTPS, (messages.Tap("Go", "G"),)),), square=True),
    messages.MediaCard("image", "https://www.facebook.com/page/photos/1", buttons=(messages.Tap("Go", "G"),)),
    messages.ImageGrid(
        (
            messages.GridImage(HTTPS, hero=True),
            messages.GridImage(HTTPS, link=HTTPS),
            messages.GridImage(HTTPS, payload="A", text="A!"),
        ),
        "Spring",
        "Tap one",
        (messages.Tap("Go", "G"),),
    ),
    messages.Receipt(
        "Ada",
        "7-1",
        "EUR",
        "Visa 1234",
        12.5,
        (messages.Item("Stamps", 10.0, "a sheet", 2, HTTPS),),
        subtotal=10.0,
        shipping=1.5,
        tax=2.0,
        adjustments=(messages.Adjustment("New", 1.0),),
        address=messages.Address("Street 1", "Bonn", "53113", "NW", "DE", "Back"),
        order_url=HTTPS,
        ordered=1_700_000_000,
        merchant_name="Post",
    ),
    messages.Coupon("Free stamps", "FREE", HTTPS, "Once", HTTPS, "SEEN"),
    messages.Feedback("Delivery", "Was all well?", "Rate", "q1", "csat", HTTPS, "How was it?", "Tell more", 3),
    messages.AskToNotify("News of parcel", "NOTIFY", HTTPS),
    messages.PassThread("7", "A refund."),
    messages.TakeThread("Mine."),
    messages.ReleaseThread(),
    messages.RequestThread("May I?"),
]


@pytest.mark.parametrize("message", OTHERS, ids=lambda message: type(message).__name__)
def test_every_other_message_of_the_library_is_read_from_its_own_form(message: messages.Message) -> None:
    reply = {"messages": [message_of(message.to_request("24"))]}

    REPLY.validate(reply)
    assert answer(reply).messages == (message,)


def test_every_message_that_a_reply_can_hold_has_a_form() -> None:
    def leaves(kind: type[messages.Message]) -> Iterator[type[messages.Message]]:
        below = kind.__subclasses__()
        yield from [each for one in below for each in leaves(one)] if below else [kind]

    kinds = {form.kind for form in forms_of(messages.Message)}
    assert kinds == {*leaves(messages.Content), messages.Action, messages.React, *leaves(messages.ThreadControl)}


@pytest.mark.parametrize("example", [pytest.param(each, id=each["id"]) for each in SENT])
def test_a_documented_message_is_sent_as_it_is_or_refused(example: Json) -> None:
    given_message = message_of(example["body"])
    try:
        (message,) = answer({"messages": [given_message]}).messages
    except BadReply:
        assert not example["accepted"] or example["id"] in NOT_IN_THE_LIBRARY
        return
    assert example["id"] not in NOT_IN_THE_LIBRARY
    sent = message_of(message.to_request("24"))
    assert sent == given_message


def receipt(total: object = 1, timestamp: object = "1") -> Json:
    """A receipt with two fields of choice."""
    form = message_of(messages.Receipt("Ada", "7", "EUR", "Visa", 1.0).to_request("24"))
    form["attachment"]["payload"] |= {"summary": {"total_cost": total}, "timestamp": timestamp}
    return form


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (b"", "reply is not JSON"),
        (b"NaN", "reply is not JSON"),
        (b'{"state": {"a": "\\ud83d"}}', "reply is not JSON"),
        (b"[" * 100_000, "reply is not JSON"),
        (None, "reply is null: return {} for silence"),
        ("Hello", "reply is a text, not an object"),
        ({"mesages": []}, r"reply\.mesages is not known here"),
        ({"messages": "Hello"}, r"reply\.messages is a text, not a list"),
        ({"messages": [7]}, r"reply\.messages\[0\] is a whole number, not a text or an object"),
        ({"messages": [{}]}, r"reply\.messages\[0\] lacks text"),
        ({"messages": [{"text": "a", "metadata": "b"}]}, r"reply\.messages\[0\]\.metadata is not known"),
        ({"messages": [{"attachment": {"type": "hologram"}}]}, r"reply\.messages\[0\] is of no known kind"),
        ({"messages": [{"text": "x" * 2000}]}, r"reply\.messages\[0\] A text has 2000 characters, and 1999"),
        (
            {"messages": [receipt(total=10**400)]},
            r"reply\.messages\[0\]\.attachment.*total_cost is a whole number, not a number",
        ),
        ({"messages": [receipt(timestamp="9" * 5000)]}, r"reply\.messages\[0\]\.attachment.*timestamp is a text"),
        ({"state": []}, r"reply\.state is a list, not an object"),
        ({"handOver": "yes"}, r"reply\.handOver is a text, not true or false"),
        ({"optIns": [{"token": "", "message": "a"}]}, r"reply\.optIns The token of a notification is empty"),
        ({"together": 2}, r"reply\.together is 2: answer the event and those that wait behind it"),
        ({"together": 0}, r"reply\.together is 0"),
        ({"publicReply": " "}, r"reply\.publicReply A public reply is empty"),
        ({"news": [{"message": " "}]}, r"reply\.news A text is empty"),
        (
            {"news": [{"message": "a", "template": TEMPLATE | {"name": "Moved!"}}]},
            r"reply\.news\[0\]\.template A template is called",
        ),
        (
            {"news": [{"message": "a", "template": TEMPLATE | {"values": {"number": 1}}}]},
            r"reply\.news\[0\]\.template\.values\.number is a whole number, not a text",
        ),
    ],
)
def test_what_is_not_a_reply_is_refused_with_the_place_and_the_reason(returned: object, reason: str) -> None:
    with pytest.raises(BadReply, match=f"^{reason}"):
        answer(returned)


# The documentation


@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
def test_the_documented_dialogue_asks_two_questions_in_twenty_lines(tmp_path: Path) -> None:
    code = re.findall(r"```js\n(.*?)```", Path("docs/any-language.md").read_text(encoding="utf-8"), re.DOTALL)[0]
    program = tmp_path / "index.mjs"
    call = "console.log(JSON.stringify(await handler(JSON.parse(readFileSync(0)))));"
    program.write_text(f'import {{ readFileSync }} from "node:fs";\n{code}\n{call}\n', encoding="utf-8")
    conversation = RemoteConversation(lambda turn: subprocess.check_output(["node", program], input=turn))

    state, said = DISCLOSED, []
    for said_now in ("hi", "Ada", "many", "4"):
        found = conversation.answer(text(said_now), state, Context(NOON, None))
        state = found.state
        said.append(read(found))
    assert said == [
        ["What is your name?"],
        ["For how many people?"],
        ["A number from 1 to 9, please.", "For how many people?"],
        ["A table for 4, Ada."],
    ]
    assert len(code.strip().splitlines()) <= 20


# The fuzz

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from((HTTPS, "typing_on"))
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside), max_leaves=12
)
VALID: list[Json] = [{"messages": [message_of(each.to_request("24"))]} for each in OTHERS] + [
    {"messages": ["a"], "state": {"a": 1}, "language": "de", "handOver": False, "forget": False},
    {"optIns": [{"token": "t", "message": {"text": "a"}}], "together": 2, "always": True, "understood": True},
    {"news": [{"message": "a", "template": TEMPLATE, "token": "t"}], "publicReply": "a"},
]
EVENTS = st.sampled_from(
    (
        text(),
        text(waiting=(text(),)),
        text(platform="instagram"),
        events.ThreadRequested(requested_owner="7", user="24"),
        events.Comment("c1", id="comment:c1", user="24"),
        events.Notice("order", id="n1", user="24"),
    )
)


def altered(value: object, choose: Callable[[st.SearchStrategy[Any]], Any]) -> object:
    """The value with something else, or nothing, in one place."""
    if isinstance(value, dict) and value and choose(st.integers(0, 5)):
        name = choose(st.sampled_from(sorted(value)))
        rest = {each: value[each] for each in value if each != name}
        return rest | {name: altered(value[name], choose)} if choose(st.integers(0, 5)) else rest
    if isinstance(value, list) and value and choose(st.integers(0, 5)):
        place = choose(st.integers(0, len(value) - 1))
        return [*value[:place], altered(value[place], choose), *value[place + 1 :]]
    return choose(JSON)


@given(st.data(), EVENTS)
def test_whatever_is_returned_is_refused_with_a_reason_or_facebook_takes_all_of_it(
    data: st.DataObject, event: events.Event
) -> None:
    returned = altered(data.draw(st.sampled_from(VALID)), data.draw)
    try:
        found = answer(returned, event, {})
    except ConversationFault:
        return
    for message in found.messages:
        request = json.loads(json.dumps(message.to_request("24"), allow_nan=False))
        request.pop(OTHERWISE, None)
        if "message" in request or "sender_action" in request:  # anything else is another call of the Graph API
            SEND_API.validate(request)
    json.dumps(found.state, allow_nan=False, ensure_ascii=False).encode()
    REPLY.validate(returned)
