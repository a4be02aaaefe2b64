"""A member with scoped rights, in an emulated AWS: attempts to get more are refused."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from sandbox.aws.clients import Clients
from tests.engine.place import REGION, Embedded, Key, Place
from tools.rights.attempts import ATTEMPTS, Attempt, Scene, refused_action, set_up

GROUP, MEMBER = "Innolab_FBM", "anna"
SETTINGS = "config:\n  aws:region: eu-central-1\n  innolab-fbm:bot: false\n"


@pytest.fixture(scope="module")
def stage() -> Iterator[Callable[[str], Scene]]:
    """Makes the group of a stack with one kind of rights and one member, each in its own cloud."""
    with ExitStack() as running:

        def start(rights: str) -> Scene:
            place = running.enter_context(Place())
            (place.folder / "Pulumi.admins.yaml").write_text(SETTINGS, "utf-8")
            members = json.dumps([MEMBER])
            Embedded(place, "admins", adminRights=rights, adminStacks='["local"]', adminMembers=members).run("up")

            def sign_in(key: Key) -> Clients:
                return Clients(place.cloud.url, REGION, key)

            policies = place.owner("iam").list_policies(Scope="Local")["Policies"]
            boundaries = [each["Arn"] for each in policies if each["PolicyName"] == "innolab-fbm-local-boundary"]
            return set_up(sign_in, place.key_of(MEMBER), MEMBER, GROUP, "".join(boundaries))

        yield start


@pytest.fixture(scope="module")
def scoped(stage: Callable[[str], Scene]) -> Scene:
    return stage("scoped")


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda each: each.name)
def test_an_attempt_to_get_more_is_refused(scoped: Scene, attempt: Attempt) -> None:
    assert refused_action(attempt, scoped) == attempt.action


def test_with_the_documented_rights_every_attempt_succeeds(stage: Callable[[str], Scene]) -> None:
    """The second attempt already gives everything. So no attempt is refused just because it makes no sense."""
    documented = stage("documented")

    assert {each.name: refused_action(each, documented) for each in ATTEMPTS} == {each.name: "" for each in ATTEMPTS}
