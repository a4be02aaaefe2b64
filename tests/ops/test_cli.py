"""The command line, on the whole stack in a sandbox."""

import argparse
import calendar
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import conversation, registration
from bot.aws.client import AwsError
from bot.aws.ledger import Key, Ledger
from bot.aws.queues import Queues, dead_letter, fingerprint
from bot.messenger.human import Human
from bot.messenger.news import UtilityTemplate, Wording
from bot.messenger.record import Record
from bot.registration import SUBSCRIBED, SUBSCRIBED_INSTAGRAM
from ops import cli, stack
from ops.aws import OperatorAws
from ops.errors import OpsError
from sandbox.aws.cloud import OWNER
from sandbox.facebook.webhooks import text_item
from sandbox.local import APP_ID, PROJECT, Sandbox, new_person
from sandbox.running import remembered
from tests.bot.servers import Served, serve
from tests.ops.conftest import Ops

Json = dict[str, Any]


@pytest.fixture
def letter(sandbox: Sandbox, aws: OperatorAws) -> Json:
    """A dead event: a person asked for the status."""
    person = new_person()
    sandbox.graph.note_message(person)
    written = text_item(sandbox.page_id, person, "status")
    page, now = sandbox.page_id, round(time.time() * 1000)
    message: Json = {"object": "page", "page": page, "received": now, "items": [written]}
    burial = dead_letter("ValueError in the conversation", {"at": "x.py:7"}, message, fingerprint(page, person), person)
    Queues(aws, sandbox.outputs["queueUrl"], sandbox.outputs["deadLetterQueueUrl"]).bury([burial], time.monotonic() + 9)
    key = Key(fingerprint(page, person), fingerprint(page, written["message"]["mid"]))
    Ledger(aws, sandbox.outputs["ledgerTable"], 1).bury(key)
    return {"person": person, "item": written}


def answers(sandbox: Sandbox, person: str) -> list[Json]:
    sandbox.settle()
    bodies = [each["body"] for each in sandbox.requests() if each["path"].endswith("/messages")]
    return [each for each in bodies if each["recipient"].get("id") == person and "message" in each]


def test_a_letter_is_listed_without_its_text_shown_with_it_and_redriven_to_its_answer(
    sandbox: Sandbox, ops: Ops, letter: Json
) -> None:
    code, out, _ = ops("deadletters", "list")
    assert code == 0
    assert "ValueError in the conversation" in out
    assert '"status"' not in out
    (listed,) = json.loads(ops("deadletters", "list", "--json")[1])
    assert (listed["event"], listed["redrivable"]) == ("text", True)
    assert letter["person"] not in json.dumps(listed)

    code, out, _ = ops("deadletters", "show", listed["id"][:8])
    assert code == 0
    assert '"text": "status"' in out
    shown = json.loads(ops("deadletters", "show", listed["id"], "--json")[1])
    assert shown["message"]["items"] == [letter["item"]]
    assert shown["ledger"][0]["outcome"] == "dead"

    assert "Would redrive: 1. Left: 0." in ops("deadletters", "redrive", "--all", "--dry-run")[1]
    assert answers(sandbox, letter["person"]) == []
    assert ops("deadletters", "redrive", listed["id"][:8])[0] == 0
    assert len(answers(sandbox, letter["person"])) == 1
    assert json.loads(ops("deadletters", "list", "--json")[1]) == []


def test_an_unusable_request_is_shown_decoded_left_by_a_redrive_and_dropped(sandbox: Sandbox, ops: Ops) -> None:
    assert sandbox.facebook is not None
    assert sandbox.facebook.post(b'{"object": "user", "odd": "\\u00e4\x1b"}')[0] == 200
    code, out, _ = ops("deadletters", "redrive", "--all")
    assert code == 0
    assert "it never was an event" in out
    (listed,) = json.loads(ops("deadletters", "list", "--json")[1])
    assert '{"object": "user", "odd": "\\u00e4\\x1b"}' in ops("deadletters", "show", listed["id"])[1]
    code, _, err = ops("deadletters", "redrive", listed["id"])
    assert code == 1
    assert "drop it" in err
    assert "Dropped: 1." in ops("deadletters", "drop", listed["id"])[1]
    assert "There are no dead letters." in ops("deadletters", "list")[1]


def test_a_person_is_forgotten_and_the_command_says_what_remains(sandbox: Sandbox, ops: Ops, letter: Json) -> None:
    sandbox.say("status", letter["person"])
    dry = json.loads(ops("forget", letter["person"], "--dry-run", "--json")[1])
    done = json.loads(ops("forget", letter["person"], "--json")[1])
    assert dry["removed"] == done["removed"] == {"state": True, "plans": 1, "letters": 1}
    code, out, _ = ops("forget", letter["person"])
    assert code == 0
    assert "there was none" in out
    assert "fingerprint of each of their events remains" in out


def test_a_person_without_an_id_is_forgotten_by_the_reference_of_a_plugin(sandbox: Sandbox, ops: Ops) -> None:
    reference = new_person()
    tap: Json = {"sender": {"user_ref": reference}, "recipient": {"id": sandbox.page_id}, "timestamp": 1}
    sandbox.deliver([tap | {"postback": {"payload": "START"}}])
    sandbox.settle()
    assert json.loads(ops("forget", f"user_ref:{reference}", "--json")[1])["removed"]["state"]
    code, _, err = ops("forget", "user_ref:")
    assert code == 1
    assert "is neither a page-scoped id" in err


def test_the_registration_is_checked_written_once_and_its_silent_end_noticed(sandbox: Sandbox, ops: Ops) -> None:
    code, out, err = ops("check")
    assert code == 1
    assert out.count("✗") == 3
    assert out.count("does not exist: run `python -m ops register`") == 2
    assert "hour of failures" not in out

    sandbox.graph.forget_requests()
    assert "would be set" in ops("register", "--dry-run")[1]
    assert {each["method"] for each in sandbox.requests()} == {"GET"}
    assert ops("register")[1].count("was set") == 3
    sandbox.graph.forget_requests()
    assert "was set" not in ops("register")[1]
    assert {each["method"] for each in sandbox.requests()} == {"GET"}
    code, out, err = ops("check", "--json")
    assert (code, [each for each in json.loads(out) if not each["fine"]]) == (0, [])

    assert [each["callback_url"] for each in sandbox.graph.app_subscription.subscriptions] == [sandbox.webhook_url]
    assert sandbox.graph.subscribed_apps.fields == list(SUBSCRIBED)
    sandbox.graph.subscribed_apps.delete({})
    code, out, err = ops("check")
    assert code == 1
    assert "page's subscription  does not exist: Facebook ends it" in out
    for secret in (sandbox.app_secret, sandbox.page_token, sandbox.verify_token):
        assert secret not in out + err


def test_a_rotated_verify_token_is_registered_again(sandbox: Sandbox, ops: Ops) -> None:
    assert ops("register")[0] == 0
    ssm, name = sandbox.client("ssm"), f"{sandbox.outputs['secretsPath']}/verify-token"
    sandbox.graph.app_subscription.verified.clear()
    ssm.put_parameter(Name=name, Value=sandbox.verify_token, Type="SecureString", Overwrite=True)

    code, out, _ = ops("check")
    assert (code, out.count("✗")) == (1, 1)
    assert "may still have an older verify token: run `python -m ops register`" in out
    assert ops("register")[1].count("was set") == 1
    assert sandbox.graph.app_subscription.verified == {"page": sandbox.verify_token}
    assert ops("check")[0] == 0


def test_a_table_that_cannot_be_read_leaves_the_other_verdicts(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    call = OperatorAws.call

    def unreadable(self: OperatorAws, service: str, operation: str, *request: Any) -> dict[str, Any]:
        if operation == "BatchGetItem":
            raise AwsError(operation, "AccessDeniedException", 400)
        return call(self, service, operation, *request)

    assert ops("register")[0] == 0
    monkeypatch.setattr(OperatorAws, "call", unreadable)
    code, out, _ = ops("check", "--json")
    assert code == 1
    wrong = [each for each in json.loads(out) if not each["fine"]]
    assert [each["what"] for each in wrong] == [registration.APP]
    assert "You do not have permission" in wrong[0]["found"]
    assert registration.PAGE in [each["what"] for each in json.loads(out)]


def test_operators_in_different_time_zones_agree_on_the_registered_verify_token(ops: Ops) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for zone, written in (("Asia/Tokyo", 3), ("America/New_York", 0)):
            patch.setenv("TZ", zone)
            time.tzset()
            assert ops("register")[1].count("was set") == written
    time.tzset()


def test_instagram_has_a_webhook_of_its_own(sandbox: Sandbox, ops: Ops) -> None:
    assert ops("register")[0] == 0
    assert "app's subscription to Instagram  does not exist" in ops("check", "--instagram")[1]

    assert ops("register", "--instagram")[1].count("was set") == 1
    assert ops("check", "--instagram")[0] == 0
    known = {each["object"]: each for each in sandbox.graph.app_subscription.subscriptions}
    assert known.keys() == {"page", "instagram"}
    assert [each["name"] for each in known["instagram"]["fields"]] == list(SUBSCRIBED_INSTAGRAM)
    assert known["instagram"]["callback_url"] == sandbox.webhook_url


@pytest.mark.parametrize(
    ("version", "today", "found"),
    [
        ("v21.0", "2026-09-22", ""),
        ("v21.0", "2026-09-24", "v21.0 ends on 2027-01-21: set graphApiVersion to v26.0, and deploy"),
        ("v21.0", "2027-02-01", "v21.0 ended on 2027-01-21: set graphApiVersion to v26.0, and deploy"),
        ("v26.0", "2028-01-01", ""),
        ("v19.0", "2026-11-25", "v19.0 has ended: set graphApiVersion to v26.0"),
    ],
)
def test_the_end_of_a_graph_version_is_announced_four_months_before(
    monkeypatch: pytest.MonkeyPatch, version: str, today: str, found: str
) -> None:
    now = calendar.timegm(time.strptime(today, "%Y-%m-%d"))
    monkeypatch.setattr(time, "time", lambda: now)

    verdict = registration.version_verdict(version)

    assert verdict.fine is not bool(found)
    assert found in verdict.found


def test_fields_that_somebody_added_stay_when_a_missing_one_is_added(sandbox: Sandbox, ops: Ops) -> None:
    sandbox.graph.subscribed_apps.fields = ["feed", "messages"]
    assert "lacks messaging_postbacks" in ops("check")[1]
    ops("register")
    assert set(sandbox.graph.subscribed_apps.fields) == {"feed", *SUBSCRIBED}


def test_a_wrong_app_and_a_wrong_token_get_different_advice(sandbox: Sandbox, ops: Ops) -> None:
    code, out, _ = ops("check", "--app-id", "1")
    assert code == 1
    assert "check the app's id and the setting appSecret" in out
    sandbox.faults({"error": {"status": 401, "code": 190}})
    try:
        assert "Facebook refuses the page access token or the app secret" in ops("check", "--app-id", APP_ID)[1]
    finally:
        sandbox.faults({})


def test_a_gateway_that_wants_the_signatures_header_in_one_spelling_is_found(
    sandbox: Sandbox, ops: Ops, described: Path
) -> None:
    def spelling_it_so(request: Served) -> tuple[int, bytes]:
        return (200, b"") if "X-Hub-Signature-256" in request.headers else (400, b"{}")

    assert "accepts a signed request" in ops("check")[1]
    with serve(spelling_it_so) as origin:
        outputs = sandbox.described()["outputs"] | {"webhookUrl": origin}
        described.write_text(json.dumps(sandbox.described() | {"outputs": outputs}))
        code, out, _ = ops("check")
    assert code == 1
    assert "answers a signed request with 400, not 200" in out


def test_a_token_that_expires_soon_or_lacks_a_permission_is_reported(
    sandbox: Sandbox, ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: Json = {"is_valid": True, "app_id": "9", "profile_id": sandbox.page_id, "scopes": ["pages_messaging"]}
    shown = told | {"expires_at": int(time.time()) + 3600}
    monkeypatch.setattr(sandbox.graph.credentials, "debug_token", lambda _: {"data": shown})
    code, out, _ = ops("check")
    assert code == 1
    assert "lacks pages_manage_metadata, pages_show_list" in out
    assert f"is of app 9, not {APP_ID}" in out
    assert "use the one of a system user" in out


def test_a_member_of_the_administrators_may_run_every_command(
    sandbox: Sandbox, ops: Ops, letter: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = sandbox.client("iam")
    monkeypatch.setattr(stack, "SANDBOX_KEY", sandbox.key_of("anna"))
    try:
        assert ops("deadletters", "list")[0] == 0
        assert ops("deadletters", "redrive", "--all")[0] == 0
        assert len(answers(sandbox, letter["person"])) == 1
        assert ops("forget", letter["person"])[0] == 0
        assert ops("register")[0] == 0
        iam.remove_user_from_group(GroupName="Innolab_FBM", UserName="anna")
        code, _, err = ops("deadletters", "list")
        assert code == 1
        assert "You do not have permission" in err
    finally:
        iam.add_user_to_group(GroupName="Innolab_FBM", UserName="anna")
        monkeypatch.setattr(stack, "SANDBOX_KEY", OWNER)


def test_a_sandbox_is_found_by_its_cloud_url_on_standard_input_or_because_it_runs(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stack, "RUNNING", tmp_path)
    with remembered(sandbox.described() | {"outputs": {}}, tmp_path):
        (tmp_path / "1.json").write_text(json.dumps({"cloudUrl": "ended", "graphUrl": "http://127.0.0.1:9"}))
        for found in (stack.from_running_sandbox(), stack.from_sandbox(sandbox.cloud_url)):
            assert (found.webhook_url, found.app_id) == (sandbox.webhook_url, APP_ID)
        for named in ([], ["--sandbox", sandbox.cloud_url]):
            assert cli.run(["deadletters", "list", "--json", *named]) == 0
            assert json.loads(capsys.readouterr().out) == []

    assert cli.run(["deadletters", "list"]) == 1
    assert "No stack is named, and no sandbox runs" in capsys.readouterr().err

    command = [sys.executable, "-m", "ops", "deadletters", "list", "--json", "--sandbox", "-"]
    described = json.dumps(sandbox.described())
    done = subprocess.run(
        command, input=described, capture_output=True, text=True, timeout=30, cwd=PROJECT, check=False
    )
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, [], "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--outputs", "absent.json"], "absent.json cannot be read"),
        (["--outputs", "list.json"], "list.json holds no JSON object"),
        (["--outputs", "empty.json"], "lacks the outputs queueUrl, deadLetterQueueUrl"),
        (["--sandbox", "empty.json"], "holds no cloudUrl"),
        (["--sandbox", "bare.json"], "Nothing is deployed in this sandbox"),
        (["--sandbox", "http://127.0.0.1:9"], "No sandbox answers at http://127.0.0.1:9"),
        (["--stack", "dev"], "The Pulumi CLI is not installed"),
        (["--outputs", "real.json"], "AWS has no valid credentials"),
    ],
)
def test_a_mistake_about_the_stack_is_explained_in_one_sentence(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = dict.fromkeys(stack.OUTPUTS, "x") | {"queueUrl": "https://sqs.eu-central-1.amazonaws.com/1/q.fifo"}
    contents = {"list": [], "empty": {}, "bare": {"cloudUrl": "http://127.0.0.1:9"}, "real": real}
    for name, content in contents.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert cli.run(["deadletters", "list", *arguments]) == 1
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_outputs_come_from_the_pulumi_cli_and_so_does_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = dict.fromkeys(stack.OUTPUTS, "x") | {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/1/q.fifo"}
    script = tmp_path / "pulumi"
    script.write_text(
        "#!/bin/sh\n"
        'test "$*" = "stack output --json --stack dev" || { echo "error: no stack named $5" >&2; exit 255; }\n'
        f"echo '{json.dumps(outputs)}'\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert stack.from_pulumi("dev").region == "eu-west-1"
    with pytest.raises(OpsError, match="no stack named prod"):
        stack.from_pulumi("prod")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["deadletters"],
        ["deadletters", "redrive", "--sandbox", "x"],
        ["deadletters", "drop", "abcd", "--all", "--sandbox", "x"],
        ["forget", "--sandbox", "x"],
        ["check", "--stack", "a", "--outputs", "b"],
        ["notify", "7", "--topic", "parcel", "a=1", "--odd"],
        ["check", "odd"],
    ],
)
def test_an_invalid_command_line_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run(arguments)
    assert ended.value.code == 2
    assert "python -m ops" in capsys.readouterr().err


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A command and all below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from commands(each)


def test_every_command_s_help_has_an_example() -> None:
    found = [each.format_help() for each in commands(cli.parser())]

    assert len(found) > 20
    assert [text for text in found if "Example:\n  python -m ops " not in text] == []


# Templates of utility messages


class Booked(Record):
    table: str


BOOKED = UtilityTemplate(
    "table_booked",
    {
        "en": Wording("Your table {{table}} is booked.", Booked("4")),
        "de": Wording("Ihr Tisch {{table}} ist reserviert.", Booked("4")),
    },
)


def template_rows(ops: Ops) -> list[tuple[str, str, str]]:
    rows = json.loads(ops("templates", "show", "--json")[1])
    return [(each["name"], each["language"], each["status"] or each["difference"]) for each in rows]


def test_the_templates_of_the_conversation_are_created_shown_and_updated(
    sandbox: Sandbox, ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.graph.templates.replace([])
    monkeypatch.setattr(conversation, "TEMPLATES", (BOOKED,), raising=False)
    here = [("table_booked", "en"), ("table_booked", "de")]
    assert "Would create: 2." in ops("templates", "create", "--dry-run")[1]
    assert template_rows(ops) == [(*each, "missing") for each in here]
    assert "Created: 2." in ops("templates", "create")[1]
    assert template_rows(ops) == [(*each, "APPROVED") for each in here]
    assert "Created: 0." in ops("templates", "create")[1]
    assert "Updated: 0." in ops("templates", "update")[1]

    advert = Wording("Ihr Tisch {{table}} ist reserviert. Jetzt 20 % Rabatt!", Booked("4"))
    changed = BOOKED.replace(wordings={**BOOKED.wordings, "de": advert})
    monkeypatch.setattr(conversation, "TEMPLATES", (changed,))
    assert "differs from the conversation" in ops("templates", "show")[1]
    assert "Would update: 1." in ops("templates", "update", "--dry-run")[1]
    assert "Updated: 1." in ops("templates", "update")[1]
    code, out, _ = ops("templates", "show")
    assert (code, "REJECTED" in out, "PROMOTIONAL" in out, "differs" in out) == (0, True, True, False)
    monkeypatch.setattr(conversation, "TEMPLATES", ())
    assert "the conversation does not use it" in ops("templates", "show")[1]


def test_a_refusal_of_the_templates_says_which_permission_is_needed(sandbox: Sandbox, ops: Ops) -> None:
    sandbox.graph.set_faults({"error": {"status": 403, "code": 200, "message": "Permission error"}, "count": 1})
    code, _, err = ops("templates", "show")
    assert (code, "page_utility_messaging" in err) == (1, True)


# A human writes


def replies(sandbox: Sandbox, before: int) -> list[Json]:
    return [each["body"] for each in sandbox.requests()[before:] if each["path"].endswith("/messages")]


def wrote(sandbox: Sandbox, hours: float) -> str:
    """Somebody who wrote so many hours ago."""
    person = new_person()
    sandbox.graph.note_message(person, time.time() - hours * 3600)
    return person


def test_a_human_replies_and_between_a_day_and_a_week_with_the_tag_for_it(
    sandbox: Sandbox, ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(sandbox.requests())
    lately, earlier = wrote(sandbox, 1), wrote(sandbox, 3 * 24)
    assert ops("reply", lately, "We have found it.")[0] == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("We have found it.\n"))
    code, out, err = ops("reply", earlier, "-")
    assert (code, "HUMAN_AGENT" in out, err) == (0, True, "")
    first, refused, tagged = replies(sandbox, before)
    assert (first["messaging_type"], first["message"]["text"]) == ("RESPONSE", "We have found it.")
    assert (refused["messaging_type"], tagged["messaging_type"], tagged["tag"]) == (
        "RESPONSE",
        "MESSAGE_TAG",
        "HUMAN_AGENT",
    )
    assert tagged["message"]["text"] == "We have found it."
    assert {each["message"]["metadata"].partition(":")[0] for each in (first, tagged)} == {"human"}


def test_a_reply_takes_the_conversation_from_the_app_to_which_the_bot_passed_it(sandbox: Sandbox, ops: Ops) -> None:
    person = wrote(sandbox, 1)
    sandbox.graph.threads.pass_on({"recipient": {"id": person}, "target_app_id": "263902037430900"})
    before = len(sandbox.requests())
    assert ops("reply", person, "We have found it.")[0] == 0
    calls = [each["path"].rpartition("/")[2] for each in sandbox.requests()[before:]]
    assert calls == ["messages", "take_thread_control", "messages"]


@pytest.mark.parametrize(
    ("hours", "text", "said"),
    [(8 * 24, "Hello", "more than 7 days ago"), (1, "", "nothing to see")],
)
def test_a_reply_that_cannot_be_sent_says_why(sandbox: Sandbox, ops: Ops, hours: int, text: str, said: str) -> None:
    code, _, err = ops("reply", wrote(sandbox, hours), text)
    assert code == 1
    assert said in err


def test_a_reply_that_may_have_been_sent_is_not_called_refused(sandbox: Sandbox, ops: Ops) -> None:
    sandbox.graph.set_faults({"dropAfter": True, "count": 1})
    code, _, err = ops("reply", wrote(sandbox, 1), "Hello")
    assert (code, "page's inbox before you write it again" in err) == (1, True)


def test_whoever_waits_for_a_human_is_listed_the_longest_first(sandbox: Sandbox, aws: OperatorAws, ops: Ops) -> None:
    ledger = Ledger(aws, sandbox.outputs["ledgerTable"], 30)
    now = time.time()
    people = {
        "1": Human().asked("1", now - 60, 12),
        "2": Human().written("2", now - 7200, 12).heard(now - 3600),
        "3": Human().asked("3", now - 60, 12).written("3", now - 30, 12),
        "4": Human().asked("4", now - 13 * 3600, 12),
    }
    for person, human in people.items():
        ledger.change_state(fingerprint(sandbox.page_id, person), human.put)
    found = json.loads(ops("conversations", "--json")[1])
    assert [(each["person"], each["answered"]) for each in found if each["person"] in people] == [
        ("2", True),
        ("1", False),
    ]
    assert "1 h" in ops("conversations")[1]
