"""The operator's command line."""

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any

from bot.aws.client import AwsError
from bot.registration import RegistrationError
from ops import commands, permission_set
from ops.adopt import DOCUMENTED_GROUP
from ops.aws import OperatorAws, advice
from ops.errors import OpsError
from ops.stack import Stack, from_file, from_pulumi, from_running_sandbox, from_sandbox
from ops.view import fail, print_json, print_text

DESCRIPTION = "What an operator does by hand, with the stack of --stack or --outputs, or else with the running sandbox."
LETTERS = "Events that the bot could not handle, and requests that held no event."
ADOPT = "Take over from a system that was made by hand, step by step: see docs/migrate.md."
PERMISSION_SET = "The administrators' policies as a permission set for IAM Identity Center: a CloudFormation template."
JSON = "print JSON on standard output, remarks on standard error"
APP_ID = "the Facebook app's id, at the top of its dashboard"
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
    _add_humans(subparsers)
    _add_templates(subparsers)
    _add_watching(subparsers)
    _add_registration(subparsers)
    _add_release(subparsers)
    adopt = subparsers.add_parser("adopt", help=ADOPT, description=ADOPT, **_examples("adopt look"))
    _add_adopt(adopt.add_subparsers(dest="action", metavar="ACTION", required=True))
    people = _add_before_a_stack(
        subparsers, "permission-set", commands.print_permission_set, PERMISSION_SET, "permission-set Innolab_FBM"
    )
    people.add_argument("group", metavar="GROUP", help="the administrators' group, of your credentials' account")
    people.set_defaults(target=_iam, json=True)
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
    command.set_defaults(run=run, target=_target)
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
    command.add_argument("--json", action="store_true", help=JSON)
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


def _add_humans(to: Subparsers) -> None:
    _add(
        to,
        "conversations",
        commands.conversations_,
        "Who is waiting for a human, and since when.",
        "conversations --stack prod",
    )
    reply = _add(
        to,
        "reply",
        commands.reply_,
        "Write to a person in the page's name: between 24 hours and 7 days after their last message with the tag "
        "HUMAN_AGENT. The bot is then silent for them.",
        'reply 6543210987654321 "We have found it." --stack prod',
        "reply 6543210987654321 - --stack prod < answer.txt",
    )
    reply.add_argument("psid", metavar="PSID", help="their page-scoped id")
    reply.add_argument(
        "text",
        metavar="TEXT",
        help="what to say; - for standard input, which is private: other users of this machine can see TEXT in the "
        "list of processes, and the shell keeps it in its history",
    )


def _add_templates(to: Subparsers) -> None:
    what = "The templates of utility messages: what the conversation defines, and what Facebook approved."
    templates = to.add_parser("templates", help=what, description=what, **_examples("templates show --stack dev"))
    actions = templates.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add(
        actions,
        "show",
        commands.show_templates,
        "Each template with its status, and why Facebook refused it.",
        "templates show --stack dev",
    )
    for name, run, does in (
        ("create", commands.create_templates, "Create those that Facebook does not have."),
        ("update", commands.update_templates, "Change those that differ. Facebook reviews them again."),
    ):
        command = _add(actions, name, run, does, f"templates {name} --stack dev", f"templates {name} --dry-run")
        command.add_argument("--dry-run", action="store_true", help=DRY_RUN)


def _add_watching(to: Subparsers) -> None:
    status = _add(
        to,
        "status",
        commands.status,
        "The dashboard's answers: are people answered, how soon, what fails, what waits, what is used.",
        "status --stack prod",
    )
    status.add_argument("--hours", type=float, default=1, help="how far back to look (default: 1)")
    unknown = _add(
        to,
        "questions",
        commands.questions,
        "What people wrote and the bot did not understand, the most frequent first. It says nothing about who wrote.",
        "questions --stack prod",
    )
    unknown.add_argument("--top", type=int, default=50, help="how many texts (default: 50)")
    trace = _add(
        to,
        "trace",
        commands.trace,
        "The path of one event from the webhook to its last answer, by the log. It shows nothing that anybody wrote.",
        "trace m_AbC123 --stack prod",
    )
    trace.add_argument("id", metavar="ID", help="a log line's `event` or `request`, or a message's `mid` at Facebook")
    trace.add_argument("--page", help="the page or Instagram account of a mid (default: the stack's page)")
    trace.add_argument("--hours", type=float, default=24, help="how far back to look (default: 24)")


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
    review = _add(
        to,
        "review",
        commands.review_,
        "What Meta's App Review asks for: a checklist, words for each permission, and a script for the screencast.",
        "review --stack prod --app-id 200000000000001",
    )
    for command in (check, register, review):
        command.add_argument("--app-id", metavar="ID", help=APP_ID)
        command.add_argument("--instagram", action="store_true", help="also the app's webhook for Instagram")
    register.add_argument("--dry-run", action="store_true", help=DRY_RUN)


def _add_release(to: Subparsers) -> None:
    _add(
        to,
        "release",
        commands.release,
        "Try the newest version on a share of the work; then it answers everybody, or is rolled back (exit code 1).",
        "release --stack prod",
    )
    rollback = _add(
        to,
        "rollback",
        commands.rollback,
        "Let the version before answer everybody again, at once.",
        "rollback --stack prod",
        "rollback --to 12 --stack prod",
    )
    rollback.add_argument("--to", type=int, metavar="VERSION", help="which version (default: the one before)")
    smoke = _add(
        to,
        "smoke",
        commands.smoke,
        "Write to the bot as the team member of smokePerson, through the webhook, and wait for the answer.",
        "smoke --stack prod",
    )
    smoke.add_argument("--text", default="hello", help="what to write (default: hello)")
    smoke.add_argument("--seconds", type=int, default=60, help="how long to wait (default: 60)")


def _add_adopt(to: Subparsers) -> None:
    look = _add_before_a_stack(
        to, "look", commands.adopt_look, "What was made by hand: group, function, role and REST API.", "adopt look"
    )
    look.add_argument("--json", action="store_true", help=JSON)
    importing = _add_before_a_stack(
        to,
        "import",
        commands.adopt_import,
        "Print the file with which `pulumi import` takes the group over, with its people and policies as they are.",
        "adopt import --stack dev > import.json",
    )
    importing.add_argument("--stack", metavar="NAME", required=True, help="the stack that will hold the group")
    switch = _add(
        to,
        "switch",
        commands.adopt_switch,
        "Let Facebook send to the stack's webhook, remember the one before, and wait for the first answer.",
        "adopt switch --stack dev --app-id 200000000000001",
    )
    switch.add_argument("--seconds", type=int, default=300, help="how long to wait for it (default: 300)")
    back = _add(
        to,
        "back",
        commands.adopt_back,
        "Let Facebook send to the webhook before the switch again, exactly as it did.",
        "adopt back --stack dev --app-id 200000000000001",
    )
    leftovers = _add(
        to,
        "leftovers",
        commands.adopt_leftovers,
        "What of the old system can be deleted, and the commands that do so.",
        "adopt leftovers --stack dev --app-id 200000000000001",
    )
    for command in (switch, back, leftovers):
        command.add_argument("--app-id", metavar="ID", help=APP_ID)
        command.set_defaults(instagram=False)
    for command in (look, importing, leftovers):
        command.add_argument(
            "--group",
            metavar="NAME",
            default=DOCUMENTED_GROUP,
            help=f"of the administrators (default: {DOCUMENTED_GROUP})",
        )


def _add_before_a_stack(
    to: Subparsers, name: str, run: Callable[[argparse.Namespace, commands.Place], int], what: str, *examples: str
) -> argparse.ArgumentParser:
    """A command on the account and region of the operator's own AWS settings."""
    command: argparse.ArgumentParser = to.add_parser(name, help=what, description=what, **_examples(*examples))
    command.set_defaults(run=run, target=_place, json=False)
    return command


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
        exit_code: int = options.run(options, options.target(options))
    except (OpsError, RegistrationError) as error:
        fail(str(error))
    except AwsError as error:
        fail(advice(error))
    except KeyboardInterrupt:
        fail("Stopped. What was done stays done. To continue, run the same command again.")
    else:
        return exit_code
    return 1


def _place(options: argparse.Namespace) -> commands.Place:
    return commands.Place(OperatorAws(os.environ.get("AWS_REGION")), print_json if options.json else print_text)


def _iam(_: argparse.Namespace) -> commands.Place:
    return commands.Place(OperatorAws(permission_set.REGION), print_json)


def _target(options: argparse.Namespace) -> commands.Target:
    stack = _stack(options)
    aws = OperatorAws(stack.region, stack.endpoint, stack.key)
    return commands.Target(aws, print_json if options.json else print_text, stack)


def _stack(options: argparse.Namespace) -> Stack:
    if options.sandbox:
        return from_sandbox(options.sandbox)
    if options.outputs:
        return from_file(options.outputs)
    return from_pulumi(options.stack) if options.stack else from_running_sandbox()
