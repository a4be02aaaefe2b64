"""What can go wrong in a sandbox, each as one sentence for the person who started it."""


class SandboxError(Exception):
    """The sandbox could not do what it was asked; the message says why and what to do."""


class Refused(SandboxError):
    """AWS would refuse this; the message is AWS's."""

    def __init__(self, code: str, operation: str, sentence: str) -> None:
        super().__init__(f"An error occurred ({code}) when calling the {operation} operation: {sentence}")
        self.code = code
