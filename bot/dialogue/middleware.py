"""Middleware that most bots need: a human takes over, somebody writes too much, the language is guessed."""

from collections.abc import Callable
from typing import TypeVar

from bot.dialogue.reply import Reply, ReplyLike, Words
from bot.dialogue.rules import normal
from bot.dialogue.turn import Turn
from bot.messenger.events import Event, Postback, QuickReplyTapped, TextMessage, ThreadPassed
from bot.messenger.record import Record

S = TypeVar("S", bound=Record)
W = TypeVar("W")
Go = Callable[[Turn[S, W, Event]], Reply[S]]
Middleware = Callable[[Turn[S, W, Event], Go[S, W]], ReplyLike[S]]

HOUR = 3600.0
# The apps of the page's and of Instagram's inbox: whoever takes the thread there is a human.
# Source: "Conversation Control APIs (Conversation Routing)", 2026-11-25.
INBOXES = frozenset({"263902037430900", "1217981644879628"})


def handed_over(turn: Turn[S, W, Event], said: Words, hours: float = 12.0) -> Reply[S]:
    """The reply that hands over to a human. The bot is silent for these hours, or until it is called back."""
    until = turn.now + hours * HOUR
    return Reply(said, session=turn.session.replace(silent_until=until, dialogue=None))


def human_handover(*phrases: str, payload: str = "BOT") -> Middleware[S, W]:
    """Be silent while a human has the conversation.

    One of the phrases, a tap with the payload, or the inbox passing the thread calls the bot back. That event is then
    routed as usual, so a rule for it can say that the bot is back. Texts of `always` are answered all the time.

    Args:
        phrases: in any language.
        payload: of a button or quick reply.
    """
    back = frozenset(normal(phrase) for phrase in phrases)

    def calls_back(event: Event) -> bool:
        match event:
            case TextMessage(text=text):
                return normal(text) in back
            case Postback(payload=tapped) | QuickReplyTapped(payload=tapped):
                return tapped == payload
        return isinstance(event, ThreadPassed) and event.new_owner not in INBOXES

    def step(turn: Turn[S, W, Event], go: Go[S, W]) -> ReplyLike[S]:
        if turn.always or turn.session.silent_until <= turn.now:
            return go(turn)
        if calls_back(turn.event):
            return go(turn.replace(session=turn.session.replace(silent_until=0.0)))
        return None

    return step


def rate_limit(most: int, seconds: float, say: Callable[[Turn[S, W, Event]], Words]) -> Middleware[S, W]:
    """Limit how many events of one user are answered. The first event over the limit gets words, the next get none.

    Args:
        most: how many events are answered at once; the same number becomes free again within `seconds`.
        seconds: the time over which the limit applies, and for which the bot is then quiet.
        say: the words for the first event over the limit.
    """

    def step(turn: Turn[S, W, Event], go: Go[S, W]) -> ReplyLike[S]:
        session, now = turn.session, turn.now
        if not turn.event.opens_window:
            return go(turn)
        if now < session.quiet_until:
            return None
        pace = max(0.0, session.pace - (now - session.paced) * most / seconds) + 1
        if pace > most:
            return Reply(say(turn), session=session.replace(pace=0.0, quiet_until=now + seconds))
        return go(turn.replace(session=session.replace(pace=pace, paced=now)))

    return step


def guess_language(**words: str) -> Middleware[S, W]:
    """Guess the user's language from their first words. A rule's phrase of one language corrects it later.

    Args:
        words: for each language, frequent words that none of the others has, separated by spaces.
    """
    known = {language: frozenset(frequent.split()) for language, frequent in words.items()}

    def step(turn: Turn[S, W, Event], go: Go[S, W]) -> ReplyLike[S]:
        if turn.session.language or not isinstance(turn.event, TextMessage):
            return go(turn)
        said = {normal(word) for word in turn.event.text.split()}
        best = max(known, key=lambda language: len(known[language] & said))
        if not known[best] & said:
            return go(turn)
        return go(turn.replace(session=turn.session.replace(language=best)))

    return step
