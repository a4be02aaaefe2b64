"""A sandbox with the chat page on top."""

from typing import Any

from sandbox import assets
from sandbox.local import Sandbox
from sandbox.page.page import ChatPage
from sandbox.settings_watch import SettingsWatch


class ChatSandbox(Sandbox):
    """A sandbox with a chat page; see `Stack` for the other arguments.

    Args:
        chat_port: where the chat page listens; 0 for a free port.

    Attributes:
        page: the chat page; served only if the stack has a bot.
    """

    def __init__(self, *arguments: Any, chat_port: int = 0, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._chat_port = chat_port
        self.page: ChatPage

    def bring_up(self) -> None:
        """Create the page before the stack, so that it notices every file saved from now on; serve it afterwards."""
        self.page = self._new_page()
        self._ending.callback(self._stop_page)
        if not self.configuration.get(assets.SETTING):
            self._serve_assets()
        super().bring_up()
        if self.facebook:
            self.page.start()
            self._note_stage("chat page")
            watch = SettingsWatch(self._folder, self.stack, self.update, self.page.note_code)
            watch.start()
            self._ending.callback(watch.stop)

    def _new_page(self) -> ChatPage:
        return ChatPage(self, self.proxy, self.background, self._chat_port, self._observe)

    def _serve_assets(self) -> None:
        self._settings[self.stack][assets.SETTING] = self.graph_url + assets.PATH

    def _stop_page(self) -> None:
        self.page.stop()

    def _point_facebook_at_webhook(self) -> None:
        super()._point_facebook_at_webhook()
        if self.facebook:
            self.page.watch(self.facebook)

    @property
    def chat_url(self) -> str:
        """Where the chat page answers."""
        return self.page.url

    def described(self) -> dict[str, Any]:
        """Where everything is, the chat page included."""
        return super().described() | ({"chatUrl": self.chat_url} if self.facebook else {})
