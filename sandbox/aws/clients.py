"""boto3 on the emulated AWS."""

import threading
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config


@cache
def _session() -> boto3.Session:
    """One session for all principals: it caches the models of the services, which are slow to load."""
    # The AWS_PROFILE of the person at the keyboard must not matter; one that does not exist would be an error.
    without_profile = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return boto3.Session(botocore_session=without_profile)


_making = threading.Lock()  # a session must not be used by two threads at once


class Clients:
    """One boto3 client for each service, for one principal; threads may share it.

    Args:
        url: where the emulated AWS answers.
        region: its region.
        key: access key id, secret access key and, for a session, its token.
    """

    def __init__(self, url: str, region: str, key: tuple[str, ...]) -> None:
        self._url, self._region, self._key = url, region, (*key, None)[:3]
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str) -> Any:
        """The client for a service; created at the first call."""
        with self._lock:
            if service not in self._clients:
                with _making:
                    self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        client: Any = _session().client  # its overloads take only literal names
        return client(
            service,
            endpoint_url=self._url,
            region_name=self._region,
            aws_access_key_id=self._key[0],
            aws_secret_access_key=self._key[1],
            aws_session_token=self._key[2],
            config=Config(retries={"total_max_attempts": 2}, connect_timeout=2, read_timeout=30),
        )
