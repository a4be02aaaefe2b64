from pathlib import Path

import pytest

from sandbox.configuration import read
from sandbox.errors import SandboxError

PROJECT = """
name: shop
config:
  size: {type: integer, default: 3}
  names: {type: array, items: {type: string}, default: []}
  adminMembers: {type: array, items: {type: string}, default: [ann]}
  plain: {type: string, default: ""}
"""
STACK = """
config:
  aws:region: us-west-2
  shop:size: 5
  shop:appSecret: {secure: v1:abc}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.dev.yaml").write_text(STACK)
    return tmp_path


def test_the_stacks_values_stand_over_the_projects_defaults(folder: Path) -> None:
    configuration = read(folder, "dev")

    assert configuration.values == {
        "aws:region": "us-west-2",
        "shop:size": "5",
        "shop:names": "[]",
        "shop:adminMembers": '["ann"]',
        "shop:plain": "",
    }
    assert configuration.region == "us-west-2"
    assert configuration.members() == ["ann"]


def test_secrets_are_marked_and_other_values_can_be_put_in(folder: Path) -> None:
    configuration = read(folder, "dev").with_values(appSecret="made-up")

    assert configuration.get("appSecret") == "made-up"
    assert "shop:appSecret" in configuration.secret_keys


def test_an_unknown_stack_names_those_that_exist(folder: Path) -> None:
    with pytest.raises(SandboxError, match="no stack named prod: choose one of dev"):
        read(folder, "prod")


def test_a_folder_without_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"no Pulumi\.yaml"):
        read(tmp_path, "dev")


def test_a_broken_file_is_named(folder: Path) -> None:
    (folder / "Pulumi.dev.yaml").write_text("config: [")

    with pytest.raises(SandboxError, match=r"Pulumi\.dev\.yaml is not valid YAML"):
        read(folder, "dev")
