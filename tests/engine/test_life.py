"""The life of each stack under the real engine: from nothing, by the owner, and back to nothing."""

import shutil
from collections.abc import Iterator

import pytest

from sandbox.errors import SandboxError
from tests.engine.place import Place, Real
from tests.harness import ROOT
from tests.inventory import everything

GROUP_ALONE = "config:\n  aws:region: eu-central-1\n  innolab-fbm:bot: false\n  innolab-fbm:adminMembers: [anna]\n"
STACKS = ("local", *(pytest.param(name, marks=pytest.mark.engine) for name in ("dev", "prod", "admins")))


pytestmark = pytest.mark.timeout(400)


class Life:
    """What the engine did from the first preview to the end."""

    def __init__(self, place: Place, stack: Real) -> None:
        before = set(everything(place.owner))
        self.announced = stack.run("preview")
        self.created = stack.run("up")
        self.repeated = stack.run("up")
        self.refreshed = stack.run("refresh")
        self.exported = stack.exported()
        self.refusal = self._refused(stack) if stack.name == "prod" else ""
        self.deleted = stack.run("destroy")
        self.left = set(everything(place.owner)) - before

    def _refused(self, stack: Real) -> str:
        with pytest.raises(SandboxError) as refusal:
            stack.run("preview_destroy")
        stack.set({"protectData": "false"})
        stack.run("up")
        return str(refusal.value)


@pytest.fixture(scope="module", params=STACKS)
def life(request: pytest.FixtureRequest) -> Iterator[Life]:
    with Place() as place:
        (place.folder / "Pulumi.admins.yaml").write_text(GROUP_ALONE, "utf-8")
        yield Life(place, place.stack(request.param))


def test_everything_that_a_preview_announces_is_made(life: Life) -> None:
    assert life.announced == life.created
    assert set(life.created.values()) == {"made"}


def test_nothing_changes_when_nothing_has_changed(life: Life) -> None:
    assert life.repeated == dict.fromkeys(life.created, "same")
    assert life.refreshed == life.repeated


def test_no_secret_is_in_plain_text_in_the_state(life: Life) -> None:
    assert "CANARY" not in life.exported
    assert ('"ciphertext"' in life.exported) is ("aws:ssm/parameter:Parameter" in life.exported)


def test_what_is_protected_keeps_the_stack_from_being_destroyed(life: Life) -> None:
    assert ("protected" in life.refusal) is any("innolab-fbm-prod-" in name for name in life.created)


def test_nothing_is_left_at_the_end(life: Life) -> None:
    assert life.deleted == dict.fromkeys(life.created, "deleted")
    assert life.left == set()


@pytest.mark.engine
@pytest.mark.skipif(
    not shutil.which("pulumi-language-python"),
    reason="This Pulumi CLI has no Python plugin, so it runs no policy pack.",
)
def test_the_engine_runs_the_policy_pack() -> None:
    with Place() as place:
        stack, pack = place.stack("dev"), [str(ROOT / "policies")]
        stack.run("preview", policy_packs=pack)

        queues = place.folder / "components" / "event_queue.py"
        unencrypted = queues.read_text("utf-8").replace("sqs_managed_sse_enabled=True,", "")
        queues.write_text(unencrypted, "utf-8")
        with pytest.raises(SandboxError):
            stack.run("preview", policy_packs=pack)
