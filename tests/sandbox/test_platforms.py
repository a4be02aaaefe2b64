"""The platforms without a stack, and what they learn from the messages of any bot."""

import json
from pathlib import Path

import pytest

from sandbox.aws.cloud import free_port
from sandbox.errors import SandboxError
from sandbox.platforms import PROJECT, BareCloud, senders


def project(folder: Path, cloud_port: int, graph_port: int) -> Path:
    """The project's settings with other ports."""
    for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
        text = (PROJECT / name).read_text("utf-8")
        (folder / name).write_text(text.replace("4566", str(cloud_port)).replace("4567", str(graph_port)), "utf-8")
    return folder


def test_the_bare_cloud_is_where_pulumi_looks_for_it_with_the_administrators_as_users(tmp_path: Path) -> None:
    ports = free_port(), free_port()

    with BareCloud(project(tmp_path, *ports)) as bare:
        assert (bare.cloud_url, bare.graph_url) == tuple(f"http://127.0.0.1:{port}" for port in ports)
        users = bare.client("iam").list_users()["Users"]
        assert {each["UserName"] for each in users} >= {"anna", "ben"}
        assert bare.client("lambda").list_functions()["Functions"] == []


def test_settings_without_ports_are_reported(tmp_path: Path) -> None:
    folder = project(tmp_path, 4566, 4567)
    settings = folder / "Pulumi.local.yaml"
    settings.write_text(settings.read_text("utf-8").replace("graphApiUrl", "another"), "utf-8")

    with pytest.raises(SandboxError, match="names no ports"):
        BareCloud(folder)


def entry(body: object) -> dict[str, object]:
    return {"Id": "1", "MessageBody": json.dumps(body)}


def test_senders_are_read_from_the_bots_messages_and_other_messages_are_ignored() -> None:
    items = [
        {"sender": {"id": "7"}, "message": {"referral": {"source": "ADS"}}},
        {"sender": {"user_ref": "r"}},
        {"sender": {"id": "8"}, "postback": {}},
    ]

    read = list(senders(json.dumps({"Entries": [entry({"object": "page", "items": items})]}).encode()))

    assert read == [("7", "page", "ADS"), ("8", "page", "")]
    for body in (
        b"{",
        b"[]",
        b"{}",
        json.dumps({"Entries": [entry([1])]}).encode(),
        b'{"Entries": [{"MessageBody": 1}]}',
    ):
        assert list(senders(body)) == []
