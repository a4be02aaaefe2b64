"""Dialogues: several questions, one after the other, written as one generator.

The generator runs again at each answer, with all answers so far. So it reads like the conversation, and only the
answers have to be kept between two events.
"""

from collections.abc import Callable, Generator
from typing import Any, TypeVar, overload

from bot.dialogue.reply import Reply, ReplyLike, Words, as_reply
from bot.dialogue.turn import Progress, Turn
from bot.messenger.events import Event
from bot.messenger.messages import Message
from bot.messenger.record import Record

S = TypeVar("S", bound=Record)
W = TypeVar("W")
T = TypeVar("T")


class Question(Record):
    """A question of a dialogue; `again` if it is repeated because the answer was invalid."""

    said: Words
    again: bool = False


Dialogue = Generator[Question, str, ReplyLike[S]]


class Invalid(ValueError):
    """An invalid answer. The user reads the text, and the question again."""


def anything(answer: str) -> str:
    """The check of a question that accepts every answer."""
    return answer


@overload
def ask(question: str | Message) -> Generator[Question, str, str]: ...
@overload
def ask(question: str | Message, check: Callable[[str], T]) -> Generator[Question, str, T]: ...
def ask(question: str | Message, check: Callable[[str], Any] = anything) -> Generator[Question, str, Any]:
    """Put a question to the user.

    `name = yield from ask("What is your name?")`

    Args:
        question: what the user reads.
        check: converts the answer (a text, or the payload of a quick reply) to a value. If it raises `Invalid`, or any
            ValueError, the question is asked again.

    Returns:
        What `check` returned.
    """
    answer = yield Question(question)
    while True:
        try:
            return check(answer)
        except Invalid as problem:
            answer = yield Question((str(problem), question), again=True)
        except ValueError:
            answer = yield Question(question, again=True)


def resume(questions: Dialogue[S], turn: Turn[S, W, Event], progress: Progress, given: tuple[str, ...]) -> Reply[S]:
    """The next question of a dialogue, or the reply at its end.

    Args:
        questions: the dialogue, from its beginning.
        turn: the present turn.
        progress: how far the user was.
        given: the answer to the last question; empty to ask that question again.
    """
    answers = progress.answers + given
    try:
        question = next(questions)
        for answer in answers:
            question = questions.send(answer)
    except StopIteration as end:
        return as_reply(end.value, leave(turn))
    valid = progress.answers if question.again else answers
    session = turn.session.replace(dialogue=progress.replace(answers=valid, asked=turn.now))
    return Reply(question.said, session=session)


def leave(turn: Turn[S, W, Event]) -> Turn[S, W, Event]:
    """The turn outside any dialogue."""
    return turn.replace(session=turn.session.replace(dialogue=None)) if turn.session.dialogue else turn
