"""The sandbox as a whole: a stack with a bot on the local platforms, and people who write to the bot.

with Sandbox(stack="local") as sandbox:
    print(sandbox.say("status"))
"""

import http
import time
from collections.abc import Sequence
from typing import Any

from sandbox.control import controlled
from sandbox.errors import SandboxError
from sandbox.facebook import actions
from sandbox.facebook.webhooks import Delivery, Facebook, Item, text_item
from sandbox.platforms import APP_ID, PROJECT, new_person
from sandbox.serving import Server
from sandbox.stack import Stack

__all__ = ["APP_ID", "PROJECT", "Sandbox", "new_person"]

ANSWER_SECONDS = 60.0
POLL_SECONDS, MOST_POLL_SECONDS = 0.01, 0.1
WAITING_MESSAGES = tuple(f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed"))


class Sandbox(Stack):
    """One sandbox: see `Stack` for its arguments. Several can run side by side."""

    def _new_graph_server(self, port: int) -> Server:
        return Server(controlled(self.graph.app, self), port, "the stand-in for the Graph API")

    def _sender(self) -> Facebook:
        if self.facebook is None:
            raise SandboxError(f"The stack {self.stack} has no bot: set `bot` to true, or choose another stack.")
        return self.facebook

    def deliver(self, items: Sequence[Item], seconds: float = ANSWER_SECONDS) -> Delivery:
        """Send items as Facebook does: signed, in one webhook, until acknowledged.

        Raises:
            SandboxError: not acknowledged within ``seconds``.
        """
        return self._sender().deliver(items, seconds)

    def waiting(self) -> int:
        """How many messages are in the bot's queue, including those that a worker has received."""
        attributes = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["queueUrl"], AttributeNames=list(WAITING_MESSAGES)
        )["Attributes"]
        return sum(int(attributes[name]) for name in WAITING_MESSAGES)

    def settle(self, seconds: float = ANSWER_SECONDS) -> None:
        """Wait until nothing is left to do: the queue is empty, and no echo is on its way.

        Raises:
            SandboxError: not within ``seconds``.
        """
        facebook = self._sender()
        deadline = time.monotonic() + seconds
        while True:
            accepted = facebook.accepted
            waiting = self.waiting()
            # With an empty queue no worker runs. What the last one sent shows as an echo that has come since or is on
            # its way; an echo that was acknowledged after the queue was read is in the queue now.
            still = facebook.idle() and facebook.accepted == accepted and self.graph.quiet_seconds() > 0
            if not waiting and still and not self.waiting():
                return
            if time.monotonic() > deadline:
                self.cloud.check()
                failure = self.cloud.last_failure()
                raise SandboxError(
                    f"The bot was not done within {seconds:.0f} s: {waiting} messages are still in its queue."
                    + (f" Its last failure: {failure}" if failure else "")
                )
            # The more messages there are, the longer each look takes the emulator.
            time.sleep(min(MOST_POLL_SECONDS, POLL_SECONDS * max(1, waiting)))

    def say(self, text: str, person: str | None = None, seconds: float = ANSWER_SECONDS) -> list[dict[str, Any]]:
        """Send a text as one person, and wait for the answers.

        Args:
            text: what to say.
            person: the page-scoped id of the person; a new one if not given.
            seconds: how long to wait at most.

        Returns:
            The Send API request bodies that were accepted for this person, in order.

        Raises:
            SandboxError: not acknowledged, or not answered, in time.
        """
        person = person or new_person()
        return self._exchange(text_item(self.page_id, person, text), person, seconds)

    def act(self, person: str, action: actions.Action) -> list[dict[str, Any]]:
        """Do something as one person, and wait for the answers.

        Args:
            person: their page-scoped id.
            action: see ``sandbox.facebook.actions``.

        Returns:
            As for ``say``.

        Raises:
            SandboxError: there is no such action; and as for ``say``.
        """
        item = actions.item(self.page_id, person, action)
        self.know(person, item)
        return self._exchange(item, person, ANSWER_SECONDS)

    def know(self, person: str, item: Item) -> None:
        """Let the stand-in know whose comment an item is: Facebook knows, and the webhook does not say."""
        if "field" in item:
            self.graph.comments.note(item["value"]["comment_id"], person)

    def _exchange(self, item: Item, person: str, seconds: float) -> list[dict[str, Any]]:
        before = len(self.requests())
        recipients = ({"id": person}, {"comment_id": item.get("value", {}).get("comment_id")})
        self.deliver([item], seconds)
        self.settle(seconds)
        return [
            request["body"]
            for request in self.requests()[before:]
            if request["path"].endswith("/messages")
            and request["status"] == http.HTTPStatus.OK
            and request["body"]["recipient"] in recipients
        ]
