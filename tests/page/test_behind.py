"""What stands beside the chat: each event's way, faults, memory, the stack, live reload, a restart."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import expect

from sandbox.page.page import Page
from tests.page.conftest import DESKTOP, PHONE, Stage, Window, until

OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
Opened = Callable[..., Window]


def test_why_shows_each_step_of_the_event_behind_a_message(opened: Opened) -> None:
    ida = opened("Ida")
    ida.write("12345678")
    ida.hear("12345678").get_by_role("button", name="Why?").click()
    card = ida.page.locator(".event-card.open")
    expect(card.locator(".badge")).to_contain_text("Answered in")
    steps = card.locator(".step:not(.minor) strong").all_inner_texts()
    assert steps[:3] == [
        "Facebook delivers a webhook", "Signature verified, put on the queue", "Taken from the queue",
    ]  # fmt: skip
    assert [title.split()[0] for title in steps[3:5]] == ["Planned", "Sent"]
    assert "Done" in steps
    card.locator("summary", has_text="Planned").click()
    expect(card.locator("details[open] .json").first).to_contain_text("12345678")
    expect(ida.chat.locator(".marked").first).to_be_visible()
    ida.show("Log")
    expect(ida.page.locator(".log-line", has_text="answered").first).to_be_visible()
    ida.show("Memory")
    expect(ida.page.locator(".json:visible", has_text="parcel").first).to_be_visible()


def test_with_facebook_down_an_event_waits_and_is_answered_once_when_it_is_back(opened: Opened, stage: Stage) -> None:
    jan = opened("Jan")
    jan.show("Break")
    jan.page.get_by_role("switch", name="Is down").check()
    until(lambda: stage.notes("switches", on=["down"]))
    jan.write("12345678")
    key = until(lambda: stage.notes("item", person=jan.person))[0]["key"]
    jan.show("Behind it")
    expect(jan.page.locator(".event-card", has_text="Jan").locator(".badge")).to_contain_text("Waits in the queue")
    expect(jan.chat.locator(".mark.delivered")).to_be_visible()
    assert jan.answers.count() == 0
    jan.show("Break")
    jan.page.get_by_role("button", name="Mend everything").click()
    jan.hear("12345678")
    until(lambda: stage.notes("step", key=key, name="done", status=200))
    assert stage.is_answered_once(key)


def test_what_is_delivered_three_times_is_answered_once(opened: Opened, stage: Stage) -> None:
    kai = opened("Kai")
    stage.switch("duplicates")
    kai.write("12345678")
    kai.hear("12345678")
    key = stage.notes("item", person=kai.person)[0]["key"]
    until(lambda: len(stage.notes("post", key=key, status=200)) == 3)
    stage.sandbox.settle()
    assert stage.is_answered_once(key)


def test_a_killed_function_goes_on_where_it_was(opened: Opened, stage: Stage) -> None:
    lea = opened("Lea")
    stage.switch("killed")
    before = len(stage.notes("killed"))

    def key_of(number: int) -> str:
        return str(until(lambda: stage.notes("item", person=lea.person)[number:])[0]["key"])

    def is_done(key: str) -> bool:
        return bool(stage.notes("step", key=key, name="done", status=200))

    key = ""
    for number in range(4):
        lea.write(f"1234567{number}")
        key = key_of(number)
        until(partial(is_done, key), 40)
        if len(stage.notes("killed")) > before:
            break
    assert len(stage.notes("killed")) > before
    assert stage.is_answered_once(key)


def test_a_queue_that_refuses_has_facebook_deliver_again(opened: Opened, stage: Stage) -> None:
    mia = opened("Mia")
    stage.switch("queue_refuses")
    mia.write("12345678")
    key = until(lambda: stage.notes("post", person=mia.person, status=503))[0]["key"]
    expect(mia.chat.get_by_role("img", name="Not acknowledged yet")).to_be_visible()
    stage.switch()
    mia.hear("12345678")
    assert stage.notes("post", key=key, status=200)
    expect(mia.chat.get_by_role("img", name="Acknowledged at attempt")).to_be_visible()


def test_a_paused_queue_keeps_what_is_acknowledged(opened: Opened, stage: Stage) -> None:
    noa = opened("Noa")
    stage.switch("paused")
    noa.write("12345678")
    noa.did("text")
    noa.show("Memory")
    expect(noa.page.locator(".tile.waits")).to_be_visible()
    stage.switch()
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
        expect(ole.answers.filter(has_text="12345678")).to_have_count(2)  # it still knows which
        line = before.count("\n") + 2
        file.write_text(before + "\ndef broken(:\n", encoding="utf-8")
        alert = ole.page.get_by_role("alert")
        expect(alert).to_contain_text(f"bot/conversation/answers.py, line {line}")
        ole.write("are you new")
        expect(ole.answers.filter(has_text="Yes, since just now.")).to_have_count(2)
        file.write_text(before + "\nraise ValueError('not like this')\n", encoding="utf-8")
        expect(alert).to_contain_text("ValueError: not like this")
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


def test_nothing_bars_the_way_of_those_who_cannot_see_or_point(opened: Opened) -> None:
    axe = Axe()
    found = []
    views = {"light": ("Behind it", "Break", "Stack"), "dark": ("Chat", "Behind it", "Memory", "Log")}
    for scheme, size in (("light", DESKTOP), ("dark", PHONE)):
        rob = opened(f"Rob {scheme}", color_scheme=scheme, viewport=size)
        rob.write("12345678")
        rob.hear("12345678").get_by_role("button", name="Why?").click()
        for number, tab in enumerate(views[scheme]):
            rob.show(tab)
            if tab == "Stack":
                rob.page.locator(".box").first.wait_for()
            told = axe.run(rob.page, context="#panel" if number else None, options=OPTIONS)
            found += [
                f"{scheme} {tab}: {each['id']} {each['nodes'][0]['html'][:120]}" for each in told.response["violations"]
            ]
    assert not found


def test_by_keyboard_alone_one_writes_and_sees_why(opened: Opened) -> None:
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
    new = Page(sandbox, old.proxy, old.background, port)
    sandbox.page = new
    new.start()
    expect(tom.page.locator("#connection")).to_contain_text("Connected")
    expect(tom.page.get_by_role("article", name="Chat of Anna")).to_be_visible()
    assert tom.page.get_by_role("article").count() == 1
