"""The two platforms that a stack runs on, on this machine: AWS, emulated, and a stand-in for Facebook's Graph API."""

import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from bot.messenger.identity import Fields
from sandbox.aws.clients import Clients
from sandbox.aws.cloud import OWNER, Cloud
from sandbox.aws.proxy import Proxy
from sandbox.background import Background
from sandbox.configuration import Configuration, read
from sandbox.errors import SandboxError
from sandbox.facebook.graph import Graph
from sandbox.serving import Server
from sandbox.users import Key, Users

PROJECT = Path(__file__).resolve().parent.parent
APP_ID = "200000000000001"


class Platforms:
    """Emulated AWS and the stand-in for the Graph API, with nothing deployed.

    Args:
        configuration: the stack that is to run on them: its region, its page and its secrets.
        cloud_port: where the emulated AWS listens; 0 for a free port.
        graph_port: where the stand-in for the Graph API listens; 0 for a free port.

    Attributes:
        configuration: the same.
        page_id: the Facebook page.
        page_token: the page's access token.
        app_secret: signs the webhooks.
        verify_token: what the webhook's handshake asks for.
        background: the event loop that the sandbox's own servers run on.
        cloud: the emulated AWS.
        proxy: where functions send their AWS calls.
        graph: the stand-in for the Graph API.
        users: gives users access keys.
    """

    def __init__(self, configuration: Configuration, *, cloud_port: int = 0, graph_port: int = 0) -> None:
        self.configuration = configuration
        self.page_id, self.page_token = configuration.get("pageId"), configuration.get("pageAccessToken")
        self.app_secret, self.verify_token = configuration.get("appSecret"), configuration.get("verifyToken")
        self._ports = (cloud_port, graph_port)
        self._ending = ExitStack()
        self._clients: dict[Key, Clients] = {}
        self._clients_lock = threading.Lock()
        self.users = Users(self.client)
        self.background: Background
        self.cloud: Cloud
        self.proxy: Proxy
        self.graph: Graph
        self._graph_server: Server

    def start(self) -> None:
        """Start everything.

        Raises:
            SandboxError: with the sentence that says why not. Then nothing is left behind.
        """
        try:
            self.start_servers()
            self.bring_up()
        except BaseException:
            self.stop()
            raise

    def start_servers(self) -> None:
        """Start the emulated AWS, without waiting for it, and the stand-in."""
        self.background = Background()
        self._ending.callback(self.background.stop)
        self.proxy = Proxy()
        self.proxy.before = self._open_window
        self.background.run(self.proxy.start())
        self._ending.callback(lambda: self.background.run(self.proxy.stop()))
        self.cloud = Cloud(self.configuration.region, self.proxy.url, self._ports[0])
        self._ending.callback(self.cloud.stop)
        self.proxy.upstream_port = self.cloud.port
        self.cloud.start()
        self.graph = self._new_graph()
        self._graph_server = self._new_graph_server(self._ports[1])
        self._ending.callback(lambda: self.background.run(self._graph_server.stop()))
        self.background.run(self._graph_server.start())

    def _new_graph(self) -> Graph:
        return Graph(self.page_id, APP_ID, self.page_token, self.app_secret, aws_faults=self.aws_faults)

    def _new_graph_server(self, port: int) -> Server:
        return Server(self.graph.app, port, "the stand-in for the Graph API")

    def bring_up(self) -> None:
        """Do what remains once the servers have been started."""
        self.cloud.wait_until_ready()

    def stop(self) -> None:
        """End everything, and leave nothing behind. Harmless if repeated."""
        self._ending.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait(self) -> None:
        """Wait for as long as the emulated AWS runs.

        Raises:
            SandboxError: it has ended.
        """
        self.cloud.wait()

    # Where things are

    @property
    def cloud_url(self) -> str:
        """Where the emulated AWS answers."""
        return self.cloud.url

    @property
    def pulumi_home(self) -> Path:
        """Where a real Pulumi engine finds and keeps what belongs to this AWS; it goes with it."""
        return self.cloud.folder / "pulumi"

    @property
    def graph_url(self) -> str:
        """Where the stand-in for the Graph API answers."""
        return self._graph_server.url

    def described(self) -> dict[str, Any]:
        """Where everything is, for those who drive the sandbox from outside."""
        return {
            "cloudUrl": self.cloud_url,
            "graphUrl": self.graph_url,
            "awsFaultsUrl": f"{self.graph_url}/_sandbox/aws-faults",
            "appSecret": self.app_secret,
            "verifyToken": self.verify_token,
            "pageId": self.page_id,
            "appId": APP_ID,
            "region": self.configuration.region,
        }

    # AWS

    def client(self, service: str, key: Key = OWNER) -> Any:
        """A boto3 client on the emulated AWS.

        Args:
            service: as boto3 names it.
            key: the access key that signs; the account owner's if not given.
        """
        with self._clients_lock:
            if key not in self._clients:
                self._clients[key] = Clients(self.cloud_url, self.configuration.region, key)
        return self._clients[key](service)

    def key_of(self, user: str) -> Key:
        """The access key of a user: see ``Users.key_of``."""
        return self.users.key_of(user)

    def session_of(self, user: str) -> Key:
        """The key of a session that a user started with an MFA code: see ``Users.session_of``."""
        return self.users.session_of(user)

    def decisions(self) -> list[dict[str, Any]]:
        """The authorization decisions: see ``Cloud.decisions``."""
        return self.cloud.decisions()

    def function_workers(self) -> list[int]:
        """The process ids of the running functions: see ``Cloud.function_workers``."""
        return self.cloud.function_workers()

    def kill_functions(self) -> None:
        """Kill the running functions: see ``Cloud.kill_functions``."""
        self.cloud.kill_functions()

    def aws_faults(self, described: object) -> None:
        """Set the faults between the function and AWS from now on; ``{}`` for none."""
        self.proxy.set_faults(described)

    # Facebook

    def requests(self) -> list[dict[str, Any]]:
        """The requests that the stand-in for the Graph API received, in order."""
        return self.graph.requests()

    def faults(self, described: object) -> None:
        """Set the faults of the Graph API from now on; ``{}`` for none."""
        self.graph.set_faults(described)

    def _open_window(self, call: str, body: bytes) -> None:
        """Open the messaging window of everyone whose event the bot puts on its queue, whoever sent the webhook."""
        if call == "sqs:SendMessageBatch":
            for sender, platform, came_by in senders(body):
                if sender != self.page_id:
                    self.graph.note_message(sender, platform=platform, came_by=came_by)


def senders(body: bytes) -> Iterator[tuple[str, str, str]]:
    """The senders of the events in a `SendMessageBatch` request: see ``bot.aws.queues``.

    Yields:
        A sender's id, their platform, and by what they came to the page, if their event says so.
    """
    for entry in _fields(body).objects("Entries"):
        message = _fields(entry.text("MessageBody"))
        for item in message.objects("items"):
            if sender := item.object("sender").id("id"):
                places = (item, item.object("message"), item.object("postback"))
                came_by = (each.object("referral").text("source") for each in places)
                yield sender, message.text("object"), "".join(came_by)


def _fields(text: str | bytes) -> Fields:
    """The JSON object in a text; an empty one if there is none: another bot's messages may look different."""
    with suppress(ValueError, RecursionError):
        return Fields(json.loads(text))
    return Fields({})


class BareCloud(Platforms):
    """The platforms on the ports that ``Pulumi.local.yaml`` names, for ``pulumi up --stack local``.

    Args:
        folder: where the Pulumi program is.

    Raises:
        SandboxError: the settings name no ports.
    """

    def __init__(self, folder: Path = PROJECT) -> None:
        configuration = read(folder, "local")
        endpoints: list[Mapping[str, str]] = json.loads(configuration.values.get("aws:endpoints", "[]"))
        cloud_port = next((urlsplit(url).port for each in endpoints for url in each.values()), None)
        graph_port = urlsplit(configuration.get("graphApiUrl")).port
        if not cloud_port or not graph_port:
            raise SandboxError("Pulumi.local.yaml names no ports: it needs aws:endpoints and graphApiUrl.")
        super().__init__(configuration, cloud_port=cloud_port, graph_port=graph_port)

    def bring_up(self) -> None:
        """Create the users that the stack makes administrators, once the emulated AWS answers."""
        super().bring_up()
        for user in self.configuration.members():
            self.client("iam").create_user(UserName=user)


def new_person() -> str:
    """A page-scoped id that nobody has yet."""
    return str(secrets.randbelow(9 * 10**15) + 10**15)
