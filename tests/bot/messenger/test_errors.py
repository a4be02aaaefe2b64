import json

import pytest
from hypothesis import strategies as st

from bot.messenger import errors


def answer(
    code: int, subcode: int = 0, *, status: int = 400, transient: bool | None = None, message: str = "No"
) -> errors.SendError:
    error: dict[str, object] = {"message": message, "code": code, "fbtrace_id": "Az9"}
    if subcode:
        error["error_subcode"] = subcode
    if transient is not None:
        error["is_transient"] = transient
    return errors.from_response(status, json.dumps({"error": error}).encode())


# What the documented examples leave out; those are in `tests/data/send-examples.json`.
@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        *((code, 0, errors.Transient) for code in (-1, 1, 2, 17, 32, 341, 613, 1200, 80000, 80014)),
        *((code, 99999, errors.Unclear) for code in (1, 4)),
        (80006, 7, errors.Transient),
        (-1, 2534023, errors.AlreadyDone),
        (4, 2018354, errors.AlreadyDone),
        (10, 1893015, errors.AlreadyDone),
        (10900, 0, errors.AlreadyDone),
        (10, 2018278, errors.WindowClosed),
        (100, 33, errors.PersonOrToken),
        *((code, 0, errors.Credentials) for code in (3, 10, 101, 102, 104, 200, 299)),
        (190, 460, errors.Credentials),
        (10, 4, errors.NotAllowed),
        (10, 2018300, errors.OtherApp),
        (2018278, 0, errors.WindowClosed),
        (7, 2018300, errors.OtherApp),
        (7, 10904, errors.PageSetting),
        (2018338, 0, errors.SlowDown),
        (100, 0, errors.Unclear),
        (100, 4, errors.Unclear),
        (299, 4, errors.Unclear),
        (300, 0, errors.Unclear),
        (9999, 0, errors.Unclear),
        (9999, 2534099, errors.Unclear),
    ],
)
def test_facebooks_numbers_decide_what_to_do_and_an_unknown_one_condemns_nobody(
    code: int, subcode: int, kind: type[errors.SendError]
) -> None:
    error = answer(code, subcode)
    assert type(error) is kind
    assert (error.status, error.code, error.subcode, error.fbtrace_id) == (400, code, subcode, "Az9")


@pytest.mark.parametrize(
    "message",
    [
        "(#100) Param message[text] must be a non-empty string",
        "(#100) The parameter recipient is required",
        "(#100) Length of param message[text] must be less than or equal to 2000",
        "Invalid parameter",
    ],
)
def test_only_a_message_that_names_a_parameter_makes_code_100_a_defect(message: str) -> None:
    assert type(answer(100, message=message)) is errors.Rejected
    assert type(answer(100, message=message, status=500)) is errors.Transient
    assert type(answer(100, 4, message=message)) is errors.Unclear


@pytest.mark.parametrize("code", [1, 2])
def test_an_outage_that_is_not_transient_is_not_waited_out_for_days(code: int) -> None:
    for subcode in (0, 99999):
        assert type(answer(code, subcode, transient=False, status=500)) is errors.Unclear
    for unlisted in (code, 9999):
        assert type(answer(unlisted, 99999, transient=True)) is errors.Transient


def test_no_row_of_the_table_hides_another() -> None:
    rows = [row for row in errors.TABLE if not row.says]
    assert len({(str(row.code), row.subcode) for row in rows}) == len(rows)
    for row in rows:
        code = row.code if isinstance(row.code, int) else row.code.stop - 1
        assert type(answer(code, 7 if row.subcode == errors.ANY else row.subcode)) is row.kind, row


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, errors.Ambiguous),
        (302, errors.Ambiguous),
        (400, errors.Unclear),
        (401, errors.Credentials),
        (403, errors.Credentials),
        (408, errors.Transient),
        (429, errors.Transient),
        (500, errors.Transient),
    ],
)
def test_an_answer_of_something_else_is_classified_by_its_status(status: int, kind: type[errors.SendError]) -> None:
    for body in (
        b"",
        b"<html>",
        b"[" * 200_000,
        b"[]",
        b'{"error": "x"}',
        b'{"error": {"code": "190"}}',
        b'{"error": {"code": true, "error_subcode": [], "message": 7, "fbtrace_id": null}}',
        b"\xff",
    ):
        assert type(errors.from_response(status, body)) is kind


def test_the_code_matters_more_than_the_status() -> None:
    assert type(answer(190, status=500)) is errors.Credentials
    assert type(answer(9999, status=401)) is errors.Unclear
    assert type(answer(551, status=500)) is errors.Unreachable
    assert type(answer(551, status=200)) is errors.Unreachable


def test_an_error_says_what_to_do_and_with_which_numbers() -> None:
    sentence = "This person cannot be reached. The person blocked the page or is gone."
    assert str(answer(551)) == f"{sentence} (status 400, code 551, fbtrace_id Az9)"
    assert "status 0" not in str(errors.Transient("Nothing was sent: TimeoutError."))


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("Param message[text] must be a string of my secret words here", " The parameter is message[text]."),
        ("(#100) The parameter recipient is required: secret", " The parameter is recipient."),
        ("(#100) Length of param message[text] must be at most 5: secret", " The parameter is message[text]."),
        ("(#100) Param message.attachment.url is secret", " The parameter is message.attachment.url."),
        ("(#100) Invalid parameter secret", ""),
        ("Nobody must have 'param secret'", ""),
        (f"Malformed access token EAAG{'secret' * 30}", ""),
        ("secret", ""),
    ],
)
def test_of_facebooks_words_only_a_parameters_name_is_kept(message: str, named: str) -> None:
    for code in (100, 9999):
        error = answer(code, message=message)
        assert error.reason == f"{error.meaning}{named} (status 400, code {code})"


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=3), LEAVES, max_size=3)


@pytest.mark.parametrize(
    "message",
    ["Invalid appsecret_proof provided in the API argument", "API calls from the server require an appsecret_proof"],
)
def test_a_wrong_app_secret_is_a_matter_of_credentials_not_a_defect(message: str) -> None:
    assert isinstance(answer(100, message=message), errors.Credentials)
