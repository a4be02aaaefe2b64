import io
import zipfile
from pathlib import Path

import pulumi
import pytest

from sandbox.errors import SandboxError
from sandbox.provider.archives import ARCHIVE, SIGNATURE, WiredArchive, content_hash, zip_bytes
from sandbox.provider.resource import comparable
from tests.sandbox.provider.samples import CODE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_text(CODE)
    return tmp_path / "code"


def test_a_folder_a_file_a_text_and_a_zip_can_be_code(folder: Path) -> None:
    zipped = folder.parent / "code.zip"
    zipped.write_bytes(zip_bytes(pulumi.FileArchive(str(folder))))

    for code in (
        pulumi.FileArchive(str(zipped)),
        pulumi.FileArchive(str(folder)),
        pulumi.AssetArchive({"index.py": pulumi.StringAsset(CODE)}),
        pulumi.AssetArchive({"index.py": pulumi.FileAsset(str(folder / "index.py"))}),
    ):
        with zipfile.ZipFile(io.BytesIO(zip_bytes(code))) as archive:
            assert archive.read("index.py") == CODE.encode()


def test_archives_are_compared_by_their_contents(folder: Path) -> None:
    text = pulumi.AssetArchive({"b.py": pulumi.StringAsset("b"), "index.py": pulumi.StringAsset(CODE)})
    (folder / "b.py").write_text("b")
    files = pulumi.FileArchive(str(folder))

    assert content_hash(text) == content_hash(files)
    assert comparable({"code": text, "timeout": 3}) == {"code": {"sha256": content_hash(files)}, "timeout": 3}
    (folder / "b.py").write_text("c")
    assert content_hash(text) != content_hash(files)


def test_an_archive_from_the_engine_is_zipped_by_its_parts_and_compared_by_its_hash(
    folder: Path,
) -> None:
    asset = {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "hash": "a"}
    parts = {
        "bot": {SIGNATURE: ARCHIVE, "hash": "b", "path": str(folder)},
        "one.py": {**asset, "path": str(folder / "index.py")},
        "two.py": {**asset, "text": CODE},
    }
    wired = WiredArchive({SIGNATURE: ARCHIVE, "hash": "whole", "assets": parts})

    with zipfile.ZipFile(io.BytesIO(zip_bytes(wired))) as archive:
        assert archive.namelist() == ["bot/index.py", "one.py", "two.py"]
        assert {archive.read(name) for name in archive.namelist()} == {CODE.encode()}
    assert comparable({"code": wired}) == {"code": {"sha256": "whole"}}
    with pytest.raises(SandboxError, match="cannot zip RemoteAsset"):
        zip_bytes(pulumi.AssetArchive({"index.py": pulumi.RemoteAsset("https://example.org/index.py")}))
    with pytest.raises(SandboxError, match="of a kind that the sandbox does not know"):
        zip_bytes(WiredArchive({SIGNATURE: ARCHIVE, "hash": "from the state"}))
