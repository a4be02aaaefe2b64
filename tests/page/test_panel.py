"""The panel beside the chat (events, faults, memory, log, stack), live reload, a restart."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import expect

from sandbox.page.page import ChatPage
from tests.page.conftest import DESKTOP, Stage, Window, until
from tools.browser import PHONE

OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
Opened = Callable[..., Window]


def test_why_shows_each_step_of_the_event_behind_a_message(opened: Opened) -> None:
    ida = opened("Ida")
    ida.write("12345678")
    ida.hear("12345678").get_by_role("button", name="Why?").click()
    card = ida.page.locator(".event-card.open")
    expect(card.locator(".badge")).to_contain_text("Answered in")
    steps = card.locator(".step:not(.minor) strong").all_inner_texts()
    assert steps[0] == "Facebook delivers a webhook"
    assert [title.split()[0] for title in steps[1:5]] == ["Signature", "Taken", "Planned", "Sent"]
    assert "Done" in steps
    card.locator("summary", has_text="Planned").click()
    expect(card.locator("details[open] .json").first).to_contain_text("12345678")
    expect(ida.chat.locator(".marked").first).to_be_visible()
    ida.show("Log")
    expect(ida.page.locator(".log-line", has_text="answered").first).to_be_visible()
    ida.show("Memory")
    expect(ida.page.locator(".json:visible", has_text="12345678").first).to_be_visible()


def test_with_facebook_down_an_event_waits_and_is_answered_once_when_it_is_back(opened: Opened, stage: Stage) -> None:
    jan = opened("Jan")
    jan.show("Faults")
    jan.page.get_by_role("switch", name="Is down").check()
    until(lambda: stage.notes("faults", on=["down"]))
    jan.write("12345678")
    key = until(lambda: stage.notes("item", person=jan.person))[0]["key"]
    jan.show("Events")
    expect(jan.page.locator(".event-card", has_text="Jan").locator(".badge")).to_contain_text("Waits in the queue")
    expect(jan.chat.locator(".mark.delivered")).to_be_visible()
    assert jan.answers.count() == 0
    jan.show("Faults")
    jan.page.get_by_role("button", name="Switch everything off").click()
    jan.hear("12345678")
    until(lambda: stage.notes("step", key=key, name="done", status=200))
    assert stage.is_answered_once(key)


def test_an_event_that_is_delivered_three_times_is_answered_once(opened: Opened, stage: Stage) -> None:
    kai = opened("Kai")
    stage.set_faults("duplicates")
    kai.write("12345678")
    kai.hear("12345678")
    key = stage.notes("item", person=kai.person)[0]["key"]
    until(lambda: len(stage.notes("post", key=key, status=200)) == 3)
    stage.sandbox.settle()
    assert stage.is_answered_once(key)


def test_a_killed_function_continues_where_it_was(opened: Opened, stage: Stage) -> None:
    lea = opened("Lea")
    stage.set_faults("killed")
    before = len(stage.notes("killed"))

    def is_done(number: int) -> bool:
        key = stage.notes("item", person=lea.person)[number]["key"]
        return bool(stage.notes("step", key=key, name="done", status=200))

    number = 0
    while len(stage.notes("killed")) == before:
        lea.write(f"1234567{number}")
        lea.did("text", number + 1)
        until(partial(is_done, number), 40)
        number += 1
    assert stage.is_answered_once(stage.notes("item", person=lea.person)[-1]["key"])


def test_facebook_delivers_again_what_the_queue_refuses(opened: Opened, stage: Stage) -> None:
    mia = opened("Mia")
    stage.set_faults("queue_refuses")
    mia.write("12345678")
    key = until(lambda: stage.notes("post", person=mia.person, status=503))[0]["key"]
    expect(mia.chat.get_by_role("img", name="Not acknowledged yet")).to_be_visible()
    stage.set_faults()
    mia.hear("12345678")
    assert stage.notes("post", key=key, status=200)
    expect(mia.chat.get_by_role("img", name="Acknowledged at attempt")).to_be_visible()


def test_acknowledged_events_wait_while_the_queue_is_not_read(opened: Opened, stage: Stage) -> None:
    noa = opened("Noa")
    stage.set_faults("paused")
    noa.write("12345678")
    noa.did("text")
    noa.show("Memory")
    expect(noa.page.locator(".tile.waits")).to_be_visible()
    stage.set_faults()
    noa.hear("12345678")


def test_a_saved_file_changes_the_next_answer_and_a_broken_one_changes_nothing(
    opened: Opened, stage: Stage, project: Path
) -> None:
    ole = opened("Ole")
    ole.write("12345678")
    ole.hear("12345678")
    file = project / "bot" / "conversation" / "answers.py"
    before = file.read_text(encoding="utf-8")
    rule = '@bot.text("are you new")\ndef new(turn: object) -> str:\n    return "Yes, since just now."\n\n\n'
    try:
        file.write_text(before.replace("@bot.fallback", f"{rule}@bot.fallback"), encoding="utf-8")
        until(lambda: stage.notes("code", state="live"))
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
    until(lambda: len(stage.notes("code", state="live")) == 2)
    expect(alert).to_have_count(0)


def test_the_stack_is_drawn_with_its_components_and_their_inputs(opened: Opened) -> None:
    pia = opened("Pia")
    pia.show("Stack")
    box = pia.page.get_by_role("button", name="BotFunction: Lambda")
    box.click()
    facts = pia.page.locator(".facts")
    expect(facts.locator(".relations")).to_contain_text("RestApi calls BotFunction")
    facts.locator("summary", has_text="Function").click()
    expect(facts.locator("details[open] .json")).to_contain_text("bot.handler.handle")


def test_every_view_meets_the_accessibility_guidelines(opened: Opened) -> None:
    axe = Axe()
    found = []
    views = {"light": ("Events", "Faults", "Stack"), "dark": ("Chat", "Events", "Memory", "Log")}
    for scheme, size in (("light", DESKTOP), ("dark", PHONE)):
        rob = opened(f"Rob {scheme}", color_scheme=scheme, viewport=size)
        rob.write("12345678")
        rob.hear("12345678").get_by_role("button", name="Why?").click()
        for number, tab in enumerate(views[scheme]):
            rob.show(tab)
            if tab == "Stack":
                rob.page.locator(".box").first.wait_for()
            result = axe.run(rob.page, context="#panel" if number else None, options=OPTIONS)
            violations = result.response["violations"]
            found += [f"{scheme} {tab}: {each['id']} {each['nodes'][0]['html'][:120]}" for each in violations]
    assert not found


def test_the_keyboard_is_enough_to_write_and_to_see_why(opened: Opened) -> None:
    sia = opened("Sia")
    sia.field.focus()
    sia.page.keyboard.type("12345678")
    sia.page.keyboard.press("Enter")
    sia.hear("12345678")
    sia.page.keyboard.press("Shift+Tab")
    for _ in range(12):
        if "Why?" in (sia.page.evaluate("document.activeElement.getAttribute('aria-label')") or ""):
            break
        sia.page.keyboard.press("Shift+Tab")
    sia.page.keyboard.press("Enter")
    expect(sia.page.locator(".event-card.open")).to_be_visible()


def test_a_page_left_open_over_a_restart_connects_again(opened: Opened, stage: Stage) -> None:
    tom = opened("Tom")
    sandbox, old = stage.sandbox, stage.sandbox.page
    port = int(stage.url.rpartition(":")[2])
    old.stop()
    expect(tom.page.locator("#connection")).to_contain_text("Reconnecting")
    new = ChatPage(sandbox, old.proxy, old.background, port)
    sandbox.page = new
    new.start()
    expect(tom.page.locator("#connection")).to_contain_text("Connected")
    expect(tom.page.get_by_role("article", name="Chat of Anna")).to_be_visible()
    assert tom.page.get_by_role("article").count() == 1
