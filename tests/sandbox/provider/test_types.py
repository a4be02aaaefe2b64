"""Every verb of every resource type, on the emulated AWS: what it does, and that it makes the real provider's calls."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import OWNER, Cloud
from sandbox.provider.account import Account
from sandbox.provider.catalog import TYPES
from sandbox.provider.resource import DEFAULTED, Existing, ResourceType, chosen, compact
from tests.sandbox.conftest import REGION
from tests.sandbox.provider.samples import METHOD, SAMPLES, World

SERVICES = (
    "iam",
    "ssm",
    "logs",
    "cloudwatch",
    "sns",
    "sqs",
    "dynamodb",
    "lambda",
    "apigateway",
    "acm",
    "route53",
    "scheduler",
)

# The emulator's GetRestApi, GetStage and GetDomainName go on giving the tags of the creation.
CREATION_TAGS = {"aws:apigateway/restApi:RestApi", "aws:apigateway/stage:Stage", "aws:apigateway/domainName:DomainName"}


# The account's settings, and a wait for a certificate, which goes on being issued.
OUTLIVE = {"aws:apigateway/account:Account", "aws:acm/certificateValidation:CertificateValidation"}


class Calls:
    """The API calls of the deploying principal, recorded from botocore's events."""

    def __init__(self, clients: Clients) -> None:
        self._made: list[str] = []
        for service in SERVICES:
            clients(service).meta.events.register("before-call", self._note)

    def _note(self, model: Any, **_: object) -> None:
        self._made.append(f"{model.service_model.service_name}:{model.name}")

    def take(self) -> str:
        """The calls made since the last time."""
        made, self._made[:] = "".join(f"{each} " for each in self._made), []
        return made


def pattern(calls: Sequence[str]) -> str:
    """The calls of ``facts.json`` as a regular expression."""
    return "".join(f"(?:(?:{call.rstrip('?*+')}) ){call[len(call.rstrip('?*+')) :]}" for call in calls)


@pytest.fixture(scope="module")
def deploying(cloud: Cloud) -> Clients:
    return Clients(cloud.url, REGION, OWNER)


@pytest.fixture(scope="module")
def calls(deploying: Clients) -> Calls:
    return Calls(deploying)


@pytest.fixture(scope="module")
def account(cloud: Cloud, owner: Clients, deploying: Clients) -> Account:
    return Account(cloud.url, REGION, deploying, owner)


@pytest.fixture(scope="module")
def world(cloud: Cloud, owner: Clients) -> Iterator[World]:
    account = Account(cloud.url, REGION, owner, owner)
    yield World(account)
    TYPES["aws:apigateway/account:Account"].delete(account, Existing("", {}))


def agrees(found: Existing | None, inputs: dict[str, Any], provider: ResourceType) -> None:
    """What AWS gives back is what was asked for, as far as it gives it back."""
    assert found is not None
    diff = provider.diff({**inputs, **found.inputs}, inputs)
    assert diff.changed == frozenset(), {key: (found.inputs.get(key), inputs.get(key)) for key in diff.changed}


def holds(found: object, wanted: object) -> bool:
    """Whether what was found has at least what is wanted."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return all(holds(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, str) and wanted.startswith("{"):
        return bool(json.loads(str(found)) == json.loads(wanted))
    return found == wanted


@pytest.mark.parametrize("type_name", SAMPLES)
def test_a_resource_is_created_read_imported_changed_and_deleted_with_the_providers_calls(
    type_name: str, account: Account, calls: Calls, world: World
) -> None:
    provider, sample = TYPES[type_name], SAMPLES[type_name]
    facts = provider.facts.calls
    given = sample.inputs(world)
    inputs = provider.check("sample", given)
    calls.take()

    existing = provider.create(account, inputs)
    assert re.fullmatch(pattern(facts["create"]), calls.take())

    found = provider.read(account, existing)
    assert re.fullmatch(pattern(facts["read"]), calls.take())
    agrees(found, inputs, provider)

    if sample.import_id:
        imported = provider.read(account, provider.imported(sample.import_id.format(id=existing.id, **existing.inputs)))
        assert imported is not None
        assert imported.id == existing.id
        for key, value in compact(inputs).items():
            if key not in {DEFAULTED, *provider.unreadable}:
                assert holds(imported.inputs.get(key), value), key

    rows = {tuple(row["calls"]) for row in facts["update"]}
    for change in sample.changes(world):
        given = {key: value for key, value in {**given, **change}.items() if value is not None}
        inputs = provider.check("sample", given, existing.inputs)
        diff = provider.diff(existing.inputs, inputs)
        assert diff.changed == change.keys()
        assert not diff.replaces
        (row,) = [row for row in facts["update"] if set(row["arguments"]) & change.keys()]
        rows.discard(tuple(row["calls"]))
        calls.take()
        existing = provider.update(account, existing, inputs)
        assert re.fullmatch(pattern(row["calls"]), calls.take()), change
        if not (type_name in CREATION_TAGS and "tags" in change):
            agrees(provider.read(account, existing), inputs, provider)
    assert not rows, f"No change of the sample makes these calls: {rows}"

    calls.take()
    provider.delete(account, existing)
    assert re.fullmatch(pattern(facts["delete"]), calls.take())
    if type_name not in OUTLIVE:
        assert provider.read(account, existing) is None
        provider.delete(account, existing)


def test_a_changed_method_updates_its_integration_too(account: Account, calls: Calls, world: World) -> None:
    provider = TYPES["aws:apigateway/method:Method"]
    integration = world.one("aws:apigateway/integration:Integration")
    inputs = provider.check("m", {**chosen(integration.inputs, METHOD), "authorization": "NONE"})
    calls.take()

    provider.update(account, Existing("", inputs), {**inputs, "authorization": "AWS_IAM"})

    assert "apigateway:GetIntegration apigateway:UpdateIntegration " in calls.take()
