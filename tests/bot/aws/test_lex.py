"""Lex's runtime: what is asked of it, and what a conversation gets if it does not answer."""

import json
from typing import Any

import botocore.session
import pytest

from bot.aws.client import Aws
from bot.aws.lex import LexRuntime
from bot.http import NotSent, Response, Unanswered

ENVIRON = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}


class Connection:
    """Gives the same answer again and again, and keeps what it was asked."""

    def __init__(self, answer: Response | Exception) -> None:
        self.answer, self.asked = answer, list[tuple[str, str, dict[str, Any]]]()

    def request(self, method: str, path: str, _headers: dict[str, str], body: bytes, _timeout: float) -> Response:
        self.asked.append((method, path, json.loads(body)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def recognized(connection: Connection) -> object:
    aws = Aws(ENVIRON, connect=lambda _origin: connection, pause=lambda _seconds: None)
    return LexRuntime(aws, "BOT", "ALIAS", "de_DE").recognize("1:24", "hi")


def test_a_request_is_that_of_the_aws_model() -> None:
    described = botocore.session.Session().get_service_model("lexv2-runtime").operation_model("RecognizeText")
    path = described.http["requestUri"].format(botId="BOT", botAliasId="ALIAS", localeId="de_DE", sessionId="1%3A24")
    connection = Connection(Response(200, {}, b'{"messages": []}'))

    assert recognized(connection) == {"messages": []}
    assert connection.asked == [(described.http["method"], path, {"text": "hi"})]


@pytest.mark.parametrize(
    ("failure", "calls"),
    [(NotSent("x"), 2), (Unanswered("x"), 1), (Response(500, {}, b"{}"), 1), (Response(403, {}, b"{}"), 1)],
)
def test_lex_that_does_not_answer_gives_an_empty_answer_and_hears_no_text_twice(
    failure: Response | Exception, calls: int, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = Connection(failure)

    assert recognized(connection) == {}
    assert len(connection.asked) == calls
    assert json.loads(capsys.readouterr().out)["kind"] == "lex_unavailable"
