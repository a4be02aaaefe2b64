"""`python -m sandbox up --engine pulumi`: the sandbox, deployed, changed and deleted by the real engine."""

from collections.abc import Iterator

import pytest

from sandbox.errors import SandboxError
from sandbox.local import Sandbox
from tests.engine.place import touched
from tests.inventory import everything

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("local", settings={"protectData": "true"}, engine="pulumi") as running:
        yield running


def test_the_bot_answers_and_the_stack_is_changed_and_destroyed_in_place(sandbox: Sandbox) -> None:
    assert len(sandbox.say("status")) == 1
    assert sandbox.deployed.shown_outputs["functionName"].startswith("innolab-fbm-local-bot-function-")

    changed = sandbox.update({"memoryMb": "256"}, key=sandbox.key_of("anna"))
    assert touched(changed.done) == dict.fromkeys(
        ("innolab-fbm-local-bot-function", "innolab-fbm-local-live-alias"), "changed"
    )
    assert len(sandbox.say("status")) == 1

    with pytest.raises(SandboxError, match="protected"):
        sandbox.destroy()
    assert touched(sandbox.update().done) == {}

    sandbox.update({"protectData": "false"})
    assert set(sandbox.destroy().done.values()) == {"deleted"}
    assert [each for each in everything(sandbox.client) if "innolab-fbm-local-" in each] == []
