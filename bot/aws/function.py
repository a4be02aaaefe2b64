"""A Lambda function that is called and waited for. Source: AWS Lambda API reference, "Invoke", read 2026-11-25."""

import json
import re
from typing import Any
from urllib.parse import quote

from bot.aws.client import Aws, AwsError
from bot.fault import ConversationFault

# How long the caller waits. The function itself is ended earlier by Lambda, which then answers that it was too late:
# so no answer at all says something about AWS, and nothing about the event. The rest is for a cold start.
ANSWER_SECONDS = 12.0
# Lambda does not pass this payload on: trying again does not help.
UNUSABLE = frozenset({"InvalidRequestContentException", "RequestTooLargeException"})
# The function could not even be loaded: that says something about its deployment, and nothing about the event.
# Source: the runtime interface clients for Node.js and Python (aws/aws-lambda-nodejs-runtime-interface-client).
NOT_LOADED = frozenset(
    {
        "Runtime.ImportModuleError",
        "Runtime.HandlerNotFound",
        "Runtime.UserCodeSyntaxError",
        "Runtime.MalformedHandlerName",
    }
)
# A frame of a stack trace in Python, .NET, and Node.js or Java.
_FRAME = re.compile(r'([^\s/\\("]+\.\w+)(?:", line |:line |:)(\d+)')
_KIND = re.compile(r"[\w.$]{1,100}")
_MESSAGE = 1000  # characters of an error's message that are kept


class Function:
    """One function.

    Args:
        aws: the client.
        name: the function's name.
    """

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws, self._path = aws, f"/2015-03-31/functions/{quote(name, safe='')}/invocations"

    def invoke(self, payload: bytes) -> bytes:
        """Call the function with this JSON and return the JSON that it returned.

        Raises:
            ConversationFault: it raised, ended without an answer or was too late, or cannot take this payload.
            AwsError: Lambda did not call it, or no answer came. The same call may work later.
        """
        try:
            # One call for one event: it is repeated only if it certainly did not reach the function.
            answer = self._aws.post(
                "lambda", "Invoke", payload, path=self._path, timeout=ANSWER_SECONDS, repeatable=False
            )
        except AwsError as error:
            if error.code in UNUSABLE:
                raise ConversationFault(error.code, "", "Lambda does not pass this turn on.") from None
            raise
        if "x-amz-function-error" in answer.headers:
            fault = fault_of(answer.body)
            if fault.kind in NOT_LOADED:
                raise AwsError("Invoke", fault.kind, 0)
            raise fault
        return answer.body


def fault_of(body: bytes) -> ConversationFault:
    """What Lambda says of a function's error. Source: Lambda Developer Guide, the page on errors of each language."""
    try:
        error = json.loads(body)
    except ValueError:
        error = None
    error = error if isinstance(error, dict) else {}
    kind = _KIND.match(str(error.get("errorType") or "Error"))
    # Node.js begins with the message, and its frames begin with "at". Python has the call that raised last.
    frames = [each for each in _lines(error.get("trace")) if each.lstrip().startswith("at ")]
    frames += _lines(error.get("stackTrace"))
    places = [f"{found[1]}:{found[2]}" for each in frames if (found := _FRAME.search(each))]
    python = any(each.lstrip().startswith('File "') for each in frames)
    at = places[-1 if python else 0] if places else ""
    return ConversationFault(kind[0] if kind else "Error", at, str(error.get("errorMessage", ""))[:_MESSAGE])


def _lines(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
