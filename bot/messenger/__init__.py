"""The Messenger Platform as a small library: events, messages and their limits, text, Graph API, errors, signatures.

Nothing is imported here: an acknowledgement loads only `signature` and `identity`.
"""
