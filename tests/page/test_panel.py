"""The panel beside the chat (events, faults, memory, log, stack), live reload, a restart."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import expect

from sandbox.engine.deployment import Deployed
from sandbox.page.fault_panel import FAULTS, Fault
from sandbox.page.outcomes import OUTCOMES
from sandbox.page.page import ChatPage
from tests.page.conftest import DESKTOP, Stage, Window, until
from tools.browser import PHONE

OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
Opened = Callable[..., Window]

# The arrows that run behind a box: those with a point inside one, at a distance from its edges.
CROSSED = """[...document.querySelectorAll('.link-line path.arrow')].filter(path => {
  const boxes = [...document.querySelectorAll('.box')].map(box => ({
    rect: box.querySelector('rect').getBBox(), at: box.transform.baseVal[0].matrix }));
  return Array.from({ length: 200 }, (_, index) => path.getPointAtLength(path.getTotalLength() * index / 199))
    .some(({ x, y }) => boxes.some(({ rect, at }) =>
      x > at.e + 3 && x < at.e + rect.width - 3 && y > at.f + 3 && y < at.f + rect.height - 3));
}).map(path => path.parentNode.textContent)"""


def test_why_shows_each_step_of_the_event_behind_a_message(opened: Opened) -> None:
    ida = opened("Ida")
    ida.asks_for_a_parcel().get_by_role("button", name="Why?").click()
    card = ida.page.locator(".event-card.open")
    expect(card.locator(".badge")).to_contain_text("Answered in")
    steps = card.locator(".step:not(.minor) strong").all_inner_texts()
    assert steps[0] == "Facebook delivers a webhook"
    assert [title.split()[0] for title in steps[1:5]] == ["Signature", "Taken", "Planned", "Sent"]
    assert "Done" in steps
    card.locator("summary", has_text="Planned").click()
    expect(card.locator("details[open] .json").first).to_contain_text("12345678")
    expect(ida.chat.locator(".marked").first).to_be_visible()
    expect(ida.chat.get_by_role("img", name="Answered")).to_have_count(1)
    ida.show("Log")
    expect(ida.page.locator(".log-line", has_text="answered").first).to_be_visible()
    ida.show("Memory")
    expect(ida.page.locator(".json:visible", has_text="12345678").first).to_be_visible()


FINAL = {name for name, each in OUTCOMES.items() if each.final}
QUICK = {"down", "queue_refuses", "paused", "killed", "duplicates"}


@pytest.mark.parametrize(
    "fault",
    [pytest.param(each, id=each.name, marks=() if each.name in QUICK else pytest.mark.long) for each in FAULTS],
)
def test_each_fault_shows_what_its_row_says_and_the_promise_is_kept(opened: Opened, stage: Stage, fault: Fault) -> None:
    person = opened(f"Person {fault.name}")
    person.write("hello")
    person.hear("Hello")  # from now on, each message has one answer
    person.show("Faults")
    person.page.get_by_role("switch", name=fault.title).check()
    until(lambda: stage.notes("faults", on=[fault.name]))
    keys = [stage.act(person.person, f"1234567{number}") for number in range(2)]

    def shown() -> set[str]:
        return {each["key"] for each in stage.notes("outcome") if each["outcome"] == fault.shows}

    def hit() -> set[str]:
        return {name for key in keys for each in stage.notes("outcome", key=key) for name in each["faults"]}

    until(lambda: hit() or stage.outcome(keys[-1]) == "answered", 40)
    while not hit():  # an echo met the fault in the place of a message
        keys.append(stage.act(person.person, "12345679"))
        until(lambda: hit() or stage.outcome(keys[-1]) == "answered", 40)
    until(lambda: shown().intersection(keys), 40)
    if OUTCOMES[fault.shows].final or fault.shows in {"queued", "refused"}:
        word = OUTCOMES[fault.shows].word
        expect(person.page.locator(".latest .badge", has_text=word).first).to_be_visible()
    person.page.get_by_role("button", name="Switch everything off").click()
    until(lambda: all(stage.outcome(key) in FINAL for key in keys), 40)
    until(lambda: stage.notes("promise")[-1]["counted"]["waiting"] == 0, 40)
    undelivered = sum(not stage.is_answered_once(key) for key in keys)
    assert bool(undelivered) == (fault.name in {"unreachable", "rejected"})
    lost = f", {undelivered} not delivered" if undelivered else ""
    counts = re.compile(rf"(\d+) messages, (\d+) answers?{lost}, 0 twice, in order")
    expect(person.page.locator(".count")).to_have_text(counts)
    messages, answers = map(
        int, counts.findall(person.page.locator(".count").inner_text())[0]
    )  # it may count what was written before the fault, too
    assert (messages >= len(keys), messages - answers) == (True, undelivered)
    expect(person.page.locator(".count.kept")).to_contain_text("Promise kept")
    assert hit() == {fault.name}


def test_a_saved_file_changes_the_next_answer_and_a_broken_one_changes_nothing(
    opened: Opened, stage: Stage, project: Path
) -> None:
    ole = opened("Ole")
    ole.asks_for_a_parcel()
    file = project / "bot" / "conversation" / "answers.py"
    before = file.read_text(encoding="utf-8")
    rule = '@bot.text("are you new")\ndef new(turn: object) -> str:\n    return "Yes, since just now."\n\n\n'
    try:
        live = len(stage.notes("code", state="live"))
        file.write_text(before.replace("@bot.fallback", f"{rule}@bot.fallback"), encoding="utf-8")
        until(lambda: len(stage.notes("code", state="live")) > live)
        ole.write("are you new")
        ole.hear("Yes, since just now.")
        ole.write("status")
        expect(ole.answers.filter(has_text="12345678")).to_have_count(2)  # the state is kept
        line = before.count("\n") + 2
        file.write_text(before + "\ndef broken(:\n", encoding="utf-8")
        alert = ole.page.get_by_role("alert")
        expect(alert).to_contain_text(f"bot/conversation/answers.py, line {line}")
        ole.write("are you new")
        expect(ole.answers.filter(has_text="Yes, since just now.")).to_have_count(2)
        file.write_text(before + "\nraise ValueError('at import')\n", encoding="utf-8")
        expect(alert).to_contain_text("ValueError: at import")
    finally:
        file.write_text(before, encoding="utf-8")
    until(lambda: len(stage.notes("code", state="live")) == live + 2)
    expect(alert).to_have_count(0)


def test_the_stack_is_drawn_with_its_components_and_their_inputs_until_it_is_deleted(
    opened: Opened, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pia = opened("Pia")
    pia.page.get_by_role("button", name="Close the chat of Anna").click()
    pia.show("Stack")
    box = pia.page.get_by_role("button", name="BotFunction: Lambda")
    box.click()
    facts = pia.page.locator(".facts")
    expect(facts.locator(".relations")).to_contain_text("RestApi calls BotFunction")
    facts.locator("summary", has_text="Function").click()
    expect(facts.locator("details[open] .json")).to_contain_text("bot.handler.handle")
    expect(pia.page.get_by_role("list", name="Legend")).to_contain_text("the way of an event")
    boxes = pia.page.locator(".box").evaluate_all("all => all.map(each => each.dataset.name)")
    assert boxes[:5] == ["Facebook", "RestApi", "BotFunction", "EventQueue", "QueueConsumer"]
    expect(pia.page.locator(".verb", has_text="calls with batches")).to_be_visible()
    assert pia.page.evaluate(CROSSED) == []
    assert facts.bounding_box()["x"] > box.bounding_box()["x"]  # type: ignore[index]  # both are visible
    pia.show("Log")
    monkeypatch.setattr(stage.sandbox, "deployed", Deployed())  # as `destroy` leaves it
    pia.show("Stack")
    expect(pia.page.get_by_text("Nothing is deployed: the stack was deleted.")).to_be_visible()
    expect(pia.page.locator(".box:visible")).to_have_count(0)


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", DESKTOP), pytest.param("dark", DESKTOP, marks=pytest.mark.long), ("dark", PHONE)]
)
def test_axe_finds_nothing_in_any_view(opened: Opened, stage: Stage, scheme: str, size: dict[str, int]) -> None:
    rob = opened(f"Rob {scheme} {size['width']}", color_scheme=scheme, viewport=size)
    rob.asks_for_a_parcel().get_by_role("button", name="Why?").click()
    stage.set_faults("paused")
    stage.act(rob.person, "status")
    expect(rob.page.locator(".event-card", has_text="status").first).to_contain_text("In the queue")
    found = []
    for tab in ("Events", "Faults", "Memory", "Log", "Stack", *(("Chat",) if size == PHONE else ())):
        rob.show(tab)
        if tab == "Stack":
            rob.page.locator(".box").first.wait_for()
        violations = Axe().run(rob.page, options=OPTIONS).response["violations"]
        found += [f"{tab}: {each['id']} {each['nodes'][0]['html'][:120]}" for each in violations]
    assert not found


def test_the_keyboard_is_enough_to_write_and_to_see_why(opened: Opened) -> None:
    sia = opened("Sia")
    sia.page.reload()
    chat = sia.page.get_by_role("article").first
    field = chat.get_by_role("textbox")
    field.wait_for()
    sia.page.keyboard.press("Tab")
    expect(sia.page.get_by_role("link", name="Skip to the message field")).to_be_focused()
    sia.page.keyboard.press("Tab")
    expect(field).to_be_focused()
    sia.page.keyboard.press("Shift+Tab")
    sia.page.keyboard.press("Enter")
    expect(field).to_be_focused()  # the link reaches its target
    sia.page.keyboard.type("12345678")
    sia.page.keyboard.press("Enter")
    expect(chat.locator(".theirs", has_text="12345678").last).to_be_visible()
    sia.page.get_by_role("tab", name="Events").focus()
    sia.page.keyboard.press("ArrowRight")
    expect(sia.page.get_by_role("tab", name="Faults", selected=True)).to_be_focused()
    sia.page.keyboard.press("ArrowLeft")
    inside = "document.getElementById('panel').contains(document.activeElement)"
    sia.page.keyboard.press("Tab")
    assert sia.page.evaluate(inside)  # the panel follows its tabs


def test_a_page_left_open_over_a_restart_connects_again_and_sends_what_was_written_meanwhile(
    opened: Opened, stage: Stage
) -> None:
    tom = opened("Tom")
    sandbox, old = stage.sandbox, stage.sandbox.page
    port = int(stage.url.rpartition(":")[2])
    old.stop()
    expect(tom.page.locator("#connection")).to_contain_text("Reconnecting")
    for text in ("12345678", "status"):
        tom.write(text)
    expect(tom.chat.get_by_role("img", name="Kept, sent when the sandbox is back")).to_have_count(2)
    new = ChatPage(sandbox, old.proxy, old.background, port, stage.observe)
    sandbox.page = new
    new.start()
    expect(tom.page.locator("#connection")).to_contain_text("Connected")
    expect(tom.page.get_by_role("article", name="Chat of Anna")).to_be_visible()
    assert tom.page.get_by_role("article").count() == 1
    said = tom.page.get_by_role("article", name="Chat of Anna").locator(".mine")
    expect(said).to_contain_text(["12345678", "status"])
    assert len(until(lambda: stage.notes("item", action="text"))) == 2
    expect(tom.page.locator("#code")).to_be_hidden()  # no change is announced that was not made
