"""A copy of the project on an emulated AWS of its own, deployed by either engine."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import OWNER, Cloud
from sandbox.configuration import Configuration, read
from sandbox.engine.automation import Action, Backend, PulumiStack
from sandbox.engine.deployment import Deployed, Run, State
from sandbox.engine.process import make_users
from tests.harness import ROOT

REGION = "eu-central-1"
PARTS = ("__main__.py", "settings.py", "Pulumi.yaml", "components", "bot")
SECRETS = {name: f"CANARY-{name}" for name in ("pageAccessToken", "appSecret", "verifyToken")}
MEMBERS = ("anna", "ben")
Key = tuple[str, ...]


class Place:
    """An emulated AWS, with users, and a copy of the project.

    Attributes:
        folder: the copy.
        home: where the real engine keeps what is its own.
        owner: the account owner's clients.
    """

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self._temporary.name) / "project"
        self.home = Path(self._temporary.name) / "home"
        self.cloud = Cloud(REGION)

    def __enter__(self) -> Self:
        self.folder.mkdir()
        for part in [*PARTS, *(each.name for each in ROOT.glob("Pulumi.*.yaml"))]:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, self.folder / part)
        self.cloud.start()
        self.cloud.wait_until_ready()
        self.owner = Clients(self.cloud.url, REGION, OWNER)
        make_users(self.owner, MEMBERS)
        return self

    def __exit__(self, *_: object) -> None:
        self.cloud.stop()
        self._temporary.cleanup()

    def key_of(self, user: str) -> Key:
        """A new access key of a user."""
        key = self.owner("iam").create_access_key(UserName=user)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def configuration(self, stack: str, settings: Mapping[str, str]) -> Configuration:
        """A stack's configuration with made-up secrets, and with some settings changed."""
        return read(self.folder, stack).with_values(**SECRETS | dict(settings))

    def stack(self, name: str, key: Key = OWNER, backend: Backend | None = None, **settings: str) -> "Real":
        """A stack of the real engine."""
        return Real(self, name, settings, key, backend)


class Real:
    """A stack that the real engine deploys."""

    def __init__(self, place: Place, name: str, settings: Mapping[str, str], key: Key, backend: Backend | None) -> None:
        self._place, self.name, self._settings = place, name, dict(settings)
        self.pulumi = PulumiStack(place.configuration(name, settings), place.home, place.cloud.url, key, backend)

    def set(self, settings: Mapping[str, str], key: Key = OWNER) -> None:
        """Change some settings, and who deploys."""
        self._settings |= dict(settings)
        self.pulumi.configure(self._place.configuration(self.name, self._settings), self._place.cloud.url, key)

    def run(self, action: Action, **options: Any) -> dict[str, str]:
        """Let the engine do something: what it does with each resource, or would do."""
        deployed = Deployed()
        self.pulumi.run(action, deployed.note, **options)
        return deployed.done

    def exported(self) -> str:
        """The state as `pulumi stack export` gives it."""
        workspace = self.pulumi.engine.workspace
        return subprocess.run(
            [workspace.pulumi_command.command, "stack", "export", "--stack", self.name],
            cwd=workspace.work_dir,
            env={**os.environ, **workspace.env_vars, "PULUMI_HOME": str(workspace.pulumi_home)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout


class Embedded:
    """The same for the embedded engine."""

    def __init__(self, place: Place, name: str, key: Key = OWNER, **settings: str) -> None:
        self._place, self.name, self._key, self._settings = place, name, key, settings
        self._state: State = {}

    def set(self, settings: Mapping[str, str], key: Key = OWNER) -> None:
        """Change some settings, and who deploys."""
        self._settings |= dict(settings)
        self._key = key

    def run(self, _: Literal["up"]) -> dict[str, str]:
        """Deploy: what is done with each resource."""
        run = Run()
        try:
            configuration = self._place.configuration(self.name, self._settings)
            return run.deploy(configuration, self._place.cloud.url, lambda _: None, self._key, self._state).done
        finally:
            run.stop()


def touched(done: Mapping[str, str]) -> dict[str, str]:
    """What did not stay as it was."""
    return {name: what for name, what in done.items() if what != "same"}
