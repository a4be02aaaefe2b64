"""A folder's code is deployed: all of it, and nothing that only this machine needs."""

from pathlib import Path

import pulumi
import pytest

from components.code import code_archive
from components.errors import InvalidArgs


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n", encoding="utf-8")
    return folder


def files_in(archive: pulumi.AssetArchive) -> dict[str, str]:
    return {
        name: Path(asset.path).read_text("utf-8")
        for name, asset in archive.assets.items()
        if isinstance(asset, pulumi.FileAsset)
    }


@pytest.mark.parametrize(("package", "start"), [("bot", "bot/"), ("", "")])
def test_the_files_of_the_folder_are_in_the_archive_under_the_package(tmp_path: Path, package: str, start: str) -> None:
    folder = fill(tmp_path / "anything", "index.js", "node_modules/left-pad/index.js")

    assert files_in(code_archive(folder, package)) == {
        f"{start}index.js": "# index.js\n",
        f"{start}node_modules/left-pad/index.js": "# node_modules/left-pad/index.js\n",
    }


def test_caches_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    folder = fill(tmp_path / ".hidden" / "code", "handler.py")

    fill(folder, "__pycache__/handler.cpython-311.pyc", ".DS_Store", "sub/__pycache__/x.txt", ".ruff_cache/0")

    assert files_in(code_archive(folder, "bot")).keys() == {"bot/handler.py"}


def test_a_folder_that_is_missing_or_holds_no_code_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgs, match=r"There is no code to deploy: .*nowhere is not a folder"):
        code_archive(tmp_path / "nowhere", "bot")
    with pytest.raises(InvalidArgs, match="holds only caches and hidden files"):
        code_archive(fill(tmp_path / "code", "__pycache__/x.pyc", ".gitkeep"), "bot")
