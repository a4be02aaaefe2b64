"""The Messenger Platform as a small library: events, messages and their limits, text, Graph API, errors, signatures.

Nothing is imported here: whoever acknowledges a webhook loads only `signature` and `events`.
"""
