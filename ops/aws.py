"""Calls to AWS with an operator's credentials.

The bot signs its own calls, because start-up time counts there. An operator's credentials can come from a profile, an
assumed role or single sign-on. boto3 handles all of these.
"""

from typing import Any, NoReturn, cast

import boto3
import botocore.exceptions as failures
from botocore import xform_name
from botocore.config import Config

from bot.aws.client import Aws, AwsError
from ops.errors import OpsError

CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 4})
NO_CREDENTIALS = (
    failures.NoCredentialsError,
    failures.PartialCredentialsError,
    failures.CredentialRetrievalError,
    failures.SSOError,
    failures.TokenRetrievalError,
    failures.UnauthorizedSSOTokenError,
)

# "Common errors" in the services' API references.
INVALID_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
NO_PERMISSION = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
NOT_FOUND = frozenset({"NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException"})


class OperatorAws(Aws):
    """Makes the calls of `bot.aws.client.Aws` with boto3's credentials and retries.

    Args:
        region: such as `eu-central-1`; None for whatever boto3 finds.
        endpoint: of a sandbox's AWS; None for AWS itself.
        key: id and secret of an access key; None for whatever boto3 finds.
    """

    def __init__(self, region: str | None, endpoint: str | None = None, key: tuple[str, str] | None = None) -> None:
        identity, secret = key or (None, None)
        try:
            self._session = boto3.Session(identity, secret, region_name=region)
        except failures.ProfileNotFound as error:
            raise OpsError(f"{error}: name another in AWS_PROFILE, or run `aws configure`.") from None
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}

    def call(self, service: str, operation: str, request: dict[str, Any], **_for_the_bot: object) -> dict[str, Any]:
        """Call one operation. The bot's time limits do not apply: no webhook waits here.

        Raises:
            AwsError: AWS refused.
            OpsError: there are no credentials, or AWS cannot be reached.
        """
        try:
            answer: dict[str, Any] = getattr(self._client(service), xform_name(operation))(**request)
        except failures.ClientError as error:
            raise _refusal(operation, cast("dict[str, Any]", error.response)) from None
        except failures.BotoCoreError as error:
            _explain(error)
        return answer

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            make = cast("Any", self._session.client)
            self._clients[service] = make(service, endpoint_url=self._endpoint, config=CONFIG)
        return self._clients[service]


def _refusal(operation: str, response: dict[str, Any]) -> AwsError:
    code = str(response.get("Error", {}).get("Code", "Unknown")).rpartition(".")[2]
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    reasons = tuple(str(each.get("Code")) for each in response.get("CancellationReasons", []))
    return AwsError(operation, code, status, reasons)


def _explain(error: failures.BotoCoreError) -> NoReturn:
    if isinstance(error, NO_CREDENTIALS):
        raise OpsError(
            f"AWS has no valid credentials ({error}): log in (`aws sso login`, `aws configure`) or set AWS_PROFILE."
        ) from None
    if isinstance(error, failures.ConnectionError | failures.HTTPClientError):
        raise OpsError(
            f"AWS cannot be reached ({error}): check the network, or for a sandbox, whether it is running."
        ) from None
    if isinstance(error, failures.NoRegionError):
        raise OpsError("No region is named: set AWS_REGION.") from None
    raise OpsError(f"The call to AWS failed: {error}.") from None


def advice(error: AwsError) -> str:
    """The error, and what an operator can do about it."""
    if error.code in INVALID_CREDENTIALS:
        return f"{error} The credentials are invalid or have expired: log in again, or set AWS_PROFILE."
    if error.code in NO_PERMISSION:
        return f"{error} You do not have permission: become a member of the stack's administrators, see docs/deploy.md."
    if error.code in NOT_FOUND:
        return f"{error} The resource does not exist: check that the outputs are current and of this account."
    return f"{error} Try again: what was done stays done, and doing it twice is harmless."
