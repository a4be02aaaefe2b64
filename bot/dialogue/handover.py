"""Who has the conversation: the bot, or a human."""

from typing import TypeVar

from bot.dialogue.reply import Reply, Words
from bot.dialogue.rules import normal
from bot.dialogue.turn import Session, Turn
from bot.messenger.events import Event, Postback, QuickReplyTapped, TextMessage, ThreadPassed, ThreadTaken
from bot.messenger.human import INBOXES, Human
from bot.messenger.messages import Message, PassThread
from bot.messenger.record import Record

S = TypeVar("S", bound=Record)
W = TypeVar("W")


def handed_over(turn: Turn[S, W, Event], said: Words, reason: str = "") -> Reply[S]:
    """The reply that hands the conversation over to a human.

    The bot is silent for the setting `humanHours`, or until it is called back. Where the setting `inboxAppId` names an
    app, the thread is passed to it.

    Args:
        turn: the present turn.
        said: the bot's last words.
        reason: for the human, at most 1,000 characters.
    """
    words: tuple[str | Message, ...] = (said,) if isinstance(said, (str, Message)) else tuple(said)
    if turn.inbox:
        words = (*words, PassThread(turn.inbox, reason))
    human = turn.session.human.asked(turn.event.user, turn.now, turn.human_hours)
    return Reply(words, session=turn.session.replace(human=human, dialogue=None))


def passed_on(turn: Turn[S, W, Event], app: str, reason: str) -> Reply[S]:
    """The reply to another app that asks for the thread: it gets it, and the bot is silent."""
    human = turn.session.human.written(turn.event.user, turn.happened, turn.human_hours)
    return Reply(PassThread(app, reason), session=turn.session.replace(human=human, dialogue=None))


def after(turn: Turn[S, W, Event], phrases: frozenset[str]) -> Session:
    """The session with what the event means for who has the conversation.

    Args:
        turn: the present turn.
        phrases: call the bot back.
    """
    session, event, human = turn.session, turn.event, turn.session.human
    if _leaves(event):
        human = human.written(event.user, turn.happened, turn.human_hours)
    elif human.until and (not human.has(turn.now) or _calls_back(turn, phrases)):
        return session.replace(human=Human().back(turn.happened), disclosed=0.0, dialogue=None)
    elif human.has(turn.now) and event.opens_window:
        human = human.heard(turn.happened)
    return session.replace(human=human)


def _leaves(event: Event) -> bool:
    """Whether the thread went from the bot to a human or to another app."""
    return isinstance(event, ThreadTaken) or (isinstance(event, ThreadPassed) and event.new_owner in INBOXES)


def _calls_back(turn: Turn[S, W, Event], phrases: frozenset[str]) -> bool:
    """Whether the event calls the bot back, and the human has not written since it happened."""
    match turn.event:
        case TextMessage(text=text):
            calls = normal(text) in phrases
        case Postback() | QuickReplyTapped() | ThreadPassed():
            calls = True
        case _:
            calls = False
    return calls and turn.happened > turn.session.human.wrote
