from pathlib import Path

import pytest

from sandbox.configuration import read
from sandbox.errors import SandboxError


def test_a_folder_without_a_project_and_a_broken_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"no Pulumi\.yaml"):
        read(tmp_path, "dev")

    (tmp_path / "Pulumi.yaml").write_text("name: shop")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: [")
    with pytest.raises(SandboxError, match=r"Pulumi\.dev\.yaml is not valid YAML"):
        read(tmp_path, "dev")
