import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messenger.signature import sign, verify

SECRETS = ["new secret", "old secret"]


@given(st.binary(), st.text(min_size=1))
def test_a_signature_is_hmac_sha256_over_the_bytes(body: bytes, secret: str) -> None:
    secret = secret.encode("utf-8", "replace").decode()
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert sign(body, secret) == expected
    assert verify(body, expected, ["new secret", secret])
    assert not verify(body + b" ", expected, [secret])


def test_nobody_can_sign_with_an_empty_secret() -> None:
    assert not verify(b"{}", sign(b"{}", ""), ["", "new secret"])
    assert not verify(b"{}", sign(b"{}", ""), [])


SIGNED = sign(b"{}", "new secret")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "sha256=",
        SIGNED[:-1],
        " " + SIGNED,
        "sha256=" + SIGNED.removeprefix("sha256=").upper(),
        SIGNED.replace("sha256", "sha1"),
        SIGNED.removeprefix("sha256="),
        "sha256=ä",
        "sha256=\ud800",
        "sha256=" + "٣" * 64,
    ],
)
def test_anything_but_the_exact_header_is_refused(header: str | None) -> None:
    assert verify(b"{}", SIGNED, SECRETS)
    assert verify(b"{}", header, SECRETS) is False
