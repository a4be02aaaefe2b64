"""The emulated AWS as a process of its own, which leaves nothing behind."""

import contextlib
import http.client
import importlib.util
import itertools
import json
import os
import re
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sandbox.aws.launcher import DECISIONS
from sandbox.errors import SandboxError

HOST = "127.0.0.1"
WATCH_SECONDS = 0.1
ACCOUNT = "000000000000"
OWNER = ("test", "test")
"""The access key of the account's owner (root) in MiniStack."""

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "PYTHONPATH")
"""The only variables of this process's environment that the cloud sees, and so every function."""

CLAIMS: list[socket.socket] = []
"""This process's claims on ports: see ``next_free_port``."""


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def in_use(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def next_free_port(port: int) -> int:
    """The port, or the next one that nothing listens on and that no other sandbox is about to take."""
    return next(candidate for candidate in itertools.count(port) if not in_use(candidate) and _claim(candidate))


def _claim(port: int) -> bool:
    """Keep a port from other sandboxes for as long as this process runs, unless one of them has claimed it.

    The claim is a name in Linux's abstract namespace: it leaves no file, and ends with the process.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0innolab-fbm-sandbox-{port}")
    except OSError:
        claim.close()
        return False
    CLAIMS.append(claim)
    return True


class Cloud:
    """MiniStack with IAM enforced, on loopback, in a process group and a temporary folder of its own.

    Args:
        region: its AWS region.
        functions_endpoint: where functions send their AWS calls: a proxy, or ``""`` for the cloud itself.
        port: where to listen; 0 for a free port.

    Attributes:
        folder: its temporary folder, which is removed with it.
    """

    def __init__(self, region: str, functions_endpoint: str = "", port: int = 0) -> None:
        self.region = region
        self.port = port or free_port()
        self._functions_endpoint = functions_endpoint
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path(tempfile.gettempdir()) / f"sandbox-cloud-{os.getpid()}-{secrets.token_hex(4)}"
        self._log = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - read when the cloud dies, closed by stop

    @property
    def url(self) -> str:
        """Where the cloud answers."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start the process; ``wait_until_ready`` waits until it answers.

        Raises:
            SandboxError: MiniStack is not installed, or the port is taken.
        """
        if importlib.util.find_spec("ministack") is None:
            raise SandboxError(
                "MiniStack, the emulated AWS, is not installed: run `make .venv/installed` and use .venv/bin/python."
            )
        if in_use(self.port):
            raise SandboxError(f"Port {self.port}, meant for the emulated AWS, is taken: end what listens there.")
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": self.region,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AUTH": "true",
            "LAMBDA_EXECUTOR": "local",
            "LOG_LEVEL": "WARNING",
            "IOT_MTLS_ENABLED": "0",  # it would open a port of its own
            "SANDBOX_TEMPORARY": str(self.folder),
            "SANDBOX_WATCH_STDIN": "1",
        }
        if self._functions_endpoint:
            environment["AWS_ENDPOINT_URL"] = self._functions_endpoint
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.aws.launcher"],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdin=subprocess.PIPE,  # closed by the system when this process ends, however it ends
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def wait_until_ready(self, seconds: float = 30.0) -> None:
        """Wait until the cloud answers.

        Raises:
            SandboxError: it ended, or did not answer within ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.check()
            connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
            try:
                connection.request("GET", "/_ministack/health")
                if connection.getresponse().status == http.client.OK:
                    return
            except OSError:
                time.sleep(0.01)
            finally:
                connection.close()
        raise SandboxError(f"The emulated AWS did not answer within {seconds:.0f} s. {self._last_words()}")

    def check(self) -> None:
        """Raise if the cloud has ended on its own.

        Raises:
            SandboxError: it has; with the last line of its log.
        """
        code = self._process.poll() if self._process else 0
        if code is not None:
            how = f", killed by signal {-code}" if code < 0 else ""
            raise SandboxError(f"The emulated AWS has ended{how}. {self._last_words()} Start the sandbox again.")

    def _last_words(self) -> str:
        lines = [line for line in self.log().splitlines() if line.strip()]
        return f"The last line of its log: {lines[-1].strip()}" if lines else "Its log is empty."

    def log(self) -> str:
        """MiniStack's log so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def decisions(self) -> list[dict[str, Any]]:
        """The authorization decisions, in the order in which they were first made, without those about the owner.

        Returns:
            Each with ``principal`` (ARN), ``action``, ``resource`` (ARN) and ``allowed``.
        """
        file = self.folder / DECISIONS
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    def last_failure(self) -> str:
        """The last exception of a function in the log; ``""`` if there is none."""
        failures = re.findall(r"^\w[\w.]*(?:Error|Exception)\b.*$", self.log(), re.MULTILINE)
        return failures[-1] if failures else ""

    def wait(self) -> None:
        """Wait for as long as the cloud runs.

        Raises:
            SandboxError: it has ended.
        """
        # Not one long wait: a signal just before it would be noticed only at its end.
        while self._process is not None and self._process.poll() is None:
            time.sleep(WATCH_SECONDS)
        self.check()

    def function_workers(self) -> list[int]:
        """The process ids of the running functions (Linux)."""
        if self._process is None:
            return []
        workers = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                environment = (entry / "environ").read_bytes()
            except (OSError, ValueError, IndexError):
                continue  # it ended while we looked
            if parent == self._process.pid and b"AWS_LAMBDA_FUNCTION_NAME=" in environment:
                workers.append(int(entry.name))
        return workers

    def kill_functions(self) -> None:
        """Kill the running functions (Linux), and wait until they have ended. The next invocation is a cold start."""
        for worker in self.function_workers():
            with contextlib.suppress(ProcessLookupError), os.fdopen(os.pidfd_open(worker), "rb") as process:
                os.kill(worker, signal.SIGKILL)
                # Readable once the parent can collect it. Its command line is gone earlier; its threads end last.
                select.select([process], [], [])

    def stop(self) -> None:
        """Kill the cloud with all its functions, and remove its folder. Harmless if repeated."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin:
                process.stdin.close()
            self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
