"""Which AWS the provider's plugin works on."""

import pytest

from sandbox.engine.plugin import account
from sandbox.errors import SandboxError


def test_the_account_is_the_one_that_the_providers_configuration_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2")
    config = {"endpoints": '[{"sqs": "http://127.0.0.1:1"}]', "region": "eu-west-1", "accessKey": "a", "secretKey": "b"}

    named, of_the_environment = account(config), account({})

    assert (named.url, named.region) == ("http://127.0.0.1:1", "eu-west-1")
    assert named.client("sqs").meta.endpoint_url == "http://127.0.0.1:1"
    assert of_the_environment.url == "http://127.0.0.1:2"


def test_without_an_endpoint_nothing_reaches_the_real_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    with pytest.raises(SandboxError, match="it never reaches the real AWS"):
        account({"region": "eu-central-1"})
