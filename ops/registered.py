"""What the calls of Facebook need of a stack: its secrets, and the verify token that it was registered with."""

from typing import Any

from bot.aws.client import Aws, AwsError
from bot.aws.secrets import SecretMissing, SecretValues
from bot.messenger.client import GraphApi
from bot.messenger.errors import SendError
from bot.registration import RegistrationError
from ops.aws import advice
from ops.errors import OpsError
from ops.stack import Stack

PARAMETERS = ("page-access-token", "app-secret", "app-secret-previous", "verify-token")


def read_secrets(aws: Aws, path: str) -> SecretValues:
    """The stack's secrets, from SSM.

    Raises:
        OpsError: one is missing.
        AwsError: AWS refused.
    """
    found: dict[str, str] = {}
    for name in PARAMETERS:
        try:
            answer = aws.call("ssm", "GetParameter", {"Name": f"{path}/{name}", "WithDecryption": True})
            found[name] = answer["Parameter"]["Value"]
        except AwsError as error:
            if error.code != "ParameterNotFound":
                raise
    try:
        return SecretValues(found)
    except SecretMissing as error:
        raise OpsError(str(error)) from None


def graph_api(stack: Stack, secrets: SecretValues) -> GraphApi:
    """Calls Facebook in the name of the stack's page.

    Raises:
        OpsError: no header takes the token.
    """
    try:
        return GraphApi(
            stack.graph_api_url,
            stack.graph_api_version,
            stack.page_id,
            secrets.page_access_token,
            secrets.app_secrets[0],
        )
    except SendError as error:
        raise OpsError(f"{error} Set pageAccessToken, and deploy.") from None


class RegisteredToken:
    """Remembers which verify token the webhook was registered with; see `bot.registration.TokenMemory`.

    The stack's table remembers the version of the token's parameter, and nothing of the token.

    Args:
        aws: the stack's.
        stack: the stack.
    """

    def __init__(self, aws: Aws, stack: Stack) -> None:
        self._aws, self._stack = aws, stack

    def is_present(self, about: str) -> bool:
        """Whether the webhook about this object was registered with the present verify token."""
        table = self._stack.ledger_table
        keys = {table: {"Keys": [_registered(about)], "ConsistentRead": True}}
        found = self._call("dynamodb", "BatchGetItem", {"RequestItems": keys})["Responses"].get(table, [])
        return [each["version"]["S"] for each in found] == [self._version()]

    def remember(self, about: str) -> None:
        """Remember that it was."""
        request = {
            "TableName": self._stack.ledger_table,
            "Key": _registered(about),
            "UpdateExpression": "SET version = :version",
            "ExpressionAttributeValues": {":version": {"S": self._version()}},
        }
        self._call("dynamodb", "UpdateItem", request)

    def _version(self) -> str:
        parameter = self._call("ssm", "GetParameter", {"Name": f"{self._stack.secrets_path}/verify-token"})
        # A parameter that was deleted and made again counts from 1 again, at another time.
        return f"{parameter['Parameter']['Version']} {parameter['Parameter']['LastModifiedDate'].timestamp():.3f}"

    def _call(self, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._aws.call(service, operation, request)
        except (AwsError, OpsError) as error:
            raise RegistrationError(advice(error) if isinstance(error, AwsError) else str(error)) from None


def _registered(about: str) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"registered#{about}"}}
