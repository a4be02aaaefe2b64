"""The real Pulumi engine on the emulated AWS, with the sandbox's provider, through Pulumi's Automation API.

It runs in a process of its own, as the embedded engine does, and reports the same events.
"""

import json
import re
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple

import yaml
from botocore.exceptions import BotoCoreError, ClientError
from pulumi import automation

from sandbox.aws.clients import Clients
from sandbox.configuration import Configuration, defaults
from sandbox.engine.deployment import Observer
from sandbox.engine.home import install_dynamic_plugin, install_plugin, variables
from sandbox.engine.process import Report, make_users, serve
from sandbox.engine.program import Json, is_secret
from sandbox.errors import SandboxError
from sandbox.provider.account import Account
from sandbox.provider.catalog import resource_type
from sandbox.provider.resource import Existing

CLI_FOLDER = Path(sys.prefix) / "pulumi"
"""Where ``make engine`` puts a CLI that it had to get."""
OPERATIONS = {
    "same": "same", "create": "made", "import": "imported", "update": "changed", "replace": "replaced",
    "create-replacement": "replaced", "delete-replaced": "replaced",
}  # fmt: skip
"""Pulumi's operations (pulumi/pulumi, sdk/go/common/display/events.go, v3.274.1) in the sandbox's words."""
PROGRAM = frozenset({"bot", "components", "facebook", "settings"})
"""What ``__main__.py`` imports of the project."""
NOT_RESOURCES = ("pulumi:providers:", "pulumi:pulumi:")
COLOURS = re.compile(r"<\{%.*?%\}>")
SUMMARIES = re.compile(r"[a-z ]+ failed|an unhandled error occurred: .*|Resource monitor has terminated.*", re.DOTALL)
"""What the engine says of an error beside the error itself."""
Action = Literal["preview", "up", "refresh", "destroy", "preview_destroy"]


def command() -> automation.PulumiCommand:
    """The Pulumi CLI on the PATH, or the one that ``make engine`` got.

    Raises:
        SandboxError: there is none.
    """
    if shutil.which("pulumi"):
        return automation.PulumiCommand()
    if (CLI_FOLDER / "bin" / "pulumi").is_file():
        return automation.PulumiCommand(root=str(CLI_FOLDER))
    raise SandboxError(
        "There is no Pulumi CLI on the PATH: install it (https://www.pulumi.com/docs/install/), or run `make engine`, "
        "which gets one."
    )


class Backend(NamedTuple):
    """Where an engine keeps a stack's state, and its URL of what encrypts the secrets."""

    url: str
    secrets_provider: str


class PulumiStack:
    """A stack of the real engine.

    Args:
        configuration: the stack.
        home: where its state, its settings and the plugin are.
        url: where the emulated AWS answers.
        key: the access key that deploys: id, secret and, for a session, its token.
        backend: where the state is and what encrypts the secrets, if not in ``home`` with a passphrase.
    """

    def __init__(
        self,
        configuration: Configuration,
        home: Path,
        url: str,
        key: tuple[str, ...],
        backend: Backend | None = None,
    ) -> None:
        self._folder, self._settings = configuration.folder, home / "settings"
        self._environment = {
            **variables(home),
            **({"PULUMI_BACKEND_URL": backend.url} if backend else {}),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self._hidden: dict[str, str | None] = {}
        self._settings.mkdir(parents=True, exist_ok=True)
        project = yaml.safe_load((configuration.folder / "Pulumi.yaml").read_text(encoding="utf-8"))
        project["plugins"] = {
            "providers": [
                {"name": "aws", "path": str(install_plugin(home))},
                {"name": "pulumi-python", "path": str(install_dynamic_plugin(home, configuration.folder))},
            ]
        }
        (self._settings / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
        self._write_settings(configuration)
        self.engine = automation.create_or_select_stack(
            configuration.stack,
            project_name=configuration.project,
            program=self._program,
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(self._settings),
                pulumi_home=str(home / "home"),
                env_vars=self._environment | _credentials(url, key),
                pulumi_command=command(),
                secrets_provider=backend.secrets_provider if backend else None,
            ),
        )
        self.configure(configuration, url, key)

    def configure(self, configuration: Configuration, url: str, key: tuple[str, ...]) -> None:
        """Set the settings and the access key for the runs from now on."""
        self.engine.workspace.env_vars = self._environment | _credentials(url, key)
        self._write_settings(configuration)
        hidden = {key: configuration.values.get(key) for key in configuration.secret_keys}
        if hidden != self._hidden:
            self.engine.set_all_config(
                {key: automation.ConfigValue(value, secret=True) for key, value in hidden.items() if value}
            )
            self._hidden = hidden

    def _write_settings(self, configuration: Configuration) -> None:
        """Write the stack's file as a person has it; what Pulumi keeps in it beside the settings stays."""
        path = self._settings / f"Pulumi.{configuration.stack}.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
        own = f"{configuration.project}:"
        texts = {key for key, value in defaults(configuration.folder).items() if isinstance(value, str)}
        encrypted = {
            key: value
            for key, value in content.get("config", {}).items()
            if key in configuration.secret_keys and configuration.values.get(key)
        }
        content["config"] = encrypted | {
            key: value if not key.startswith(own) or key.removeprefix(own) in texts else json.loads(value)
            for key, value in configuration.values.items()
            if key not in configuration.secret_keys and (key.startswith(own) or key == "aws:region")
        }
        path.write_text(yaml.safe_dump(content), encoding="utf-8")

    def _program(self) -> None:
        """Run the program as it is now, whatever this process or an earlier run has loaded of it."""
        aside = _unload_program()
        sys.path.insert(0, str(self._folder))
        try:
            runpy.run_path(str(self._folder / "__main__.py"), run_name="__main__")
        finally:
            sys.path.remove(str(self._folder))
            _unload_program()
            sys.modules.update(aside)

    def run(self, action: Action, observe: Observer, **options: Any) -> None:
        """Let the engine do something.

        Args:
            action: as the Automation API names it.
            observe: takes each event: see ``sandbox.engine.process``.
            options: those of the Automation API.

        Raises:
            SandboxError: with what the engine said.
        """
        errors: list[str] = []

        def note(event: automation.EngineEvent) -> None:
            for each in translated(event):
                if each.get("severity") == "error":
                    errors.append(each["message"])
                observe(each)

        with _in_one_sentence(errors):
            perform: Callable[..., object] = getattr(self.engine, action)
            perform(on_event=note, suppress_progress=True, **options)

    def outputs(self) -> dict[str, dict[str, Any]]:
        """The stack's outputs: ``value``, and ``shown`` with secrets masked."""
        return {
            name: {"value": output.value, "shown": "[secret]" if output.secret else output.value}
            for name, output in self.engine.outputs().items()
        }

    def resources(self) -> Iterator[tuple[str, Existing]]:
        """The type of each resource in the state, and the resource, secrets in plain."""
        deployment = self.engine.export_stack().deployment or {}
        for each in deployment.get("resources", []):
            if each["type"].startswith("aws:"):
                inputs, outputs = (_decrypted(each.get(part, {})) for part in ("inputs", "outputs"))
                yield each["type"], Existing(each["id"], inputs, outputs)


def _credentials(url: str, key: tuple[str, ...]) -> dict[str, str]:
    key_id, secret, token = (*key, "")[:3]
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
    }


def _decrypted(value: Json) -> Json:
    """A value of an exported state, where a secret is JSON in plain text."""
    if is_secret(value):
        return json.loads(value["plaintext"])
    if isinstance(value, dict):
        return {key: _decrypted(item) for key, item in value.items()}
    return [_decrypted(item) for item in value] if isinstance(value, list) else value


def _unload_program() -> dict[str, ModuleType]:
    """Forget the modules of a program, and return them."""
    names = [name for name in sys.modules if name.partition(".")[0] in PROGRAM]
    return {name: sys.modules.pop(name) for name in names}


@contextmanager
def _in_one_sentence(errors: list[str]) -> Iterator[None]:
    try:
        yield
    except automation.errors.CommandError as error:
        raise SandboxError("\n".join(errors) or str(error)) from None


def translated(event: automation.EngineEvent) -> Iterator[dict[str, Any]]:
    """One of the engine's events, as the embedded engine reports it."""
    if said := event.diagnostic_event:
        message = COLOURS.sub("", said.message).strip()
        if message and said.severity in {"warning", "error"} and not SUMMARIES.fullmatch(message):
            yield {"event": "log", "severity": said.severity, "message": message}
    elif event.res_outputs_event and not event.res_outputs_event.metadata.type.startswith(NOT_RESOURCES):
        step = event.res_outputs_event.metadata
        identity = {"urn": step.urn, "type": step.type, "name": step.urn.rpartition("::")[2]}
        if step.new and step.op in OPERATIONS:
            what = OPERATIONS[step.op] if step.new.custom else ""
            yield {"event": "resource", **identity, "id": step.new.id, "inputs": step.new.inputs, "what": what}
        elif step.op == "delete" and step.old and step.old.custom:
            yield {"event": "deleted", **identity, "kept": bool(step.old.retain_on_delete)}


def carry_out(order: Mapping[str, Any], report: Report) -> None:
    """Bring a stack to what its program says, or delete all of it; every outcome is reported."""
    url, region, key = order["url"], order["region"], tuple(order["key"])
    owner = Clients(url, region, tuple(order["owner"]))
    make_users(owner, order["users"])
    configuration = Configuration(
        order["project"], order["stack"], Path(order["folder"]), order["config"], tuple(order["secretKeys"])
    )

    def observe(event: Mapping[str, Any]) -> None:
        report.send(**event)

    try:
        with _in_one_sentence([]):
            stack = PulumiStack(configuration, Path(order["home"]), url, key)
        if order["command"] == "deploy":
            stack.run("up", observe)
            account = Account(url, region, owner, owner)
            for type_name, resource in stack.resources():
                resource_type(type_name).verify(account, resource)
        else:
            stack.run("preview_destroy", lambda _: None)  # as `pulumi destroy` does: it refuses what is protected
            stack.run("destroy", observe)
        report.outputs = stack.outputs()
        report.send("done", outputs=report.outputs)
    except (SandboxError, BotoCoreError, ClientError) as error:
        report.fail(str(error))


if __name__ == "__main__":
    serve(carry_out)
