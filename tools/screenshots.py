"""Takes the images of the chat page for the README, one of them animated: `make screenshots`."""

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page, sync_playwright

from sandbox.chat import ChatSandbox
from tools.browser import CHROMIUM, FLAGS, PHONE, copy_program
from tools.recorder import ROOT

DESKTOP = {"width": 1240, "height": 780}
ANIMATED = (992, 624)
FRAME_SECONDS = 0.12
QUALITY = 70
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


def take(page: Page, name: str) -> None:
    """Take one screenshot, once everything is still."""
    page.evaluate("document.activeElement.blur()")
    time.sleep(1.5)  # a script cannot see when smooth scrolling ends
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    _report(path)


class Recording:
    """An animated image of a page.

    Args:
        page: the page.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []
        self._milliseconds: list[int] = []

    def run(self, seconds: float) -> None:
        """Record for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            content = self._page.screenshot(type="png")
            frame = Image.open(io.BytesIO(content)).convert("RGB").resize(ANIMATED, Image.Resampling.LANCZOS)
            if not self._frames or ImageChops.difference(frame, self._frames[-1]).getbbox():
                self._frames.append(frame)
                self._milliseconds.append(0)
            time.sleep(max(0.0, FRAME_SECONDS - (time.monotonic() - began)))
            self._milliseconds[-1] += round((time.monotonic() - began) * 1000)

    def type(self, text: str) -> None:
        """Type a text and send it, as a person does."""
        field = self._page.locator(".chat textarea").first
        field.click()
        for sign in text:
            field.press_sequentially(sign)
            self.run(FRAME_SECONDS)
        field.press("Enter")

    def save(self, name: str) -> None:
        """Write the recording."""
        path = FOLDER / f"{name}.webp"
        first, *others = self._frames
        first.save(path, save_all=True, append_images=others, duration=self._milliseconds, loop=0, quality=QUALITY)
        _report(path)


def _report(path: Path) -> None:
    sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB\n")


def record(page: Page) -> None:
    """A question and its answer, why the bot answered so, and Facebook breaking and healing."""
    recording = Recording(page)
    answers = page.locator(".theirs")
    recording.run(1.0)
    for text in ("hello", "12345678"):
        count = answers.count()
        recording.type(text)
        answers.nth(count).wait_for()
        recording.run(1.5)
    page.locator(".theirs .why").last.click()
    recording.run(3.0)
    page.locator(".tab-faults").click()
    recording.run(0.5)
    down = page.get_by_role("switch", name="Is down")
    down.check()
    recording.run(0.5)
    count = answers.count()
    recording.type("status")
    recording.run(2.5)
    down.uncheck()
    answers.nth(count).wait_for()
    recording.run(3.0)
    recording.save("chat")


def main() -> None:
    """Chat a little, and take the images."""
    argparse.ArgumentParser(
        "python -m tools.screenshots", description=__doc__, epilog="Example: make screenshots"
    ).parse_args()
    with browsing() as (browser, sandbox):
        FOLDER.mkdir(exist_ok=True)
        desktop = open_page(browser, sandbox, DESKTOP, "light")
        record(desktop)
        take(open_page(browser, sandbox, PHONE, "dark"), "chat-phone")


if __name__ == "__main__":
    main()
