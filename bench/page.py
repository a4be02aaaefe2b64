"""How quick the chat page is: the first answer on it, and a conversation of 200 messages; needs Chromium.

Example:
    python -m bench.page
"""

import statistics
import sys
import time

from playwright.sync_api import Page

from tools.screenshots import DESKTOP, browsing, open_page, write

ROUNDS, MESSAGES = 7, 200

ADD = """async () => {
  const log = document.querySelector(".chat:last-child .messages");
  const times = [];
  for (let round = 0; round < 20; round += 1) {
    const began = performance.now();
    log.append(log.lastChild.cloneNode(true));
    log.parentNode.scrollTop = 0;
    log.parentNode.scrollTop = log.parentNode.scrollHeight;
    log.getBoundingClientRect();
    times.push(performance.now() - began);
  }
  return times;
}"""


def answered(page: Page) -> float:
    """Seconds from sending a text to where its answer is seen."""
    began = time.perf_counter()
    write(page, "status")
    return time.perf_counter() - began


def main() -> None:
    """Chat, and print medians with their spread."""
    with browsing() as (browser, sandbox):
        page = open_page(browser, sandbox, DESKTOP, "light")
        first = answered(page)
        later = sorted(answered(page) for _ in range(ROUNDS))
        while page.locator(".chat:last-child .messages > *").count() < MESSAGES:
            page.evaluate(ADD)
        adding = sorted(page.evaluate(ADD))
    sys.stdout.write(
        f"first answer on the page: {first:.2f} s; then {statistics.median(later):.2f} s "
        f"({later[0]:.2f} to {later[-1]:.2f})\n"
        f"one message more, scrolled through, in a conversation of {MESSAGES}: {statistics.median(adding):.1f} ms "
        f"({adding[0]:.1f} to {adding[-1]:.1f})\n"
    )


if __name__ == "__main__":
    main()
