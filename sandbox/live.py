"""What happens in a running sandbox, as lines for the terminal: events, answers, changes, errors."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from bot.aws.queues import fingerprint
from bot.messenger import events
from sandbox.page.feed import Feed
from sandbox.terminal import shown

POLL_SECONDS = 0.2
PERSON_DIGITS = 6
GOOD, BAD, QUIET = "green", "red", "dim"

Note = dict[str, Any]
Line = tuple[str, str, str]
"""A style, a heading of one word, and the text."""


class LiveReport:
    """Prints what a feed notes, from now on, on a thread of its own: a terminal that is slow holds nothing up.

    Args:
        feed: the feed.
        page: the page's id.
        report: takes each line, with the time of the note in seconds since 1970.
    """

    def __init__(self, feed: Feed, page: str, report: Callable[[float, Line], None]) -> None:
        self._feed, self._page, self._report = feed, page, report
        self._names: dict[str, str] = {}

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="sandbox-live-report", daemon=True).start()

    def _run(self) -> None:
        last = 0
        while True:
            last, notes = self._feed.since(last)
            for note in map(json.loads, notes):
                for line in self.lines(note):
                    self._report(note["at"], line)
            time.sleep(POLL_SECONDS)

    def lines(self, note: Note) -> Iterator[Line]:
        """The lines for one note; most notes have none."""
        match note["kind"]:
            case "person":
                self._names[note["person"]] = note["name"]
            case "step" if note["status"] == HTTPStatus.OK:
                yield from self._step(note)
            case "send" if (note["body"] or {}).get("message"):
                yield self._answer(note)
            case "line":
                yield from _logged(note["text"])
            case "code":
                yield from _changed(note["state"], note["content"])
            case "failure" | "not_delivered":
                yield BAD, "error", note["sentence"]

    def _step(self, note: Note) -> Iterator[Line]:
        detail = note["detail"]
        if note["name"] == "queued":
            for item in detail["body"].get("items", []):
                event = events.parse(item, self._page)
                if fingerprint(self._page, event.id) == note["key"] and event.kind != "echo":
                    yield "bold", "event", f"{self._name(event.user)}: {_said(event)}"
        elif note["name"] == "dead_lettered":
            yield BAD, "dead", f"{self._name(note['person'])}: {detail.get('reason', 'not an event')}"

    def _answer(self, note: Note) -> Line:
        name = self._name(note["person"])
        if note["status"] != HTTPStatus.OK:
            sentence = (note["error"] or {}).get("message") or "Facebook did not answer"
            return BAD, "refused", f"to {name}: {sentence}"
        return GOOD, "answer", f"to {name}: {' / '.join(shown(note['body']['message']))}"

    def _name(self, person: str) -> str:
        return self._names.get(person) or (f"…{person[-PERSON_DIGITS:]}" if person else "somebody")


def _said(event: events.Event) -> str:
    match event:
        case events.TextMessage():
            return event.text
        case events.QuickReplyTapped() | events.Postback():
            return f"taps {event.payload}"
    return event.kind


def _logged(text: str) -> Iterator[Line]:
    """The line for an error in the function's log."""
    try:
        entry = json.loads(text)
    except ValueError:
        return
    if isinstance(entry, dict) and entry.get("level") == "ERROR":
        parts = [str(entry[name]) for name in ("kind", "reason", "at") if entry.get(name)]
        yield BAD, "error", " ".join(parts)


def _changed(state: str, content: Note) -> Iterator[Line]:
    """The line for a change of the code or the settings."""
    files = ", ".join(content.get("changed", []))
    if state == "live":
        yield GOOD, "live", f"{files} ({content['seconds']} s)"
    elif state == "broken":
        place = f"{content['file']}:{content['line']}: " if content.get("file") else ""
        yield BAD, "broken", f"{place}{content['message']} What ran before still runs."
