import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messenger.errors import (
    Ambiguous,
    Credentials,
    Rejected,
    SendError,
    SlowDown,
    Transient,
    Unreachable,
    WindowClosed,
    from_response,
)


def answer(
    code: int, subcode: int = 0, *, status: int = 400, transient: bool | None = None, message: str = "No"
) -> SendError:
    error: dict[str, object] = {"message": message, "code": code, "fbtrace_id": "Az9"}
    if subcode:
        error["error_subcode"] = subcode
    if transient is not None:
        error["is_transient"] = transient
    return from_response(status, json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (1, 0, Transient),
        (2, 0, Transient),
        (4, 0, Transient),
        (17, 0, Transient),
        (32, 0, Transient),
        (341, 0, Transient),
        (613, 0, Transient),
        (1200, 0, Transient),
        (80006, 0, Transient),
        (1, 1357046, Ambiguous),
        (368, 0, SlowDown),
        (613, 2018338, SlowDown),
        (10, 1893063, SlowDown),
        (551, 0, Unreachable),
        (200, 1545041, Unreachable),
        (10, 2018108, Unreachable),
        (100, 2018001, Unreachable),
        (10, 2018278, WindowClosed),
        (10, 2534022, WindowClosed),
        (190, 0, Credentials),
        (190, 460, Credentials),
        (102, 0, Credentials),
        (10, 0, Credentials),
        (10, 1, Credentials),
        (200, 0, Credentials),
        (299, 1, Credentials),
        (100, 0, Rejected),
        (100, 1, Rejected),
        (300, 0, Rejected),
        (2500, 0, Rejected),
    ],
)
def test_facebooks_code_decides_what_to_do(code: int, subcode: int, kind: type[SendError]) -> None:
    error = answer(code, subcode)
    assert type(error) is kind
    assert (error.status, error.code, error.subcode, error.fbtrace_id) == (400, code, subcode, "Az9")


@pytest.mark.parametrize("code", [1, 2])
def test_an_error_that_is_not_transient_is_a_defect(code: int) -> None:
    assert type(answer(code, transient=False, status=500)) is Rejected
    assert type(answer(code, transient=True)) is Transient


def test_an_unknown_error_that_is_transient_is_tried_again() -> None:
    assert type(answer(9999, transient=True)) is Transient


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Ambiguous),
        (302, Ambiguous),
        (400, Rejected),
        (401, Credentials),
        (403, Credentials),
        (404, Rejected),
        (408, Transient),
        (429, Transient),
        (500, Transient),
        (502, Transient),
        (599, Transient),
    ],
)
def test_an_answer_of_something_else_is_classified_by_its_status(status: int, kind: type[SendError]) -> None:
    for body in (
        b"",
        b"<html>",
        b"[]",
        b'{"error": "x"}',
        b'{"error": {"code": "190"}}',
        b'{"error": {"code": true}}',
        b"\xff",
    ):
        assert type(from_response(status, body)) is kind


def test_the_code_matters_more_than_the_status() -> None:
    assert type(answer(190, status=500)) is Credentials
    assert type(answer(100, status=500)) is Transient
    assert type(answer(100, status=200)) is Rejected
    assert type(answer(100, status=401)) is Rejected


def test_an_error_says_what_to_do_and_with_which_numbers() -> None:
    assert str(answer(551)) == "This user cannot be reached. (status 400, code 551, fbtrace_id Az9)"
    assert "status 0" not in str(Transient("Nothing was sent: TimeoutError."))


def test_an_error_never_quotes_a_token() -> None:
    token = "EAAG" + "x" * 180
    quoted = f"Malformed access token {token}"
    assert token not in str(answer(190, message=quoted))
    assert "Malformed" not in str(answer(190, message=quoted))
    rejected = str(answer(100, message=quoted))
    assert "Malformed access token …" in rejected
    assert token[:30] not in rejected


def test_facebooks_message_is_shortened() -> None:
    assert len(str(answer(100, message="word " * 1000))) < 500
    assert str(answer(100, message="")) == str(
        from_response(400, b'{"error": {"code": 100, "message": 7, "fbtrace_id": "Az9"}}')
    )


@given(st.integers(100, 599), st.binary())
def test_any_answer_becomes_an_error(status: int, body: bytes) -> None:
    assert isinstance(from_response(status, body), SendError)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=3), LEAVES, max_size=3)


@settings(max_examples=40)
@given(
    st.integers(100, 599),
    st.dictionaries(st.sampled_from(["code", "error_subcode", "is_transient", "message", "fbtrace_id"]), JSON),
)
def test_any_error_of_facebook_becomes_an_error(status: int, error: object) -> None:
    assert isinstance(from_response(status, json.dumps({"error": error}).encode()), SendError)


def test_a_deeply_nested_answer_is_an_error() -> None:
    assert type(from_response(400, b"[" * 200_000)) is Rejected


@pytest.mark.parametrize(
    "message",
    ["Invalid appsecret_proof provided in the API argument", "API calls from the server require an appsecret_proof"],
)
def test_a_wrong_app_secret_is_a_matter_of_credentials_not_a_defect(message: str) -> None:
    assert isinstance(answer(100, message=message), Credentials)
