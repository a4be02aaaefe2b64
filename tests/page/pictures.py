"""Writes the README's pictures of the chat page: ``python -m tests.page.pictures``, or ``make pictures``."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from sandbox.chat import ChatSandbox
from sandbox.local import PROJECT
from tests.page.conftest import CHROMIUM, FLAGS, PHONE, copied, until

DESKTOP = {"width": 1240, "height": 780}
FOLDER = PROJECT / "docs" / "pictures"


@contextmanager
def browsing() -> Iterator[tuple[Browser, ChatSandbox]]:
    """A browser, and a sandbox with its page, of a copy of the project; ends the program where there is no Chromium."""
    if CHROMIUM is None:
        sys.exit("Chromium is not installed: `apt-get install chromium-headless-shell`.")
    with (
        tempfile.TemporaryDirectory() as folder,
        ChatSandbox(folder=copied(Path(folder))) as sandbox,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser, sandbox
        browser.close()


def open_page(browser: Browser, sandbox: ChatSandbox, size: dict[str, int], scheme: str) -> Page:
    """The page, with what was said so far."""
    page = browser.new_context(viewport=size, color_scheme=scheme, has_touch=size == PHONE).new_page()  # type: ignore[arg-type]  # literal types
    page.goto(sandbox.chat_url)
    page.locator(".chat").wait_for()
    return page


def write(page: Page, text: str) -> None:
    """Say something, and wait for the answer."""
    before = page.locator(".theirs").count()
    field = page.locator(".chat textarea").first
    field.fill(text)
    field.press("Enter")
    until(lambda: page.locator(".theirs").count() > before)


def shoot(page: Page, name: str) -> None:
    """Write one picture, once all that moves has come to rest."""
    page.evaluate("document.activeElement.blur()")
    time.sleep(1.5)  # smooth scrolling has no end that a script can see
    path: Path = FOLDER / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    sys.stdout.write(f"{path.relative_to(PROJECT)}: {path.stat().st_size // 1024} kB\n")


def main() -> None:
    """Chat a little, and take the pictures."""
    with browsing() as (browser, sandbox):
        FOLDER.mkdir(exist_ok=True)
        desktop = open_page(browser, sandbox, DESKTOP, "light")
        for text in ("hello", "12345678"):
            write(desktop, text)
        desktop.locator(".theirs .why").last.click()
        shoot(desktop, "chat-desktop")
        phone = open_page(browser, sandbox, PHONE, "dark")
        shoot(phone, "chat-phone")
        desktop.locator("#tabs").get_by_role("button", name="Stack").click()
        desktop.locator(".box").first.wait_for()
        shoot(desktop, "stack")
        desktop.locator("#tabs").get_by_role("button", name="Break").click()
        desktop.get_by_role("switch", name="Is down").check()
        journal = sandbox.page.journal
        desktop.locator(".chat textarea").first.fill("status")
        desktop.keyboard.press("Enter")
        until(lambda: any(json.loads(note).get("name") == "handed_back" for note in journal.since(0)[1]))
        shoot(desktop, "faults-desktop")


if __name__ == "__main__":
    main()
