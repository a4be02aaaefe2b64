"""The floor: a function that acknowledges at once and does nothing. No bot can be faster on the same emulator."""


def handle(_event: object, _context: object) -> dict[str, object]:
    """Acknowledge."""
    print('{"level": "INFO", "kind": "accepted"}')
    return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "EVENT_RECEIVED"}
