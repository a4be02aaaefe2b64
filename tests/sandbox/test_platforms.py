"""The platforms without a stack, and what they learn from the messages of any bot."""

import json
from pathlib import Path

import pytest

from sandbox import cli, signals
from sandbox.aws.cloud import free_port
from sandbox.errors import SandboxError
from sandbox.platforms import PROJECT, BareCloud, senders


def project(folder: Path, cloud_port: int, graph_port: int) -> Path:
    """The project's settings with other ports."""
    for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
        text = (PROJECT / name).read_text("utf-8")
        (folder / name).write_text(text.replace("4566", str(cloud_port)).replace("4567", str(graph_port)), "utf-8")
    return folder


def test_the_bare_cloud_is_where_pulumi_looks_for_it_and_prints_the_lines_to_copy_for_either_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = free_port(), free_port()
    bare = BareCloud(project(tmp_path, *ports))

    def look_and_stop(_: BareCloud) -> None:
        assert (bare.cloud_url, bare.graph_url) == tuple(f"http://127.0.0.1:{port}" for port in ports)
        assert {each["UserName"] for each in bare.client("iam").list_users()["Users"]} >= {"anna", "ben"}
        assert bare.client("lambda").list_functions()["Functions"] == []
        raise signals.Stopped

    monkeypatch.setattr(cli, "BareCloud", lambda: bare)
    monkeypatch.setattr(BareCloud, "wait", look_and_stop)
    monkeypatch.setattr(signals, "ignore", lambda: None)  # the tests go on

    assert cli.run(["cloud"]) == 0

    printed = capsys.readouterr().err
    assert printed.count("pulumi up --stack local") == 2
    assert f'export PATH={bare.pulumi_home / "plugins"}:"$PATH"' in printed
    assert not bare.pulumi_home.exists()


def test_settings_without_ports_are_reported(tmp_path: Path) -> None:
    folder = project(tmp_path, 4566, 4567)
    settings = folder / "Pulumi.local.yaml"
    settings.write_text(settings.read_text("utf-8").replace("graphApiUrl", "another"), "utf-8")

    with pytest.raises(SandboxError, match="names no ports"):
        BareCloud(folder)


def entry(body: object) -> dict[str, object]:
    return {"Id": "1", "MessageBody": json.dumps(body)}


def test_senders_are_read_from_the_bots_messages_and_whatever_else_is_sent_is_ignored() -> None:
    items = [
        {"sender": {"id": "7"}, "message": {"referral": {"source": "ADS"}}},
        *(
            {"sender": {"user_ref": "r"}},
            {"sender": None},
            {"sender": "7"},
            {"sender": {"id": "9"}, "message": None},
            1,
        ),
        {"sender": {"id": 8}, "postback": {}},
    ]
    entries = [{"MessageBody": 1}, {"MessageBody": "["}, entry([1]), entry({"object": "page", "items": items})]

    read = list(senders(json.dumps({"Entries": entries}).encode()))

    assert read == [("7", "page", "ADS"), ("9", "page", ""), ("8", "page", "")]
    assert [list(senders(body)) for body in (b"{", b"[]", b"{}", b"\xff")] == [[]] * 4
