"""The floor: a function that acknowledges and does nothing else. No bot on the same runtime can be faster."""


def handle(_event: object, _context: object) -> dict[str, object]:
    """Acknowledge."""
    print('{"level": "INFO", "kind": "accepted"}')
    return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "EVENT_RECEIVED"}
