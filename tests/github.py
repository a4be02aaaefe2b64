"""What a GitHub workflow brings: a token that says who runs, and the session that AWS gives for it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import ACCOUNT
from tests.harness import PROJECT

ISSUER = "https://token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
HOUR = 3600


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def token(subject: str, audience: str = AUDIENCE, issuer: str = ISSUER) -> str:
    """A token with the claims of GitHub's, under a key of our own: the emulator has no way to check GitHub's."""
    claims: Mapping[str, str] = {"iss": issuer, "sub": subject, "aud": audience}
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_encoded(hmac.digest(b'key', signed.encode(), hashlib.sha256))}"


def session(clients: Clients, role: str, token: str, seconds: int = HOUR) -> tuple[str, str, str]:
    """What AWS gives for a token: an access key for a while.

    Args:
        clients: anybody's; AWS asks for no credentials beside the token.
        role: such as `deploy-dev`.
        token: of a workflow.
        seconds: how long it should last.

    Raises:
        ClientError: AWS refuses.
    """
    given = clients("sts").assume_role_with_web_identity(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/github/{PROJECT}-{role}",
        RoleSessionName="workflow",
        WebIdentityToken=token,
        DurationSeconds=seconds,
    )["Credentials"]
    return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
