"""The AWS account that resources are created in."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import ACCOUNT
from sandbox.errors import SandboxError

READY_SECONDS = 30.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Account:
    """The AWS account, as one principal sees it.

    Attributes:
        url: where it answers.
        region: its region.
        client: the deploying principal's clients.
        owner: the account owner's clients, for what AWS itself looks up.
        id: its number.
        partition: AWS's partition, such as ``aws`` or ``aws-cn``.
    """

    url: str
    region: str
    client: Clients
    owner: Clients
    id: str = ACCOUNT
    partition: str = "aws"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a regional resource of this account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{resource}"


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait until AWS has done something.

    Args:
        condition: whether it has.
        what: what is waited for, for the error.

    Raises:
        SandboxError: not within ``READY_SECONDS``.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SandboxError(f"{what} did not happen within {READY_SECONDS:.0f} s.")
        time.sleep(POLL_SECONDS)
