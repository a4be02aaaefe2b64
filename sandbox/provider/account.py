"""The AWS account that resources are created in."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import ACCOUNT
from sandbox.errors import SandboxError

GONE = ("NotFound", "NoSuchEntity", "NonExistentQueue", "QueueDoesNotExist")
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


def wait_until_gone(look_up: Callable[[], object], what: str) -> None:
    """Wait until AWS no longer finds something.

    Args:
        look_up: looks it up; boto3's error says that it is gone.
        what: what it is, for the error.

    Raises:
        SandboxError: not within ``READY_SECONDS``.
    """

    def gone() -> bool:
        try:
            look_up()
        except ClientError as error:
            return is_gone(error)
        return False

    wait_until(gone, f"The deletion of {what}")


def is_gone(error: ClientError) -> bool:
    """Whether AWS says that there is no such resource."""
    return any(word in error.response["Error"]["Code"] for word in GONE)


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
