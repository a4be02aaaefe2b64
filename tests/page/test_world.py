"""What the page says of failures, how it lets one watch, and the world that is driven from it."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bot.aws.queues import fingerprint
from ops.aws import OperatorAws
from ops.notify import PAGE, NewNotice, message, send
from ops.stack import from_described
from sandbox.facebook.actions import INBOX_APP
from sandbox.view import defect_text
from tests.page.conftest import Stage, Window, until
from tools.browser import PHONE

Opened = Callable[..., Window]
Changed = Callable[[str], int]

RULES = """@bot.text("divide")
def divide(turn: Turn) -> str:
    return str(1 / (len(turn.state.parcel) - len(turn.state.parcel)))


@bot.text("empty")
def empty(turn: Turn) -> Text:
    return Text("")


@bot.text("number")
def number_instead(turn: Turn) -> str:
    return 42


"""


@pytest.fixture(scope="module")
def failing(running: Stage, project: Path) -> Iterator[list[str]]:
    """Rules that fail are live; the lines of the author's file."""
    file = project / "bot" / "conversation" / "answers.py"
    before = file.read_text(encoding="utf-8")

    def save(text: str) -> None:
        began = time.time()
        file.write_text(text, encoding="utf-8")
        until(lambda: [each for each in running.notes("code", state="live") if each["at"] > began])

    save(before.replace("@bot.fallback", f"{RULES}@bot.fallback"))
    yield file.read_text(encoding="utf-8").splitlines()
    save(before)


# Never a lie


@pytest.mark.parametrize(
    ("said", "raised", "line"),
    [
        ("divide", "ZeroDivisionError: division by zero", "return str(1 /"),
        ("empty", "Refused: ", 'return Text("")'),
        ("number", "TypeError: 'int' object is not iterable", "return 42"),
    ],
)
def test_what_the_authors_code_raised_is_shown_down_to_their_line(
    opened: Opened, stage: Stage, failing: list[str], said: str, raised: str, line: str
) -> None:
    uma = opened(f"Uma {said}")
    uma.write(said)
    overlay = uma.page.get_by_role("alert")
    expect(overlay).to_contain_text("Your code failed")
    expect(overlay).to_contain_text(raised)
    number = next(number for number, text in enumerate(failing, 1) if line in text)
    last = overlay.locator(".trace li").last
    expect(last).to_contain_text(f"bot/conversation/answers.py, line {number}")
    expect(last).to_contain_text(line)
    expect(overlay).to_contain_text(f"Uma {said} got instead: ")
    expect(overlay.locator("q")).to_contain_text("Something went wrong on my side. Please try again, or write “human”.")
    badge = uma.page.locator(".event-card.open .badge")
    expect(badge).to_have_text("Your code failed")
    expect(badge).to_have_class("badge code")
    in_terminal = stage.observed("defect")[-1]
    frames = defect_text(in_terminal).splitlines()
    assert frames[-2].startswith(raised)
    assert line in frames[-3]
    assert re.match(r"The person got: .*Something went wrong", frames[-1])
    if said == "empty":
        expect(overlay).to_contain_text(": ")
        assert re.search(r"Refused: .+: .+\.", frames[-2])  # what is wrong, and what to do about it
    overlay.get_by_role("button", name="Dismiss").click()
    expect(overlay).to_have_count(0)


def test_what_facebook_refused_is_told_in_its_words_and_nothing_is_green(opened: Opened, stage: Stage) -> None:
    vic = opened("Vic")
    stage.set_faults("unreachable")
    vic.write("12345678")
    card = vic.page.locator(".event-card.open")
    expect(card.locator(".badge")).to_have_text("Person unreachable")
    expect(card).to_contain_text("Error 551: (#551) This person isn't available right now.")
    expect(card.locator(".hit")).to_contain_text("This person cannot be reached (error 551)")
    expect(vic.chat.get_by_role("img", name="Person unreachable")).to_have_text("!")
    assert card.locator(".badge.good, .dot.good").count() == 0


def test_a_notice_from_outside_the_page_has_a_trail(opened: Opened, stage: Stage) -> None:
    xia = opened("Xia")
    stack = from_described(stage.sandbox.described() | {"outputs": stage.sandbox.outputs}, "the sandbox")
    aws = OperatorAws(stack.region, stack.endpoint, stack.key)
    send(
        message(NewNotice(person=xia.person, platform=PAGE, account=stack.page_id, topic="x", data={}), 1.8e9),
        aws,
        stack,
    )
    card = xia.page.locator(".event-card", has_text="Xia")
    expect(card).to_contain_text("got news from outside this page")
    expect(card).to_contain_text("Taken from the queue")
    expect(card.locator(".badge")).to_have_text("No answer needed")


def test_only_what_happens_now_is_announced_and_never_over_the_composer(opened: Opened, stage: Stage) -> None:
    yan = opened("Yan")
    yan.write("hello")
    yan.hear("Hello")
    stage.sandbox.page.feed.note("failure", sentence="Something of now.")
    said = yan.page.locator(".toast", has_text="Something of now.")
    expect(said).to_be_visible()
    toast, field = said.bounding_box(), yan.field.bounding_box()
    assert toast
    assert field
    assert toast["y"] + toast["height"] < field["y"]
    stage.sandbox.page.feed.note("failure", at=1e9, sentence="Something of long ago.")
    stage.sandbox.page.feed.note("code", at=1e9, state="live", content={"changed": [], "seconds": 1})
    stage.say(yan.person, {"text": "later"})
    yan.hear("later")
    expect(yan.page.locator(".toast", has_text="long ago")).to_have_count(0)
    expect(yan.page.locator("#code")).to_be_hidden()


# Watch it hold


def test_a_wait_is_counted_down(opened: Opened, stage: Stage) -> None:
    zoe = opened("Zoe")
    stage.set_faults("down")
    zoe.write("12345678")
    shown = zoe.page.locator(".event-card.open .countdown")
    expect(shown).to_have_text(re.compile(r" · next try in \d s"))


def test_the_newest_event_opens_until_another_is_pinned(opened: Opened) -> None:
    abe = opened("Abe")
    for number in ("11111111", "22222222"):
        abe.write(number)
        abe.hear(number)
        expect(abe.page.locator(".event-card.open")).to_contain_text(f"“{number}”")
    abe.chat.locator(".mine .bubble", has_text="11111111").click()
    expect(abe.page.locator(".event-card.open")).to_contain_text("“11111111”")
    abe.write("33333333")
    abe.hear("33333333")
    expect(abe.page.locator(".event-card.open")).to_contain_text("“11111111”")
    abe.page.get_by_role("button", name="Follow the newest").click()
    expect(abe.page.locator(".event-card.open")).to_contain_text("“33333333”")


def test_events_and_log_can_be_searched_and_filtered_and_a_line_leads_to_its_event(opened: Opened) -> None:
    bix = opened("Bix")
    for text in ("one of these", "12345678"):
        bix.write(text)
        bix.did("text")
    own = bix.page.locator(".event-card:visible", has_text="Bix")
    expect(own).to_have_count(2)
    expect(own.locator(".badge.good")).to_have_count(2)
    bix.page.get_by_label("Search the events").fill("bix “one of")
    expect(own).to_have_count(1)
    bix.page.get_by_label("Search the events").fill("Bix")
    bix.page.get_by_label("Filter the events").select_option("Dead")
    expect(own).to_have_count(0)
    bix.page.get_by_label("Filter the events").select_option("All outcomes")
    key = str(own.last.get_attribute("data-key"))
    bix.show("Log")
    bix.page.get_by_label("Search the log").fill(key)
    lines = bix.page.locator(".log-line")
    expect(lines).to_have_count(4)
    assert {each.split()[1] for each in lines.locator("strong").all_inner_texts()} == {
        "accepted",
        "not_understood",
        "sent",
        "answered",
    }
    bix.page.get_by_label("Filter the log").select_option("Errors")
    expect(lines).to_have_count(0)
    bix.page.get_by_label("Filter the log").select_option("bot")
    lines.filter(has_text="answered").get_by_role("button", name="event").click()
    expect(bix.page.locator(".event-card.open")).to_contain_text("“one of these”")


def test_a_button_that_is_held_while_something_happens_is_pressed(opened: Opened, stage: Stage) -> None:
    nia = opened("Nia")
    nia.asks_for_a_parcel()
    nia.page.locator(".event-card.open", has_text="Nia").get_by_role("button", name="Replay").hover()
    nia.page.mouse.down()
    stage.act(nia.person, "hello")
    nia.hear("Hello")
    nia.page.mouse.up()
    until(lambda: len(stage.notes("item", person=nia.person)) == 3)
    expect(nia.answers.filter(has_text="Parcel 12345678:")).to_have_count(2)


def test_a_replay_is_an_event_of_its_own_and_is_answered(opened: Opened, stage: Stage) -> None:
    cyd = opened("Cyd")
    cyd.asks_for_a_parcel()
    cyd.page.locator(".event-card.open", has_text="Cyd").get_by_role("button", name="Replay").click()
    until(lambda: len(stage.notes("item", person=cyd.person)) == 2)
    first, second = stage.notes("item", person=cyd.person)
    until(lambda: stage.outcome(second["key"]) == "answered")
    assert first["key"] != second["key"]
    assert first["item"]["message"]["text"] == second["item"]["message"]["text"]
    assert first["item"]["message"]["mid"] != second["item"]["message"]["mid"]


# The world


class Globe:
    """The menu of what can happen to a person."""

    def __init__(self, window: Window) -> None:
        self._window = window

    def choose(self, name: str) -> None:
        self._window.chat.get_by_role("button", name="Let something happen to").click()
        self._window.chat.locator(".world").get_by_role("button", name=name).click()

    def enter(self, *texts: str) -> None:
        for field, text in zip(self._window.page.locator("dialog input").all(), texts, strict=True):
            field.fill(text)
        self._window.page.get_by_role("dialog").get_by_role("button", name="Send").click()


def test_the_demonstration_moves_the_parcel_on_and_a_day_later_tells_so_in_a_utility_message(opened: Opened) -> None:
    dov = opened("Dov")
    first = dov.asks_for_a_parcel()
    before = re.search("12345678: ([a-z ]+)", first.inner_text())
    dov.chat.get_by_role("button", name="Notify me").click()
    dov.hear("I will tell you")
    Globe(dov).choose("Move the parcel on")
    moved = dov.hear("Parcel 12345678")
    expect(dov.answers.filter(has_text="Parcel 12345678:")).to_have_count(2)
    after = re.search("12345678: ([a-z ]+)", moved.inner_text())
    assert before
    assert after
    assert before[1] != after[1]
    Globe(dov).choose("A day later")
    expect(dov.chat.locator(".divider")).to_have_text("A day later")
    Globe(dov).choose("Move the parcel on")
    dov.hear("There is news of your parcel 12345678")
    cards = dov.page.locator(".event-card", has_text="Dov gets news about “demonstration”")
    expect(cards.locator(".badge", has_text="Sent as a utility message")).to_have_count(1)
    dov.chat.get_by_role("button", name="Where is it?").click()
    expect(dov.answers.filter(has_text="parcel 12345678:")).to_have_count(4)  # the utility message says it, too


def test_news_reaches_the_bot(opened: Opened, stage: Stage) -> None:
    eli = opened("Eli")
    eli.write("hello")
    eli.hear("Hello")
    Globe(eli).choose("Send news")
    Globe(eli).enter("parcel", "number=12345678")
    card = eli.page.locator(".event-card", has_text="Eli gets news about “parcel”")
    expect(card.locator(".badge")).to_have_text("No answer needed")
    assert stage.notes("item", person=eli.person, action="notice")[0]["item"]["notice"]["data"] == {
        "number": "12345678"
    }


def test_a_day_later_the_window_is_closed_for_one_person(opened: Opened, stage: Stage) -> None:
    fay, gus = opened("Fay"), opened("Gus")
    for each in (fay, gus):
        each.asks_for_a_parcel()

    def kept(window: Window) -> float:
        answer = stage.ask(f"/api/memory?person={window.person}")[1]
        return float(answer["user"]["state"]["session"]["opened"])

    before = kept(fay), kept(gus)
    Globe(fay).choose("A day later")
    expect(fay.chat.locator(".divider")).to_have_text("A day later")
    assert (kept(fay), kept(gus)) == (before[0] - 86400, before[1])
    with pytest.raises(Exception, match="400"):
        stage.say(fay.person, {"text": "too late"})
    stage.say(gus.person, {"text": "in time"})


def test_a_human_replies_with_ops_from_the_page(opened: Opened, stage: Stage) -> None:
    una = opened("Una")
    una.write("human")
    una.hear("A human will answer")
    Globe(una).choose("Reply as a human, with ops")
    Globe(una).enter("This is Lena.")
    expect(una.hear("This is Lena.")).to_contain_text("A human, by ops reply")
    sent = [each["body"] for each in stage.notes("send", person=una.person)][-1]
    assert sent["message"]["metadata"].startswith("human:")


def test_a_human_answers_from_the_inbox_and_gives_the_conversation_back(opened: Opened, stage: Stage) -> None:
    hea = opened("Hea")
    hea.write("human")
    hea.hear("A human will answer")
    Globe(hea).choose("Answer as a human")
    Globe(hea).enter("This is Karin.")
    expect(hea.hear("This is Karin.")).to_contain_text("A human, from the page inbox")
    echo = until(
        lambda: [
            each for each in stage.notes("echo", person=hea.person) if each["item"]["message"]["app_id"] == INBOX_APP
        ]
    )[0]
    assert echo["status"] == 200
    passed = until(lambda: [each for each in stage.sandbox.graph.requests() if "pass_thread" in each["path"]])[-1]
    assert passed["status"] == 200
    assert passed["body"] | {"appsecret_proof": ""} == {
        "recipient": {"id": hea.person},
        "target_app_id": str(INBOX_APP),
        "metadata": "They ask for a human.",
        "appsecret_proof": "",
    }
    hea.write("status")
    expect(hea.page.locator(".event-card", has_text="Hea “status”").locator(".badge")).to_have_text("A human answers")
    Globe(hea).choose("Give the conversation back")
    until(lambda: [each for each in stage.notes("outcome", person=hea.person) if each["outcome"] == "silent"])
    hea.write("status")
    expect(hea.hear("Which parcel?")).to_contain_text("You are chatting with a bot.")


def test_a_comment_is_answered_privately_and_may_be_replayed(opened: Opened, stage: Stage) -> None:
    kim = opened("Kim")
    kim.chat.get_by_role("button", name="More to send").click()
    kim.chat.get_by_role("button", name="Comment on a post").click()
    Globe(kim).enter("Where is 12345678?", "77")
    expect(kim.chat.locator(".bubble.note")).to_have_text("Commented on post 77: “Where is 12345678?”")
    kim.hear("Parcel 12345678")
    card = kim.page.locator(".event-card", has_text="Kim commented “Where is 12345678?”")
    expect(card.locator(".badge")).to_contain_text("Answered in")
    (note,) = stage.notes("item", person=kim.person)
    assert stage.ask("/api/replay", {"key": note["key"]})[0] == 200
    expect(kim.answers.filter(has_text="Parcel 12345678:")).to_have_count(2)


@pytest.mark.long
def test_a_dead_letter_is_dropped_or_redriven_and_answered(opened: Opened, stage: Stage) -> None:
    ned = opened("Ned")
    keys = []
    stage.set_faults("rejected")
    for number in ("11111111", "22222222"):
        ned.write(number)
        keys.append(until(lambda: stage.notes("item", person=ned.person))[-1]["key"])
    until(lambda: [stage.outcome(key) for key in keys] == ["dead", "dead"], 60)
    stage.set_faults()
    ned.show("Memory")
    letters = ned.page.locator("#view-memory details", has_text=ned.person)
    expect(letters).to_have_count(2)
    letters.first.locator("summary").click()
    box, pre = letters.first.bounding_box(), letters.first.locator(".json").bounding_box()
    assert box
    assert pre
    assert pre["x"] + pre["width"] <= box["x"] + box["width"] + 1  # its JSON stays within its box
    letters.first.get_by_role("button", name="Redrive").click()
    ned.hear("11111111")
    until(lambda: stage.outcome(keys[0]) == "answered")
    ned.show("Events")
    second = ned.page.locator(".event-card", has_text="Ned “22222222”")
    second.locator(".event-head").click()
    second.get_by_role("button", name="Drop").click()
    expect(second.locator(".badge")).to_have_text("Dropped")
    expect(ned.page.locator(".event-card", has_text="Ned “11111111”").locator(".badge")).to_contain_text("Answered")


def test_a_person_is_forgotten(opened: Opened, stage: Stage) -> None:
    joy = opened("Joy")
    joy.asks_for_a_parcel()
    Globe(joy).choose("Forget Joy")
    expect(joy.page.locator(".toast", has_text="Joy, deleted: their state")).to_be_visible()
    expect(joy.chat.get_by_text("The bot has forgotten this person")).to_be_visible()
    assert stage.ask(f"/api/memory?person={joy.person}")[1]["user"] is None


def test_everything_starts_over(opened: Opened, stage: Stage) -> None:
    lea = opened("Lea")
    lea.write("12345678")
    lea.hear("12345678")
    stage.set_faults("down")
    lea.page.get_by_role("button", name="Start over").click()
    lea.page.get_by_role("dialog").get_by_role("button", name="Start over").click()
    anna = lea.page.get_by_role("article", name="Chat of Anna")
    expect(anna).to_be_visible()
    expect(anna.locator(".mine")).to_have_count(0)
    expect(lea.page.locator(".event-card")).to_have_count(0)
    table = stage.sandbox.outputs["ledgerTable"]
    left = stage.sandbox.client("dynamodb").scan(TableName=table)["Items"]
    assert fingerprint(stage.sandbox.page_id, lea.person) not in json.dumps(left)
    anna.get_by_role("textbox").fill("12345678")
    anna.get_by_role("textbox").press("Enter")
    expect(anna.locator(".theirs", has_text="You are chatting with a bot.")).to_have_count(1)
    expect(anna.locator(".theirs", has_text="Parcel 12345678")).to_have_count(1)


# As in Messenger, and in detail


def test_on_a_phone_popups_fit_and_close_on_a_tap_outside_and_carousels_reach_both_edges(
    opened: Opened,
) -> None:
    lou = opened("Lou", viewport=PHONE, has_touch=True)
    card = lou.asks_for_a_parcel()
    track = card.locator(".track").bounding_box()
    assert track
    assert (track["x"], track["width"]) == (0, PHONE["width"])
    for opener, popup in (
        ("React to this message", ".reactions:visible"),
        ("More to send", ".popover:visible"),
        ("Menu", ".popover:visible"),
        ("Let something happen to Lou", ".popover:visible"),
    ):
        lou.chat.get_by_role("button", name=opener, exact=True).last.tap()
        shown = lou.chat.locator(popup)
        expect(shown).to_be_visible()
        box = shown.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= PHONE["height"]
        lou.chat.get_by_role("heading").tap()
        expect(shown).to_have_count(0)


def test_the_tour_takes_one_line_keeps_the_focus_and_stays_dismissed(opened: Opened, stage: Stage) -> None:
    mel = opened("Mel")
    tour = mel.page.locator(".tour")
    assert (tour.bounding_box() or {"height": 99})["height"] < 40
    dismiss = mel.page.get_by_role("button", name="Dismiss the tour")
    dismiss.focus()
    stage.set_faults("down")  # a step of the tour
    expect(mel.page.get_by_role("tab", name="Faults (1 on)")).to_be_visible()
    expect(dismiss).to_be_focused()
    dismiss.click()
    expect(tour).to_be_hidden()
    mel.page.reload()
    expect(mel.page.get_by_role("article").first).to_be_visible()
    expect(tour).to_be_hidden()
