"""What an operator sees: tables on a terminal, JSON for programs. Only `show` prints what somebody wrote."""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.aws.ledger import Record
from bot.aws.queues import Message
from ops.cost import Bill
from ops.deadletters import Redriven, obstacle
from ops.forget import Forgotten
from ops.ledger import Fate, fate
from ops.letters import EventLetter, Letter, UnusableLetter
from ops.registration import Change, Verdict

Json = dict[str, Any]

SHORT = 8
WIDE = 400
RETENTION_SECONDS = 14 * 24 * 60 * 60
"""How long the dead-letter queue keeps a letter: `components/event_queue.py`."""
STEPS = ((86400, "d"), (3600, "h"), (60, "min"))


class View:
    """Prints results on standard output, and all else on standard error.

    Args:
        as_json: is standard output for a program?
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        # Where nobody looks, nothing is to be wrapped.
        self._out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
        self._err = Console(stderr=True, highlight=False)

    def fail(self, sentence: str) -> None:
        """Tell why it did not work."""
        self._err.print(f"[red]{escape(printable(sentence))}[/]", soft_wrap=True)

    def note(self, sentence: str) -> None:
        """Tell something beside the result."""
        self._err.print(escape(printable(sentence)), soft_wrap=True)

    def _json(self, value: object) -> None:
        sys.stdout.write(json.dumps(value) + "\n")

    def _table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = Table(box=None, header_style="bold", pad_edge=False, show_header=any(columns))
        for number, column in enumerate(columns):
            table.add_column(column, no_wrap=number == 0)
        for row in rows:
            table.add_row(*(escape(printable(cell)) for cell in row))
        self._out.print(table)

    def letters(self, letters: Sequence[Letter], page_id: str) -> None:
        """A list of letters."""
        if self._as_json:
            self._json([described(each, page_id) for each in letters])
        elif not letters:
            self._out.print("There are no dead letters.")
        else:
            columns = ("id", "age", "reason", "fbtrace_id", "event", "person", "redrive")
            self._table(columns, [_row(each, page_id) for each in letters])

    def letter(
        self, letter: Letter, page_id: str, parts: Sequence[UnusableLetter] | None, records: Sequence[Record]
    ) -> None:
        """All of one letter, what somebody wrote included.

        Args:
            letter: which.
            page_id: the page that the stack answers for.
            parts: of an unusable one all parts, if all can be seen.
            records: the ledger's, of each of its events.
        """
        content = _content(letter, parts)
        known = [_recorded(each) for each in records]
        if self._as_json:
            self._json(described(letter, page_id) | content | ({"ledger": known} if known else {}))
            return
        facts = {name: value for name, value in described(letter, page_id).items() if value not in ("", None, [])}
        facts["age"] = age(letter.received)
        facts["kept until"] = _date(letter.buried + RETENTION_SECONDS * 1000)
        rows = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in facts.items()]
        rows += [("ledger", ", ".join(f"{name} {value}" for name, value in each.items())) for each in known]
        self._table(("", ""), rows)
        if "missing" in content:
            self.note(str(content["missing"]))
        whole = content.get("content", content.get("message", content.get("body")))
        text = whole if isinstance(whole, str) else json.dumps(whole, indent=2, ensure_ascii=False)
        self._out.print(printable(text), markup=False, soft_wrap=True)

    def redriven(self, redriven: Sequence[Redriven], kept: Sequence[tuple[Letter, str]], *, dry: bool) -> None:
        """What was redriven, and what was not and why."""
        if self._as_json:
            done = [{"id": each.letter.id, "events": [fated.name.lower() for fated in each.fates]} for each in redriven]
            self._json({"dryRun": dry, "redriven": done, "kept": [{"id": each.id, "why": why} for each, why in kept]})
            return
        rows = [
            (each.letter.id[:SHORT], age(each.letter.received), each.letter.kinds, _fated(each)) for each in redriven
        ]
        rows += [(each.id[:SHORT], age(each.received), each.kinds, f"stays: {why}") for each, why in kept]
        if rows:
            self._table(("id", "age", "event", "would become" if dry else "became"), rows)
        self._out.print(f"{'Would redrive' if dry else 'Redriven'}: {len(redriven)}. Left: {len(kept)}.")

    def dropped(self, letters: Sequence[Letter], *, dry: bool) -> None:
        """What was dropped."""
        if self._as_json:
            self._json({"dryRun": dry, "dropped": [each.id for each in letters]})
            return
        if letters:
            rows = [(each.id[:SHORT], age(each.received), each.reason, each.kinds) for each in letters]
            self._table(("id", "age", "reason", "event"), rows)
        self._out.print(f"{'Would drop' if dry else 'Dropped'}: {len(letters)}.")

    def forgotten(self, done: Forgotten, *, dry: bool) -> None:
        """What was removed of a person."""
        if self._as_json:
            removed = {"state": done.state, "plans": done.plans, "letters": done.letters}
            left = {"waiting": done.waiting, "unseenLetters": done.unseen}
            self._json({"dryRun": dry, "removed": removed, "remains": left})
            return
        verb = "would be removed" if dry else "removed"
        rows = [
            ("state", verb if done.state else "none was there"),
            ("planned answers", f"{verb}: of {done.plans} events" if done.plans else "none were there"),
            ("dead letters", f"{verb}: {done.letters}" if done.letters else "none were there"),
        ]
        self._table(("what", "became of it"), rows)
        remains = [
            "Of each of their events a fingerprint remains, without content and about nobody, for 29 days at most.",
            "Backups of the table (in prod, of 35 days) still hold what was in it. Facebook keeps the chat itself.",
        ]
        if done.waiting:
            remains.append(
                f"{done.waiting} messages wait in the event queue, of whomever: forget again when it is empty."
            )
        if done.unseen:
            remains.append(
                f"{done.unseen} dead letters could not be seen: redrive or drop those before them, then forget again."
            )
        self._out.print("\n".join(remains), soft_wrap=True)

    def notified(self, made: Message, *, dry: bool) -> None:
        """What was put on the event queue."""
        body = json.loads(made.body)
        if self._as_json:
            self._json({"dryRun": dry, "group": made.group, "deduplication": made.deduplication, "body": body})
            return
        (item,) = body["items"]
        facts = {"person": item["sender"]["id"], "topic": item["notice"]["topic"], "id": item["notice"]["id"]}
        self._table(("what", "value"), [*facts.items(), *sorted(item["notice"]["data"].items())])
        self._out.print("Would go to the event queue." if dry else "On the event queue; the bot decides what it says.")

    def bill(self, made: Bill) -> None:
        """What a million messages cost, and on what that rests."""
        usage = made.usage
        if self._as_json:
            positions = [{"what": each.what, "perMessage": each.amount, "cents": each.cents} for each in made.positions]
            self._json(
                {
                    "messages": usage.messages,
                    "millisecondsPerMessage": usage.milliseconds / usage.messages,
                    "centsPerMillion": made.cents,
                    "positions": positions,
                    "prices": made.source,
                }
            )
            return
        rows = [(each.what, f"{each.amount:,.2f}", f"{each.cents:,.0f}") for each in made.positions]
        self._table(("what", "a message", "cents a million"), [*rows, ("together", "", f"{made.cents:,.0f}")])
        took = f"{usage.milliseconds / usage.messages:,.0f} ms of the function a message"
        self._out.print(f"{usage.messages:,.0f} messages, {took}. Prices: {made.source}", soft_wrap=True)

    def verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """What a check found."""
        if self._as_json:
            self._json([{"what": each.what, "fine": each.fine, "found": each.found} for each in verdicts])
            return
        self._table(("", "what", "verdict"), [("✓" if each.fine else "✗", each.what, each.found) for each in verdicts])

    def changes(self, changes: Sequence[Change], *, dry: bool) -> None:
        """What a registration changed."""
        if self._as_json:
            found = [{"what": each.what, "changed": each.needed, "found": each.found} for each in changes]
            self._json({"dryRun": dry, "changes": found})
            return
        verb = "would be set" if dry else "was set"
        rows = [(each.what, f"{verb} (found: {each.found})" if each.needed else each.found) for each in changes]
        self._table(("what", "became of it"), rows)


def described(letter: Letter, page_id: str) -> Json:
    """A letter without anything that somebody wrote."""
    why = obstacle(letter, page_id)
    return {
        "id": letter.id,
        "received": _date(letter.received),
        "buried": _date(letter.buried),
        "reason": letter.reason,
        "detail": letter.detail if isinstance(letter, EventLetter) else {},
        "fbtrace_id": letter.fbtrace_id,
        "event": letter.kinds,
        "page": letter.page,
        "person": letter.group,
        "redrivable": not why,
        "obstacle": why,
    }


def _row(letter: Letter, page_id: str) -> tuple[str, ...]:
    person = letter.group[:6] if isinstance(letter, EventLetter) else ""
    can = "no: see show" if obstacle(letter, page_id) else "yes"
    identity = letter.id[:SHORT]
    return identity, age(letter.received), letter.reason, letter.fbtrace_id, letter.kinds, person, can


def _content(letter: Letter, parts: Sequence[UnusableLetter] | None) -> Json:
    if isinstance(letter, EventLetter):
        return {"message": letter.message}
    if not isinstance(letter, UnusableLetter):
        return {"body": letter.body}
    whole = b"".join(each.content for each in parts or [letter])
    text = {"content": whole.decode("utf-8", "backslashreplace")}
    if parts is None:
        missing = f"Not all of its {letter.of} parts can be seen now: here is part {letter.part}."
        return text | {"missing": missing}
    return text | {"parts": [each.id for each in parts]}


def _recorded(record: Record) -> Json:
    known: Json = {"outcome": record.outcome or "none yet", "faults": record.faults, "redrive": fate(record).value}
    if record.answers is not None:
        known |= {"answers": len(record.answers), "next": record.next + 1}
    return known


def _fated(redriven: Redriven) -> str:
    words = "; ".join(dict.fromkeys(each.value for each in redriven.fates))
    late = redriven.late and any(each is not Fate.DONE for each in redriven.fates)
    return f"{words} (over 24 h old: sent only if the person has written since)" if late else words


def age(milliseconds: int) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, round(time.time() - milliseconds / 1000))
    for size, name in STEPS:
        if seconds >= size:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def _date(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(milliseconds / 1000))


def printable(text: str) -> str:
    """The text with nothing in it that a terminal would obey: what somebody wrote may hold anything."""
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in text)
