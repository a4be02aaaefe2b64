"""The running conversation, if it is a function of its own: whether it starts, and what it raises."""

import time
from typing import Any

from bot.aws.function import NOT_LOADED, fault_of
from bot.dialogue import contract
from bot.dialogue.remote import RemoteConversation
from bot.fault import ConversationFault
from bot.messenger import events
from sandbox.local import Sandbox

Json = dict[str, Any]
FUNCTION = "aws:lambda/function:Function"


class ConversationFunction:
    """Calls the function as the worker does.

    Args:
        sandbox: where it runs.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @property
    def name(self) -> str:
        """The function's name; "" if the conversation is the Python package in the bot's own zip."""
        bot = self._sandbox.outputs.get("functionName")
        others = (each["id"] for each in self._sandbox.resources if each["type"] == FUNCTION and each["id"] != bot)
        return next(others, "")

    def start(self) -> str:
        """Have an instance load the code; the answer says why it could not, or is empty."""
        turn = contract.Turn(
            version=contract.VERSION,
            event=events.parse({}, self._sandbox.page_id),
            state={},
            session=contract.Session(language="", window_open_until=0, human=False),
            now=int(time.time() * 1000),
            locale="",
        )
        try:
            self._call(contract.write_turn(turn))
        except ConversationFault as fault:
            # Whatever else it raises for an event that does not exist, it was loaded.
            return f"The conversation did not start: {fault.message}" if fault.kind in NOT_LOADED else ""
        return ""

    def raised_again(self, turn: Json) -> Json | None:
        """What the function raises in a turn; None if it raises nothing now. It is pure, so nothing else happens.

        Args:
            turn: as `sandbox.page.rerun` reads it.

        Returns:
            As `sandbox.page.rerun` prints it; without frames, but with the place in `at`.
        """
        event = events.parse(turn["item"], turn["page"])
        try:
            RemoteConversation(self._call).answer(event, turn["state"], turn["now"])
        except ConversationFault as fault:
            return {"type": fault.kind, "message": fault.message, "frames": [], "at": fault.at}
        return None

    def _call(self, payload: bytes) -> bytes:
        answer = self._sandbox.client("lambda").invoke(FunctionName=self.name, Payload=payload)
        body: bytes = answer["Payload"].read()
        if "FunctionError" in answer:
            raise fault_of(body)
        return body
