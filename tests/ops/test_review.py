"""`review` says what Meta's App Review asks for, and its script is what the bot says."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot import conversation
from bot.messenger.messages import PublicReply
from ops import review
from ops.errors import OpsError
from ops.review import PERMISSIONS, PERSONS, SCRIPT, load_script
from sandbox.facebook import credentials
from sandbox.local import Sandbox
from tests.ops.conftest import Ops
from tests.system.person import Person, texts

Json = dict[str, Any]


@pytest.fixture
def submitted(sandbox: Sandbox, ops: Ops, monkeypatch: pytest.MonkeyPatch) -> Ops:
    """A page that is registered, and an app whose dashboard is filled in."""
    sandbox.graph.set_profile(conversation.PROFILE.to_json())  # Facebook allows ten changes in ten minutes
    ops("register")
    monkeypatch.setattr(sandbox.graph, "application", {"privacy_policy_url": sandbox.outputs["privacyUrl"]})
    return ops


def items(ops: Ops, *options: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """The exit code, and state and finding by item."""
    code, out, _ = ops("review", "--json", *options)
    return code, {each["what"]: (each["state"], each["found"]) for each in json.loads(out)["items"]}


def test_every_item_is_listed_and_those_that_need_a_person_are_marked(sandbox: Sandbox, submitted: Ops) -> None:
    code, found = items(submitted)

    assert (code, {state for state, _ in found.values()} - {"warning"}) == (0, {"done", "person"})
    assert found["page"] == ("done", "is published")
    assert found["webhook"][1].startswith("accepts a signed request, in 0.")
    assert found["privacy policy"] == ("done", f"{sandbox.outputs['privacyUrl']} can be read")
    by_persons = {what for what, (state, _) in found.items() if state == "person"}
    assert by_persons == {"data deletion", *(what for what, _ in PERSONS)}
    code, out, _ = submitted("review")
    assert (code, out.count("☐ ")) == (0, len(by_persons) + 1)
    for each in load_script(SCRIPT):
        assert each.write in out


def test_what_a_reviewer_would_refuse_is_wrong(
    sandbox: Sandbox, submitted: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox.graph, "page", {"is_published": False})
    monkeypatch.setattr(sandbox.graph, "application", {})
    monkeypatch.setattr(credentials, "SCOPES", ("pages_messaging", "pages_read_engagement", "public_profile"))

    code, found = items(submitted)

    assert code == 1
    assert found["page"][0] == "wrong"
    assert found["privacy policy"] == (
        "wrong",
        f"the app names none: enter {sandbox.outputs['privacyUrl']} in App settings, Basic",
    )
    assert found["pages_manage_metadata"][0] == "wrong"
    assert found["pages_read_engagement"][0] == "warning"
    assert "public_profile" not in found

    monkeypatch.setattr(sandbox.graph, "application", {"privacy_policy_url": f"{sandbox.graph_url}/nothing"})
    assert "cannot be read (HTTP 4" in items(submitted)[1]["privacy policy"][1]


def test_a_permission_that_no_step_of_the_script_shows_is_wrong(submitted: Ops) -> None:
    code, found = items(submitted, "--instagram")

    assert code == 1
    assert found["script: instagram_manage_messages"][0] == "wrong"
    assert found["script: pages_messaging"][0] == "done"


def test_check_opens_the_pages_about_privacy_and_says_so_where_there_are_none(
    sandbox: Sandbox, submitted: Ops, described: Path
) -> None:
    for page in ("privacy", "deletion"):
        assert f"{sandbox.outputs[f'{page}Url']} can be read" in submitted("check")[1]

    for urls, code, report in (
        ({}, 0, "is not served: set organisation and privacyContact"),
        (dict.fromkeys(("privacyUrl", "deletionUrl"), f"{sandbox.graph_url}/nothing"), 1, "cannot be read (HTTP 4"),
    ):
        outputs = {name: value for name, value in sandbox.outputs.items() if not name.endswith(("cyUrl", "ionUrl"))}
        described.write_text(json.dumps(sandbox.described() | {"outputs": outputs | urls}), "utf-8")
        ended, out, _ = submitted("check")
        assert (ended, out.count(report)) == (code, 2)


def used() -> set[str]:
    return {each.name for each in review.used_permissions(PERMISSIONS)}


def test_a_permission_is_used_only_if_the_conversation_does_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    basic = {"pages_messaging", "pages_manage_metadata", "pages_show_list"}
    monkeypatch.setattr(review, "wanted_templates", list)
    assert used() == basic

    monkeypatch.setattr(review, "wanted_templates", lambda: ["one"])
    assert used() == {*basic, "page_utility_messaging"}
    monkeypatch.setattr(review, "wanted_templates", list)
    monkeypatch.setattr(conversation.bot, "person", ("first_name", "locale"))
    assert used() == {*basic, "pages_user_locale"}
    monkeypatch.setattr(conversation, "Reply", PublicReply, raising=False)
    assert used() == {*basic, "pages_user_locale", "pages_manage_engagement", "pages_read_engagement"}


def test_the_bot_answers_as_the_script_says(sandbox: Sandbox) -> None:
    person, quick_replies = Person(sandbox), dict[str, str]()
    for step in load_script(SCRIPT):
        if step.do:
            continue
        answered = person.says(step.write) if step.write else person.chooses(quick_replies[step.tap])
        said = texts(answered)
        assert len(said) == len(step.answers), step
        assert all(expected in text for expected, text in zip(step.answers, said, strict=True)), said
        quick_replies = {
            each["title"]: each["payload"] for answer in answered for each in answer["message"].get("quick_replies", ())
        }


@pytest.mark.parametrize(
    ("text", "report"),
    [
        ("- write: hello\n  tap: Help\n", "Step 1 in .* needs exactly one of write, tap and do"),
        ("- wrte: hello\n", "is not a list of steps"),
        ("hello", "is not a list of steps"),
    ],
)
def test_a_script_that_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, text: str, report: str) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(OpsError, match=report):
        load_script(path)
    with pytest.raises(OpsError, match="cannot be read"):
        load_script(tmp_path / "missing.yaml")
