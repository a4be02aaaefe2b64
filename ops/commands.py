"""The commands. Each takes the parsed options and a target, and returns the exit code."""

import re
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from getpass import getpass

from bot.aws.ledger import Ledger
from bot.aws.secrets import SecretValues
from bot.messenger.client import GraphApi
from bot.messenger.identity import USER_REF
from bot.messenger.profile import Profile
from bot.registration import PulumiRemembers, Registration, Verdict, wanted_profile, wanted_scopes, wanted_templates
from ops import adopt, conversations, permission_set, reply, review, view
from ops.aws import OperatorAws
from ops.dead_letter_queue import DeadLetterQueue
from ops.errors import OpsError
from ops.forget import Memory
from ops.handmade import Account, Group
from ops.letters import EventLetter, Letter, UnusableLetter, joined
from ops.notify import INSTAGRAM, PAGE, NewNotice, message, pairs, send
from ops.privacy_pages import page_verdicts
from ops.questions import questions as read_questions
from ops.redrive import Redriven, chosen, drop, obstacle, preview, redrivable, redrive
from ops.registered import RegisteredToken, graph_api, read_secrets
from ops.release import Outcome, Release, roll_back
from ops.smoke import ask
from ops.stack import Stack
from ops.status import read_dashboard
from ops.templates import Templates
from ops.trace import trace as follow
from ops.view import Result, note

HOUR_SECONDS = 3600
PSID = re.compile("[0-9]+")
PERSON = re.compile(rf"({USER_REF})?[\w.-]+")
UNSEEN = (
    "SQS counts {} more (the count can be a minute old). It shows ten letters of one person at a time, and none that "
    "someone else is looking at."
)


@dataclass(frozen=True)
class Place:
    """What a command works on before there is a stack.

    Attributes:
        aws: calls AWS.
        show: prints the result.
    """

    aws: OperatorAws
    show: Callable[[Result], None]


@dataclass(frozen=True)
class Target(Place):
    """What a command works on.

    Attributes:
        stack: the stack.
    """

    stack: Stack

    @property
    def ledger(self) -> Ledger:
        """The stack's ledger. Only the bot writes states, so how long they are kept does not matter here."""
        return Ledger(self.aws, self.stack.ledger_table, state_days=0)

    @property
    def graph(self) -> GraphApi:
        """Calls Facebook in the name of the stack's page."""
        return graph_api(self.stack, read_secrets(self.aws, self.stack.secrets_path))


def list_letters(_options: Namespace, target: Target) -> int:
    """`deadletters list`."""
    with DeadLetterQueue(target.aws, target.stack) as queue:
        target.show(view.letters(queue.look(), target.stack.page_id))
        _note_unseen(queue)
    return 0


def show_letter(options: Namespace, target: Target) -> int:
    """`deadletters show`."""
    with DeadLetterQueue(target.aws, target.stack) as queue:
        letters = queue.look()
        (letter,) = queue.find([options.id])
        parts = joined(letter, letters) if isinstance(letter, UnusableLetter) else None
        records = (
            [target.ledger.read(key, letter.page).record for key in letter.ledger_keys()]
            if isinstance(letter, EventLetter)
            else []
        )
        target.show(view.letter(letter, target.stack.page_id, parts, records))
        _note_unseen(queue)
    return 0


def redrive_letters(options: Namespace, target: Target) -> int:
    """`deadletters redrive`."""
    page_id, ledger = target.stack.page_id, target.ledger
    done: list[Redriven] = []
    kept: list[tuple[Letter, str]] = []
    with DeadLetterQueue(target.aws, target.stack) as queue:
        try:
            for letter in redrivable(queue, page_id) if options.all else chosen(options.ids, queue, page_id):
                done.append(preview(letter, ledger) if options.dry_run else redrive(letter, queue, ledger))
            if options.all:
                kept = [(each, why) for each in queue.letters.values() if (why := obstacle(each, page_id))]
        finally:  # after a failure, too, the operator sees what was done
            if done or options.all:
                target.show(view.redriven(done, kept, dry=options.dry_run))
        if options.all:
            _note_unseen(queue)
    return 0


def drop_letters(options: Namespace, target: Target) -> int:
    """`deadletters drop`."""
    done: list[Letter] = []
    with DeadLetterQueue(target.aws, target.stack) as queue:
        try:
            if not options.all:
                queue.look()
            for letter in queue.every() if options.all else queue.find(options.ids):
                if not options.dry_run:
                    drop(letter, queue, target.ledger)
                done.append(letter)
        finally:  # after a failure, too, the operator sees what was done
            if done or options.all:
                target.show(view.dropped(done, dry=options.dry_run))
        if options.all:
            _note_unseen(queue)
    return 0


def forget(options: Namespace, target: Target) -> int:
    """`forget`."""
    if not PERSON.fullmatch(options.psid):
        raise OpsError(
            f"{options.psid!r} is neither a page-scoped id, such as 6543210987654321, nor the reference of a plugin, "
            f"such as {USER_REF}105."
        )
    page = options.page or target.stack.page_id
    memory = Memory(options.psid, page, target.aws, target.stack, target.ledger)
    target.show(view.forgotten(memory.preview() if options.dry_run else memory.forget(), dry=options.dry_run))
    return 0


def notify(options: Namespace, target: Target) -> int:
    """`notify`."""
    _check_psid(options)
    notice = NewNotice(
        person=options.psid,
        platform=INSTAGRAM if options.instagram else PAGE,
        account=options.instagram or target.stack.page_id,
        topic=options.topic,
        data=pairs(options.data),
        identity=options.id,
    )
    made = message(notice, time.time())
    if not options.dry_run:
        send(made, target.aws, target.stack)
    target.show(view.notified(made, dry=options.dry_run))
    if not target.ledger.has_state(made.group):
        note("The bot knows nothing about this person: check the id, and whether they wrote to this page.")
    return 0


def conversations_(_options: Namespace, target: Target) -> int:
    """`conversations`."""
    target.show(view.conversations(conversations.waiting(target.ledger, time.time())))
    return 0


def reply_(options: Namespace, target: Target) -> int:
    """`reply`."""
    _check_psid(options)
    text = sys.stdin.read().strip() if options.text == "-" else options.text
    by = reply.writer(target.aws)
    target.show(view.replied(reply.send(target.graph, options.psid, text, by), by))
    return 0


def show_templates(_options: Namespace, target: Target) -> int:
    """`templates show`."""
    target.show(view.templates(Templates(target.graph, wanted_templates()).show()))
    return 0


def create_templates(options: Namespace, target: Target) -> int:
    """`templates create`."""
    created = list(Templates(target.graph, wanted_templates()).create(dry=options.dry_run))
    target.show(view.changed_templates(created, "create", dry=options.dry_run))
    return 0


def update_templates(options: Namespace, target: Target) -> int:
    """`templates update`."""
    updated = list(Templates(target.graph, wanted_templates()).update(dry=options.dry_run))
    target.show(view.changed_templates(updated, "update", dry=options.dry_run))
    return 0


def status(options: Namespace, target: Target) -> int:
    """`status`."""
    now = time.time()
    answers = read_dashboard(target.aws, target.stack, since=now - options.hours * HOUR_SECONDS, until=now)
    target.show(view.status(answers))
    return 0


def questions(options: Namespace, target: Target) -> int:
    """`questions`."""
    found = read_questions(target.aws, target.stack, time.time())
    target.show(view.questions(found[: options.top], len(found)))
    return 0


def trace(options: Namespace, target: Target) -> int:
    """`trace`."""
    since = time.time() - options.hours * HOUR_SECONDS
    page = options.page or target.stack.page_id
    target.show(view.path(follow(target.aws, target.ledger, target.stack, options.id, page=page, since=since)))
    return 0


def check(options: Namespace, target: Target) -> int:
    """`check`."""
    verdicts = _verdicts(_registration(options, target), target)
    target.show(view.verdicts(verdicts))
    return 0 if all(each.fine for each in verdicts) else 1


def register(options: Namespace, target: Target) -> int:
    """`register`."""
    registration = _registration(options, target)
    changes = list(registration.preview() if options.dry_run else registration.register())
    target.show(view.changes(changes, dry=options.dry_run))
    return 0


def release(_options: Namespace, target: Target) -> int:
    """`release`."""
    stack = target.stack
    done = Release(target.aws, stack).run(stack.release_minutes, stack.release_percent)
    target.show(view.released(done))
    return 1 if done.outcome is Outcome.ROLLED_BACK else 0


def rollback(options: Namespace, target: Target) -> int:
    """`rollback`."""
    left, version = roll_back(target.aws, target.stack, options.to)
    target.show(view.rolled_back(left, version))
    return 0


def smoke(options: Namespace, target: Target) -> int:
    """`smoke`."""
    if not target.stack.smoke_person:
        note("No test message was sent: set smokePerson to the page-scoped id of somebody in the team, and deploy.")
        return 0
    app_secret = read_secrets(target.aws, target.stack.secrets_path).app_secrets[0]
    target.show(view.smoked(ask(target.aws, target.stack, app_secret, options.text, seconds=options.seconds)))
    return 0


def print_permission_set(options: Namespace, place: Place) -> int:
    """Print the policies of a group as a permission set for IAM Identity Center."""
    place.show(Result(permission_set.template(place.aws, options.group), []))
    return 0


def review_(options: Namespace, target: Target) -> int:
    """`review`."""
    script = review.load_script(review.SCRIPT)
    used = review.used_permissions([*review.PERMISSIONS, *(review.INSTAGRAM if options.instagram else ())])
    registration = _registration(options, target)
    app_id = options.app_id or target.stack.app_id
    verdicts = _verdicts(registration, target)
    items = list(review.checklist(target.stack, target.graph, app_id, verdicts=verdicts, used=used, script=script))
    target.show(view.review(review.Review(items, used, script)))
    return 1 if any(each.state == review.WRONG for each in items) else 0


def adopt_look(options: Namespace, place: Place) -> int:
    """`adopt look`."""
    account = Account(place.aws)
    group = account.group(options.group)
    system = account.documented()
    place.show(view.handmade(group, system, adopt.settings(group) if group else ""))
    return 0


def adopt_import(options: Namespace, place: Place) -> int:
    """`adopt import`."""
    group = _group(options, Account(place.aws))
    view.print_json(Result(adopt.import_file(options.stack, group), []))
    note("Save this as import.json. Then import the group, with its people and its policies as they are:")
    note(f"  pulumi import --file import.json --stack {options.stack} --protect=false --generate-code=false")
    return 0


def adopt_switch(options: Namespace, target: Target) -> int:
    """`adopt switch`."""
    began = time.time()
    changes = list(_switch(options, target).switch())
    note("Facebook sends to the stack's webhook. Write to the page, as anybody; the answer is waited for.")
    watched = adopt.watch(target.aws, target.stack.log_group, began, options.seconds)
    target.show(view.switched(changes, watched))
    if watched.answered and not watched.wrong:
        return 0
    why = f"the log has {', '.join(watched.wrong)}" if watched.wrong else f"nobody was answered in {options.seconds} s"
    note(f"{why[0].upper()}{why[1:]}: look at the function's log. `python -m ops adopt back` takes Facebook back.")
    return 1


def adopt_back(options: Namespace, target: Target) -> int:
    """`adopt back`."""
    target.show(view.switched_back(_switch(options, target).back()))
    return 0


def adopt_leftovers(options: Namespace, target: Target) -> int:
    """`adopt leftovers`."""
    switch, account = _switch(options, target), Account(target.aws)
    before = switch.before()
    if not switch.is_switched():
        raise OpsError("Facebook does not send to this stack: run `python -m ops adopt switch` first.")
    target.show(
        view.leftovers(list(adopt.leftovers(account.group(options.group), account.only_behind(before.url))), before)
    )
    return 0


def _check_psid(options: Namespace) -> None:
    if not PSID.fullmatch(options.psid):
        raise OpsError(f"{options.psid!r} is not a page-scoped id: it consists of digits, such as 6543210987654321.")


def _group(options: Namespace, account: Account) -> Group:
    group = account.group(options.group)
    if group is None:
        raise OpsError(f"There is no group {options.group}: name another with --group, or let `pulumi up` make it.")
    return group


def _switch(options: Namespace, target: Target) -> adopt.Switch:
    secrets = read_secrets(target.aws, target.stack.secrets_path)
    return adopt.Switch(
        target.stack,
        _registration_of(options, target, secrets, None),
        adopt.Remembered(target.aws, target.stack),
        secrets.verify_token,
        _ask,
    )


def _ask(question: str) -> str:
    """A secret, typed without being shown, or a line of standard input."""
    return getpass(question) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _registration(options: Namespace, target: Target) -> Registration:
    return _registration_of(options, target, read_secrets(target.aws, target.stack.secrets_path), wanted_profile())


def _verdicts(registration: Registration, target: Target) -> list[Verdict]:
    return [*registration.check(), *page_verdicts(target.stack)]


def _registration_of(
    options: Namespace, target: Target, secrets: SecretValues, profile: Profile | None
) -> Registration:
    app_id = options.app_id or target.stack.app_id
    if not app_id.isdigit():
        raise OpsError("The app's id is missing: give --app-id with the number at the top of the app's dashboard.")
    return Registration(
        target.stack,
        secrets,
        PulumiRemembers() if target.stack.registered_by_pulumi else RegisteredToken(target.aws, target.stack),
        app_id=app_id,
        profile=profile,
        objects=("page", "instagram") if options.instagram else ("page",),
        scopes=wanted_scopes(),
    )


def _note_unseen(queue: DeadLetterQueue) -> None:
    if unseen := queue.unseen():
        note(UNSEEN.format(unseen))
