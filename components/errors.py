"""The error of a component that cannot be made with its arguments."""

import pulumi


class InvalidArgs(pulumi.RunError):
    """An argument breaks a limit of AWS. The message says which one, its value, and what to do.

    Pulumi prints only the message of a `RunError`, without a traceback.
    """


def require(condition: bool, sentence: str) -> None:
    """Refuse arguments unless a condition holds.

    Args:
        condition: What must be true.
        sentence: What is wrong, with what value, and what to do.

    Raises:
        InvalidArgs: If the condition is false.
    """
    if not condition:
        raise InvalidArgs(sentence)


def require_within(bounds: range, value: int, what: str) -> None:
    """Refuse a number outside its bounds.

    Args:
        bounds: The numbers that AWS accepts.
        value: The number.
        what: The number's name, with its unit.

    Raises:
        InvalidArgs: If the number is not within the bounds.
    """
    require(value in bounds, f"The {what} cannot be {value}: choose {bounds.start} to {bounds[-1]}.")
