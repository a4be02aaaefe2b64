"""Rules: which handler takes which event. Mistakes in them are found when the conversation is imported."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from bot.dialogue.typed import Mismatch, read_strictly
from bot.messenger.events import (
    AccountLinked,
    AttachmentMessage,
    Comment,
    Event,
    Fallback,
    MessageEvent,
    Notice,
    OptedIn,
    Postback,
    QuickReplyTapped,
    Reacted,
    Referral,
    Referred,
    TextMessage,
)
from bot.messenger.record import Record
from bot.messenger.text import plain

# Tables in which a phrase may stand only once: a phrase of `always` never reaches the other two.
_RIVALS = {"text": ("text", "always"), "always": ("text", "always", "cancel"), "cancel": ("cancel", "always")}
_ONLY_ONE = {"error", "dialogue"}  # tables that no catch-all can hide


class RuleError(Exception):
    """A mistake in the rules of a conversation. The text says what is wrong, and in which lines."""


class Rule(Record):
    """A handler and what it is for.

    Attributes:
        handler: the author's function.
        what: what the rule takes, in words.
        place: file and line of the handler.
        language: the language that the user speaks if this rule takes the event; "" if the rule does not show it.
    """

    handler: Callable[..., Any]
    what: str
    place: str
    language: str = ""


class Match(Record):
    """A rule that takes an event.

    Attributes:
        rule: the rule.
        argument: what follows the rule's name in the payload.
        groups: what the rule's pattern found, as the author's record.
    """

    rule: Rule
    argument: str = ""
    groups: tuple[Record, ...] = ()


class Rules:
    """All rules of a bot, in tables: one per kind of event, and some for texts. None stands for any value."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, object], Rule] = {}
        self._patterns: list[tuple[re.Pattern[str], type[Record], Rule]] = []

    def add(self, table: str, value: object, handler: Callable[..., Any], what: str, language: str = "") -> Rule:
        """Add a rule.

        Raises:
            RuleError: another rule takes the same, or an earlier one takes everything.
        """
        rule = Rule(handler, what, place(handler), language)
        for rival in _RIVALS.get(table, (table,)):
            if earlier := self.get(rival, value):
                raise RuleError(f"{what} is taken twice: at {earlier.place} and at {rule.place}. Remove one of them.")
        for catch_all in (self.get(table), self.get("fallback")):
            if catch_all and table not in _ONLY_ONE:
                raise RuleError(
                    f"{what} at {rule.place} comes after {catch_all.what} at {catch_all.place}, which takes "
                    "everything: put it before."
                )
        self._rules[table, value] = rule
        return rule

    def add_pattern(self, pattern: re.Pattern[str], groups: type[Record], handler: Callable[..., Any]) -> None:
        """Add a rule for texts in which a pattern is found; see `compiled`."""
        rule = self.add("pattern", pattern.pattern, handler, f"the pattern {pattern.pattern!r}")
        self._patterns.append((pattern, groups, rule))

    def get(self, table: str, value: object = None) -> Rule | None:
        """The rule of a table for exactly this value; without a value, the rule for any."""
        return self._rules.get((table, value))

    def for_text(self, text: str) -> Match | None:
        """The rule for a text outside a dialogue: its exact phrase, or else the first pattern found in it."""
        if rule := self.get("text", normal(text)):
            return Match(rule)
        for pattern, groups, rule in self._patterns:
            if found := pattern.search(text):
                given = {name: value for name, value in found.groupdict().items() if value is not None}
                try:
                    return Match(rule, groups=(read_strictly(groups, given),))
                except Mismatch:
                    continue
        return None

    def for_event(self, event: Event) -> Match | None:
        """The rule for an event, apart from its words."""
        referral = getattr(event, "referral", None)
        link = self._named(Referred, referral.ref) if isinstance(referral, Referral) else None
        # A new user's first tap or message carries the link by which they came. A rule for exactly this link says more
        # than the tap does.
        if link and (isinstance(event, Referred) or link.rule is not self.get(Referred.kind)):
            return link
        return self._for_kind(event) or link

    def for_attachments(self, event: MessageEvent) -> Match | None:
        """The rule for what came with a message. The previews of links beside a text are a part of the text."""
        kinds = [type(each) for each in event.attachments]
        if not isinstance(event, AttachmentMessage):
            kinds = [kind for kind in kinds if kind is not Fallback]
        return self._first(AttachmentMessage.kind, (*kinds, None)) if kinds else None

    def _for_kind(self, event: Event) -> Match | None:
        match event:
            case Postback(payload=name) | QuickReplyTapped(payload=name) | OptedIn(payload=name) | Notice(topic=name):
                return self._named(type(event), name)
            case AccountLinked(status=name):
                return self._named(type(event), name)
            case AttachmentMessage() | TextMessage():
                return self.for_attachments(event)
            case Comment():
                return self._for_comment(event)
            case Reacted(action="react"):
                return self._first(event.kind, (plain(event.emoji), plain(event.reaction), None))
        return self._first(event.kind, (None,))

    def _for_comment(self, comment: Comment) -> Match | None:
        """The rule for a comment: for its post and words, else its post, else its words, else for any."""
        said, fitting = normal(comment.text), []
        for (table, value), rule in self._rules.items():
            if table == Comment.kind and isinstance(value, tuple):
                post, phrase = value
                # Facebook's id of a post has the page's id before it.
                here = not post or post == comment.post or comment.post.endswith(f"_{post}")
                if here and (not phrase or re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", said)):
                    fitting.append((bool(post), bool(phrase), rule))
        if fitting:
            return Match(max(fitting, key=lambda each: each[:2])[2])
        return self._first(Comment.kind, (None,))

    def _first(self, table: str, values: Iterable[object]) -> Match | None:
        """The rule for the first of these values that has one."""
        rule = next(filter(None, (self.get(table, value) for value in values)), None)
        return Match(rule) if rule else None

    def _named(self, kind: type[Event], name: str) -> Match | None:
        """The rule of the exact name, else of the name before the colon, else of any name."""
        start, _, argument = name.partition(":")
        for value, rest in ((name, ""), (start, argument), (None, name)):
            if rule := self.get(kind.kind, value):
                return Match(rule, rest)
        return None


def compiled(expression: str, groups: type[Record]) -> re.Pattern[str]:
    """A regular expression that ignores case. Its named groups are the fields of a record.

    Raises:
        RuleError: it is invalid, or its groups are not the fields of the record.
    """
    try:
        pattern = re.compile(expression, re.IGNORECASE)
    except re.error as error:
        raise RuleError(f"The pattern {expression!r} is not a regular expression: {error}.") from None
    if set(pattern.groupindex) != set(groups._fields):
        raise RuleError(
            f"The pattern {expression!r} has the groups {sorted(pattern.groupindex)}, and {groups.__name__} the "
            f"fields {sorted(groups._fields)}: give both the same names."
        )
    return pattern


def normal(text: str) -> str:
    """A text as it is compared: `plain`, without case, without punctuation around it, with single spaces."""
    folded = " ".join(unicodedata.normalize("NFKC", plain(text)).casefold().split())
    return folded.strip(" .,!?¿¡…:;") or folded


def place(function: Callable[..., Any]) -> str:
    """File and line of a function; of an object without code, its repr."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)
