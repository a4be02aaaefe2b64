"""Middleware that most bots need: the bot says that it is one, somebody writes too much, the language is guessed."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from bot.dialogue.reply import Reply, ReplyLike, Words, as_messages
from bot.dialogue.rules import normal
from bot.dialogue.turn import Turn
from bot.messenger.events import Event, TextMessage
from bot.messenger.messages import Buttons, Content, Message, Notification, PrivateReply, Refused, Text, Update
from bot.messenger.record import Record

S = TypeVar("S", bound=Record)
W = TypeVar("W")
Go = Callable[[Turn[S, W, Event]], Reply[S]]
Middleware = Callable[[Turn[S, W, Event], Go[S, W]], ReplyLike[S]]

DAY = 24 * 3600.0
DISCLOSURES = {
    "cs": "Píšete si s automatickým chatbotem.",
    "da": "Du skriver med en chatbot.",
    "de": "Sie schreiben mit einem Bot.",
    "en": "You are chatting with a bot.",
    "es": "Estás hablando con un bot.",
    "fi": "Keskustelet botin kanssa.",
    "fr": "Vous discutez avec un robot.",
    "it": "Stai parlando con un bot.",
    "nl": "Je chat met een bot.",
    "pl": "Rozmawiasz z botem.",
    "pt": "Você está conversando com um bot.",
    "sv": "Du chattar med en bot.",
}


class Disclosure:
    """Middleware that says that this is a bot; see `disclose`.

    Args:
        sentences: what to say, by language.
    """

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self.sentences = sentences

    def __call__(self, turn: Turn[S, W, Event], go: Go[S, W]) -> Reply[S]:
        """Add the sentence to a reply that needs it."""
        reply = go(turn)
        session = reply.session or turn.session
        if turn.now - session.disclosed < turn.disclose_days * DAY:
            return reply
        sentence = self.sentences[session.language or turn.languages[0]]
        said = as_messages(reply.said, turn.event.platform)
        place = next((place for place, each in enumerate(said) if _content(each)), None)
        if place is None:
            return reply
        if with_sentence := _with(sentence, said[place]):
            said = (*said[:place], with_sentence, *said[place + 1 :])
        elif turn.window_open:  # never for a comment, whose author has no state
            said = (*said[:place], Text(sentence), *said[place:])
        else:
            return reply
        return reply.replace(said=said, session=session.replace(disclosed=turn.now))


def disclose(**sentences: str) -> Disclosure:
    """Say that this is a bot: at the beginning, again after some days, and whenever a human has left.

    The sentence begins the first message, or is a message of its own where it does not fit. Where a second message is
    not allowed (in answer to a comment, or outside the window), the next answer says it.
    Sources: "Send a message" of the Messenger Platform, 2026-05-05; Regulation (EU) 2024/1689, Article 50(1).

    Args:
        sentences: by language. They replace those of `DISCLOSURES`.
    """
    return Disclosure(DISCLOSURES | sentences)


def _content(message: Message) -> Content | None:
    """What a person reads of a message; None if it is, for example, a typing indicator."""
    match message:
        case Content():
            return message
        case Update(message=inner) | Notification(message=inner) | PrivateReply(message=inner):
            return inner
    return None


def _with(sentence: str, message: Message) -> Message | None:
    """The message with a sentence before its text; None if it has no text, or the two are too long together."""
    content = _content(message)
    if not isinstance(content, (Text, Buttons)):
        return None
    try:
        longer = content.replace(text=f"{sentence}\n\n{content.text}")
    except Refused:
        return None
    return longer if content is message else message.replace(message=longer)


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
