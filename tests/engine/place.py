"""A copy of the project on an emulated AWS of its own, deployed by either engine."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
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
PARTS = ("__main__.py", "facebook.py", "settings.py", "Pulumi.yaml", "components", "bot")
SECRETS = {name: f"CANARY-{name}" for name in ("pageAccessToken", "appSecret", "verifyToken")}
MEMBERS = ("anna", "ben")
ZONE = "the hosted zone"
"""Stands for its id in the settings of an edit."""
Key = tuple[str, ...]


class Place:
    """An emulated AWS, with users, and a copy of the project.

    Attributes:
        folder: the copy.
        home: where the real engine keeps what is its own.
        owner: the account owner's clients.
        zone: the id of the hosted zone of `example.org`.
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
        zone = self.owner("route53").create_hosted_zone(Name="example.org", CallerReference="test")["HostedZone"]["Id"]
        self.zone = str(zone).rpartition("/")[2]
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
        given = {name: self.zone if value == ZONE else value for name, value in settings.items()}
        return read(self.folder, stack).with_values(**SECRETS | given)

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
        return self.cli("stack", "export", "--stack", self.name)

    def cli(self, *arguments: str) -> str:
        """Run the Pulumi CLI as somebody does in the project's folder; return its standard output."""
        return run([self.pulumi.engine.workspace.pulumi_command.command, *arguments], self.pulumi).stdout


def run(command: Sequence[str], stack: PulumiStack, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command where the Pulumi CLI knows a stack, with AWS's variables and the CLI on the PATH.

    Args:
        command: the command.
        stack: the stack.
        options: those of `subprocess.run`.
    """
    workspace = stack.engine.workspace
    plugins = Path(workspace.work_dir).parent / "plugins"
    language = plugins / "pulumi-language-python"
    root, python = shlex.quote(str(ROOT)), shlex.quote(sys.executable)
    language.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {python} -m tests.engine.language "$@"\n', "utf-8")
    language.chmod(0o755)
    folders = (str(Path(workspace.pulumi_command.command).parent), str(plugins), os.environ["PATH"])
    own = {
        "PULUMI_HOME": str(workspace.pulumi_home),
        "PATH": ":".join(folders),
        "PYTHONPATH": str(ROOT),
        "AWS_REGION": REGION,
    }
    done = subprocess.run(
        command,
        cwd=workspace.work_dir,
        env=os.environ | dict(workspace.env_vars) | own,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        **options,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done


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
