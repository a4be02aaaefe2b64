"""Lex's runtime: what is asked of it, and what a conversation gets if it does not answer."""

import json

import botocore.session
import pytest

from bot.aws.lex import LexRuntime
from bot.http import NotSent, Response, Unanswered
from tests.bot.connections import FixedAnswers


def recognized(connection: FixedAnswers) -> object:
    return LexRuntime(connection.aws(), "BOT", "ALIAS", "de_DE").recognize("1:24", "hi")


def test_a_request_is_that_of_the_aws_model() -> None:
    described = botocore.session.Session().get_service_model("lexv2-runtime").operation_model("RecognizeText")
    path = described.http["requestUri"].format(botId="BOT", botAliasId="ALIAS", localeId="de_DE", sessionId="1%3A24")
    connection = FixedAnswers(Response(200, {}, b'{"messages": []}'))

    assert recognized(connection) == {"messages": []}
    (asked,) = connection.asked
    assert (asked.method, asked.path, json.loads(asked.body)) == (described.http["method"], path, {"text": "hi"})


@pytest.mark.parametrize(
    ("failure", "calls"),
    [(NotSent("x"), 2), (Unanswered("x"), 1), (Response(500, {}, b"{}"), 1), (Response(403, {}, b"{}"), 1)],
)
def test_lex_that_does_not_answer_gives_an_empty_answer_and_hears_no_text_twice(
    failure: Response | Exception, calls: int, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = FixedAnswers(failure, failure)

    assert recognized(connection) == {}
    assert len(connection.asked) == calls
    assert json.loads(capsys.readouterr().out)["kind"] == "lex_unavailable"
