"""The bot's secrets: read once, kept for minutes, never shown."""

from typing import Any

import pytest

from bot.aws.client import AwsError
from bot.aws.secrets import SecretMissing, Secrets

VALUES = {"page-access-token": "EAAG", "verify-token": "verify", "app-secret": "8f1c"}


class Parameters:
    def __init__(self) -> None:
        self.values, self.reads, self.out = dict(VALUES), 0, False

    def call(self, _service: str, _operation: str, request: dict[str, Any], **_options: object) -> dict[str, Any]:
        self.reads += 1
        if self.out:
            raise AwsError("GetParametersByPath", "InternalServerError", 500)
        assert request == {"Path": "/innolab-fbm-dev-secrets", "WithDecryption": True}
        return {"Parameters": [{"Name": f"{request['Path']}/{n}", "Value": v} for n, v in self.values.items()]}


@pytest.fixture
def parameters() -> Parameters:
    return Parameters()


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def secrets(parameters: Parameters, clock: list[float]) -> Secrets:
    client: Any = parameters
    return Secrets(client, "/innolab-fbm-dev-secrets", lambda: clock[0])


def test_they_are_read_once_for_minutes(secrets: Secrets, parameters: Parameters, clock: list[float]) -> None:
    for clock[0] in (0.0, 100.0, 299.0):
        assert secrets.get().page_access_token == "EAAG"
    assert parameters.reads == 1

    clock[0] = 301.0
    parameters.values["page-access-token"] = "EAAH"
    assert secrets.get().page_access_token == "EAAH"


def test_a_failed_renewal_keeps_the_old_values_and_is_not_tried_at_every_request(
    secrets: Secrets, parameters: Parameters, clock: list[float]
) -> None:
    secrets.get()
    parameters.out = True
    for clock[0] in (301.0, 302.0, 303.0):
        assert secrets.get().app_secrets == ("8f1c",)
    assert parameters.reads == 2


def test_a_failure_of_the_first_reading_is_an_error(secrets: Secrets, parameters: Parameters) -> None:
    parameters.out = True
    with pytest.raises(AwsError):
        secrets.get()

    parameters.out = False
    assert secrets.get().verify_token == "verify"


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_missing_parameter_is_named(secrets: Secrets, parameters: Parameters, name: str) -> None:
    del parameters.values[name]
    with pytest.raises(SecretMissing, match=f"The parameter {name} is missing"):
        secrets.get()


def test_they_are_never_shown(secrets: Secrets) -> None:
    found = secrets.get()
    shown = f"{found} {found!r} {secrets!r}"
    assert not [value for value in VALUES.values() if value in shown]


def test_they_are_read_to_the_last_page_even_past_an_empty_one(secrets: Secrets, parameters: Parameters) -> None:
    """SSM may answer with an empty page that others follow."""
    pages: dict[str | None, tuple[list[str], str | None]] = {
        None: ([], "second"),
        "second": (["page-access-token", "app-secret"], "third"),
        "third": (["verify-token"], None),
    }

    def call(_service: str, _operation: str, request: dict[str, Any], **_options: object) -> dict[str, Any]:
        names, more = pages[request.get("NextToken")]
        found = [{"Name": f"{request['Path']}/{name}", "Value": VALUES[name]} for name in names]
        return {"Parameters": found} | ({"NextToken": more} if more else {})

    client: Any = parameters
    client.call = call

    assert secrets.get().verify_token == "verify"
    assert secrets.get().app_secrets == ("8f1c",)
