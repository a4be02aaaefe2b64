"""What is the same in every conversation: a human takes over, somebody writes too much, which language is spoken."""

from collections.abc import Callable
from typing import TypeVar

from bot.dialogue.rules import Middleware, Reply, Said, Turn, Words, normal
from bot.messenger.events import Event, Postback, QuickReplyTapped, TextMessage, ThreadPassed
from bot.messenger.record import Record

S = TypeVar("S", bound=Record)
Go = Callable[[Turn[S, Event]], Reply[S]]

HOUR = 3600.0


def handed_over(turn: Turn[S, Event], said: Words, hours: float = 12.0) -> Reply[S]:
    """The reply that gives the conversation to a human: the bot is silent for so many hours, or until called back."""
    until = turn.context.now + hours * HOUR
    return Reply(said, session=turn.session.replace(silent_until=until, dialogue=None))


def human_handover(*phrases: str, payload: str = "BOT") -> Middleware[S]:
    """Be silent while a human has the conversation.

    The bot is called back by one of the phrases, by a tap with the payload, or by the inbox that passes the thread to
    it; the event is then routed as any other, so that a rule for it can say that the bot is back. Texts of `always`
    are answered meanwhile, too.

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
        return isinstance(event, ThreadPassed)

    def step(turn: Turn[S, Event], go: Go[S]) -> Said[S]:
        if turn.always or turn.session.silent_until <= turn.context.now:
            return go(turn)
        if calls_back(turn.event):
            return go(turn.replace(session=turn.session.replace(silent_until=0.0)))
        return None

    return step


def rate_limit(most: int, seconds: float, say: Callable[[Turn[S, Event]], Words]) -> Middleware[S]:
    """Tell a person who does very much in a short time so, once, and then be quiet for as long again.

    Args:
        most: how many events of one person are answered at once; as many more become free in the time.
        seconds: the time.
        say: what is said to the first event too many.
    """

    def step(turn: Turn[S, Event], go: Go[S]) -> Said[S]:
        session, now = turn.session, turn.context.now
        if not turn.event.opens_window:
            return go(turn)
        if now < session.quiet_until:
            return None
        pace = max(0.0, session.pace - (now - session.paced) * most / seconds) + 1
        if pace > most:
            return Reply(say(turn), session=session.replace(pace=0.0, quiet_until=now + seconds))
        return go(turn.replace(session=session.replace(pace=pace, paced=now)))

    return step


def guess_language(**words: str) -> Middleware[S]:
    """Take the language of a person's first words, until a rule's own phrase shows it for certain.

    Args:
        words: for each language, frequent words that no other of them has, with blanks between.
    """
    known = {language: frozenset(frequent.split()) for language, frequent in words.items()}

    def step(turn: Turn[S, Event], go: Go[S]) -> Said[S]:
        if turn.session.language or not isinstance(turn.event, TextMessage):
            return go(turn)
        said = {normal(word) for word in turn.event.text.split()}
        best = max(known, key=lambda language: len(known[language] & said))
        if not known[best] & said:
            return go(turn)
        return go(turn.replace(session=turn.session.replace(language=best)))

    return step
