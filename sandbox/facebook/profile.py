"""The page's Messenger profile. Source: Messenger Platform, "Messenger Profile API"."""

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.messenger.profile import LOCALES
from sandbox.facebook.errors import invalid_parameter
from sandbox.facebook.rate_limit import RateLimit
from sandbox.facebook.schema import Schema

FIELDS = frozenset(
    {
        "get_started",
        "greeting",
        "persistent_menu",
        "ice_breakers",
        "commands",
        "whitelisted_domains",
        "account_linking_url",
    }
)
CHANGES, PERIOD_SECONDS = 10, 600  # Messenger Profile API, "Limitations"

Json = dict[str, Any]


class MessengerProfile:
    """The profile's fields, and the rules for changing them.

    Attributes:
        fields: each field that is set.
    """

    def __init__(self) -> None:
        self.fields: Mapping[str, Any] = {}
        self._schema = Schema("messenger-profile")
        self._rate = RateLimit(CHANGES, PERIOD_SECONDS)

    def read(self, parameters: Json) -> Json:
        """`GET /messenger_profile`."""
        names = [name for name in str(parameters.get("fields", "")).split(",") if name in self.fields]
        return {"data": [{name: self.fields[name] for name in names}] if self.fields else []}

    def change(self, parameters: Json) -> Json:
        """`POST /messenger_profile`."""
        self._rate.count()
        self._schema.check(parameters)
        for name, value in parameters.items():
            for place, each in enumerate(value if isinstance(value, list) else ()):
                if isinstance(each, dict) and each.get("locale", "default") not in LOCALES:
                    raise invalid_parameter(f"Param {name}[{place}][locale] is not a locale of Messenger")
                if isinstance(each, str) and not _is_domain(each):
                    raise invalid_parameter(f"Param {name}[{place}] is not a valid domain")
        if parameters.get("platform") == "instagram":
            return {"result": "success"}  # Instagram has a profile of its own
        changed = {**self.fields, **parameters}
        if "persistent_menu" in parameters and "get_started" not in changed:
            raise invalid_parameter("You must set a Get Started button if you also wish to use persistent menu")
        self.fields = changed
        return {"result": "success"}

    def delete(self, parameters: Json) -> Json:
        """`DELETE /messenger_profile`."""
        self._rate.count()
        names = parameters.get("fields")
        if not isinstance(names, list) or not names or set(names) - FIELDS:
            raise invalid_parameter(f"Param fields must be an array of {', '.join(sorted(FIELDS))}")
        if "get_started" in names and "persistent_menu" in self.fields and "persistent_menu" not in names:
            raise invalid_parameter("You must delete persistent_menu before get_started")
        self.fields = {name: value for name, value in self.fields.items() if name not in names}
        return {"result": "success"}


def _is_domain(url: str) -> bool:
    """Whether a domain may be whitelisted (whitelisted_domains Reference, 2025-07-01): no IP address, not localhost."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith(".localhost")
    return False
