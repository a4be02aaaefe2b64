"""The chat page of a sandbox that serves a real page: it shows what happens, and writes for nobody."""

from typing import Any

from sandbox.errors import SandboxError
from sandbox.facebook.webhooks import Facebook, Posted
from sandbox.page.fault_panel import FAULTS
from sandbox.page.page import ChatPage

PLAYED = ("no_echoes", "duplicates", "disorder")
"""The faults of what the sandbox sends in Facebook's place."""
NAME_DIGITS = 6

Json = dict[str, Any]


class RealChatPage(ChatPage):
    """Shows everybody who writes to the page in Messenger, from their first message on.

    What an operator does works as usual: news, dead letters, forgetting a person. Whatever would play a person, or let
    the bot forget whom it has answered, raises `SandboxError`.
    """

    FAULTS = tuple(each for each in FAULTS if each.name not in PLAYED)

    async def _begin(self) -> None:
        self._event_log.stranger = lambda person: self._show_person(person, f"…{person[-NAME_DIGITS:]}")

    def watch(self, facebook: Facebook) -> None:
        """Nothing: webhooks come through the tunnel."""

    def posted(self, posted: Posted) -> None:
        """Facebook sent a webhook."""
        self._event_log.posted(posted)

    def described(self) -> Json:
        """What a browser is sent first; `real` hides what plays a person."""
        return super().described() | {"real": True}

    async def _refused(self, *_: Any, **__: Any) -> Any:
        raise SandboxError("This is a real page: write to it in Messenger, and see here what happens.")

    act = replay = add_person = answer_as_human = day_later = start_over = _refused

    async def received(self, person: str, mids: list[str]) -> None:
        """Nothing: Facebook reports it."""

    async def read(self, person: str) -> None:
        """Nothing: Facebook reports it."""
