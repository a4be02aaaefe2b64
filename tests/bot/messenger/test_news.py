"""News, its ways, and the templates of utility messages."""

from typing import Any, get_args

import pytest

from bot.messenger.messages import Link, Message, Refused, Request, Tap
from bot.messenger.news import ApprovedTemplate, Utility, UtilityTemplate, Wording
from bot.messenger.record import Record

Json = dict[str, Any]


class Moved(Record):
    number: str
    step: str


class Other(Record):
    number: str
    step: str


EXAMPLE = Moved("12345678", "delivered")
BUTTONS = (Tap("Where is it?", "TRACK:{{number}}"), Link("Help", "https://example.org"))
MOVED = UtilityTemplate(
    "parcel_moved",
    {
        "en": Wording("Parcel {{number}} is {{step}} now.", EXAMPLE, BUTTONS),
        "de": Wording("Paket {{number}} ist jetzt {{step}}.", Moved("12345678", "zugestellt")),
    },
)
FILLED = Utility(MOVED, "en", Moved("87654321", "on its way"))


def test_a_template_is_created_in_each_language_with_named_placeholders_and_examples() -> None:
    assert MOVED.to_request("en") == {
        "name": "parcel_moved",
        "language": "en",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [
            {
                "type": "BODY",
                "text": "Parcel {{number}} is {{step}} now.",
                "example": {
                    "body_text_named_params": [
                        {"param_name": "number", "example": "12345678"},
                        {"param_name": "step", "example": "delivered"},
                    ]
                },
            },
            {
                "type": "BUTTONS",
                "buttons": [
                    {"type": "POSTBACK", "text": "Where is it?", "payload": "TRACK:{{1}}"},
                    {"type": "URL", "text": "Help", "url": "https://example.org"},
                ],
            },
        ],
    }


def test_a_utility_message_names_its_template_and_fills_its_placeholders() -> None:
    assert FILLED.text == "Parcel 87654321 is on its way now."
    approved = ApprovedTemplate("parcel_moved", "en", {"number": "87654321", "step": "on its way"}, "87654321")
    assert FILLED.to_request("7") == approved.to_request("7"), "whose form is tested with the contract"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Wording("It is {{place}} now.", EXAMPLE), "placeholders place, its example the fields number, step"),
        (lambda: Wording("{{number}} is {{step}} now.", EXAMPLE), "begins or ends with a placeholder"),
        (lambda: Wording("x" * 1025, Record()), "1025 characters, and 1024 are allowed"),
        (lambda: Wording("Hello!", Record(), BUTTONS[1:] * 4), "4 buttons, and 3 are allowed"),
        (lambda: Wording("Hello!", Record(), (Tap("Go", "GO:{{number}}"),)), "has a placeholder in 'GO:{{number}}'"),
        (
            lambda: MOVED.wordings["en"].replace(buttons=(Tap("Go", "{{number}}:{{step}}"),)),
            "end the payload of one Tap",
        ),
        (lambda: UtilityTemplate("Parcel moved", MOVED.wordings), "lower-case letters, digits and _"),
        (lambda: UtilityTemplate("moved", {}), "has no wording"),
        (
            lambda: UtilityTemplate(
                "m", {**MOVED.wordings, "fr": MOVED.wordings["en"].replace(example=Other("1", "x"))}
            ),
            "examples of Moved, Other",
        ),
        (lambda: Utility(MOVED, "fr", EXAMPLE), "does not exist in 'fr': choose from de, en"),
        (lambda: FILLED.replace(values=Other("1", "x")), "filled with a Other: give a Moved"),
        (lambda: Utility(MOVED, "en", Moved("", "x")), "placeholder number of parcel_moved is empty"),
        (lambda: Utility(MOVED, "en", Moved("1", "a\nb")), "has line breaks"),
        (lambda: Utility(MOVED, "en", Moved("1", "x" * 1024)), "shorten its placeholders"),
    ],
)
def test_what_facebook_would_refuse_is_refused_when_it_is_made(make: Any, said: str) -> None:
    with pytest.raises(Refused, match=said.replace("{", r"\{").replace("+", r"\+")):
        make()


def test_no_type_of_the_bot_lets_it_use_the_tag_of_messages_that_a_human_wrote() -> None:
    assert "tag" not in Request.__annotations__
    assert get_args(Request.__annotations__["messaging_type"]) == ("RESPONSE", "UPDATE", "UTILITY")

    def subclasses(base: type[Message]) -> list[type[Message]]:
        return [each for sub in base.__subclasses__() for each in (sub, *subclasses(sub))]

    assert {each.to_request.__annotations__["return"] for each in subclasses(Message)} == {Request}
