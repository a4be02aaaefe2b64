"""Live reload: updates the function when a file of the bot is saved, unless the code would not start."""

import asyncio
import io
import json
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.code import code_archive
from components.errors import InvalidArgs
from sandbox.conversation import NotRun, check_folder, not_loaded, run_script
from sandbox.provider.archives import zip_bytes

PACKAGE = "bot"
POLL_SECONDS = 0.2

Json = dict[str, Any]
State = dict[Path, tuple[int, int]]


def bot_zip(folder: Path) -> bytes:
    """The bot's code as it is deployed.

    Args:
        folder: the project's.

    Raises:
        InvalidArgs: there is no code.
        OSError: a file cannot be read.
    """
    return zip_bytes(code_archive(folder / PACKAGE, PACKAGE))


def file_states(folder: Path) -> State:
    """Modification time and size of each Python file in the folder."""
    found: State = {}
    for path in folder.rglob("*.py"):
        try:
            status = path.stat()
        except OSError:
            continue  # an editor is replacing it just now
        found[path] = (status.st_mtime_ns, status.st_size)
    return found


def check(content: bytes, changed: list[str]) -> Json:
    """Whether a zip of the bot would start: see `sandbox.conversation.check_folder`.

    Args:
        content: the zip.
        changed: the names of the files in it that were changed.
    """
    with unpacked(content) as folder:
        return check_folder(folder, changed)


def raised_again(content: bytes, turn: Json) -> Json | None:
    """What the author's code raises in a turn: what `sandbox.page.rerun` prints. None if it raises nothing now.

    Args:
        content: the bot's zip.
        turn: as `sandbox.page.rerun` reads it.
    """
    with unpacked(content) as folder:
        try:
            raised: Json | None = run_script("rerun.py", folder, [], json.dumps(turn))
        except (subprocess.TimeoutExpired, NotRun):
            return None
        return raised


@contextmanager
def unpacked(content: bytes) -> Iterator[Path]:
    """A folder with what a zip holds."""
    with tempfile.TemporaryDirectory(prefix="sandbox-check-") as folder:
        zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
        yield Path(folder)


class Reload:
    """Watches the bot's folder from now on.

    Args:
        folder: the project's.
        upload: makes a zip the function's code.
        start: starts the function; the answer says why it did not start, or is empty.
        report: takes a state (``checking``, ``live`` or ``broken``) and its details.
        offer: takes what `check` printed of code that passed: profile, demonstrations and templates.

    Attributes:
        live: the zip that the function has; None until it is known.
    """

    def __init__(
        self,
        folder: Path,
        upload: Callable[[bytes], None],
        start: Callable[[], str],
        report: Callable[[str, Json], None],
        offer: Callable[[Json], Awaitable[None]],
    ) -> None:
        self._folder, self._upload, self._start = folder, upload, start
        self._report, self._offer = report, offer
        self._seen = file_states(folder / PACKAGE)
        self._good: bytes | None = None
        self.live: bytes | None = None
        self._starting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        content = await asyncio.to_thread(bot_zip, self._folder)
        # If a file was saved while the stack came up, the function may not have it.
        if await asyncio.to_thread(file_states, self._folder / PACKAGE) == self._seen:
            self._good = self.live = content
            first = await asyncio.to_thread(check, content, [])
            if first["ok"]:
                await self._offer(first)
        while True:
            await asyncio.sleep(POLL_SECONDS)
            before, self._seen = self._seen, await asyncio.to_thread(file_states, self._folder / PACKAGE)
            changed = {path for path, _ in before.items() ^ self._seen.items()}
            if changed:
                await self._take(sorted(path.relative_to(self._folder).as_posix() for path in changed))

    async def _take(self, changed: list[str]) -> None:
        began = time.monotonic()
        try:
            content = await asyncio.to_thread(bot_zip, self._folder)
        except (InvalidArgs, OSError) as error:
            self._report("broken", {"changed": changed, **not_loaded(str(error))})
            return
        self._report("checking", {"changed": changed})
        outcome = await asyncio.to_thread(check, content, changed)
        if not outcome["ok"]:
            self._report("broken", {"changed": changed, **outcome})
            return
        if content != self.live:
            await asyncio.to_thread(self._upload, content)
        self.live = content
        self._report("live", {"changed": changed, "seconds": round(time.monotonic() - began, 2)})
        await self._offer(outcome)
        if self._starting:
            self._starting.cancel()
        self._starting = asyncio.create_task(self._prove(content, changed))

    async def _prove(self, content: bytes, changed: list[str]) -> None:
        """Start the function with its new code; if it does not start, go back to the last code that did."""
        failure = await asyncio.to_thread(self._start)
        if not failure:
            self._good = content
            return
        self._report("broken", {"changed": changed, **not_loaded(failure)})
        if self._good is not None:
            await asyncio.to_thread(self._upload, self._good)
        self.live = self._good
