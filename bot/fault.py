"""What a conversation in another function did wrong."""


class ConversationFault(Exception):
    """The conversation failed with an event, and says itself where.

    Attributes:
        kind: what happened, in one word, such as the name of an exception in its language.
        at: where: file and line, or the place in the reply.
        message: what was wrong. It may hold what a person wrote, so it is never logged.
    """

    def __init__(self, kind: str, at: str, message: str) -> None:
        super().__init__(f"{at} {message}".strip())
        self.kind, self.at, self.message = kind, at, message
