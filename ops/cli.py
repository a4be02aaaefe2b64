"""The operator's command line: what it takes, what it does, how it ends."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from bot.aws.client import AwsError
from ops import cost
from ops.aws import OperatorAws, sentence
from ops.deadletters import Held, Redriven, drop, drop_all, find, obstacle, redrive_all, redrive_chosen
from ops.errors import OpsError
from ops.forget import forget
from ops.ledger import Ledger
from ops.letters import EventLetter, Letter, UnusableLetter, joined
from ops.notify import INSTAGRAM, PAGE, Notice, message, pairs, send
from ops.registration import Registration, read_secrets, wanted_profile
from ops.stack import Stack, from_file, from_pulumi, from_sandbox
from ops.view import View

DESCRIPTION = "What an operator does by hand. Every command needs to know which stack: --stack, --outputs or --sandbox."
LETTERS = "Events that the bot could not handle, and what never was one."
UNSEEN = (
    "SQS counts {} more (a count that can be a minute old): of one person it shows ten at a time, and none while "
    "somebody else looks."
)


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    formatter = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog="python -m ops", description=DESCRIPTION, formatter_class=formatter,
        epilog="Example:\n  python -m ops check --stack dev",
    )  # fmt: skip
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(
        to: "argparse._SubParsersAction[argparse.ArgumentParser]",
        name: str,
        what: str,
        example: str,
        instead: tuple[str, str] | None = None,
    ) -> argparse.ArgumentParser:
        epilog = "Example:\n  " + example.replace("\n", "\n  ")
        one = to.add_parser(name, help=what, description=what, formatter_class=formatter, epilog=epilog)
        which = one.add_argument_group("which stack").add_mutually_exclusive_group(required=True)
        which.add_argument("--stack", metavar="NAME", help="a stack that the Pulumi CLI knows")
        which.add_argument(
            "--outputs", metavar="FILE", help="what `pulumi stack output --json` printed; - for standard input"
        )
        which.add_argument(
            "--sandbox", metavar="FILE|URL",
            help="what `python -m sandbox up --json` printed, - for standard input; or its cloudUrl",
        )  # fmt: skip
        if instead:
            which.add_argument(instead[0], metavar="FILE", help=instead[1])
        one.add_argument("--json", action="store_true", help="JSON on standard output, all else on standard error")
        return one

    def dry(one: argparse.ArgumentParser) -> None:
        one.add_argument("--dry-run", action="store_true", help="change nothing, tell only what would be done")

    letters = commands.add_parser(
        "deadletters", help=LETTERS, description=LETTERS, formatter_class=formatter,
        epilog="Example:\n  python -m ops deadletters list --stack dev",
    ).add_subparsers(dest="action", metavar="ACTION", required=True)  # fmt: skip
    add(
        letters,
        "list",
        "What lies there and why, without what people wrote.",
        "python -m ops deadletters list --stack dev",
    )
    show = add(
        letters, "show", "All of one letter, with what the person wrote.",
        "python -m ops deadletters show 1f3a9c02 --stack dev",
    )  # fmt: skip
    show.add_argument("id", metavar="ID", help="as list prints it")
    for name, what in (
        ("redrive", "Send events back to be answered: each person's in their order, nothing twice."),
        ("drop", "Delete letters for good."),
    ):
        example = f"python -m ops deadletters {name} --all --dry-run --stack dev"
        one = add(letters, name, what, f"python -m ops deadletters {name} 1f3a9c02 77b0 --stack dev\n{example}")
        one.add_argument("ids", metavar="ID", nargs="*", help="as list prints it")
        one.add_argument("--all", action="store_true", help="all of them")
        dry(one)

    person = add(
        commands, "forget", "Remove everything that is kept about a person.",
        "python -m ops forget 6543210987654321 --stack prod",
    )  # fmt: skip
    person.add_argument("psid", metavar="PSID", help="their page-scoped id")
    person.add_argument("--page", help="the page or Instagram account that they wrote to (default: the stack's page)")
    dry(person)
    news = add(
        commands, "notify", "Tell the bot of news for a person: it writes to them, if they asked for it.",
        "python -m ops notify 6543210987654321 --topic parcel number=12345678 --stack prod",
    )  # fmt: skip
    news.add_argument("psid", metavar="PSID", help="their page-scoped id")
    news.add_argument("data", metavar="NAME=TEXT", nargs="*", help="what the conversation is told")
    news.add_argument("--topic", required=True, help="which rule of the conversation takes it: @bot.notice(TOPIC)")
    news.add_argument(
        "--id", default="", help="of the news: given twice, it is told once (default: of its own each time)"
    )
    news.add_argument("--instagram", metavar="ID", help="the Instagram account that they wrote to, if it was no page")
    dry(news)
    check = add(
        commands, "check", "Is the bot registered with Facebook as it should be? Exit code 1 if not.",
        "python -m ops check --stack prod --app-id 200000000000001",
    )  # fmt: skip
    register = add(
        commands, "register", "Register webhook, page and profile with Facebook, where something differs.",
        "python -m ops register --stack prod --app-id 200000000000001 --dry-run",
    )  # fmt: skip
    for one in (check, register):
        one.add_argument("--app-id", metavar="ID", help="the Facebook app's id, at the top of its dashboard")
    dry(register)
    bill = add(
        commands, "cost", "What a message takes and costs, from CloudWatch's metrics.",
        "python -m ops cost --stack prod --days 30\npython -m bench.calls --json | python -m ops cost --usage -",
        ("--usage", "no stack: what `python -m bench.calls --json` counted in a sandbox; - for standard input"),
    )  # fmt: skip
    bill.add_argument("--days", type=int, default=7, metavar="N", help="the last N days (default: 7)")
    bill.add_argument(
        "--messages", type=int, metavar="N",
        help="how many people wrote in that time (default: half of what the queue got, as echoes pass it too)",
    )  # fmt: skip
    bill.add_argument(
        "--prices", type=Path, default=cost.PRICES, metavar="FILE", help="other prices than those of ops/prices.json"
    )
    return top


def run(arguments: Sequence[str]) -> int:
    """Carry out a command line.

    Args:
        arguments: what follows `python -m ops`.

    Returns:
        The exit code: 0 if it worked and all is well, 1 if not. A wrong command line ends with 2.
    """
    grammar = parser()
    options, more = grammar.parse_known_args(arguments)
    if options.command == "notify" and not any(each.startswith("-") for each in more):
        options.data += more  # argparse takes no positional arguments on both sides of an option
    elif more:
        grammar.error(f"unrecognized arguments: {' '.join(more)}")
    if options.command == "deadletters" and options.action in {"redrive", "drop"} and bool(options.ids) == options.all:
        grammar.error(f"deadletters {options.action}: name letters, or --all")
    view = View(options.json)
    try:
        return _cost(options, view) if options.command == "cost" else _run(options, view)
    except OpsError as error:
        view.fail(str(error))
    except AwsError as error:
        view.fail(sentence(error))
    except KeyboardInterrupt:
        view.fail("Stopped. What was done so far stays done; to go on, give the same command again.")
    return 1


def _run(options: argparse.Namespace, view: View) -> int:
    stack = _stack(options)
    aws = OperatorAws(stack.region, stack.endpoint, stack.key)
    if options.command in {"check", "register"}:
        return _registration(options, view, stack, aws)
    # How long a state is kept matters only to those who write one.
    ledger = Ledger(aws, stack.ledger_table, state_days=0)
    if options.command in {"forget", "notify"} and not options.psid.isalnum():
        raise OpsError(f"{options.psid!r} is no page-scoped id: it is digits, such as 6543210987654321.")
    if options.command == "notify":
        return _notify(options, view, stack, aws, ledger)
    if options.command == "forget":
        page = options.page or stack.page_id
        view.forgotten(forget(options.psid, page, aws, stack, ledger, dry=options.dry_run), dry=options.dry_run)
        return 0
    with Held(aws, stack) as held:
        match options.action:
            case "list":
                view.letters(held.look(), stack.page_id)
            case "show":
                _show(options.id, view, stack, held, ledger)
            case "redrive":
                return _redrive(options, view, stack, held, ledger)
            case _:
                return _drop(options, view, held, ledger)
        _tell_unseen(view, held)
    return 0


def _cost(options: argparse.Namespace, view: View) -> int:
    prices = cost.read_prices(options.prices)
    if options.usage:
        usage = cost.from_file(options.usage)
    else:
        stack = _stack(options)
        usage = cost.from_metrics(
            OperatorAws(stack.region, stack.endpoint, stack.key), stack, options.days, options.messages
        )
    view.bill(cost.bill(usage, prices))
    return 0


def _stack(options: argparse.Namespace) -> Stack:
    if options.sandbox:
        return from_sandbox(options.sandbox)
    return from_file(options.outputs) if options.outputs else from_pulumi(options.stack)


def _tell_unseen(view: View, held: Held) -> None:
    if unseen := held.unseen():
        view.note(UNSEEN.format(unseen))


def _notify(options: argparse.Namespace, view: View, stack: Stack, aws: OperatorAws, ledger: Ledger) -> int:
    account = options.instagram or stack.page_id
    notice = Notice(
        person=options.psid,
        platform=INSTAGRAM if options.instagram else PAGE,
        account=account,
        topic=options.topic,
        data=pairs(options.data),
        identity=options.id,
    )
    made = message(notice, time.time())
    if not options.dry_run:
        send(made, aws, stack)
    view.notified(made, dry=options.dry_run)
    if not ledger.has_state(made.group):
        view.note("The bot remembers nothing of this person: did they write to this page, and is the id right?")
    return 0


def _show(identity: str, view: View, stack: Stack, held: Held, ledger: Ledger) -> None:
    everything = held.look()
    letter = find([identity], held)[0]
    parts = joined(letter, everything) if isinstance(letter, UnusableLetter) else None
    records = (
        [ledger.record(key, letter.page) for key in letter.ledger_keys()] if isinstance(letter, EventLetter) else []
    )
    view.letter(letter, stack.page_id, parts, records)


def _redrive(options: argparse.Namespace, view: View, stack: Stack, held: Held, ledger: Ledger) -> int:
    done: list[Redriven] = []
    kept: list[tuple[Letter, str]] = []
    try:
        if options.all:
            for each in redrive_all(held, ledger, stack.page_id, dry=options.dry_run):
                done.append(each)  # noqa: PERF402  what was done before a failure is told too
            kept = [(each, why) for each in held.letters.values() if (why := obstacle(each, stack.page_id))]
        else:
            for each in redrive_chosen(options.ids, held, ledger, stack.page_id, dry=options.dry_run):
                done.append(each)  # noqa: PERF402
    finally:
        if done or options.all:
            view.redriven(done, kept, dry=options.dry_run)
    if options.all:
        _tell_unseen(view, held)
    return 0


def _drop(options: argparse.Namespace, view: View, held: Held, ledger: Ledger) -> int:
    done: list[Letter] = []
    try:
        if options.dry_run or not options.all:
            letters = held.look()
            for letter in letters if options.all else find(options.ids, held):
                if not options.dry_run:
                    drop(letter, held, ledger)
                done.append(letter)
        else:
            for letter in drop_all(held, ledger):
                done.append(letter)  # noqa: PERF402  what was done before a failure is told too
    finally:
        if done or options.all:
            view.dropped(done, dry=options.dry_run)
    if options.all:
        _tell_unseen(view, held)
    return 0


def _registration(options: argparse.Namespace, view: View, stack: Stack, aws: OperatorAws) -> int:
    app_id = options.app_id or stack.app_id
    if not app_id.isdigit():
        raise OpsError("Which Facebook app? Give --app-id with the number at the top of the app's dashboard.")
    registration = Registration(stack, read_secrets(aws, stack.secrets_path), app_id, wanted_profile())
    if options.command == "register":
        view.changes(list(registration.register(dry=options.dry_run)), dry=options.dry_run)
        return 0
    verdicts = list(registration.check())
    view.verdicts(verdicts)
    return 0 if all(each.fine for each in verdicts) else 1
