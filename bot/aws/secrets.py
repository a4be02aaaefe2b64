"""The bot's secrets: read once from SSM, kept for minutes, never shown."""

import time
from collections.abc import Callable

from bot.aws.client import Aws, AwsError
from bot.log import log

KEPT_SECONDS = 300
# A wrong signature or a refused token may mean that a secret was replaced. Reading again is limited to once in this
# time, or anyone could make the function call SSM at will.
RENEW_SECONDS = 15
# Of ten parameters each; there are four. More would cost the time in which Facebook waits.
MOST_PAGES = 3


class SecretMissing(Exception):
    """A parameter does not exist; the text names it."""


class SecretValues:
    """The values of one reading. This is not a data class, because those show their fields."""

    def __init__(self, found: dict[str, str]) -> None:
        for name in ("page-access-token", "verify-token", "app-secret"):
            if not found.get(name):
                raise SecretMissing(f"The parameter {name} is missing: deploy the stack again.")
        self.page_access_token, self.verify_token = found["page-access-token"], found["verify-token"]
        self.app_secrets = tuple(found[name] for name in ("app-secret", "app-secret-previous") if found.get(name))


class Secrets:
    """Reads the secrets under one SSM path and keeps them.

    Args:
        aws: the client.
        path: such as `/innolab-fbm-dev-secrets`.
        now: a clock in seconds that never goes back.
    """

    def __init__(self, aws: Aws, path: str, now: Callable[[], float] = time.monotonic) -> None:
        self._aws, self._path, self._now = aws, path, now
        self._kept: SecretValues | None = None
        self._tried = float("-inf")

    def get(self) -> SecretValues:
        """The values, at most some minutes old; older ones while AWS does not answer.

        Raises:
            AwsError: AWS does not answer, and they were never read before.
            SecretMissing: a parameter does not exist.
        """
        return self._not_older_than(KEPT_SECONDS)

    def renewed(self) -> SecretValues:
        """The values, looked up again if that has not just been done; raises as `get` does."""
        return self._not_older_than(RENEW_SECONDS)

    def _not_older_than(self, seconds: float) -> SecretValues:
        if self._kept is not None and self._now() - self._tried < seconds:
            return self._kept
        self._tried = self._now()
        try:
            self._kept = self._read()
        except (AwsError, SecretMissing) as error:
            if self._kept is None:
                raise
            log("WARN", "secrets_not_renewed", reason=str(error))
        return self._kept

    def _read(self) -> SecretValues:
        request: dict[str, object] = {"Path": self._path, "WithDecryption": True}
        found: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = self._aws.call("ssm", "GetParametersByPath", request, timeout=1.0)
            found |= {each["Name"].rpartition("/")[2]: each["Value"] for each in answer["Parameters"]}
            # A page may hold fewer parameters, or none, and another follows (API reference, `GetParametersByPath`).
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]
        return SecretValues(found)
