"""What a component says when it cannot be made as asked."""

import pulumi


class InvalidArgs(pulumi.RunError):
    """A component's arguments break a limit of AWS; the message says which, with what value, and what to do.

    Pulumi prints a `RunError` as its sentence alone, without a traceback.
    """


def require(condition: bool, sentence: str) -> None:
    """Refuse arguments that do not hold.

    Args:
        condition: What has to be true.
        sentence: What is wrong, with what value, and what to do.

    Raises:
        InvalidArgs: If the condition is false.
    """
    if not condition:
        raise InvalidArgs(sentence)
