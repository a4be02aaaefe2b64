"""Deploys the stack again when one of its settings files is saved, and says so if a setting is wrong."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError

POLL_SECONDS = 0.5


class SettingsWatch:
    """Watches `Pulumi.yaml` and `Pulumi.<stack>.yaml` from now on.

    Args:
        folder: where they are.
        stack: the stack's name.
        update: deploys the stack again.
        report: takes a state (``live`` or ``broken``) and its details.
    """

    def __init__(
        self, folder: Path, stack: str, update: Callable[[], object], report: Callable[[str, dict[str, Any]], None]
    ) -> None:
        self._files = (folder / "Pulumi.yaml", folder / f"Pulumi.{stack}.yaml")
        self._update, self._report = update, report
        self._stopped = threading.Event()
        self._seen = self._contents()
        self._thread = threading.Thread(target=self._run, name="sandbox-settings", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once an update under way is done."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            before, self._seen = self._seen, self._contents()
            changed = [path.name for path in self._files if before[path] != self._seen[path]]
            if changed:
                self._take(changed)

    def _take(self, changed: list[str]) -> None:
        began = time.monotonic()
        try:
            self._update()
        except SandboxError as error:
            self._report("broken", {"changed": changed, "message": str(error)})
        else:
            self._report("live", {"changed": changed, "seconds": round(time.monotonic() - began, 2)})

    def _contents(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() if path.is_file() else b"" for path in self._files}
