"""The provider's look-ups."""

from collections.abc import Callable
from typing import Any

from sandbox.errors import SandboxError
from sandbox.provider.account import Account


def _caller_identity(account: Account) -> dict[str, Any]:
    caller = account.client("sts").get_caller_identity()
    return {"accountId": caller["Account"], "arn": caller["Arn"], "userId": caller["UserId"], "id": caller["Account"]}


def _region(account: Account) -> dict[str, Any]:
    return {"region": account.region, "name": account.region, "id": account.region, "description": account.region}


def _partition(account: Account) -> dict[str, Any]:
    return {
        "partition": account.partition,
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
        "id": account.partition,
    }


LOOKUPS: dict[str, Callable[[Account], dict[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
}


def look_up(account: Account, token: str) -> dict[str, Any]:
    """Answer one of the provider's look-ups.

    Raises:
        SandboxError: the sandbox does not know it.
    """
    if token not in LOOKUPS:
        raise SandboxError(f"The sandbox does not know the look-up {token}: add it to sandbox/provider/lookups.py.")
    return LOOKUPS[token](account)
