"""What a stack is configured with: ``Pulumi.yaml``'s defaults, and over them ``Pulumi.<stack>.yaml``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.errors import SandboxError

DEFAULT_REGION = "eu-central-1"
MEMBERS = "adminMembers"
SECRETS = ("pageAccessToken", "appSecret", "appSecretPrevious", "verifyToken")


@dataclass(frozen=True)
class Configuration:
    """A stack's configuration as Pulumi's engine would give it to the program.

    Attributes:
        project: the project's name.
        stack: the stack's name.
        folder: where the program is.
        values: by full key (``project:name``), as text; what is not text is JSON.
        secret_keys: the full keys whose values are secret.
    """

    project: str
    stack: str
    folder: Path
    values: dict[str, str]
    secret_keys: tuple[str, ...]

    @property
    def region(self) -> str:
        """The AWS region of the stack."""
        return self.values.get("aws:region", DEFAULT_REGION)

    def get(self, name: str) -> str:
        """The value of one of the project's own settings; ``""`` if there is none."""
        return self.values.get(f"{self.project}:{name}", "")

    def members(self) -> list[str]:
        """The users that the stack names as administrators."""
        members = json.loads(self.get(MEMBERS) or "[]")
        return [str(member) for member in members] if isinstance(members, list) else []

    def with_values(self, **values: str) -> "Configuration":
        """The same stack with other values for some of its settings."""
        changed = {f"{self.project}:{name}": value for name, value in values.items()}
        return Configuration(self.project, self.stack, self.folder, self.values | changed, self.secret_keys)


def as_text(value: object) -> str:
    """A value as Pulumi keeps it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SandboxError(f"{path.name} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise SandboxError(f"{path.name} holds no settings: it must be a mapping.")
    return content


def defaults(folder: Path) -> dict[str, Any]:
    """Setting → default, as ``Pulumi.yaml`` declares them.

    Raises:
        SandboxError: there is no such file, or it is broken.
    """
    declared = _project(folder).get("config") or {}
    return {key: each["default"] for key, each in declared.items() if isinstance(each, dict) and "default" in each}


def stack_values(folder: Path, stack: str) -> dict[str, Any]:
    """Full key → value, as ``Pulumi.<stack>.yaml`` sets them.

    Raises:
        SandboxError: there is no such stack, or its file is broken.
    """
    path = folder / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        known = sorted(p.name.removeprefix("Pulumi.").removesuffix(".yaml") for p in folder.glob("Pulumi.*.yaml"))
        raise SandboxError(f"There is no stack named {stack}: choose one of {', '.join(known) or '(none exists yet)'}.")
    project = str(_project(folder).get("name", ""))
    return {_full_key(project, key): value for key, value in (_mapping(path).get("config") or {}).items()}


def read(folder: Path, stack: str) -> Configuration:
    """Read a stack's configuration as ``pulumi up`` would.

    Encrypted values (``secure: …``) are left out: only the holder of the stack's key can read them. The sandbox sets
    its own secrets in their place.

    Args:
        folder: where ``Pulumi.yaml`` is.
        stack: the stack's name.

    Raises:
        SandboxError: there is no such project or stack, or a file is broken.
    """
    name = str(_project(folder).get("name", ""))
    values = {_full_key(name, key): as_text(value) for key, value in defaults(folder).items()}
    for key, value in stack_values(folder, stack).items():
        if not (isinstance(value, dict) and "secure" in value):
            values[key] = as_text(value)
    return Configuration(name, stack, folder, values, tuple(f"{name}:{secret}" for secret in SECRETS))


def _project(folder: Path) -> dict[str, Any]:
    if not (folder / "Pulumi.yaml").is_file():
        raise SandboxError(f"There is no Pulumi.yaml in {folder.name}/: the sandbox runs the Pulumi program beside it.")
    return _mapping(folder / "Pulumi.yaml")


def _full_key(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"
