"""The sandbox's command line: what it takes, what it prints, how it ends."""

import argparse
import http.client
import json
import os
import sys
import webbrowser
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sandbox.errors import SandboxError, unwritable
from sandbox.local import BareCloud, Sandbox, new_person

# Of what describes a sandbox: for programs that sign webhooks, and nobody's to read over somebody's shoulder.
SECRETS = ("appSecret", "verifyToken")
COMMANDS = ("up", "say", "deploy", "cloud", "update", "destroy")
SAY_SECONDS = 60.0
DEPLOY_SECONDS = 120.0
STACK_TYPE = "pulumi:pulumi:Stack"

DESCRIPTION = (
    "The local cloud: the whole stack on an emulated AWS, with a stand-in for Facebook. Nothing leaves this machine."
)


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    formatter = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog="python -m sandbox", description=DESCRIPTION, formatter_class=formatter,
        epilog="Without a command: up.\n\nExample:\n  python -m sandbox say status 12345678",
    )  # fmt: skip
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, what: str, example: str) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name, help=what, description=what, formatter_class=formatter, epilog=f"Example:\n  {example}"
        )
        one.add_argument(
            "--json", action="store_true", help="one line of JSON on standard output, all else on standard error"
        )
        return one

    def add_stack(one: argparse.ArgumentParser) -> None:
        one.add_argument(
            "--stack", default="local", help="whose settings to take: of Pulumi.<stack>.yaml (default: local)"
        )

    up = add("up", "Bring everything up and stay until Ctrl-C.", "python -m sandbox up --stack dev")
    add_stack(up)
    up.add_argument("--cloud-port", type=_port, default=0, help="where the emulated AWS listens (default: a free port)")
    up.add_argument(
        "--graph-port", type=_port, default=0, help="where Facebook's stand-in listens (default: a free port)"
    )
    up.add_argument("--chat-port", type=_port, default=0, help="where the chat page listens (default: a free port)")
    up.add_argument("--open", action="store_true", help="open the chat page in the browser, if there is a display")
    say = add(
        "say",
        "Bring up, say each TEXT as one person, print the answers, go.",
        'python -m sandbox say "status" "12345678" --json',
    )
    add_stack(say)
    say.add_argument("texts", metavar="TEXT", nargs="+", help="what to say")
    add_stack(
        add(
            "deploy",
            "Bring up, print what the stack consists of (secrets masked), go.",
            "python -m sandbox deploy --json",
        )
    )
    add(
        "cloud",
        "Only the emulated AWS and Facebook's stand-in, on the ports in Pulumi.local.yaml, for the real Pulumi CLI.",
        "python -m sandbox cloud     (then, in another terminal: pulumi up --stack local)",
    )
    _add_deployments(add)
    return top


def _add_deployments(add: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """The commands that act on the stack of a running sandbox."""
    for name, what in (
        ("update", "Deploy the stack of a running sandbox again, in place."),
        ("destroy", "Delete all that the stack of a running sandbox holds."),
    ):
        one = add(name, what, f"python -m sandbox {name} --on http://127.0.0.1:PORT --as anna")
        one.add_argument(
            "--on", required=True, metavar="URL", help="the running sandbox: its graphUrl, as `up` prints it"
        )
        one.add_argument("--as", dest="user", metavar="USER", help="who does it (default: the account's owner)")
        one.add_argument("--mfa", action="store_true", help="in a session that began with a code of USER's MFA device")
        one.add_argument("--stack", help="another stack, beside the one that `up` deployed (default: that one)")
        if name == "update":
            one.add_argument(
                "--set", action="append", default=[], type=_setting, metavar="NAME=VALUE",
                help="a setting in place of the one so far; may be repeated",
            )  # fmt: skip


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text} is no setting: write NAME=VALUE")
    return name, value


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text} is no port: choose 1 to 65535")
    return int(text)


def run(arguments: Sequence[str], stopped: type[BaseException], ignore_signals: Callable[[], None]) -> int:
    """Carry out a command line.

    Args:
        arguments: what follows ``python -m sandbox``.
        stopped: the exception that a signal raises.
        ignore_signals: called before everything is put away.

    Returns:
        The exit code.
    """
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments = ["up", *arguments]
    options = parser().parse_args(arguments)
    view = View(options.json)
    try:
        if options.command == "cloud":
            _cloud(view, stopped, ignore_signals)
        elif options.command in {"update", "destroy"}:
            view.done(_ask(options))
        else:
            _with_stack(options, view, stopped, ignore_signals)
    except SandboxError as error:
        view.fail(str(error))
        return 1
    except OSError as error:
        told = unwritable(error)
        if told is None:
            raise
        view.fail(str(told))
        return 1
    except stopped:
        view.fail("Stopped before it was done.")
        return 1
    return 0


def _with_stack(
    options: argparse.Namespace, view: "View", stopped: type[BaseException], ignore_signals: Callable[[], None]
) -> None:
    sandbox = Sandbox(
        options.stack,
        cloud_port=getattr(options, "cloud_port", 0),
        graph_port=getattr(options, "graph_port", 0),
        chat_port=getattr(options, "chat_port", None),
        observe=view.observe,
    )
    try:
        with view.progress():
            sandbox.start()
            said = _say(sandbox, options.texts, view) if options.command == "say" else []
        match options.command:
            case "say":
                view.said(said)
            case "deploy":
                view.deployed(sandbox)
            case _:
                view.up(sandbox)
                if options.open and sandbox.chat_url and not show(sandbox.chat_url):
                    view.tell(f"There is no display here: open {sandbox.chat_url} in a browser.")
                _stay(sandbox, stopped)
    finally:
        ignore_signals()
        sandbox.stop()


def _cloud(view: "View", stopped: type[BaseException], ignore_signals: Callable[[], None]) -> None:
    bare = BareCloud()
    try:
        with view.progress():
            bare.start()
        view.places(bare.described())
        view.tell("For the real CLI: [bold]pulumi up --stack local[/] in another terminal. Ctrl-C ends this.")
        _stay(bare, stopped)
    finally:
        ignore_signals()
        bare.stop()


def show(url: str) -> bool:
    """Open a page in the person's browser, if there is a display to see it on.

    Returns:
        Whether a browser was started.
    """
    displays = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(displays) and webbrowser.open(url)


def _ask(options: argparse.Namespace) -> dict[str, Any]:
    """Have a running sandbox do something with its stack, and return what it did.

    Raises:
        SandboxError: nobody answers there, or it could not be done.
    """
    asked = {
        "as": options.user,
        "stack": options.stack,
        "mfa": options.mfa,
        "settings": dict(getattr(options, "set", [])),
    }
    target = urlsplit(options.on if "//" in options.on else f"//{options.on}")
    try:
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=DEPLOY_SECONDS)
        body = json.dumps({key: value for key, value in asked.items() if value})
        connection.request("POST", f"/_sandbox/{options.command}", body)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        raise SandboxError(
            f"No sandbox answers at {options.on}: give the graphUrl that `python -m sandbox up` printed."
        ) from None
    if not isinstance(answer.get("done"), dict):
        raise SandboxError(str(answer.get("error", "The sandbox could not do it.")))
    return answer


def _stay(running: Sandbox | BareCloud, stopped: type[BaseException]) -> None:
    try:
        running.wait()
    except stopped:
        return


def _say(sandbox: Sandbox, texts: Sequence[str], view: "View") -> list[dict[str, Any]]:
    person = new_person()
    said = []
    for text in texts:
        view.doing(f"Saying {text!r}")
        said.append({"text": text, "answers": sandbox.say(text, person, SAY_SECONDS)})
    return said


class View:
    """What a person sees, on standard error; and what a program reads, on standard output.

    Args:
        as_json: is standard output for a program?
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("Starting")
        self._made = 0

    def progress(self) -> Any:  # noqa: ANN401 - rich's own context manager
        """Shows what is being done, while within."""
        return self._status

    def doing(self, what: str) -> None:
        """Say what is being done."""
        self._status.update(escape(what))

    def observe(self, event: Mapping[str, Any]) -> None:
        """Follow a start."""
        match event["event"]:
            case "stage":
                self._console.print(f"[green]✓[/] {escape(event['name'])} [dim]{event['seconds']:.1f} s[/]")
                self.doing("Deploying the stack")
            case "resource":
                self._made += 1
                self.doing(f"Deploying the stack: {self._made} resources, {event['name']}")
            case "log" if event["severity"] in ("warning", "error"):
                self._console.print(f"[yellow]{event['severity']}:[/] {escape(event['message'])}")

    def tell(self, markup: str) -> None:
        """Tell the person something."""
        self._console.print(markup)

    def fail(self, sentence: str) -> None:
        """Tell why it did not work."""
        self._console.print(f"[red]{escape(sentence)}[/]", soft_wrap=True)

    def _print_json(self, content: object) -> None:
        sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def up(self, sandbox: Sandbox) -> None:
        """The stack is up."""
        if not self._as_json:
            self._table(sandbox)
        self.places(sandbox.described())
        self.tell("Ctrl-C ends it.")

    def places(self, described: Mapping[str, Any]) -> None:
        """Where things are."""
        if self._as_json:
            self._print_json(described)
            return
        for name, value in described.items():
            if isinstance(value, str) and name not in SECRETS:
                # Not in a table: an address that is cut off is of no use.
                self._console.print(f"[dim]{escape(name):<13}[/] {escape(value)}", soft_wrap=True)

    def said(self, said: list[dict[str, Any]]) -> None:
        """The answers to what was said."""
        if self._as_json:
            self._print_json(said)
            return
        for each in said:
            sys.stdout.write(f"> {each['text']}\n")
            for answer in each["answers"]:
                message = answer.get("message")
                if message:
                    sys.stdout.write(f"  {message.get('text') or json.dumps(message, ensure_ascii=False)}\n")
        sys.stdout.flush()

    def deployed(self, sandbox: Sandbox) -> None:
        """What the stack consists of."""
        if self._as_json:
            resources = [{key: each[key] for key in ("urn", "type", "name", "inputs")} for each in sandbox.resources]
            self._print_json({"outputs": sandbox.deployed.shown_outputs, "resources": resources})
            return
        self._table(sandbox)
        for name, value in sandbox.deployed.shown_outputs.items():
            sys.stdout.write(f"{name}: {value}\n")

    def done(self, answer: Mapping[str, Any]) -> None:
        """What was done with each resource."""
        if self._as_json:
            self._print_json(answer)
            return
        for name, what in answer["done"].items():
            if what != "same":
                sys.stdout.write(f"{what:8} {name}\n")
        counted = Counter(answer["done"].values())
        self.tell(
            ", ".join(f"{number} {what}" for what, number in sorted(counted.items())) or "There was nothing to do."
        )

    def _table(self, sandbox: Sandbox) -> None:
        table = Table("resource", "name in AWS", box=None, header_style="dim", pad_edge=False)
        for each in sandbox.resources:
            if each["id"]:
                table.add_row(escape(each["name"]), escape(_short(each["id"])))
        self._console.print(table)


def _short(provider_id: str) -> str:
    """A resource's own name, where its id is a whole URL or ARN."""
    return provider_id.rpartition("/")[2] if provider_id.startswith(("http:", "arn:")) else provider_id
