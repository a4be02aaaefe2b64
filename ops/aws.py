"""The bot's door to AWS, opened with an operator's credentials.

The bot signs its calls itself, since start-up time is what counts for it. An operator's credentials may be a profile, a
role to be assumed or a single sign-on, which boto3 knows.
"""

from typing import Any, NoReturn, cast

import boto3
import botocore.exceptions
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from bot.aws.client import Aws, AwsError
from ops.errors import OpsError

SETTINGS = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 4})
NO_CREDENTIALS = (
    NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, SSOError, TokenRetrievalError,
    UnauthorizedSSOTokenError,
)  # fmt: skip

# "Common errors" of the services' API references, and of the two things that a stack's outputs can be wrong about.
INVALID_CREDENTIALS = frozenset(
    {
        "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId",
        "SignatureDoesNotMatch", "UnrecognizedClientException", "InvalidSignatureException",
    }
)  # fmt: skip
NO_RIGHT = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
NOT_THERE = frozenset({"NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException"})


class OperatorAws(Aws):
    """Calls to AWS as `bot.aws.client.Aws` makes them, with boto3's credentials and its retries.

    Args:
        region: such as `eu-central-1`.
        endpoint: of a sandbox's AWS; None for AWS itself.
        key: id and secret of an access key; None for what boto3 finds.
    """

    def __init__(self, region: str, endpoint: str | None = None, key: tuple[str, str] | None = None) -> None:
        identity, secret = key or (None, None)
        try:
            self._session = boto3.Session(identity, secret, region_name=region)
        except ProfileNotFound as error:
            raise OpsError(f"{error}: name another in AWS_PROFILE, or run `aws configure`.") from None
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}

    def call(
        self,
        service: str,
        operation: str,
        request: dict[str, Any],
        *,
        path: str = "/",  # noqa: ARG002  of Lex, which no operator asks
        timeout: float = 0.0,  # noqa: ARG002  boto3's own holds: nobody waits for an answer to a webhook here
        repeatable: bool = True,  # noqa: ARG002  nothing that is done here is unsafe to repeat
    ) -> dict[str, Any]:
        """Call one operation; see `bot.aws.client.Aws.call`.

        Raises:
            AwsError: AWS refused.
            OpsError: there are no credentials, or AWS cannot be reached.
        """
        try:
            answer: dict[str, Any] = getattr(self._client(service), xform_name(operation))(**request)
        except ClientError as error:
            raise _refusal(operation, cast("dict[str, Any]", error.response)) from None
        except BotoCoreError as error:
            _explain(error)
        return answer

    def _client(self, service: str) -> Any:  # noqa: ANN401  boto3 makes its clients' types at run time
        if service not in self._clients:
            make = cast("Any", self._session.client)
            self._clients[service] = make(service, endpoint_url=self._endpoint, config=SETTINGS)
        return self._clients[service]


def _refusal(operation: str, response: dict[str, Any]) -> AwsError:
    code = str(response.get("Error", {}).get("Code", "Unknown")).rpartition(".")[2]
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    reasons = tuple(str(each.get("Code")) for each in response.get("CancellationReasons", []))
    return AwsError(operation, code, status, reasons)


def _explain(error: BotoCoreError) -> NoReturn:
    if isinstance(error, NO_CREDENTIALS):
        raise OpsError(
            f"AWS gets no valid credentials ({error}): log in (`aws sso login`, `aws configure`) or set AWS_PROFILE."
        ) from None
    if isinstance(error, botocore.exceptions.ConnectionError | HTTPClientError):
        raise OpsError(
            f"AWS cannot be reached ({error}): is the network there, and for a sandbox, is it running?"
        ) from None
    raise OpsError(f"AWS could not be called: {error}.") from None


def sentence(error: AwsError) -> str:
    """What an operator can do about a refusal of AWS's."""
    if error.code in INVALID_CREDENTIALS:
        return f"{error} The credentials are not valid (any longer): log in again, or set AWS_PROFILE."
    if error.code in NO_RIGHT:
        return f"{error} You lack the right to it: become a member of the stack's administrators, see the README."
    if error.code in NOT_THERE:
        return f"{error} There is no such resource: are the outputs of this account, and not older than the stack?"
    return f"{error} Try again; what was done so far stays done, and doing it twice does no harm."
