"""The access keys of users of the emulated AWS."""

from collections.abc import Callable
from typing import Any

from sandbox.errors import SandboxError

Key = tuple[str, ...]
"""An access key: id, secret and, for a session, its token."""


class Users:
    """Gives users access keys and sessions.

    Args:
        client: makes a boto3 client for a service; signed by the account's owner, or by the key that it is given.
    """

    def __init__(self, client: Callable[..., Any]) -> None:
        self._client = client
        self._keys: dict[str, Key] = {}

    def key_of(self, user: str) -> Key:
        """The access key of a user; created at the first call.

        Raises:
            SandboxError: there is no such user.
        """
        if user not in self._keys:
            iam = self._client("iam")
            try:
                created = iam.create_access_key(UserName=user)["AccessKey"]
            except iam.exceptions.NoSuchEntityException:
                raise SandboxError(f"There is no user {user}: name them in adminMembers of the stack.") from None
            self._keys[user] = (created["AccessKeyId"], created["SecretAccessKey"])
        return self._keys[user]

    def session_of(self, user: str) -> Key:
        """The key of a session that a user started with a code of their MFA device.

        Raises:
            SandboxError: there is no such user.
        """
        key = self.key_of(user)
        devices = self._client("iam").list_mfa_devices(UserName=user)["MFADevices"]
        serial = devices[0]["SerialNumber"] if devices else self._add_mfa_device(user)
        session = self._client("sts", key).get_session_token(SerialNumber=serial, TokenCode="123456")["Credentials"]
        return session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]

    def _add_mfa_device(self, user: str) -> str:
        iam = self._client("iam")
        serial = str(iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"])
        iam.enable_mfa_device(
            UserName=user, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
        return serial
