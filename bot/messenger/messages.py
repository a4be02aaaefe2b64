"""What the page can say, as typed, frozen messages that refuse at construction what Facebook would refuse later.

Source of the limits: Messenger Platform, "Send API" and "Templates".
"""

from typing import ClassVar, NoReturn

from bot.messenger.record import Record

TEXT = 2000  # a text is under it: "Send API Reference", message.text
QUICK_REPLIES = 13
QUICK_REPLY_TITLE = 20
PAYLOAD = 1000

Request = dict[str, object]


class Refused(ValueError):
    """A message that Facebook would not take: what is wrong, with what value, and what to do."""


def _refuse(what: str, fix: str) -> NoReturn:
    raise Refused(f"{what}: {fix}.")


class Message(Record, kw_only=True):
    """Something to send. `to_request` gives the exact body of the Send API's request.

    Attributes:
        needs_window: True if it may be sent only within 24 hours of the person's last message.
    """

    needs_window: ClassVar[bool] = True

    def to_request(self, recipient: str) -> Request:
        """The request's body.

        Args:
            recipient: the person's page-scoped id.
        """
        raise NotImplementedError


class QuickReply(Record):
    """A choice under a message that goes away once one is tapped.

    Args:
        title: what is written on it, at most 20 characters.
        payload: what comes back with the tap, at most 1,000 characters; the title if not given.
    """

    title: str
    payload: str = ""

    def check(self) -> None:
        """Refuse what is empty or too long."""
        if not self.title.strip():
            _refuse("A quick reply has no title", "say in a word or two what a tap means")
        if len(self.title) > QUICK_REPLY_TITLE:
            _refuse(
                f"The quick reply {self.title!r} has a title of {len(self.title)} characters, and "
                f"{QUICK_REPLY_TITLE} are allowed",
                "shorten it, and put the rest into the text above",
            )
        if len(self.payload) > PAYLOAD:
            _refuse(
                f"The quick reply {self.title!r} has a payload of {len(self.payload)} characters, and "
                f"{PAYLOAD} are allowed",
                "keep in the state what is longer, and only its name in the payload",
            )

    def to_json(self) -> Request:
        """The quick reply as the Send API takes it."""
        return {"content_type": "text", "title": self.title, "payload": self.payload or self.title}


class Text(Message):
    """A text, with quick replies if wanted.

    Args:
        text: under 2,000 characters; `bot.messenger.text.split` cuts a longer one.
        quick_replies: at most 13.
    """

    text: str
    quick_replies: tuple[QuickReply, ...] = ()

    def check(self) -> None:
        """Refuse what is empty or too long."""
        if not self.text.strip():
            _refuse("A text is empty", "say something, or return no message at all")
        if len(self.text) >= TEXT:
            _refuse(
                f"A text has {len(self.text)} characters, and it must be under {TEXT}",
                "cut it with bot.messenger.text.split, or return a plain str, which is cut by itself",
            )
        if len(self.quick_replies) > QUICK_REPLIES:
            _refuse(
                f"A message has {len(self.quick_replies)} quick replies, and {QUICK_REPLIES} are allowed",
                "offer the likeliest, and a last one for more",
            )

    def to_request(self, recipient: str) -> Request:
        """The request's body: see `Message.to_request`."""
        message: Request = {"text": self.text}
        if self.quick_replies:
            message["quick_replies"] = [reply.to_json() for reply in self.quick_replies]
        return {"recipient": {"id": recipient}, "messaging_type": "RESPONSE", "message": message}
