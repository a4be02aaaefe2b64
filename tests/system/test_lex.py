"""A stack with Amazon Lex: text that no rule matches goes to Lex."""

from collections.abc import Iterator

import pytest

from sandbox.errors import Refused
from sandbox.facebook.lex import recognize
from sandbox.local import Sandbox, new_person

LEX = {"lexBotId": "ABCDEFGHIJ", "lexBotAliasId": "TSTALIASID", "lexLocaleId": "en_US"}


@pytest.fixture(scope="module")
def with_lex() -> Iterator[Sandbox]:
    with Sandbox(settings=LEX) as running:
        yield running


def test_text_that_no_rule_matches_is_understood_by_lex_and_a_dialogue_continues(with_lex: Sandbox) -> None:
    person = new_person()

    _, card = with_lex.say("Could you collect something?", person)
    element = card["message"]["attachment"]["payload"]["elements"][0]
    assert element["title"] == "Arrange a collection"
    assert len(element["buttons"]) == 3
    assert [reply["title"] for reply in card["message"]["quick_replies"]] == ["At 12 o'clock", "At 13 o'clock"]
    (confirm,) = with_lex.say("collect at 12", person)
    assert confirm["message"]["text"] == "Shall we collect at 12?"
    assert len(confirm["message"]["quick_replies"]) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/bots/ABC/botAliases/A/botLocales/en_US/sessions/12/text", b'{"text": "a"}'),
        ("/bots/ABCDEFGHIJ/botAliases/A/botLocales/en_US/sessions/12/text", b'{"text": "' + b"a" * 1025 + b'"}'),
        ("/bots/ABCDEFGHIJ/botAliases/A/botLocales/en_US/sessions/12/text", b"{"),
    ],
)
def test_the_stand_in_refuses_what_lex_refuses(path: str, body: bytes) -> None:
    with pytest.raises(Refused, match="ValidationException"):
        recognize(path, body)
