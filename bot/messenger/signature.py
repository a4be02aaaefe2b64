"""Who sent this? Facebook signs each webhook request with the app secret.

Source: Messenger Platform, "Webhooks", section "Validate payloads": HMAC-SHA256 over the raw bytes of the body.
"""

import hmac
from collections.abc import Sequence

_PREFIX = "sha256="


def sign(body: bytes, secret: str) -> str:
    """The header's value with which Facebook would send this body.

    Args:
        body: the raw bytes; never parsed and written again, since Facebook escapes non-ASCII in its own way.
        secret: the app secret.
    """
    return _PREFIX + hmac.digest(secret.encode(), body, "sha256").hex()


def verify(body: bytes, header: str | None, secrets: Sequence[str]) -> bool:
    """Whether the body was signed with one of the secrets.

    Args:
        body: the raw bytes as received, base64 decoded where the gateway encoded them.
        header: the value of `X-Hub-Signature-256`, None if there was none; the older SHA-1 header is not accepted.
        secrets: the app secret and, while it is being changed, the one before. Empty ones are passed over: anybody can
            sign with an empty secret.
    """
    if header is None or not header.startswith(_PREFIX):
        return False
    # Bytes, since comparing text that is not ASCII raises; surrogates, since a header can hold anything.
    given = header.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(given, sign(body, secret).encode()) for secret in secrets if secret]
    return any(matches)
