"""Taking a real page over, and giving it back: at the end, after a crash, by hand."""

import json
import os
import resource
from pathlib import Path

import pytest

from sandbox import real_page
from sandbox.errors import SandboxError
from sandbox.real_page import from_descriptor, from_prompt
from sandbox.takeover import RESTORE, Served, Takeover
from tests.system.facebook import OLD_FIELDS, OLD_TOKEN, PlayedFacebook

OURS = "http://127.0.0.1:4600/webhook"
FIELDS = ["messages", "feed"]


def take(facebook: PlayedFacebook, folder: Path, token: str = "") -> Takeover:
    return facebook.page(previousVerifyToken=token).takeover(facebook.url, "v26.0", folder)


def serve_page(facebook: PlayedFacebook, takeover: Takeover) -> None:
    """What a sandbox does: it looks, and registers its own webhook."""
    takeover.look(OURS)
    takeover.ask_for_token()
    takeover.begin(OURS)
    facebook.graph.app_subscription.place("page", OURS, FIELDS)
    facebook.graph.subscribed_apps.fields = FIELDS


def test_where_nothing_was_registered_nothing_stays(facebook: PlayedFacebook, tmp_path: Path) -> None:
    with take(facebook, tmp_path) as takeover:
        assert takeover.look(OURS) == Served("", ())
        serve_page(facebook, takeover)
        takeover.end()

    assert facebook.registered() == ("", [], [])


def test_without_the_verify_token_the_command_is_shown_that_restores_with_it(
    facebook: PlayedFacebook, old: str, tmp_path: Path
) -> None:
    before = facebook.registered()
    with take(facebook, tmp_path) as takeover:
        serve_page(facebook, takeover)
        remark = takeover.end()
    assert old in remark
    assert RESTORE in remark
    assert facebook.registered()[0] == OURS
    with take(facebook, tmp_path) as again, pytest.raises(SandboxError, match="verify token"):
        again.restore()

    with take(facebook, tmp_path, OLD_TOKEN) as again:
        assert old in again.restore()

    assert facebook.registered() == before
    with take(facebook, tmp_path, OLD_TOKEN) as again:
        assert "nothing to restore" in again.restore()


def test_after_a_crash_the_next_start_restores_before_it_looks(
    facebook: PlayedFacebook, old: str, tmp_path: Path
) -> None:
    before = facebook.registered()
    with take(facebook, tmp_path, OLD_TOKEN) as takeover:
        serve_page(facebook, takeover)  # and it crashes

    with take(facebook, tmp_path, OLD_TOKEN) as takeover:
        assert takeover.look("http://127.0.0.1:4601/webhook") == Served(old, ())
        assert facebook.registered() == before


def test_after_a_crash_without_the_token_the_next_end_still_knows_what_was_registered_first(
    facebook: PlayedFacebook, old: str, tmp_path: Path
) -> None:
    for _ in range(2):
        with take(facebook, tmp_path) as takeover:
            serve_page(facebook, takeover)  # and it crashes

    with take(facebook, tmp_path, OLD_TOKEN) as takeover:
        assert old in takeover.restore()
    assert facebook.registered() == (old, OLD_FIELDS, OLD_FIELDS)


def test_a_registration_that_somebody_made_meanwhile_is_left_alone(
    facebook: PlayedFacebook, old: str, tmp_path: Path
) -> None:
    facebook.graph.app_subscription.delete({})
    with take(facebook, tmp_path) as takeover:
        serve_page(facebook, takeover)
        facebook.register(old)
        assert old in takeover.end()

    assert facebook.registered() == (old, OLD_FIELDS, OLD_FIELDS)


@pytest.mark.usefixtures("old")
def test_what_was_never_replaced_needs_no_remark_and_nothing_stays(facebook: PlayedFacebook, tmp_path: Path) -> None:
    with take(facebook, tmp_path, OLD_TOKEN) as takeover:
        takeover.look(OURS)
        takeover.begin(OURS)
        facebook.graph.forget_requests()
        assert takeover.end() == ""

    assert {each["method"] for each in facebook.graph.requests()} == {"GET"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("old")
def test_a_verify_token_that_the_webhook_does_not_confirm_is_refused_before_anything_changes(
    facebook: PlayedFacebook, tmp_path: Path
) -> None:
    before = facebook.registered()

    with take(facebook, tmp_path, "guess") as takeover:
        takeover.look(OURS)
        with pytest.raises(SandboxError, match="does not confirm"):
            takeover.ask_for_token()

    assert facebook.registered() == before


def test_a_refusal_at_the_end_names_the_command_that_tries_again(
    facebook: PlayedFacebook, old: str, tmp_path: Path
) -> None:
    with take(facebook, tmp_path, OLD_TOKEN) as takeover:
        serve_page(facebook, takeover)
        facebook.graph.set_faults({"error": {"status": 500, "code": 2, "message": "No."}})
        with pytest.raises(SandboxError, match=RESTORE):
            takeover.end()

    facebook.graph.set_faults({})
    with take(facebook, tmp_path, OLD_TOKEN) as takeover:
        assert old in takeover.restore()


def test_one_sandbox_at_a_time_serves_a_page(facebook: PlayedFacebook, tmp_path: Path) -> None:
    with take(facebook, tmp_path), pytest.raises(SandboxError, match="Another sandbox serves this page"):
        take(facebook, tmp_path).__enter__()


def test_another_app_that_serves_the_page_is_named(facebook: PlayedFacebook, tmp_path: Path) -> None:
    facebook.graph.subscribed_apps.others = [{"id": "9", "name": "The old bot", "subscribed_fields": ["messages"]}]

    with take(facebook, tmp_path) as takeover:
        assert takeover.look(OURS) == Served("", ("9",))


# What the person gives


def descriptor(text: str) -> int:
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


def test_a_descriptor_that_is_not_open_is_named_and_without_a_terminal_one_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beyond_the_limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with pytest.raises(SandboxError, match=f"File descriptor {beyond_the_limit}"):
        from_descriptor(beyond_the_limit)

    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(SandboxError, match="--secrets-fd"):
        from_prompt()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"pageId": "my page"}, "pageId"),
        ({"appSecret": "two words-of-a-secret"}, "appSecret"),
        ({"pageAccessToken": ""}, "pageAccessToken"),
        ({"verify_token": "hunter3", "password": "hunter2"}, "password"),
    ],
)
def test_a_mistake_in_it_is_named_without_any_value(
    facebook: PlayedFacebook, changed: dict[str, str], named: str
) -> None:
    given = {**facebook.described(), **changed}

    with pytest.raises(SandboxError, match=named) as raised:
        from_descriptor(descriptor(json.dumps(given)))

    shown = str(raised.value)
    assert [value for value in given.values() if value and value in shown] == []


def test_at_a_terminal_the_secrets_are_asked_for_without_being_shown(
    facebook: PlayedFacebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    hidden = iter([facebook.secrets["pageAccessToken"], facebook.secrets["appSecret"]])

    def hide(question: str) -> str:
        asked.append(question)
        return next(hidden)

    lines = iter([facebook.graph.page_id, facebook.graph.app_id])
    monkeypatch.setattr(real_page, "getpass", hide)
    monkeypatch.setattr(real_page, "_line", lambda _: next(lines))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    page = from_prompt()

    assert asked == ["Page access token: ", "App secret: "]
    assert page.app_secret == facebook.secrets["appSecret"]
