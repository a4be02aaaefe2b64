"""What Meta's App Review asks for: a checklist, words for each permission, and a script for the screencast.

Sources are in docs/app-review.md, which also has the usual reasons for refusal.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bot.messenger.client import GraphApi
from bot.messenger.errors import SendError
from bot.messenger.messages import PublicReply
from bot.registration import UTILITY_SCOPE, Verdict, wanted_templates
from ops.errors import OpsError
from ops.privacy_pages import DELETION_PAGE, PRIVACY_PAGE, readable
from ops.stack import Stack

PROJECT = Path(__file__).parents[1]
SCRIPT = PROJECT / "docs" / "app-review.yaml"
DONE, WRONG, WARNING, PERSON = "done", "wrong", "warning", "person"
# "Permissions Reference": every app has these without a review. Read on 2026-11-25.
UNREVIEWED = frozenset({"public_profile", "email"})
ENOUGH_TEXT = "It needs no login: write to our page in Messenger what the script says, and compare the answers."


class Item(NamedTuple):
    """One thing that must be true before the app is submitted.

    Attributes:
        what: what it is about.
        state: `done`, `wrong`, `warning`, or `person`: no API tells, so a person has to look.
        found: what was found, or what to do.
    """

    what: str
    state: str
    found: str


class Permission(NamedTuple):
    """A permission that this bot can use.

    Attributes:
        name: as Meta spells it.
        purpose: what it is for in this bot, to be pasted into the request.
        code: what uses it.
        is_used: whether this bot does use it.
    """

    name: str
    purpose: str
    code: Callable[..., object]
    is_used: Callable[[], bool]

    @property
    def place(self) -> str:
        """File, line and name of the code that uses it."""
        path = Path(inspect.getsourcefile(self.code) or "").relative_to(PROJECT)
        return f"{path}:{inspect.getsourcelines(self.code)[1]} ({self.code.__qualname__})"


class Step(NamedTuple):
    """One step of the shooting script; see docs/app-review.yaml.

    Attributes:
        write: a text that the person writes.
        tap: the title of a quick reply that they tap.
        do: something outside the conversation.
        answers: a part of each text that the bot answers with.
        notice: what the reviewer should notice.
        shows: the permissions that it shows.
    """

    write: str = ""
    tap: str = ""
    do: str = ""
    answers: Sequence[str] = ()
    notice: str = ""
    shows: Sequence[str] = ()


class Review(NamedTuple):
    """The kit for one stack.

    Attributes:
        items: the checklist.
        permissions: those that the bot uses.
        script: what to record.
    """

    items: Sequence[Item]
    permissions: Sequence[Permission]
    script: Sequence[Step]


def _always() -> bool:
    return True


def _replies_publicly() -> bool:
    """Whether a module of the conversation knows public replies: only then can a handler return one."""
    package = import_module("bot.conversation")  # here: most commands need no conversation that can be loaded
    own = [module for name, module in list(sys.modules.items()) if name.startswith(package.__name__)]
    return any(PublicReply in vars(module).values() for module in own)


def _asks_for_locale() -> bool:
    from bot import conversation  # here, as above

    return "locale" in conversation.bot.person


PERMISSIONS = (
    Permission(
        "pages_messaging",
        "Our bot answers people who write to our page in Messenger. A person starts each conversation. The bot "
        "receives their message by webhook and sends the answer with the Send API, within the messaging window.",
        GraphApi.send,
        _always,
    ),
    Permission(
        "pages_manage_metadata",
        "We subscribe our app's webhook to our own page, so that the bot receives the messages that people write to "
        "it, and we set the page's greeting, menu and ice breakers. We do so once for each deployment.",
        GraphApi.subscribe_page,
        _always,
    ),
    Permission(
        "pages_show_list",
        "We read back whether our app is still subscribed to our own page. Facebook ends a subscription whose webhook "
        "fails for an hour; without this check our bot would fall silent and nobody would notice.",
        GraphApi.page_subscription,
        _always,
    ),
    Permission(
        UTILITY_SCOPE,
        "A person asks our bot to report changes of their own order. When it changes after the messaging window has "
        "closed, the bot sends them one utility message from a template that Meta has approved. It advertises nothing.",
        GraphApi.create_template,
        lambda: bool(wanted_templates()),
    ),
    Permission(
        "pages_manage_engagement",
        "When a person comments on one of our page's posts, our bot can answer under the comment in the page's name.",
        PublicReply,
        _replies_publicly,
    ),
    Permission(
        "pages_read_engagement",
        "Our bot answers comments on our own page's posts in public; the answer refers to the comment, which needs "
        "this permission beside pages_manage_engagement. It reads no other content.",
        PublicReply,
        _replies_publicly,
    ),
    Permission(
        "pages_user_locale",
        "Our bot answers in the person's own language. It reads their locale once, when they write to the page first.",
        GraphApi.person,
        _asks_for_locale,
    ),
)
INSTAGRAM = (
    Permission(
        "instagram_basic",
        "Our page's Instagram account is connected to the app, so that our bot answers people there as well. It reads "
        "no posts and no other accounts.",
        GraphApi.webhook,
        _always,
    ),
    Permission(
        "instagram_manage_messages",
        "Our bot answers people who write to our Instagram account, within the messaging window, as in Messenger.",
        GraphApi.send,
        _always,
    ),
)
PERSONS = (
    (
        "business verification",
        "is done: Advanced access needs it. Start early, it takes days. (Business settings, Security center)",
    ),
    ("app settings", "have an icon, a category and a contact e-mail address. (App settings, Basic)"),
    ("data handling", "questions are answered: who processes the data (Amazon Web Services) and who is responsible."),
    (
        "screencast",
        "is recorded in Messenger itself by the script below, with English captions, and shows each permission.",
    ),
    ("test instructions", f"are pasted: {ENOUGH_TEXT}"),
    ("app mode", "will be Live once the permissions are granted: until then only people with a role get answers."),
)


def used_permissions(permissions: Sequence[Permission]) -> list[Permission]:
    """Those that this bot uses."""
    return [each for each in permissions if each.is_used()]


def load_script(path: Path) -> list[Step]:
    """The shooting script.

    Raises:
        OpsError: the file is missing, or says something else.
    """
    try:
        steps = [Step(**each) for each in yaml.safe_load(path.read_text(encoding="utf-8"))]
    except OSError as error:
        raise OpsError(f"{path} cannot be read ({error.strerror}): it says what to record for App Review.") from None
    except (yaml.YAMLError, TypeError) as error:
        raise OpsError(f"{path} is not a list of steps ({error}): its first lines say what a step has.") from None
    for number, step in enumerate(steps, 1):
        if sum(map(bool, (step.write, step.tap, step.do))) != 1:
            raise OpsError(f"Step {number} in {path} needs exactly one of write, tap and do.")
    return steps


def checklist(
    stack: Stack,
    graph: GraphApi,
    app_id: str,
    *,
    verdicts: Sequence[Verdict],
    used: Sequence[Permission],
    script: Sequence[Step],
) -> Iterator[Item]:
    """Everything that must be true before the app is submitted.

    Args:
        stack: the stack.
        graph: calls Facebook in the name of its page.
        app_id: the app's id.
        verdicts: of the registration with Facebook.
        used: the permissions that the bot uses.
        script: what is to be recorded.
    """
    yield _page_published(graph)
    for verdict in verdicts:
        if verdict.what not in (PRIVACY_PAGE, DELETION_PAGE):
            yield Item(verdict.what, DONE if verdict.fine else WRONG, verdict.found)
    yield _privacy_policy(stack, graph, app_id)
    yield _deletion(stack)
    yield from _permissions(graph, app_id, used)
    shown = {name for step in script for name in step.shows}
    for each in used:
        if each.name in shown:
            yield Item(f"script: {each.name}", DONE, "is shown")
        else:
            yield Item(f"script: {each.name}", WRONG, f"no step shows it: add one to {SCRIPT.relative_to(PROJECT)}")
    for what, found in PERSONS:
        yield Item(what, PERSON, found)


def _page_published(graph: GraphApi) -> Item:
    try:
        published = graph.facts(["is_published"]).get("is_published")
    except SendError as error:
        return Item("page", WRONG, f"cannot be read: {error}")
    if published:
        return Item("page", DONE, "is published")
    return Item("page", WRONG, "is not published: reviewers cannot write to it")


def _privacy_policy(stack: Stack, graph: GraphApi, app_id: str) -> Item:
    try:
        named = str(graph.facts(["privacy_policy_url"], app_id).get("privacy_policy_url") or "")
    except SendError as error:
        return Item("privacy policy", WRONG, f"the app cannot be read: {error}")
    if not named:
        url = stack.privacy_url or "its URL (with organisation and privacyContact, the stack serves one)"
        return Item("privacy policy", WRONG, f"the app names none: enter {url} in App settings, Basic")
    if trouble := readable(named):
        return Item("privacy policy", WRONG, f"{named} {trouble}")
    return Item("privacy policy", DONE, f"{named} can be read")


def _deletion(stack: Stack) -> Item:
    """No API tells which address the app names for that."""
    if not stack.deletion_url:
        return Item(
            "data deletion", PERSON, "enter the URL of a page that says how to have data deleted. (App settings, Basic)"
        )
    if trouble := readable(stack.deletion_url):
        return Item("data deletion", WRONG, f"{stack.deletion_url} {trouble}")
    return Item("data deletion", PERSON, f"{stack.deletion_url} can be read: enter it in App settings, Basic")


def _permissions(graph: GraphApi, app_id: str, used: Sequence[Permission]) -> Iterator[Item]:
    try:
        asked = graph.token(app_id).scopes
    except SendError as error:
        yield Item("permissions", WRONG, f"the token cannot be read: {error}")
        return
    for each in used:
        if each.name in asked:
            yield Item(each.name, DONE, f"is used at {each.place}")
        else:
            yield Item(each.name, WRONG, f"is used at {each.place}, and the token lacks it")
    for name in sorted({*asked} - {each.name for each in used} - UNREVIEWED):
        found = "is asked for and not used, a usual reason for refusal: leave it out, or say which permission needs it"
        yield Item(name, WARNING, found)


def numbered(script: Sequence[Step]) -> Iterator[dict[str, Any]]:
    """The script's steps, numbered, without what they do not have."""
    for number, step in enumerate(script, 1):
        yield {"step": number} | {name: value for name, value in step._asdict().items() if value}
