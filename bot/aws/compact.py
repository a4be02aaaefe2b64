"""JSON as the queues and the ledger keep it."""

import json


def compact(value: object) -> str:
    """JSON in ASCII without blanks.

    Raises:
        ValueError: it holds a number that JSON cannot hold.
        RecursionError: it is nested too deep.
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
