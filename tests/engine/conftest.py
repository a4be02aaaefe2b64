"""What every test of the real engine needs: a Pulumi CLI."""

import pytest

from sandbox.engine.automation import command
from sandbox.errors import SandboxError


@pytest.fixture(scope="session", autouse=True)
def cli() -> None:
    try:
        command()
    except SandboxError as missing:
        pytest.skip(str(missing))
