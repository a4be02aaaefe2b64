"""A second instance of the stand-in, which plays the real Facebook for a sandbox that serves a real page."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sandbox.aws.cloud import free_port
from sandbox.background import Background
from sandbox.facebook.graph import Graph
from sandbox.facebook.webhooks import Delivery, Facebook, Item
from sandbox.real_page import PageSandbox, RealPage
from sandbox.serving import Server
from tests.bot.servers import Served, serve

Json = dict[str, Any]
PAGE = "700000000000001"
OLD_TOKEN = "word-of-the-old-bot"
OLD_FIELDS = ["messages"]


class PlayedFacebook:
    """The Graph API over HTTP, and the sender of webhooks.

    Attributes:
        graph: the Graph API.
        url: where it answers.
        page: the page, with what opens it.
        sender: sends the page's webhooks to wherever they are registered.
    """

    def __init__(self, background: Background) -> None:
        self.secrets = {"pageAccessToken": f"EAA{secrets.token_hex(20)}", "appSecret": secrets.token_hex(16)}
        # One sandbox at a time serves a page of an app, and tests run side by side.
        self.app_id = str(8 * 10**14 + secrets.randbelow(10**14))
        self.graph = Graph(
            PAGE, self.app_id, self.secrets["pageAccessToken"], self.secrets["appSecret"], echo=self._echo
        )
        self._background, self._server = background, Server(self.graph.app, 0, "a test")
        self.url = self._server.url
        self.sender = Facebook("", self.secrets["appSecret"], PAGE)
        background.run(self._server.start())

    def _echo(self, item: Json, delay: float) -> None:
        self.sender.echo(item, delay)

    def described(self, **more: str) -> Json:
        """What opens the page, as a file descriptor holds it."""
        return {"pageId": PAGE, "appId": self.app_id, **self.secrets, **more}

    def page(self, **more: str) -> RealPage:
        """The page, with what opens it."""
        return RealPage.model_validate(self.described(**more))

    def registered(self) -> tuple[str, list[str], list[str]]:
        """Where the app's webhooks go, its fields, and the page's."""
        nothing: Json = {"callback_url": "", "fields": []}
        app = next(iter(self.graph.app_subscription.subscriptions), nothing)
        return app["callback_url"], [each["name"] for each in app["fields"]], self.graph.subscribed_apps.fields

    def register(self, url: str) -> None:
        """Register a webhook by hand, as somebody did long ago."""
        app = {"object": "page", "callback_url": url, "verify_token": OLD_TOKEN, "fields": OLD_FIELDS}
        self.graph.app_subscription.subscribe(app)
        self.graph.subscribed_apps.subscribe({"subscribed_fields": OLD_FIELDS})

    def stop(self) -> None:
        self.sender.stop()
        self._background.run(self._server.stop())


class PlayedSandbox(PageSandbox):
    """A sandbox that serves the page, driven from Facebook's side: as people write, and by what Facebook received."""

    def __init__(self, playing: PlayedFacebook, folder: Path, **options: Any) -> None:
        self._playing, self._ends = playing, ExitStack()
        port = free_port()
        page, url = playing.page(), f"http://127.0.0.1:{port}"
        takeover = self._ends.enter_context(page.takeover(playing.url, "v26.0", folder))
        takeover.look(url)
        super().__init__(
            page=page,
            takeover=takeover,
            public_url=url,
            graph_api_url=playing.url,
            tunnel_port=port,
            **options,
        )

    def stop(self) -> None:
        super().stop()
        self._ends.close()

    def _point_facebook_at_webhook(self) -> None:
        self._playing.sender.url = self._public_url
        self.facebook = self._playing.sender

    def _sender(self) -> Facebook:
        return self._playing.sender

    def deliver(self, items: Sequence[Item], seconds: float = 60.0) -> Delivery:
        for item in items:
            self._playing.graph.note_message(item["sender"]["id"])
        return super().deliver(items, seconds)

    def requests(self) -> list[Json]:
        return self._playing.graph.requests()


@contextmanager
def played(background: Background) -> Iterator[PlayedFacebook]:
    playing = PlayedFacebook(background)
    try:
        yield playing
    finally:
        playing.stop()


@contextmanager
def old_webhook() -> Iterator[str]:
    """The webhook of another bot; it confirms `OLD_TOKEN`."""

    def handshake(request: Served) -> tuple[int, bytes]:
        asked = dict(part.split("=", 1) for part in request.path.partition("?")[2].split("&"))
        right = asked["hub.verify_token"] == OLD_TOKEN
        return (200, asked["hub.challenge"].encode()) if right else (403, b"")

    with serve(handshake) as url:
        yield url
