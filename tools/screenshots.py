"""Takes the README's screenshots of the chat page: `python -m tools.screenshots`, or `make screenshots`."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from sandbox.chat import ChatSandbox
from tools.browser import CHROMIUM, FLAGS, PHONE, copy_program
from tools.recorder import ROOT

DESKTOP = {"width": 1240, "height": 780}
FOLDER = ROOT / "docs" / "images"


@contextmanager
def browsing() -> Iterator[tuple[Browser, ChatSandbox]]:
    """A browser, and a sandbox with its chat page; ends the program where there is no Chromium."""
    if CHROMIUM is None:
        sys.exit("Chromium is not installed: `apt-get install chromium-headless-shell`.")
    with (
        tempfile.TemporaryDirectory() as folder,
        ChatSandbox(folder=copy_program(Path(folder))) as sandbox,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser, sandbox
        browser.close()


def open_page(browser: Browser, sandbox: ChatSandbox, size: dict[str, int], scheme: str) -> Page:
    """The chat page, with everything said so far.

    Args:
        browser: the browser.
        sandbox: the sandbox.
        size: the window's `width` and `height`, in pixels.
        scheme: `light` or `dark`.
    """
    page = browser.new_context(viewport=size, color_scheme=scheme, has_touch=size == PHONE).new_page()  # type: ignore[arg-type]  # literal types
    page.goto(sandbox.chat_url)
    page.locator(".chat").wait_for()
    return page


def write(page: Page, text: str) -> None:
    """Send a text, and wait for its answer."""
    answers = page.locator(".theirs")
    count = answers.count()
    field = page.locator(".chat textarea").first
    field.fill(text)
    field.press("Enter")
    answers.nth(count).wait_for()


def take(page: Page, name: str) -> None:
    """Take one screenshot, once everything is still."""
    page.evaluate("document.activeElement.blur()")
    time.sleep(1.5)  # a script cannot see when smooth scrolling ends
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB\n")


def main() -> None:
    """Chat a little, and take the screenshots."""
    with browsing() as (browser, sandbox):
        FOLDER.mkdir(exist_ok=True)
        desktop = open_page(browser, sandbox, DESKTOP, "light")
        for text in ("hello", "12345678"):
            write(desktop, text)
        desktop.locator(".theirs .why").last.click()
        take(desktop, "chat-desktop")
        take(open_page(browser, sandbox, PHONE, "dark"), "chat-phone")


if __name__ == "__main__":
    main()
