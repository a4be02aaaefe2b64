"""Updates the function when a file of the bot is saved, unless the code would not start."""

import asyncio
import io
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from components.code import code_archive
from components.errors import InvalidArgs
from sandbox.provider.resources import archive

PACKAGE = "bot"
POLL_SECONDS = 0.2
CHECK_SECONDS = 10.0

Json = dict[str, Any]
State = dict[Path, tuple[int, int]]
Tell = Callable[[str, Json], None]


def looked_at(folder: Path) -> State:
    """Time and size of each file of code in the folder."""
    found: State = {}
    for path in folder.rglob("*.py"):
        try:
            status = path.stat()
        except OSError:
            continue  # saved by being replaced, just now
        found[path] = (status.st_mtime_ns, status.st_size)
    return found


def zipped(folder: Path) -> bytes:
    """The zip of the bot's code, as it is deployed."""
    return archive(code_archive(folder, PACKAGE))


class Checker:
    """Tells whether code would start. It keeps a copy of it, so that only what was changed is compiled anew."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sandbox-check-"))
        self._files: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Remove the copy, once the check that is under way has ended. Harmless if repeated."""
        with self._lock:
            self._closed = True
            shutil.rmtree(self._folder, ignore_errors=True)

    def check(self, content: bytes, changed: list[str]) -> Json:
        """Whether a zip of the bot would start, as `sandbox.page.check` tells it.

        Args:
            content: the zip.
            changed: which of its files were changed, by their names in it.
        """
        with self._lock:
            return self._checked(content, changed) if not self._closed else _broken("The sandbox has ended.")

    def _checked(self, content: bytes, changed: list[str]) -> Json:
        self._copy(content)
        script = Path(__file__).with_name("check.py")
        try:
            run = subprocess.run(
                [sys.executable, "-I", str(script), str(self._folder), *changed],
                check=False, capture_output=True, text=True, timeout=CHECK_SECONDS, cwd=self._folder,
            )  # fmt: skip
            outcome: Json = json.loads(run.stdout.strip().rpartition("\n")[2])
        except subprocess.TimeoutExpired:
            return _broken(f"The code was not loaded within {CHECK_SECONDS:.0f} s: something in it does not end.")
        except ValueError:
            return _broken(f"The code ended Python when it was loaded. {run.stderr.strip()[-300:]}".strip())
        return outcome

    def _copy(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            files = {name: zipped.read(name) for name in zipped.namelist()}
        for name in self._files.keys() | files.keys():
            path = self._folder / name
            if self._files.get(name) == files.get(name):
                continue
            for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
                compiled.unlink()  # it is known by its time in seconds only: a second change would be overlooked
            if name in files:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(files[name])
            else:
                path.unlink()
        self._files = files


def _broken(message: str) -> Json:
    return {"ok": False, "file": "", "line": None, "text": "", "message": message}


class Reload:
    """Watches the bot's folder, from now on.

    Args:
        folder: the project's.
        upload: makes a zip the function's code.
        wake: starts the function; its answer is a sentence if it does not start.
        tell: takes ``state`` (``checking``, ``live`` or ``broken``) with what belongs to it.
        new_profile: takes what the bot wants Messenger to show, whenever code is found good.
    """

    def __init__(
        self,
        folder: Path,
        upload: Callable[[bytes], None],
        wake: Callable[[], str],
        tell: Tell,
        new_profile: Callable[[object], Awaitable[None]],
    ) -> None:
        self._watched, self._upload, self._wake = folder / PACKAGE, upload, wake
        self._tell, self._new_profile = tell, new_profile
        self._seen = looked_at(self._watched)
        self._good: bytes | None = None
        self._live: bytes | None = None
        self._waking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        checker = Checker()
        try:
            await self._watch(checker)
        finally:
            checker.close()

    async def _watch(self, checker: Checker) -> None:
        content = await asyncio.to_thread(zipped, self._watched)
        # Otherwise something was saved while the stack came up, and the function may not have it.
        if await asyncio.to_thread(looked_at, self._watched) == self._seen:
            self._good = self._live = content
            first = await asyncio.to_thread(checker.check, content, [])
            if first["ok"]:
                await self._new_profile(first["profile"])
        while True:
            await asyncio.sleep(POLL_SECONDS)
            now = await asyncio.to_thread(looked_at, self._watched)
            if now == self._seen:
                continue
            changed = sorted(
                path.relative_to(self._watched.parent).as_posix()
                for path in now.keys() | self._seen.keys()
                if now.get(path) != self._seen.get(path)
            )
            self._seen = now
            await self._take(checker, changed)

    async def _take(self, checker: Checker, changed: list[str]) -> None:
        began = time.monotonic()
        try:
            content = await asyncio.to_thread(zipped, self._watched)
        except (InvalidArgs, OSError) as error:
            self._tell("broken", {"changed": changed, **_broken(str(error))})
            return
        self._tell("checking", {"changed": changed})
        outcome = await asyncio.to_thread(checker.check, content, changed)
        if not outcome["ok"]:
            self._tell("broken", {"changed": changed, **outcome})
            return
        if content != self._live:
            await asyncio.to_thread(self._upload, content)
        self._live = content
        self._tell("live", {"changed": changed, "seconds": round(time.monotonic() - began, 2)})
        await self._new_profile(outcome["profile"])
        if self._waking:
            self._waking.cancel()
        self._waking = asyncio.create_task(self._prove(content, changed))

    async def _prove(self, content: bytes, changed: list[str]) -> None:
        """Have the function start with its new code; if it does not, put back what did."""
        failure = await asyncio.to_thread(self._wake)
        if not failure:
            self._good = content
            return
        self._tell("broken", {"changed": changed, **_broken(failure)})
        if self._good is not None:
            await asyncio.to_thread(self._upload, self._good)
        self._live = self._good
