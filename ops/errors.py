"""The error that an operator sees."""


class OpsError(Exception):
    """A command failed. The message is one sentence that says what is wrong and what to do."""
