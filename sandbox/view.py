"""What the sandbox's command line prints."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from sandbox.control import SECRETS
from sandbox.local import Sandbox
from sandbox.terminal import shown


class View:
    """What a person reads, on stderr, and what a program reads, on stdout.

    Args:
        as_json: whether a program reads stdout.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("Starting")
        self._made = 0

    def progress(self) -> Status:
        """Show what is being done, inside the `with` block."""
        return self._status

    def doing(self, what: str) -> None:
        """Show what is being done now."""
        self._status.update(escape(what))

    def observe(self, event: Mapping[str, Any]) -> None:
        """Show an event of the start."""
        match event["event"]:
            case "stage":
                self._console.print(f"[green]✓[/] {escape(event['name'])} [dim]{event['seconds']:.1f} s[/]")
                self.doing("Deploying the stack")
            case "resource":
                self._made += 1
                self.doing(f"Deploying the stack: {self._made} resources, {event['name']}")
            case "defect":
                self._console.print(f"[red]{escape(defect_text(event))}[/]", soft_wrap=True)
            case "log" if event["severity"] in ("warning", "error"):
                self._console.print(f"[yellow]{event['severity']}:[/] {escape(event['message'])}", soft_wrap=True)

    def print(self, markup: str) -> None:
        """Print a line for the person."""
        self._console.print(markup, soft_wrap=True)

    def lines(self, title: str, lines: Iterable[str]) -> None:
        """Print lines to copy."""
        self._console.print(title)
        for line in lines:
            self._console.print(f"  [bold]{escape(line)}[/]", soft_wrap=True)

    def fail(self, sentence: str) -> None:
        """Say why it did not work."""
        self._console.print(f"[red]{escape(sentence)}[/]", soft_wrap=True)

    def _print_json(self, content: object) -> None:
        sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def up(self, described: Mapping[str, Any]) -> None:
        """Show where one goes from here: four lines, or JSON with everything."""
        if self._as_json:
            self._print_json(described)
            return
        if "chatUrl" in described:
            self._place("chat page", described["chatUrl"])
        url = described.get("publicUrl") or described["webhookUrl"]
        self._place("webhook", str(url or "none: this stack has no bot"))
        if "publicUrl" in described:
            self._place("the page", "Write to it in Messenger, as someone with a role in the app.")
        else:
            self._place("in a terminal", ".venv/bin/python -m sandbox chat")
        self._place("to end it", "Ctrl-C. Until then, what happens is shown here.")

    def _place(self, name: str, value: str) -> None:
        # Not in a table, which might cut off an address.
        self._console.print(f"[dim]{escape(name):<13}[/] {escape(value)}", soft_wrap=True)

    def happened(self, at: float, line: tuple[str, str, str]) -> None:
        """Show something that happened in the running sandbox: a style, a heading and a text."""
        style, heading, text = line
        clock = time.strftime("%H:%M:%S", time.localtime(at))
        plain = "".join(sign if sign.isprintable() else " " for sign in text)
        self._console.print(f"[dim]{clock}[/] [{style}]{heading:<8}[/] {escape(plain)}", soft_wrap=True)

    def read_line(self) -> str | None:
        """The next line that the person types; ``None`` at the end of the input."""
        try:
            return input("> " if sys.stdin.isatty() else "")
        except EOFError:
            return None

    def answers(self, lines: list[str]) -> None:
        """Print the lines of the bot's answers."""
        if not lines:
            self.print("[dim]  (no answer)[/]")
        sys.stdout.write("".join(f"  {line}\n" for line in lines))
        sys.stdout.flush()

    def places(self, described: Mapping[str, Any]) -> None:
        """Print where things are."""
        if self._as_json:
            self._print_json(described)
            return
        for name, value in described.items():
            if isinstance(value, str) and name not in SECRETS:
                self._place(name, value)

    def said(self, said: list[dict[str, Any]]) -> None:
        """Print the answers to what was said."""
        if self._as_json:
            self._print_json(said)
            return
        for each in said:
            sys.stdout.write(f"> {each['text']}\n")
            for answer in each["answers"]:
                if message := answer.get("message"):
                    self.answers(shown(message))

    def deployed(self, sandbox: Sandbox) -> None:
        """Print the stack's resources and outputs."""
        if self._as_json:
            resources = [{key: each[key] for key in ("urn", "type", "name", "inputs")} for each in sandbox.resources]
            self._print_json({"outputs": sandbox.deployed.shown_outputs, "resources": resources})
            return
        self._table(sandbox)
        for name, value in sandbox.deployed.shown_outputs.items():
            sys.stdout.write(f"{name}: {value}\n")

    def done(self, answer: Mapping[str, Any]) -> None:
        """Print what was done with each resource."""
        if self._as_json:
            self._print_json(answer)
            return
        for name, what in answer["done"].items():
            if what != "same":
                sys.stdout.write(f"{what:8} {name}\n")
        counted = Counter(answer["done"].values())
        self.print(", ".join(f"{number} {what}" for what, number in sorted(counted.items())) or "Nothing to do.")

    def _table(self, sandbox: Sandbox) -> None:
        table = Table("resource", "name in AWS", box=None, header_style="dim", pad_edge=False)
        for each in sandbox.resources:
            if each["id"]:
                table.add_row(escape(each["name"]), escape(_short(each["id"])))
        self._console.print(table)


def defect_text(defect: Mapping[str, Any]) -> str:
    """What the author's code raised, as Python shows it, and what the person got instead."""
    frames = [
        f'  File "{each["file"]}", line {each["line"]}, in {each["function"]}\n    {each["text"]}'
        for each in defect["frames"]
    ] or [f"  {defect['at']}"]
    got = " / ".join(" ".join(each.split()) for each in defect["said"]) or "no answer"
    lines = ["Your code failed.", *frames, f"{defect['type']}: {defect['message']}", f"The person got: {got}"]
    return "\n".join(lines)


def _short(provider_id: str) -> str:
    """The resource's own name, if its id is a whole URL or ARN."""
    return provider_id.rpartition("/")[2] if provider_id.startswith(("http:", "arn:")) else provider_id
