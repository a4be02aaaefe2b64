"""What can go wrong for an operator, each as one sentence that says what is wrong and what to do."""


class OpsError(Exception):
    """It could not be done; the message is for the operator."""
