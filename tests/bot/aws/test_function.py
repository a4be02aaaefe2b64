"""A function is called once and waited for; what its runtime says of an error becomes the reason, and where it was."""

import json
from collections.abc import Callable

import pytest

from bot.aws.client import AwsError
from bot.aws.function import Function
from bot.fault import ConversationFault
from bot.http import NotSent, Response, Unanswered
from tests.bot.connections import FixedAnswers


def invoke(*answers: Response | Exception) -> tuple[FixedAnswers, Callable[[], bytes]]:
    service = FixedAnswers(*answers)
    return service, lambda: Function(service.aws(), "talk").invoke(b'{"version":1}')


def failed(**error: object) -> Response:
    return Response(200, {"x-amz-function-error": "Unhandled"}, json.dumps(error).encode())


def test_a_function_is_called_once_with_the_payload() -> None:
    service, call = invoke(Response(200, {}, b'{"messages":[]}'))

    assert call() == b'{"messages":[]}'
    (asked,) = service.asked
    assert (asked.method, asked.path, asked.body) == (
        "POST",
        "/2015-03-31/functions/talk/invocations",
        b'{"version":1}',
    )
    assert "/lambda/aws4_request" in asked.headers["authorization"]
    assert asked.timeout > 8


# As the runtimes write them: Lambda Developer Guide, the pages on errors of each language, read 2026-11-25.
@pytest.mark.parametrize(
    ("kind", "trace", "at"),
    [
        (
            "TypeError",
            {
                "trace": [
                    "TypeError: Cannot read properties of undefined (see a.js:99)",
                    "    at JSON.parse (<anonymous>)",
                    "    at answer (file:///var/task/answers.mjs:12:9)",
                    "    at Runtime.handler (file:///var/task/index.mjs:3:5)",
                ],
            },
            "answers.mjs:12",
        ),
        (
            "KeyError",
            {
                "stackTrace": [
                    '  File "/var/task/index.py", line 4, in handler\n    return answer(turn)\n',
                    '  File "/var/task/answers.py", line 9, in answer\n    raise KeyError("b.py:1")\n',
                ],
            },
            "answers.py:9",
        ),
        (
            "java.lang.IllegalStateException",
            {"stackTrace": ["Answers.of(Answers.java:31)", "Bot.answer(Bot.java:12)"]},
            "Answers.java:31",
        ),
        (
            "ArgumentException",
            {"stackTrace": ["at Bot.Answer(Turn turn) in /src/Bot.cs:line 8", "at lambda_method1(Closure )"]},
            "Bot.cs:8",
        ),
        ("Sandbox.Timedout", {}, ""),
        ("a person's words", {"stackTrace": "y", "trace": [1, {}]}, ""),
    ],
)
def test_an_error_says_its_kind_and_where_it_was_raised(kind: str, trace: dict[str, object], at: str) -> None:
    _, call = invoke(failed(errorType=kind, errorMessage="Cannot read (see a.js:99)", **trace))

    with pytest.raises(ConversationFault) as caught:
        call()
    assert (caught.value.kind, caught.value.at) == (kind.split(maxsplit=1)[0], at)
    assert caught.value.message == "Cannot read (see a.js:99)"


@pytest.mark.parametrize("body", [b"", b"null", b"[1]", b"{", b'{"errorMessage": "Task timed out"}'])
def test_an_error_that_says_no_more_is_still_one(body: bytes) -> None:
    _, call = invoke(Response(200, {"x-amz-function-error": "Unhandled"}, body))

    with pytest.raises(ConversationFault):
        call()


@pytest.mark.parametrize("code", ["InvalidRequestContentException", "RequestTooLargeException"])
def test_a_turn_that_lambda_never_passes_on_is_the_events_fault(code: str) -> None:
    _, call = invoke(Response(413, {"x-amzn-errortype": code}, b"{}"))

    with pytest.raises(ConversationFault, match="does not pass this turn on"):
        call()


@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        (Response(403, {"x-amzn-errortype": "AccessDeniedException"}, b"{}"), 1),
        (Response(500, {"x-amzn-errortype": "ServiceException"}, b"{}"), 1),
        (Unanswered("TimeoutError"), 1),
        (Response(429, {"x-amzn-errortype": "TooManyRequestsException"}, b"{}"), 2),
        (NotSent("ConnectionRefusedError"), 2),
        (failed(errorType="Runtime.ImportModuleError", errorMessage="Cannot find module"), 1),
    ],
)
def test_what_lambda_does_not_do_says_nothing_about_the_event(answer: Response | Exception, calls: int) -> None:
    service, call = invoke(answer, answer)

    with pytest.raises(AwsError):
        call()
    assert len(service.asked) == calls, "it is repeated only if it certainly did not reach the function"
