"""A connection that gives prepared answers, for the clients of AWS and of the Graph API."""

from typing import NamedTuple

from bot.aws.client import Aws
from bot.http import Response

ENVIRON = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalr"}
NOON = 1_780_000_000.0


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    timeout: float


class FixedAnswers:
    """Gives the answers one after the other, and records the requests."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers, self.asked = iter(answers), list[Asked]()

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes, timeout: float) -> Response:
        self.asked.append(Asked(method, path, headers, body, timeout))
        outcome = next(self.answers)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def aws(self) -> Aws:
        """A client of AWS with this connection. It never waits."""
        return Aws(ENVIRON, lambda: NOON, lambda _origin: self, lambda _seconds: None)
