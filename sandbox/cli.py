"""The sandbox's command line: its commands, and how they end."""

import argparse
import os
import sys
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from rich.markup import escape

from sandbox import signals
from sandbox.aws.cloud import next_free_port
from sandbox.control import ACT
from sandbox.conversation import check_conversation
from sandbox.engine import home
from sandbox.errors import SandboxError, unwritable
from sandbox.facebook.actions import Action
from sandbox.local import Sandbox
from sandbox.new import DEFAULT_FOLDER, NAME, make_bot
from sandbox.platforms import PROJECT, BareCloud, Platforms, new_person
from sandbox.running import ask, remembered, running_stack
from sandbox.terminal import Prompt
from sandbox.view import View

PORTS = {"cloud": 4570, "graph": 4580, "chat": 4590}
"""Where `up` listens, or at the next free port. `Pulumi.local.yaml` has other ports, so `cloud` can run beside it."""

SAY_SECONDS = 60.0

DESCRIPTION = (
    "The local cloud: the whole stack on an emulated AWS, with a stand-in for Facebook. Nothing leaves this machine."
)


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    formatter = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog="python -m sandbox",
        description=DESCRIPTION,
        formatter_class=formatter,
        epilog='Without a command: up.\n\nExample:\n  python -m sandbox say "hello"',
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, what: str, example: str) -> argparse.ArgumentParser:
        epilog = f"Example:\n  python -m sandbox {name}{example}"
        return commands.add_parser(name, help=what, description=what, formatter_class=formatter, epilog=epilog)

    up = add("up", "Bring everything up and stay until Ctrl-C.", " --stack dev")
    for name, what in (("cloud", "emulated AWS"), ("graph", "stand-in for Facebook"), ("chat", "chat page")):
        up.add_argument(
            f"--{name}-port",
            type=_port,
            metavar="PORT",
            help=f"where the {what} listens (default: {PORTS[name]}, or the next free port)",
        )
    up.add_argument(
        "--engine",
        choices=("embedded", "pulumi"),
        default="embedded",
        help="what deploys: the sandbox's own engine, or the real one of a Pulumi CLI (default: embedded)",
    )
    up.add_argument("--open", action="store_true", help="open the chat page in the browser, if there is a display")
    say = add(
        "say",
        "Bring everything up, send each TEXT as one user, print the answers, exit.",
        ' "hello" "help" --json',
    )
    say.add_argument("texts", metavar="TEXT", nargs="+", help="what to say")
    deploy = add("deploy", "Bring everything up, print the stack's resources (secrets masked), exit.", " --json")
    chat = add("chat", "Talk to the bot in the terminal: in the running sandbox, or else in one of its own.", "")
    for one in (up, say, deploy, chat):
        one.add_argument(
            "--stack", default="local", metavar="NAME", help="whose settings: Pulumi.NAME.yaml (default: local)"
        )
    cloud = add(
        "cloud",
        "Start only the emulated AWS and the stand-in for Facebook, on the ports in Pulumi.local.yaml, for the real "
        "Pulumi CLI.",
        "     (then, in another terminal: pulumi up --stack local)",
    )
    add("check", "Check that the conversation can be loaded, without starting anything.", "")
    new = add("new", "Make a copy of the project under another name, with a conversation that says hello.", " pizza")
    new.add_argument("name", metavar="NAME", type=_name, help="of the bot, in lower case: pizza or pizza-bonn")
    new.add_argument(
        "--into", metavar="FOLDER", type=Path, default=DEFAULT_FOLDER, help="where (default: beside this project)"
    )
    update = add("update", "Deploy the stack of a running sandbox again, in place.", " --set memoryMb=256 --as anna")
    update.add_argument(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=VALUE",
        dest="settings",
        help="a setting to change; may be repeated",
    )
    destroy = add("destroy", "Delete everything that the stack of a running sandbox consists of.", " --as anna --mfa")
    for one in (update, destroy, chat):
        one.add_argument("--on", metavar="URL", help="which sandbox: its graphUrl (default: the one that runs)")
    for one in (update, destroy):
        one.add_argument("--as", dest="user", metavar="USER", help="who does it (default: the account's owner)")
        one.add_argument(
            "--mfa", action="store_true", help="in a session that started with a code of USER's MFA device"
        )
        one.add_argument("--stack", metavar="NAME", help="another stack, beside the one that `up` deployed")
    for one in (up, say, deploy, cloud, update, destroy):
        one.add_argument(
            "--json", action="store_true", help="print one line of JSON on stdout, and everything else on stderr"
        )
    top.set_defaults(json=False)
    return top


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text} is not a name: begin with a letter, and use at most 20 lower-case letters, digits and hyphens"
        )
    return text


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text} is not a setting: write NAME=VALUE")
    return name, value


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text} is not a port: choose 1 to 65535")
    return int(text)


@contextmanager
def lifetime_of(platforms: Platforms) -> Iterator[None]:
    """Stop the platforms at the end, uninterrupted."""
    try:
        signals.stop_if_asked()
        yield
    finally:
        signals.ignore()
        platforms.stop()


def start(platforms: Platforms, view: View) -> None:
    """Bring the platforms up, and show how far it got."""
    with view.progress():
        platforms.start()
    signals.stop_if_asked()


def _up(options: argparse.Namespace, view: View) -> None:
    from sandbox.chat import ChatSandbox
    from sandbox.live import LiveReport

    check_conversation(PROJECT, options.stack)
    sandbox = ChatSandbox(
        options.stack,
        cloud_port=options.cloud_port or next_free_port(PORTS["cloud"]),
        graph_port=options.graph_port or next_free_port(PORTS["graph"]),
        chat_port=options.chat_port or next_free_port(PORTS["chat"]),
        engine=options.engine,
        observe=view.observe,
    )
    with lifetime_of(sandbox):
        start(sandbox, view)
        with suppress(signals.Stopped), remembered(sandbox.described()):
            view.up(sandbox.described())
            if options.open and sandbox.facebook and not show(sandbox.chat_url):
                view.print(f"There is no display here: open {sandbox.chat_url} in a browser.")
            if not options.json and sandbox.facebook:
                LiveReport(sandbox.page.feed, sandbox.page_id, view.happened).start()
            sandbox.wait()


def _say(options: argparse.Namespace, view: View) -> None:
    check_conversation(PROJECT, options.stack)
    sandbox, person, said = Sandbox(options.stack, observe=view.observe), new_person(), []
    with lifetime_of(sandbox):
        with view.progress():
            sandbox.start()
            for text in options.texts:
                view.doing(f"Saying {text!r}")
                said.append({"text": text, "answers": sandbox.say(text, person, SAY_SECONDS)})
        view.said(said)


def _deploy(options: argparse.Namespace, view: View) -> None:
    check_conversation(PROJECT, options.stack)
    sandbox = Sandbox(options.stack, observe=view.observe)
    with lifetime_of(sandbox):
        start(sandbox, view)
        view.deployed(sandbox)


def _chat(options: argparse.Namespace, view: View) -> None:
    person = new_person()
    if url := options.on or running_stack():
        with suppress(signals.Stopped):
            view.print(f"In the sandbox at {url}.")
            converse(lambda action: ask(url, ACT, {"person": person, "action": action})["answers"], view)
        return
    check_conversation(PROJECT, options.stack)
    sandbox = Sandbox(options.stack, observe=view.observe)
    with lifetime_of(sandbox):
        start(sandbox, view)
        with suppress(signals.Stopped):
            converse(partial(sandbox.act, person), view)


def converse(act: Callable[[Action], list[dict[str, Any]]], view: View) -> None:
    """Read what a person types, line by line, and print the answers, until the input ends.

    Args:
        act: does something as the person; gives the Send API request bodies of the answers.
        view: prints.
    """
    prompt = Prompt()
    view.print("Write to the bot. #1 taps the first button. Ctrl-D ends it.")
    while (line := view.read_line()) is not None:
        if line.strip():
            try:
                view.answers(prompt.answered(act(prompt.action(line.strip()))))
            except SandboxError as error:
                view.fail(str(error))


def _check(_options: argparse.Namespace, view: View) -> None:
    check_conversation(PROJECT, "local")
    view.print("The conversation can be loaded.")


def _new(options: argparse.Namespace, view: View) -> None:
    folder = make_bot(options.name, options.into)
    view.print(f"The bot is in {folder}. What it says is in its folder bot/conversation.")
    view.print(f"Try it: [bold]cd {escape(str(folder))} && make up[/]")


def _cloud(_: argparse.Namespace, view: View) -> None:
    bare = BareCloud()
    with lifetime_of(bare):
        start(bare, view)
        with suppress(signals.Stopped), remembered(bare.described()):
            view.places(bare.described())
            view.lines("In another terminal, with Pulumi's own AWS provider:", home.lines(bare.pulumi_home))
            view.lines("Or with the sandbox's, which needs no download:", home.lines_with_plugin(bare.pulumi_home))
            view.print("Ctrl-C ends this.")
            bare.wait()


def _control(options: argparse.Namespace, view: View) -> None:
    order = {
        "as": options.user,
        "stack": options.stack,
        "mfa": options.mfa,
        "settings": dict(getattr(options, "settings", [])),
    }
    url = options.on or running_stack()
    if not url:
        raise SandboxError("No sandbox runs: start one with `python -m sandbox up`, or give its graphUrl with --on.")
    view.done(ask(url, f"/_sandbox/{options.command}", {key: value for key, value in order.items() if value}))


COMMANDS = {
    "up": _up,
    "say": _say,
    "chat": _chat,
    "deploy": _deploy,
    "update": _control,
    "destroy": _control,
    "check": _check,
    "new": _new,
    "cloud": _cloud,
}


def run(arguments: Sequence[str]) -> int:
    """Carry out a command line.

    Args:
        arguments: what follows ``python -m sandbox``.

    Returns:
        The exit code: 0 if it worked, 1 if it did not. An invalid command line exits with 2.
    """
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments = ["up", *arguments]
    options = parser().parse_args(arguments)
    view = View(options.json)
    try:
        COMMANDS[options.command](options, view)
    except SandboxError as error:
        view.fail(str(error))
        return 1
    except OSError as error:
        explained = unwritable(error)
        if explained is None:
            raise
        view.fail(str(explained))
        return 1
    except signals.Stopped:
        view.fail("Stopped before it was done.")
        return 1
    return 0


def show(url: str) -> bool:
    """Open a page in the browser, if there is a display to see it on.

    Returns:
        Whether a browser was started.
    """
    displays = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(displays) and webbrowser.open(url)
