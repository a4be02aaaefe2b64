"""The signature of a webhook request: Facebook signs each one with the app secret.

Source: Messenger Platform, "Webhooks", section "Validate payloads": HMAC-SHA256 over the raw bytes of the body.
"""

import hmac
from collections.abc import Sequence

_PREFIX = "sha256="


def sign(body: bytes, secret: str) -> str:
    """The value of the signature header with which Facebook would send this body.

    Args:
        body: the raw bytes. JSON that was parsed and written again differs: Facebook escapes non-ASCII in its own way.
        secret: the app secret.
    """
    return _PREFIX + hmac.digest(secret.encode(), body, "sha256").hex()


def verify(body: bytes, header: str | None, secrets: Sequence[str]) -> bool:
    """Whether the body was signed with one of the secrets.

    Args:
        body: the raw bytes as received, after base64 decoding if the gateway encoded them.
        header: the value of `X-Hub-Signature-256`; None if it is missing. The older SHA-1 header is not accepted.
        secrets: the app secret and, during a rotation, the previous one. An empty secret is ignored: anybody can sign
            with it.
    """
    if header is None or not header.startswith(_PREFIX):
        return False
    # Bytes, because comparing texts that are not ASCII raises. A header can hold anything, even surrogates.
    given = header.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(given, sign(body, secret).encode()) for secret in secrets if secret]
    return any(matches)
