"""Both engines do exactly what one expects of an edit, and a preview announces it.

The owner creates `dev`, with the group. Each edit is a member's then, who has nothing but an access key.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.errors import SandboxError
from tests.engine.edits import EDITS, FOR_THE_OWNER, OF_SCOPED_MEMBERS, Edit
from tests.engine.place import Embedded, Place, Real, touched
from tests.harness import project_defaults

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

STACK, PREFIX, MEMBERS = "dev", "innolab-fbm-dev-", '["anna"]'
Done = dict[str, str]


ALL = (*EDITS, *FOR_THE_OWNER)
OF_THE_DEPLOYER = {"deployFrom", "manageGithubProvider"}  # see tests/engine/test_deployer.py


@dataclass
class Life:
    """What an engine did at each edit; a sentence where it failed."""

    created: Done
    previewed: dict[str, Done | str] = field(default_factory=dict)
    done: dict[str, Done | str] = field(default_factory=dict)
    denied: list[dict[str, Any]] = field(default_factory=list)

    def note(self, edit: Edit, stack: Real | Embedded) -> None:
        if isinstance(stack, Real):
            self.previewed[edit.name] = attempt(lambda: stack.run("preview"))
        self.done[edit.name] = attempt(lambda: stack.run("up"))


def attempt(run: Callable[[], Done]) -> Done | str:
    try:
        return short(touched(run()))
    except SandboxError as refusal:
        return str(refusal)


def short(done: Done) -> Done:
    return {name.removeprefix(PREFIX): what for name, what in done.items()}


def live(place: Place, stack: Real | Embedded, edits: Sequence[Edit] = EDITS) -> Life:
    life, key = Life(short(stack.run("up"))), place.key_of("anna")
    for edit in edits:
        edit.apply(place.folder)
        stack.set(edit.settings, key)
        life.note(edit, stack)
    life.denied = [each for each in place.cloud.decisions() if not each["allowed"]]
    for edit in FOR_THE_OWNER:
        stack.set(edit.settings)
        life.note(edit, stack)
    return life


@pytest.fixture(scope="module")
def real() -> Iterator[Life]:
    with Place() as place:
        yield live(place, place.stack(STACK, adminMembers=MEMBERS))


@pytest.fixture(scope="module")
def embedded() -> Iterator[Life]:
    with Place() as place:
        yield live(place, Embedded(place, STACK, adminMembers=MEMBERS))


@pytest.fixture(scope="module")
def scoped() -> Iterator[Life]:
    with Place() as place:
        yield live(place, place.stack(STACK, adminMembers=MEMBERS, adminRights="scoped"), OF_SCOPED_MEMBERS)


def test_every_setting_is_edited() -> None:
    # `test_registration.py` has a life of its own for the app's id.
    elsewhere = OF_THE_DEPLOYER | {"appId"}

    assert {name for edit in ALL for name in edit.settings} | elsewhere == set(project_defaults())


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_does_exactly_what_one_expects(real: Life, edit: Edit) -> None:
    assert real.done[edit.name] == edit.operations


@pytest.mark.parametrize("edit", FOR_THE_OWNER[:-1], ids=lambda edit: edit.name)
def test_an_owners_edit_does_exactly_what_one_expects(real: Life, edit: Edit) -> None:
    assert real.done[edit.name] == edit.operations


def test_without_the_bot_only_the_group_is_left(real: Life) -> None:
    held = dict(real.created)
    for edit in EDITS:
        held |= edit.operations
    bot = {name for name, what in held.items() if what != "deleted" and not name.startswith("admins-")}

    assert real.done["no bot"] == {name: "kept" if name.startswith("api-account-") else "deleted" for name in bot}


@pytest.mark.parametrize("edit", ALL, ids=lambda edit: edit.name)
def test_a_preview_announces_exactly_what_is_done(real: Life, edit: Edit) -> None:
    assert real.previewed[edit.name] == real.done[edit.name]


@pytest.mark.parametrize("edit", ALL, ids=lambda edit: edit.name)
def test_the_embedded_engine_does_the_same(real: Life, embedded: Life, edit: Edit) -> None:
    assert embedded.done[edit.name] == real.done[edit.name]
    assert embedded.created == real.created


@pytest.mark.parametrize("edit", OF_SCOPED_MEMBERS, ids=lambda edit: edit.name)
def test_a_member_with_scoped_rights_makes_the_same_edits(scoped: Life, edit: Edit) -> None:
    assert scoped.done[edit.name] == edit.operations


def test_no_call_of_a_member_is_denied(real: Life, embedded: Life, scoped: Life) -> None:
    assert real.denied == embedded.denied == scoped.denied == []
