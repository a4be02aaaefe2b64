"""Which app has each conversation. Source: "Conversation Control APIs (Conversation Routing)", 2026-11-25."""

from typing import Any

from sandbox.facebook.errors import GraphError, invalid_parameter
from sandbox.facebook.schema import Schema

Json = dict[str, Any]


class Threads:
    """The conversations that other apps have. The sandbox's own app is the page's default app: it has all others."""

    def __init__(self) -> None:
        self._elsewhere: dict[str, str] = {}
        self._schema = Schema("thread-control")

    def elsewhere(self, person: str) -> bool:
        """Whether another app has the conversation with this person."""
        return person in self._elsewhere

    def give_back(self, person: str) -> None:
        """The other app passes the conversation back."""
        self._elsewhere.pop(person, None)

    def check(self, person: str) -> None:
        """Check whether the app may write to a person.

        Raises:
            GraphError: another app has the conversation.
        """
        if self.elsewhere(person):
            message = "(#10) Message failed to send because another app is controlling this thread now."
            raise GraphError(400, 10, message, subcode=2018300)

    def pass_on(self, parameters: Json) -> Json:
        """`POST /pass_thread_control`."""
        if "target_app_id" not in parameters:
            raise invalid_parameter("The parameter target_app_id is required.")
        person = self._person(parameters)
        self.check(person)
        self._elsewhere[person] = str(parameters["target_app_id"])
        return {"success": True}

    def take(self, parameters: Json) -> Json:
        """`POST /take_thread_control`: the default app may always take a conversation."""
        self.give_back(self._person(parameters))
        return {"success": True}

    def release(self, parameters: Json) -> Json:
        """`POST /release_thread_control`."""
        self.check(self._person(parameters))
        return {"success": True}

    def request(self, parameters: Json) -> Json:
        """`POST /request_thread_control`: what becomes of it is the other app's to say."""
        self._person(parameters)
        return {"success": True}

    def _person(self, parameters: Json) -> str:
        self._schema.check(parameters)
        return str(parameters["recipient"]["id"])
