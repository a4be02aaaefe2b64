"""The operator's command line."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from bot.aws.client import AwsError
from ops import commands, permission_set
from ops.aws import OperatorAws, advice
from ops.errors import OpsError
from ops.stack import Stack, from_file, from_pulumi, from_running_sandbox, from_sandbox
from ops.view import Result, fail, print_json, print_text

DESCRIPTION = "What an operator does by hand, with the stack of --stack or --outputs, or else with the running sandbox."
LETTERS = "Events that the bot could not handle, and requests that held no event."
PERMISSION_SET = "permission-set"
DRY_RUN = "change nothing, only say what would happen"

Subparsers = Any
"""What `add_subparsers` returns; argparse does not name its type."""


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(prog="python -m ops", description=DESCRIPTION, **_examples("check --stack dev"))
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    letters = subparsers.add_parser(
        "deadletters", help=LETTERS, description=LETTERS, **_examples("deadletters list --stack dev")
    )
    _add_letters(letters.add_subparsers(dest="action", metavar="ACTION", required=True))
    _add_people(subparsers)
    _add_registration(subparsers)
    policies = "The administrators' policies as a permission set for IAM Identity Center: a CloudFormation template."
    people = subparsers.add_parser(
        PERMISSION_SET, help=policies, description=policies, **_examples("permission-set Innolab_FBM")
    )
    people.add_argument("group", metavar="GROUP", help="the administrators' group, of your credentials' account")
    return top


def _examples(*arguments: str) -> dict[str, Any]:
    epilog = "Example:\n" + "\n".join(f"  python -m ops {each}" for each in arguments)
    return {"epilog": epilog, "formatter_class": argparse.RawDescriptionHelpFormatter}


def _add(
    to: Subparsers,
    name: str,
    run: Callable[[argparse.Namespace, commands.Target], int],
    what: str,
    *examples: str,
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = to.add_parser(name, help=what, description=what, **_examples(*examples))
    command.set_defaults(run=run)
    stack = command.add_argument_group("which stack (default: the running sandbox's)").add_mutually_exclusive_group()
    stack.add_argument("--stack", metavar="NAME", help="a stack that the Pulumi CLI knows")
    stack.add_argument(
        "--outputs", metavar="FILE", help="the output of `pulumi stack output --json`; - for standard input"
    )
    stack.add_argument(
        "--sandbox",
        metavar="FILE|URL",
        help="the output of `python -m sandbox up --json`, - for standard input; or a sandbox's cloudUrl",
    )
    command.add_argument("--json", action="store_true", help="print JSON on standard output, remarks on standard error")
    return command


def _add_letters(to: Subparsers) -> None:
    _add(
        to,
        "list",
        commands.list_letters,
        "The dead letters with their reasons, without what people wrote.",
        "deadletters list --stack dev",
    )
    show = _add(
        to,
        "show",
        commands.show_letter,
        "One letter in full, with what the person wrote.",
        "deadletters show 1f3a9c02 --stack dev",
    )
    show.add_argument("id", metavar="ID", help="as list prints it")
    for name, run, what in (
        (
            "redrive",
            commands.redrive_letters,
            "Send events back to be answered: in each person's order, nothing twice.",
        ),
        ("drop", commands.drop_letters, "Delete letters for good."),
    ):
        command = _add(
            to,
            name,
            run,
            what,
            f"deadletters {name} 1f3a9c02 77b0 --stack dev",
            f"deadletters {name} --all --dry-run --stack dev",
        )
        command.add_argument("ids", metavar="ID", nargs="*", help="as list prints it")
        command.add_argument("--all", action="store_true", help="all letters")
        command.add_argument("--dry-run", action="store_true", help=DRY_RUN)


def _add_people(to: Subparsers) -> None:
    forget = _add(
        to,
        "forget",
        commands.forget,
        "Remove everything that is kept about a person.",
        "forget 6543210987654321 --stack prod",
    )
    forget.add_argument("--page", help="the page or Instagram account that they wrote to (default: the stack's page)")
    notify = _add(
        to,
        "notify",
        commands.notify,
        "Send the bot news for a person. It writes to them if they asked for it.",
        "notify 6543210987654321 --topic parcel number=12345678 --stack prod",
    )
    for command, who in ((forget, "their page-scoped id, or user_ref:REFERENCE"), (notify, "their page-scoped id")):
        command.add_argument("psid", metavar="PSID", help=who)
        command.add_argument("--dry-run", action="store_true", help=DRY_RUN)
    notify.add_argument("data", metavar="NAME=TEXT", nargs="*", help="what the conversation gets")
    notify.add_argument("--topic", required=True, help="the conversation's rule for it: @bot.notice(TOPIC)")
    notify.add_argument("--id", default="", help="a second notice with this id is dropped (default: a fresh id)")
    notify.add_argument("--instagram", metavar="ID", help="the Instagram account that they wrote to, if not the page")


def _add_registration(to: Subparsers) -> None:
    check = _add(
        to,
        "check",
        commands.check,
        "Check the bot's registration with Facebook. Exit code 1 if something is wrong.",
        "check --stack prod --app-id 200000000000001",
    )
    register = _add(
        to,
        "register",
        commands.register,
        "Register webhook, page and profile with Facebook, where something differs.",
        "register --stack prod --app-id 200000000000001 --dry-run",
    )
    for command in (check, register):
        command.add_argument("--app-id", metavar="ID", help="the Facebook app's id, at the top of its dashboard")
        command.add_argument("--instagram", action="store_true", help="also the app's webhook for Instagram")
    register.add_argument("--dry-run", action="store_true", help=DRY_RUN)


def run(arguments: Sequence[str]) -> int:
    """Run a command line.

    Args:
        arguments: those after `python -m ops`.

    Returns:
        The exit code: 0 if it worked and all is well, 1 if not. An invalid command line exits with 2.
    """
    grammar = parser()
    options, more = grammar.parse_known_args(arguments)
    if options.command == "notify" and not any(each.startswith("-") for each in more):
        options.data += more  # argparse does not collect positional arguments on both sides of an option
    elif more:
        grammar.error(f"unrecognized arguments: {' '.join(more)}")
    if "ids" in options and bool(options.ids) == options.all:
        grammar.error(f"deadletters {options.action}: name letters, or --all")
    try:
        if options.command == PERMISSION_SET:
            print_json(Result(permission_set.template(OperatorAws(permission_set.REGION), options.group), []))
            return 0
        stack = _stack(options)
        aws = OperatorAws(stack.region, stack.endpoint, stack.key)
        exit_code: int = options.run(options, commands.Target(stack, aws, print_json if options.json else print_text))
    except OpsError as error:
        fail(str(error))
    except AwsError as error:
        fail(advice(error))
    except KeyboardInterrupt:
        fail("Stopped. What was done stays done. To continue, run the same command again.")
    else:
        return exit_code
    return 1


def _stack(options: argparse.Namespace) -> Stack:
    if options.sandbox:
        return from_sandbox(options.sandbox)
    if options.outputs:
        return from_file(options.outputs)
    return from_pulumi(options.stack) if options.stack else from_running_sandbox()
