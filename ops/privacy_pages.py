"""Checks whether anybody can read the pages about privacy, which Facebook asks of an app."""

from collections.abc import Iterator

from bot.registration import OK, Verdict, call_webhook
from ops.stack import Stack

PRIVACY_PAGE, DELETION_PAGE = "page about privacy", "page about deletion"


def page_verdicts(stack: Stack) -> Iterator[Verdict]:
    """Whether anybody can read the pages about privacy. An app may name pages elsewhere, so a stack may have none."""
    for what, url in ((PRIVACY_PAGE, stack.privacy_url), (DELETION_PAGE, stack.deletion_url)):
        if not url:
            lacking = "is not served: set organisation and privacyContact, unless the app names a page elsewhere"
            yield Verdict(what, fine=True, found=lacking)
            continue
        trouble = readable(url)
        yield Verdict(what, not trouble, f"{url} {trouble or 'can be read'}")


def readable(url: str) -> str:
    """Why nobody can read a page at this URL; empty if anybody can."""
    status, text = call_webhook(url, "GET", "", {}, b"")
    if not status:
        return f"cannot be read ({text})"
    return "" if status == OK and text else f"cannot be read (HTTP {status})"
