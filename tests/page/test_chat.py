"""The chat, in a browser: each kind of message is shown, and what one does with it becomes Facebook's webhook."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from sandbox import assets
from tests.page.conftest import Stage, Window, until
from tools.browser import PHONE

Opened = Callable[..., Window]
POSTBACK = {"type": "postback", "title": "Choose", "payload": "CHOSEN"}


def test_a_new_chat_shows_the_greeting_the_ice_breakers_and_the_menu(opened: Opened) -> None:
    bea = opened("Bea")
    expect(bea.chat.locator(".greeting")).to_contain_text("Bea")
    expect(bea.chat.get_by_role("button", name="Get started")).to_have_count(0)  # ice breakers take its place
    bea.chat.locator(".ice button").first.click()
    payload = bea.did("postback")["postback"]
    assert payload["payload"]
    assert payload["mid"]
    expect(bea.chat.locator(".ice")).to_have_count(0)
    bea.chat.get_by_role("button", name="Menu").click()
    bea.chat.locator(".popover:visible button").first.press("Enter")
    assert bea.did("postback", 2)["postback"]["title"]


def test_every_kind_of_message_is_shown_and_can_be_used(opened: Opened, stage: Stage) -> None:
    cem = opened("Cem")
    cem.write("hello")
    cem.hear("")

    def say(message: dict[str, Any]) -> None:
        stage.say(cem.person, message)

    def template(**payload: object) -> None:
        say({"attachment": {"type": "template", "payload": payload}})

    say({"text": "Which?", "quick_replies": [{"content_type": "text", "title": "This", "payload": "THIS"}]})
    cem.hear("Which?")
    cem.chat.locator(".quick").get_by_role("button", name="This").click()
    assert cem.did("quick_reply")["message"]["quick_reply"] == {"payload": "THIS"}
    expect(cem.chat.locator(".quick button", has_text="This")).to_have_count(0)

    link = {"type": "web_url", "title": "Read", "url": "https://example.org/x"}
    call = {"type": "phone_number", "title": "Call", "payload": "+491234567"}
    template(template_type="button", text="Buttons", buttons=[POSTBACK, link, call])
    said = cem.hear("Buttons")
    assert said.get_by_role("link", name="Read").get_attribute("href") == "https://example.org/x"
    assert said.get_by_role("link", name="Call").get_attribute("href") == "tel:+491234567"
    said.get_by_role("button", name="Choose").click()
    assert cem.did("postback")["postback"]["payload"] == "CHOSEN"

    elements = [
        {"title": f"Card {number}", "subtitle": "More", "image_url": "https://example.org/p.png", "buttons": [POSTBACK]}
        for number in range(4)
    ]
    template(template_type="generic", elements=elements)
    cards = cem.hear("Card 0")
    cards.get_by_role("button", name="Next card").click()
    expect(cards.get_by_role("button", name="Previous card")).to_be_visible()
    track = cards.locator(".track")
    until(lambda: track.evaluate("each => each.scrollLeft") > 100)

    summary = {"subtotal": 8, "shipping_cost": 2, "total_cost": 10}
    order = {"recipient_name": "Cem", "order_number": "77", "currency": "EUR", "payment_method": "Visa 1"}
    tape = {"title": "Tape", "price": 4, "quantity": 2}
    template(template_type="receipt", **order, summary=summary, elements=[tape])
    expect(cem.hear("Order 77")).to_contain_text("2 \u00d7 Tape")
    template(template_type="notification_messages", title="News", payload="NEWS")
    cem.hear("News").get_by_role("button", name="Get messages").click()
    assert cem.did("opt_in")["optin"]["payload"] == "NEWS"
    for kind in ("image", "audio", "video", "file"):
        say({"attachment": {"type": kind, "payload": {"url": f"https://example.org/a.{kind}"}}})
    cem.hear("file: a.file")
    expect(cem.answers.locator(".placeholder", has_text="example.org").last).to_be_visible()
    asset = f"{stage.sandbox.graph_url}{assets.PATH}/{next(assets.FOLDER.glob('*.png')).name}"
    say({"attachment": {"type": "image", "payload": {"url": asset}}})
    image = cem.answers.get_by_role("img", name="Image", exact=True).last
    until(lambda: image.evaluate("each => each.naturalWidth"))

    stage.say(cem.person, sender_action="typing_on")
    expect(cem.chat.locator(".typing")).to_be_visible()
    stage.say(cem.person, sender_action="mark_seen")
    expect(cem.chat.locator(".mark.seen").first).to_be_visible()
    say({"text": "😀"})
    expect(cem.chat.locator(".big-emoji")).to_be_visible()
    expect(cem.chat.locator(".typing")).to_be_hidden()


def test_a_person_can_send_more_than_text(opened: Opened, stage: Stage) -> None:
    dora = opened("Dora")
    dora.asks_for_a_parcel()
    dora.chat.get_by_role("button", name="More to send").click()
    dora.chat.get_by_role("button", name="Edit the last message").click()
    dora.page.get_by_label("Its new text").fill("87654321")
    dora.page.get_by_role("button", name="Send", exact=True).last.click()
    expect(dora.page.locator(".event-card", has_text="Dora edited").locator(".badge")).to_have_text("No answer needed")
    dora.chat.get_by_role("button", name="Send a thumbs up").click()
    assert dora.did("sticker")["message"]["attachments"][0]["type"] == "sticker"
    dora.hear("")
    dora.chat.locator("input[type=file]").set_input_files(
        {"name": "a.svg", "mimeType": "image/svg+xml", "buffer": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}
    )
    image = dora.did("attachment")["message"]["attachments"][0]
    assert image["type"] == "image"
    assert image["payload"]["url"].startswith(f"{stage.url}/media/")
    dora.chat.get_by_role("button", name="More to send").click()
    dora.chat.get_by_role("button", name="Come by an m.me link").click()
    dora.page.get_by_label("The ref of the link").fill("spring")
    dora.page.get_by_role("button", name="Send", exact=True).last.click()
    assert dora.did("referral")["referral"] == {"ref": "spring", "source": "SHORTLINK", "type": "OPEN_THREAD"}
    said = stage.say(dora.person, {"text": "React to me"})
    said_row = dora.hear("React to me")
    said_row.get_by_role("button", name="React to this message").click()
    said_row.get_by_role("button", name="❤").click()
    reaction = dora.did("reaction")["reaction"]
    assert reaction == {"mid": said["message_id"], "action": "react", "reaction": "love", "emoji": "❤"}
    until(lambda: said["message_id"] in str(stage.notes("receipt", person=dora.person, receipt="delivery", status=200)))
    until(lambda: stage.notes("receipt", person=dora.person, receipt="read", status=200))


def test_two_people_write_side_by_side(opened: Opened) -> None:
    eva = opened("Eva")
    eva.page.get_by_role("button", name="Add a person").click()
    other = eva.page.get_by_role("article").last
    expect(other).not_to_have_accessible_name("Chat of Eva")
    expect(eva.page.get_by_role("article")).to_have_count(2)  # there is room for two
    other.get_by_role("textbox").fill("87654321")
    other.get_by_role("textbox").press("Enter")
    expect(other.locator(".theirs").first).to_be_visible()
    expect(eva.answers).to_have_count(0)


def test_messages_are_shown_as_text_and_never_run(opened: Opened, stage: Stage) -> None:
    finn = opened("Finn")
    evil = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    finn.write(evil)
    finn.hear("")
    stage.say(finn.person, {"text": evil + " javascript:alert(1) https://example.org/?a=1"})
    said = finn.hear("javascript:alert(1)")
    expect(said.locator(".text")).to_contain_text(evil)
    assert said.locator("img[src=x]").count() == 0
    assert said.get_by_role("link").all_inner_texts() == ["https://example.org/?a=1"]
    assert finn.page.title() != "run"


def test_the_last_of_two_hundred_messages_is_in_sight(opened: Opened, stage: Stage) -> None:
    gil = opened("Gil")
    gil.write("hello")
    gil.hear("")
    for number in range(200):
        stage.say(gil.person, {"text": f"Message {number}"})
    gil.hear("Message 199")
    expect(gil.answers.filter(has_text=re.compile("Message"))).to_have_count(200)
    left = "each => each.scrollHeight - each.scrollTop - each.clientHeight"
    until(lambda: gil.chat.locator(".scroller").evaluate(left) < 100)


def test_on_a_phone_one_view_is_shown_at_a_time(opened: Opened) -> None:
    hal = opened("Hal", viewport=PHONE, has_touch=True)
    answer = hal.asks_for_a_parcel()
    expect(hal.page.locator("#panel")).to_be_hidden()
    answer.get_by_role("button", name="Why?").tap()
    expect(hal.page.locator("#panel")).to_be_visible()
    expect(hal.chat).to_be_hidden()
    assert hal.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
