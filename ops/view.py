"""What an operator sees: tables, or JSON for programs. Only `show` and `questions` print what a person wrote."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.aws.ledger import Record
from bot.aws.queues import Message
from bot.registration import Change, Registered, Verdict
from ops.adopt import Leftover, Watched
from ops.conversations import Waiting
from ops.forget import Forgotten
from ops.handmade import Group, System
from ops.letters import EventLetter, Letter, UnusableLetter
from ops.questions import Question
from ops.redrive import Prospect, Redriven, obstacle, prospect
from ops.release import Outcome, Released
from ops.reply import HUMAN_AGENT, Replied
from ops.review import DONE, PERSON, WARNING, WRONG, Review, numbered
from ops.smoke import Answered
from ops.status import Measured
from ops.templates import CHANGED, MISSING, TemplateState
from ops.trace import Path

Json = dict[str, Any]

SHORT = 8
WIDE = 400
RETENTION_SECONDS = 14 * 24 * 60 * 60
"""How long the dead-letter queue keeps a letter: `components/event_queue.py`."""
UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


@dataclass(frozen=True)
class Result:
    """What a command found or did, in both forms. The functions below make it; `dry` says that nothing was changed.

    Attributes:
        json: for `--json`.
        text: tables and sentences, for a person.
    """

    json: object
    text: Sequence[Table | str]


def print_json(result: Result) -> None:
    """Print one line of JSON on standard output."""
    sys.stdout.write(json.dumps(result.json) + "\n")


def print_text(result: Result) -> None:
    """Print tables and sentences on standard output. Lines are wrapped only for a terminal."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    for each in result.text:
        if isinstance(each, Table):
            console.print(each)
        else:
            console.print(printable(each), markup=False, soft_wrap=True)


def fail(sentence: str) -> None:
    """Print on standard error why a command failed."""
    Console(stderr=True, highlight=False).print(f"[red]{escape(printable(sentence))}[/]", soft_wrap=True)


def note(sentence: str) -> None:
    """Print a remark on standard error."""
    Console(stderr=True, highlight=False).print(printable(sentence), markup=False, soft_wrap=True)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, show_header=any(columns))
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0)
    for row in rows:
        table.add_row(*(escape(printable(cell)) for cell in row))
    return table


def letters(found: Sequence[Letter], page_id: str) -> Result:
    """A list of letters.

    Args:
        found: the letters.
        page_id: the page that the stack answers for.
    """
    columns = ("id", "age", "reason", "fbtrace_id", "event", "person", "redrive")
    table = _table(columns, [_row(each, page_id) for each in found])
    return Result([described(each, page_id) for each in found], [table if found else "There are no dead letters."])


def letter(one: Letter, page_id: str, parts: Sequence[UnusableLetter] | None, records: Sequence[Record]) -> Result:
    """One letter in full, with what the person wrote.

    Args:
        one: the letter.
        page_id: the page that the stack answers for.
        parts: all parts of an unusable letter, if all can be seen.
        records: the ledger's record of each of its events.
    """
    content = _content(one, parts)
    known = [_recorded(each) for each in records]
    detail = one.detail if isinstance(one, EventLetter) else {}
    facts = {
        name: value for name, value in described(one, page_id).items() if value != "" and name != "detail"
    } | detail
    facts["age"] = age(one.received)
    facts["kept until"] = _date(one.buried + RETENTION_SECONDS * 1000)
    rows = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in facts.items()]
    rows += [("ledger", ", ".join(f"{name} {value}" for name, value in each.items())) for each in known]
    whole = content.get("content", content.get("message", content.get("body")))
    text = whole if isinstance(whole, str) else json.dumps(whole, indent=2, ensure_ascii=False)
    missing = [content["missing"]] if "missing" in content else []
    return Result(
        described(one, page_id) | {"detail": detail} | content | ({"ledger": known} if known else {}),
        [_table(("", ""), rows), *missing, text],
    )


def status(answers: Sequence[Measured]) -> Result:
    """The dashboard's questions, in order, with their answers."""
    rows: list[tuple[str, ...]] = []
    for number, each in enumerate(answers):
        if number == 0 or answers[number - 1].question != each.question:
            rows.append((each.question, "", "", ""))
        rows.append((f"  {each.graph}", each.label, _figure(each.whole), _figure(each.latest)))
    remark = "A percentile is that of the worst five minutes. “-” means that there was nothing to measure."
    return Result([asdict(each) for each in answers], [_table(("", "", "all in all", "last"), rows), remark])


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def questions(shown: Sequence[Question], known: int) -> Result:
    """What the bot did not understand.

    Args:
        shown: the most frequent texts.
        known: how many there are in all.
    """
    rows = [(str(each.asked), each.last, each.said) for each in shown]
    return Result(
        [asdict(each) for each in shown],
        [*_if_any(("asked", "last", "text"), rows), f"Texts: {known}. Shown: {len(shown)}."],
    )


def path(found: Path) -> Result:
    """The path of an event or a request."""
    shown = {"timestamp", "level", "kind", "event", "request", "ids", "message"}
    began = datetime.fromisoformat(found.lines[0]["timestamp"])
    rows = []
    for line in found.lines:
        after = (datetime.fromisoformat(line["timestamp"]) - began).total_seconds()
        facts = ", ".join(f"{name} {value}" for name, value in line.items() if name not in shown)
        rows.append((line["timestamp"], f"{after:.3f} s", line["kind"], facts))
    ids = {name: sorted({line[name] for line in found.lines if name in line}) for name in ("event", "request")}
    known = _progress(found.record) if found.record else {}
    outcome = [f"{name}: {', '.join(each)}" for name, each in ids.items() if each]
    if found.record:
        outcome.append(f"ledger: {', '.join(f'{name} {value}' for name, value in known.items())}")
    return Result(
        {"events": ids["event"], "requests": ids["request"], "ledger": known, "lines": list(found.lines)},
        [_table(("time", "after", "what", "facts"), rows), *outcome],
    )


def redriven(done: Sequence[Redriven], kept: Sequence[tuple[Letter, str]], *, dry: bool) -> Result:
    """What was redriven, and what was not and why."""
    rows = [(each.letter.id[:SHORT], age(each.letter.received), each.letter.kinds, _prospect(each)) for each in done]
    rows += [(each.id[:SHORT], age(each.received), each.kinds, f"stays: {why}") for each, why in kept]
    summary = f"{'Would redrive' if dry else 'Redriven'}: {len(done)}. Left: {len(kept)}."
    return Result(
        {
            "dryRun": dry,
            "redriven": [
                {"id": each.letter.id, "events": [one.name.lower() for one in each.prospects]} for each in done
            ],
            "kept": [{"id": each.id, "why": why} for each, why in kept],
        },
        [*_if_any(("id", "age", "event", "would happen" if dry else "result"), rows), summary],
    )


def dropped(done: Sequence[Letter], *, dry: bool) -> Result:
    """What was dropped."""
    rows = [(each.id[:SHORT], age(each.received), each.reason, each.kinds) for each in done]
    summary = f"{'Would drop' if dry else 'Dropped'}: {len(done)}."
    return Result(
        {"dryRun": dry, "dropped": [each.id for each in done]},
        [*_if_any(("id", "age", "reason", "event"), rows), summary],
    )


def _if_any(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Table]:
    return [_table(columns, rows)] if rows else []


def forgotten(done: Forgotten, *, dry: bool) -> Result:
    """What was removed about a person, and what remains."""
    verb = "would be removed" if dry else "removed"
    rows = [
        ("state", verb if done.state else "there was none"),
        ("planned answers", f"{verb}: of {done.plans} events" if done.plans else "there were none"),
        ("dead letters", f"{verb}: {done.letters}" if done.letters else "there were none"),
    ]
    remains = [
        "A fingerprint of each of their events remains, without content or identity, for at most 29 days.",
        "Backups of the table (35 days in prod) still hold what was in it. Facebook keeps the chat itself.",
    ]
    if done.waiting:
        remains.append(f"{done.waiting} messages of all people wait in the event queue: forget again when it is empty.")
    if done.unseen:
        remains.append(
            f"{done.unseen} dead letters could not be seen: redrive or drop those before them, then forget again."
        )
    removed = {"state": done.state, "plans": done.plans, "letters": done.letters}
    return Result(
        {"dryRun": dry, "removed": removed, "remains": {"waiting": done.waiting, "unseenLetters": done.unseen}},
        [_table(("what", "result"), rows), *remains],
    )


def notified(made: Message, *, dry: bool) -> Result:
    """The notice that was put on the event queue."""
    body = json.loads(made.body)
    (item,) = body["items"]
    facts = {"person": item["sender"]["id"], "topic": item["notice"]["topic"], "id": item["notice"]["id"]}
    rows = [*facts.items(), *sorted(item["notice"]["data"].items())]
    summary = "Would go on the event queue." if dry else "On the event queue; the bot decides what it says."
    return Result(
        {"dryRun": dry, "group": made.group, "deduplication": made.deduplication, "body": body},
        [_table(("what", "value"), rows), summary],
    )


def conversations(waiting: Sequence[Waiting]) -> Result:
    """Who is waiting for a human."""
    rows = [
        (each.person, age(round(each.since * 1000)), "yes" if each.answered else "no", _date(round(each.until * 1000)))
        for each in waiting
    ]
    found = [
        {
            "person": each.person,
            "since": _date(round(each.since * 1000)),
            "answered": each.answered,
            "until": _date(round(each.until * 1000)),
        }
        for each in waiting
    ]
    table = _table(("person", "waiting for", "answered before", "bot silent until"), rows)
    return Result(found, [table if rows else "Nobody is waiting for a human."])


def replied(made: Replied, by: str) -> Result:
    """A human's reply was sent."""
    late = ", with the tag HUMAN_AGENT, as their last message is over 24 h old" if made.way == HUMAN_AGENT else ""
    return Result(
        {"mid": made.mid, "way": made.way, "by": by},
        [f"Sent as {by}{late}. The bot is silent for this person until they call it back or the time is over."],
    )


def templates(found: Sequence[TemplateState]) -> Result:
    """The templates of utility messages."""
    rows = [(each.name, each.language, each.status or "-", each.reason, _advice(each)) for each in found]
    shown = [
        {name: getattr(each, name) for name in ("name", "language", "status", "reason", "difference")} for each in found
    ]
    table = _table(("template", "language", "status", "refused because", ""), rows)
    return Result(shown, [table if rows else "Neither the conversation nor Facebook has a template."])


def changed_templates(done: Sequence[TemplateState], verb: str, *, dry: bool) -> Result:
    """Templates that were created or updated."""
    rows = [(each.name, each.language, "" if verb == "update" else each.status) for each in done]
    summary = f"Would {verb}: {len(done)}." if dry else f"{verb.capitalize()}d: {len(done)}."
    more = ["See the result of Facebook's review with `python -m ops templates show`."] if done and not dry else []
    changed = [
        {"name": each.name, "language": each.language, "status": status}
        for each, (*_, status) in zip(done, rows, strict=True)
    ]
    return Result(
        {"dryRun": dry, "templates": changed}, [*_if_any(("template", "language", "status"), rows), summary, *more]
    )


def _advice(each: TemplateState) -> str:
    if not each.wanted:
        return "the conversation does not use it"
    return {
        MISSING: "missing: run `python -m ops templates create`",
        CHANGED: "differs from the conversation: run `python -m ops templates update`",
    }.get(each.difference, "")


def verdicts(found: Sequence[Verdict]) -> Result:
    """What a check of the registration found."""
    rows = [("✓" if each.fine else "✗", each.what, each.found) for each in found]
    return Result([each._asdict() for each in found], [_table(("", "what", "verdict"), rows)])


MARKS = {DONE: "✓", WRONG: "✗", WARNING: "!", PERSON: "☐"}


def review(kit: Review) -> Result:
    """What App Review asks for: what a person has to do is marked with an empty box."""
    rows = [(MARKS[each.state], each.what, each.found) for each in kit.items]
    counts = ", ".join(f"{sum(each.state == state for each in kit.items)} {state}" for state in MARKS)
    words = [_table((each.name, ""), [("words", each.purpose), ("code", each.place)]) for each in kit.permissions]
    steps = []
    for step in numbered(kit.script):
        action = next((name, step[name]) for name in ("write", "tap", "do") if name in step)
        told = [action, *(("answer", each) for each in step.get("answers", ())), ("notice", step.get("notice", ""))]
        told.append(("shows", ", ".join(step.get("shows", ()))))
        steps += [(str(step["step"]) if told[0] == each else "", *each) for each in told if each[1]]
    return Result(
        {
            "items": [each._asdict() for each in kit.items],
            "permissions": [
                {"name": each.name, "purpose": each.purpose, "place": each.place} for each in kit.permissions
            ],
            "script": list(numbered(kit.script)),
        },
        [
            _table(("", "what", "verdict"), rows),
            f"{counts}. ☐ needs a person.",
            "\nFor the request, permission by permission:",
            *words,
            "\nFor the screencast, in Messenger itself:",
            _table(("step", "", ""), steps),
        ],
    )


def changes(made: Sequence[Change], *, dry: bool) -> Result:
    """What a registration changed."""
    verb = "would be set" if dry else "was set"
    rows = [(each.what, f"{verb} (found: {each.found})" if each.needed else each.found) for each in made]
    found = [{"what": each.what, "changed": each.needed, "found": each.found} for each in made]
    return Result({"dryRun": dry, "changes": found}, [_table(("what", "result"), rows)])


def released(done: Released) -> Result:
    """How a release ended."""
    lines = [done.reason]
    if done.outcome is Outcome.PROMOTED:
        lines.append(f"Version {done.version} answers everybody. `python -m ops rollback` goes back to {done.before}.")
    if done.outcome is Outcome.ROLLED_BACK:
        lines.append(f"Version {done.before} answers everybody again. Dead letters sent back: {done.redriven}.")
    facts = done._asdict() | {"outcome": done.outcome.value}
    return Result(facts, [f"Version {done.version}: {done.outcome.value}.", *lines])


def rolled_back(left: int, version: int) -> Result:
    """Which version answers now."""
    return Result(
        {"before": left, "version": version},
        [
            f"Version {version} answers everybody, instead of {left}.",
            "`python -m ops deadletters redrive --all` sends back what the other version could not handle.",
        ],
    )


def smoked(answer: Answered) -> Result:
    """The answer to a test message."""
    said = f"Version {answer.version} answered with {answer.messages} messages after {answer.milliseconds} ms."
    return Result(answer._asdict(), [said])


def handmade(group: Group | None, system: System, settings: str) -> Result:
    """A system made by hand, and the settings that describe its group."""
    rows = [("function", each.name, f"{each.runtime}, with the role {each.role}") for each in system.functions]
    rows += [
        ("role", each.name, f"with the policies {', '.join((*each.inline, *each.policies))}") for each in system.roles
    ]
    rows += [("REST API", each.name, f"{each.id}, answers {', '.join(each.paths)}") for each in system.apis]
    if group:
        names = [each.rpartition("/")[2] for each in group.policies]
        rows.insert(0, ("group", group.name, f"{', '.join(group.members) or 'nobody'}, with {', '.join(names)}"))
        rows += [("kept as it is", each, "an inline policy of the group") for each in group.inline]
    lines = ["The settings that describe this group, for Pulumi.<stack>.yaml:", settings] if group else []
    return Result(
        {
            "group": group and group._asdict(),
            "functions": [each._asdict() for each in system.functions],
            "roles": [each._asdict() for each in system.roles],
            "apis": [each._asdict() for each in system.apis],
            "settings": settings,
        },
        [*_if_any(("what", "name", "found"), rows), *lines]
        if rows
        else ["Nothing here was made by hand as documented, in this account and region."],
    )


def switched(made: Sequence[Change], watched: Watched) -> Result:
    """What the switch registered, and what the bot did since."""
    registered = changes(made, dry=False)
    summary = f"Since then: {watched.accepted} messages accepted, {watched.answered} events answered."
    return Result({"registered": registered.json, "watched": watched._asdict()}, [*registered.text, summary])


def switched_back(before: Registered) -> Result:
    """What is registered again."""
    return Result(before._asdict(), [f"Facebook sends to {before.url}, as before the switch."])


def leftovers(found: Sequence[Leftover], before: Registered) -> Result:
    """What can be deleted, and the commands."""
    lines = [
        "Once the API or the function is deleted, there is no way back to them. These commands delete everything:",
        *(command for each in found for command in each.commands),
    ]
    nothing = [f"Nothing of this account and region is behind {before.url}, or it serves something else as well."]
    return Result(
        [each._asdict() for each in found],
        [*_if_any(("what", "name"), [(each.what, each.name) for each in found]), *(lines if found else nothing)],
    )


# The part of a letter's detail that may hold what a person wrote.
WRITTEN = "message"


def described(letter: Letter, page_id: str) -> Json:
    """A letter without anything that a person wrote."""
    why = obstacle(letter, page_id)
    told = letter.detail if isinstance(letter, EventLetter) else {}
    detail = {name: value for name, value in told.items() if name != WRITTEN}
    return {
        "id": letter.id,
        "received": _date(letter.received),
        "buried": _date(letter.buried),
        "reason": letter.reason,
        "detail": detail,
        "fbtrace_id": str(detail.get("fbtrace_id") or ""),
        "event": letter.kinds,
        "page": letter.page if isinstance(letter, EventLetter) else "",
        "person": letter.group,
        "redrivable": not why,
        "obstacle": why,
    }


def _row(letter: Letter, page_id: str) -> tuple[str, ...]:
    facts = described(letter, page_id)
    person = letter.group[:6] if isinstance(letter, EventLetter) else ""
    can = "yes" if facts["redrivable"] else "no: see show"
    return letter.id[:SHORT], age(letter.received), letter.reason, facts["fbtrace_id"], letter.kinds, person, can


def _content(letter: Letter, parts: Sequence[UnusableLetter] | None) -> Json:
    if isinstance(letter, EventLetter):
        return {"message": letter.message}
    if not isinstance(letter, UnusableLetter):
        return {"body": letter.body}
    whole = b"".join(each.content for each in parts or [letter])
    text = {"content": whole.decode("utf-8", "backslashreplace")}
    if parts is None:
        return text | {"missing": f"Not all of its {letter.of} parts can be seen now. This is part {letter.part}."}
    return text | {"parts": [each.id for each in parts]}


def _recorded(record: Record) -> Json:
    return _progress(record) | {"faults": record.faults, "redrive": prospect(record).value}


def _progress(record: Record) -> Json:
    planned = {} if record.answers is None else {"answers": len(record.answers), "next": record.next + 1}
    return {"outcome": record.outcome or "none yet", **planned}


def _prospect(redriven: Redriven) -> str:
    words = "; ".join(dict.fromkeys(each.value for each in redriven.prospects))
    late = redriven.late and any(each is not Prospect.DONE for each in redriven.prospects)
    return f"{words} (over 24 h old: sent only if the messaging window is still open)" if late else words


def age(milliseconds: int) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, round(time.time() - milliseconds / 1000))
    for size, name in UNITS:
        if seconds >= size:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def _date(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(milliseconds / 1000))


def printable(text: str) -> str:
    """The text with every control character escaped: what a person wrote must not control the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in text)
