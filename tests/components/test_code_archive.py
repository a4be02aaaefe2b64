"""The deployed zip is made of a folder's content alone."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from components.code_archive import archive_bytes, write_archive
from components.errors import InvalidArgs


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n", encoding="utf-8")
    return folder


def names_in(archive: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def test_the_same_content_gives_the_same_bytes_whenever_and_wherever_it_was_written(tmp_path: Path) -> None:
    first = fill(tmp_path / "one", "handler.py", "messenger/events.py", "__init__.py")
    second = fill(tmp_path / "two" / "elsewhere", "__init__.py", "messenger/events.py", "handler.py")
    os.utime(second / "handler.py", (0, 0))
    (second / "__init__.py").chmod(0o600)

    archive = archive_bytes(first, "bot")
    assert archive == archive_bytes(second, "bot")
    times = {entry.date_time for entry in zipfile.ZipFile(io.BytesIO(archive)).infolist()}
    assert times == {(1980, 1, 1, 0, 0, 0)}, "or another second would give other bytes"


def test_caches_are_left_out(tmp_path: Path) -> None:
    folder = fill(tmp_path / "code", "handler.py")
    clean = archive_bytes(folder, "bot")

    fill(
        folder, "__pycache__/handler.cpython-311.pyc", "old.pyc", ".DS_Store", "sub/__pycache__/x.txt", ".ruff_cache/0"
    )

    assert archive_bytes(folder, "bot") == clean


@pytest.mark.parametrize("change", ["content", "name", "a new file"])
def test_any_change_gives_other_bytes(tmp_path: Path, change: str) -> None:
    folder = fill(tmp_path / "code", "handler.py", "other.py")
    before = archive_bytes(folder, "bot")

    match change:
        case "content":
            (folder / "handler.py").write_text("changed", encoding="utf-8")
        case "name":
            (folder / "handler.py").rename(folder / "renamed.py")
        case _:
            fill(folder, "new.py")

    assert archive_bytes(folder, "bot") != before


def test_the_folder_stands_in_the_zip_as_the_package(tmp_path: Path) -> None:
    folder = fill(tmp_path / "anything", "handler.py", "messenger/events.py")

    assert names_in(archive_bytes(folder, "bot")) == ["bot/handler.py", "bot/messenger/events.py"]


def test_without_a_package_the_code_stands_at_the_root(tmp_path: Path) -> None:
    folder = fill(tmp_path / "node", "index.js", "node_modules/left-pad/index.js")

    assert names_in(archive_bytes(folder, "")) == ["index.js", "node_modules/left-pad/index.js"]


def test_only_what_is_executable_stays_so(tmp_path: Path) -> None:
    folder = fill(tmp_path / "go", "bootstrap", "readme.txt")
    (folder / "bootstrap").chmod(0o700)
    (folder / "readme.txt").chmod(0o666)

    entries = zipfile.ZipFile(io.BytesIO(archive_bytes(folder, ""))).infolist()

    assert {entry.filename: entry.external_attr >> 16 & 0o777 for entry in entries} == {
        "bootstrap": 0o755,
        "readme.txt": 0o644,
    }


def test_python_can_import_from_the_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "code", "__init__.py")
    (folder / "answer.py").write_text("VALUE = 42\n", encoding="utf-8")
    path = write_archive(folder, "packed_bot", tmp_path / "build")
    monkeypatch.syspath_prepend(str(path))

    from packed_bot.answer import VALUE  # type: ignore[import-not-found]

    assert VALUE == 42


def test_a_written_zip_is_named_after_its_content_and_ignored_by_git(tmp_path: Path) -> None:
    folder, build = fill(tmp_path / "code", "handler.py"), tmp_path / "build"

    first = write_archive(folder, "bot", build)
    again = write_archive(folder, "bot", build)
    fill(folder, "new.py")
    other = write_archive(folder, "bot", build)

    assert first == again != other
    assert first.read_bytes() != other.read_bytes()
    assert (build / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert {path.name for path in build.iterdir()} == {".gitignore", first.name, other.name}


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgs, match=r"There is no code to deploy: .*nowhere is not a folder"):
        archive_bytes(tmp_path / "nowhere", "bot")


def test_a_folder_of_caches_alone_is_told(tmp_path: Path) -> None:
    folder = fill(tmp_path / "code", "__pycache__/x.pyc")

    with pytest.raises(InvalidArgs, match="holds no files but caches"):
        archive_bytes(folder, "bot")
