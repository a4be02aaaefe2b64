"""A stack, deployed on the two platforms."""

import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.aws.cloud import OWNER
from sandbox.configuration import Configuration, read
from sandbox.engine.deployment import Deployed, EngineName, Observer, Run, State
from sandbox.errors import SandboxError
from sandbox.facebook.graph import Graph
from sandbox.facebook.webhooks import Facebook, Item
from sandbox.platforms import APP_ID, PROJECT, Platforms
from sandbox.users import Key


def _ignore(_: Mapping[str, Any]) -> None:
    """Observe nothing."""


class Stack(Platforms):
    """A stack on platforms of its own; other stacks can be deployed beside it.

    Args:
        stack: which stack's settings to deploy with.
        folder: where the Pulumi program is.
        settings: settings that replace the stack's own, as text (what is not text as JSON).
        key: the access key that deploys: id and secret; the account owner's if not given.
        cloud_port: where the emulated AWS listens; 0 for a free port.
        graph_port: where the stand-in for the Graph API listens; 0 for a free port.
        engine: what deploys: the embedded engine, or the real one of a Pulumi CLI.
        observe: takes what happens during the start: the events of ``sandbox.engine.process``, and
            ``{"event": "stage", "name", "seconds"}``.

    Raises:
        SandboxError: there is no such stack, or its settings cannot be read.

    Attributes:
        stack: the stack's name.
        deployed: the stack's outputs and resources.
        facebook: sends webhooks; ``None`` for a stack without a bot.
    """

    def __init__(
        self,
        stack: str = "local",
        *,
        folder: Path = PROJECT,
        settings: Mapping[str, str] | None = None,
        key: Key = OWNER,
        cloud_port: int = 0,
        graph_port: int = 0,
        engine: EngineName = "embedded",
        observe: Observer = _ignore,
    ) -> None:
        self._secrets = {
            "appSecret": secrets.token_hex(16),
            "verifyToken": secrets.token_hex(16),
            "pageAccessToken": f"EAA{secrets.token_hex(40)}",
        }
        self.stack, self._folder, self._key, self._observe = stack, folder, key, observe
        self._settings = {stack: dict(settings or {})}
        self._states: dict[str, State] = {}
        self._deploying = threading.Lock()
        self._engine = engine
        self._began = time.monotonic()
        self._first_run: Run
        self.deployed = Deployed()
        self.facebook: Facebook | None = None
        super().__init__(self._configured(stack), cloud_port=cloud_port, graph_port=graph_port)

    def _configured(self, stack: str) -> Configuration:
        """A stack's settings; over them the sandbox's own secrets, and over these what was given for this stack."""
        return read(self._folder, stack).with_values(**self._secrets | self._settings.get(stack, {}))

    # Bring-up

    def start_servers(self) -> None:
        """Start the emulated AWS, the stand-in and the engine, without waiting for them."""
        self._began = time.monotonic()
        super().start_servers()
        self._first_run = self._new_run()
        self._ending.callback(self._first_run.stop)
        self._ending.callback(self._stop_facebook)
        self._note_stage("Facebook's stand-in")

    def _new_run(self) -> Run:
        return Run(self._engine, self.pulumi_home)

    def _new_graph(self) -> Graph:
        return Graph(
            self.page_id, APP_ID, self.page_token, self.app_secret, echo=self._echo, aws_faults=self.aws_faults
        )

    def bring_up(self) -> None:
        """Deploy the stack, once the emulated AWS answers."""
        super().bring_up()
        self._note_stage("emulated AWS")
        with self._deploying:
            self._deploy(self._first_run, self.stack, self._key)
        self._first_run.stop()
        self._note_stage("stack")

    def _note_stage(self, name: str) -> None:
        self._observe({"event": "stage", "name": name, "seconds": round(time.monotonic() - self._began, 3)})

    def _deploy(self, run: Run, stack: str, key: Key) -> Deployed:
        configuration = self._configured(stack).with_values(graphApiUrl=self.graph_url)
        state = self._states.setdefault(stack, {})
        deployed = run.deploy(configuration, self.cloud_url, self._observe, key, state)
        if stack == self.stack:
            self.configuration, self.deployed = configuration, deployed
            self._point_facebook_at_webhook()
        return deployed

    def _point_facebook_at_webhook(self) -> None:
        """Have webhooks sent to where the stack takes them now, if it takes any."""
        url = str(self.outputs.get("webhookUrl", ""))
        if self.facebook and self.facebook.url == url:
            return
        self._stop_facebook()
        self.facebook = Facebook(url, self.app_secret, self.page_id) if url else None
        if self.facebook:
            self.facebook.elsewhere = self.graph.threads.elsewhere

    def _stop_facebook(self) -> None:
        if self.facebook:
            self.facebook.stop()

    def _echo(self, item: Item, delay: float) -> None:
        if self.facebook:
            self.facebook.echo(item, delay)

    # What is deployed

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return self.deployed.outputs

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The stack's resources, secrets masked: ``urn``, ``type``, ``name``, ``id``, ``inputs``."""
        return self.deployed.resources

    @property
    def webhook_url(self) -> str:
        """The webhook's URL.

        Raises:
            SandboxError: the stack has no bot.
        """
        if "webhookUrl" not in self.outputs:
            raise SandboxError(f"The stack {self.stack} has no bot: set `bot` to true, or choose another stack.")
        return str(self.outputs["webhookUrl"])

    def described(self) -> dict[str, Any]:
        """Where everything is, for those who drive the sandbox from outside."""
        return {
            "stack": self.stack,
            "webhookUrl": self.outputs.get("webhookUrl"),
            **super().described(),
            "functionName": self.outputs.get("functionName"),
            "outputs": self.deployed.shown_outputs,
        }

    # What one can do with it

    def update(
        self, settings: Mapping[str, str] | None = None, *, stack: str | None = None, key: Key = OWNER
    ) -> Deployed:
        """Deploy again, in place: only what is different is created, changed or deleted.

        Args:
            settings: settings that replace those so far, as text (what is not text as JSON). They stay for later runs.
            stack: which stack; this one if not given. Another is deployed beside it, in the same account.
            key: the access key that deploys: see ``key_of`` and ``session_of``.

        Returns:
            What the stack is now, and what was done with each resource.

        Raises:
            SandboxError: with the sentence that says why not. What was done until then stays.
        """
        stack = stack or self.stack
        with self._deploying:
            before = self._settings.get(stack, {})
            self._settings[stack] = before | dict(settings or {})
            run = self._new_run()
            try:
                return self._deploy(run, stack, key)
            except SandboxError:
                self._settings[stack] = before
                raise
            finally:
                run.stop()

    def destroy(self, *, stack: str | None = None, key: Key = OWNER) -> Deployed:
        """Delete everything that a stack consists of, dependents first. What is to be retained is only forgotten.

        Args:
            stack: which stack; this one if not given.
            key: the access key that deletes.

        Raises:
            SandboxError: something is protected (then nothing is deleted), or AWS refuses.
        """
        stack = stack or self.stack
        with self._deploying:
            run = self._new_run()
            try:
                state = self._states.setdefault(stack, {})
                destroyed = run.destroy(self._configured(stack), self.cloud_url, self._observe, key, state)
            finally:
                run.stop()
            if stack == self.stack:
                self.deployed = destroyed
                self._point_facebook_at_webhook()
            return destroyed
