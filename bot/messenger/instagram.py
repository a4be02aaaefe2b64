"""Messages on Instagram. What it has in another form is converted; what it does not have is refused.

Source: Instagram Platform, "Messaging API", its pages on sending messages, quick replies and templates.
"""

from urllib.parse import urlsplit

from bot.messenger.messages import (
    Action,
    AskEmail,
    AskPhone,
    Button,
    Buttons,
    Call,
    Carousel,
    Content,
    Link,
    Media,
    MediaCard,
    Message,
    PrivateReply,
    Products,
    PublicReply,
    React,
    Refused,
    Tap,
    Text,
    ThreadControl,
    Update,
)
from bot.messenger.news import News
from bot.messenger.text import split

TEXT_BYTES = 1000  # of a text in UTF-8: "Send Messages", limitations


def adapt(message: Message) -> tuple[Message, ...]:
    """The message as one or more messages of Instagram.

    A long text becomes several, with the quick replies under the last. A call button becomes a text with the number. A
    file other than a PDF becomes a link. A media card without buttons becomes a medium. Quick replies that ask for the
    phone number or e-mail address are left out.

    Raises:
        Refused: Instagram has nothing like it.
    """
    adapted: tuple[Message, ...] = ()
    message = _without_contact_requests(message)
    match message:
        case Text(text=text):
            *first, last = _pieces(text)
            adapted = (*map(Text, first), Text(last, quick_replies=message.quick_replies))
        case Buttons():
            adapted = _buttons(message)
        case Carousel(cards=cards):
            for card in cards:
                _offered(card.buttons)
            adapted = (message,)
        case Media(type="file", url=url) if url and not urlsplit(url).path.lower().endswith(".pdf"):
            adapted = (Text(url, quick_replies=message.quick_replies),)
        case MediaCard(type=kind, attachment_id=uploaded, buttons=()) if uploaded:
            adapted = (Media(kind, attachment_id=uploaded, quick_replies=message.quick_replies),)
        # PDF files since 2025-12-19: Instagram's "Changelog". An uploaded file is taken for one.
        case Media() | Products() | Action() | React() | PublicReply() | ThreadControl():
            adapted = (message,)
        case Update() | PrivateReply() | News():
            adapted = tuple(message.replace(message=each) for each in adapt(message.message))
    if not adapted:
        kind = type(message).__name__
        raise Refused(f"This {kind} does not exist on Instagram: look at event.platform, and send a Text instead.")
    return adapted


def _without_contact_requests(message: Message) -> Message:
    """The message without quick replies for phone number and e-mail. Source: Instagram's "Changelog", 2026-10-05."""
    if not isinstance(message, Content):
        return message
    kept = tuple(each for each in message.quick_replies if not isinstance(each, (AskPhone, AskEmail)))
    return message.replace(quick_replies=kept)


def _buttons(message: Buttons) -> tuple[Message, ...]:
    calls = [f"{button.title}: {button.number}" for button in message.buttons if isinstance(button, Call)]
    kept = tuple(button for button in message.buttons if not isinstance(button, Call))
    _offered(kept)
    text = "\n".join((message.text, *calls))
    if not kept:
        return adapt(Text(text, quick_replies=message.quick_replies))
    said: tuple[Content, ...] = (message.replace(buttons=kept),)
    return (*adapt(Text("\n".join(calls))), *said) if calls else said


def _offered(buttons: tuple[Button, ...]) -> None:
    for button in buttons:
        if not isinstance(button, (Link, Tap)):
            raise Refused(f"A {type(button).__name__} button does not exist here on Instagram: use a Link or a Tap.")


def _pieces(text: str) -> list[str]:
    most = TEXT_BYTES
    pieces = split(text, most)
    while any(len(piece.encode()) > TEXT_BYTES for piece in pieces):
        most = most * 3 // 4
        pieces = split(text, most)
    return pieces
