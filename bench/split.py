"""What the bot itself does for an acknowledgement, without AWS: verify, parse, split, one line a size of request.

Example:
    python -m bench.split
"""

import itertools
import json
import statistics
import sys
import time

from bot.messenger import signature
from bot.recently_answered import RecentlyAnswered
from bot.webhook import split_by_user
from sandbox.facebook.webhooks import text_item

SIZES = (1, 10, 100, 1000)
PAGE, SECRET = "104201", "made up"
# Of each size about so many items in all, and never less than a few requests.
ITEMS, FEWEST = 5000, 15


def request(size: int) -> bytes:
    """A webhook of so many texts, each by another person."""
    items = [
        text_item(PAGE, str(6_000_000_000_000_000 + number), "Where is parcel 12345678?") for number in range(size)
    ]
    return json.dumps({"object": "page", "entry": [{"id": PAGE, "time": 0, "messaging": items}]}).encode()


def took(body: bytes, times: int) -> float:
    """The median time, in milliseconds at work, to verify and split a request."""
    signed, found = signature.sign(body, SECRET), []
    for _ in range(times):
        began = time.process_time()
        if not signature.verify(body, signed, (SECRET,)):
            raise RuntimeError("The bench signs wrongly.")
        split_by_user(body, PAGE, RecentlyAnswered())
        found.append((time.process_time() - began) * 1000)
    return statistics.median(found)


def section() -> str:
    """The figures as a section of a page."""
    figures = [(size, took(request(size), max(FEWEST, ITEMS // size))) for size in SIZES]
    rows = "\n".join(f"| {size:,} | {each:.2f} | {each / size * 1000:.0f} |" for size, each in figures)
    growth = max(later / earlier / 10 for (_, earlier), (_, later) in itertools.pairwise(figures))
    return f"""## What the bot does before it acknowledges

Verify the signature, parse, split by user: ms at work (medians), each item by another person. Ten times the items take
at most {growth * 10:.0f} times as long.

| items in a request | ms | µs an item |
|---:|---:|---:|
{rows}
"""


if __name__ == "__main__":
    sys.stdout.write(section())
