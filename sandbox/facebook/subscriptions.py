"""Which webhooks Facebook sends: the page's subscribed apps, and the app's subscription.

Sources: Graph API reference, "Page Subscribed Apps" and "App Subscriptions".
"""

import http
import secrets
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from sandbox.facebook.errors import GraphError, invalid_parameter

FIELDS = frozenset(
    {
        "messages",
        "messaging_postbacks",
        "messaging_optins",
        "message_deliveries",
        "message_reads",
        "messaging_payments",
        "messaging_pre_checkouts",
        "messaging_checkout_updates",
        "messaging_account_linking",
        "messaging_referrals",
        "message_echoes",
        "messaging_game_plays",
        "standby",
        "messaging_handovers",
        "messaging_policy_enforcement",
        "message_reactions",
        "message_edits",
        "messaging_feedback",
        "message_context",
        "messaging_customer_information",
        "response_feedback",
        "feed",
        "mention",
        "ratings",
        "leadgen",
        "message_template_status_update",
    }
)
# Instagram Platform, "Webhooks": the fields of messages and comments.
INSTAGRAM_FIELDS = frozenset(
    {
        "messages",
        "messaging_postbacks",
        "messaging_optins",
        "messaging_seen",
        "messaging_referral",
        "messaging_handover",
        "message_reactions",
        "message_edit",
        "response_feedback",
        "standby",
        "comments",
        "live_comments",
        "mentions",
    }
)
APP_FIELDS = {"page": FIELDS, "instagram": INSTAGRAM_FIELDS}
HANDSHAKE_SECONDS = 10

Json = dict[str, Any]


class SubscribedApps:
    """The one app that the page can be subscribed to.

    Args:
        app_id: the app's id.

    Attributes:
        fields: the webhook fields that it is subscribed to; none if it is not subscribed.
        others: other apps that are subscribed to the page, as `GET` shows them.
    """

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self.fields: list[str] = []
        self.others: list[Json] = []

    def read(self, _: Json) -> Json:
        """`GET /subscribed_apps`."""
        app = {"name": "Sandbox", "id": self._app_id, "subscribed_fields": self.fields}
        return {"data": [*self.others, app] if self.fields else self.others}

    def subscribe(self, parameters: Json) -> Json:
        """`POST /subscribed_apps`."""
        self.fields = _fields(parameters, "subscribed_fields", FIELDS)
        return {"success": True}

    def delete(self, _: Json) -> Json:
        """`DELETE /subscribed_apps`."""
        self.fields = []
        return {"success": True}


class AppSubscription:
    """Where the app's webhooks go.

    Attributes:
        verified: object → the verify token that the webhook confirmed. Facebook never shows it.
    """

    def __init__(self) -> None:
        self._by_object: dict[str, Json] = {}
        self.verified: dict[str, str] = {}

    @property
    def subscriptions(self) -> list[Json]:
        """What the app is subscribed to, for pages and for Instagram."""
        return list(self._by_object.values())

    def read(self, _: Json) -> Json:
        """`GET /subscriptions`."""
        return {"data": self.subscriptions}

    def subscribe(self, parameters: Json) -> Json:
        """`POST /subscriptions`. It asks the webhook before it answers.

        Raises:
            GraphError: a parameter is not valid, or the webhook did not answer the handshake.
        """
        about = str(parameters.get("object"))
        if about not in APP_FIELDS:
            raise invalid_parameter("Param object must be one of {user, page, permissions, payments, instagram}")
        callback, token = str(parameters.get("callback_url", "")), str(parameters.get("verify_token", ""))
        fields = _fields(parameters, "fields", APP_FIELDS[about])
        if not handshake(callback, token):
            raise GraphError(
                400,
                2200,
                "(#2200) Callback verification failed with the following errors: HTTP Status Code or challenge "
                "did not match",
            )
        self.place(about, callback, fields)
        self.verified[about] = token
        return {"success": True}

    def place(self, about: str, callback: str, fields: Sequence[str]) -> None:
        """Have the webhook of an object as if its handshake had been done."""
        subscribed = [{"name": field, "version": "v26.0"} for field in fields]
        self._by_object[about] = {"object": about, "callback_url": callback, "active": True, "fields": subscribed}

    def delete(self, parameters: Json) -> Json:
        """`DELETE /subscriptions`: of one object, or all."""
        for about in [parameters["object"]] if "object" in parameters else list(self._by_object):
            self._by_object.pop(about, None)
        return {"success": True}


def handshake(callback: str, token: str) -> bool:
    """Ask a webhook the verification question, as Facebook does when one is registered."""
    challenge = str(secrets.randbelow(10**10))
    query = urlencode({"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge})
    if not callback.startswith(("http://127.0.0.1:", "https://")):
        return False
    try:
        with urllib.request.urlopen(f"{callback}?{query}", timeout=HANDSHAKE_SECONDS) as answer:
            return bool(answer.status == http.HTTPStatus.OK and answer.read() == challenge.encode())
    except OSError:
        return False


def _fields(parameters: Json, name: str, allowed: frozenset[str]) -> list[str]:
    given = parameters.get(name)
    fields = given if isinstance(given, list) else [field for field in str(given or "").split(",") if field]
    if not fields or set(fields) - allowed:
        raise invalid_parameter(f"Param {name} must be a list of {', '.join(sorted(allowed))}")
    return fields
