"""Who people are: the User Profile API. Source: Messenger Platform, "User Profile API", 2026-03-18."""

import zlib
from collections.abc import Collection
from typing import Any

from sandbox.facebook.errors import GraphError, invalid_parameter

FIRST, LAST = ("Anna", "Ben", "Carla", "David", "Elif", "Farid"), ("Arslan", "Berg", "Costa", "Dubois", "Evans")
NAMES = ("id", "name", "first_name", "last_name", "profile_pic")  # with Business Asset User Profile Access
# The permission of each other field.
PERMISSIONS = {"locale": "pages_user_locale", "timezone": "pages_user_timezone", "gender": "pages_user_gender"}

Json = dict[str, Any]


class People:
    """Profiles of everybody: those that were set, and made-up ones.

    Attributes:
        permissions: the permissions of the app beside those for names.
    """

    def __init__(self) -> None:
        self.permissions: Collection[str] = frozenset(PERMISSIONS.values())
        self._known: dict[str, Json] = {}

    def set(self, psid: str, **fields: Any) -> None:
        """Set fields of a person's profile."""
        self._known[psid] = self._known.get(psid, {}) | fields

    def read(self, psid: str, parameters: Json) -> Json:
        """`GET /PSID?fields=…`. A field that a person has not made public is missing.

        Raises:
            GraphError: there is no such field, or the app lacks its permission.
        """
        asked = str(parameters.get("fields", ",".join(NAMES))).split(",")
        if unknown := [each for each in asked if each not in (*NAMES, *PERMISSIONS)]:
            raise invalid_parameter(f"Tried accessing nonexisting field ({unknown[0]})")
        if any(PERMISSIONS[each] not in self.permissions for each in asked if each in PERMISSIONS):
            raise GraphError(403, 200, "Insufficient permission to access user profile.", subcode=2018247)
        number = zlib.crc32(psid.encode())
        profile: Json = {"first_name": FIRST[number % len(FIRST)], "last_name": LAST[number % len(LAST)]}
        profile |= {"locale": "en_US", "timezone": 0}
        profile |= {"profile_pic": "https://platform-lookaside.fbsbx.com/platform/profilepic/"}
        profile |= self._known.get(psid, {})
        profile["name"] = f"{profile['first_name']} {profile['last_name']}".strip()
        return {name: profile[name] for name in asked if profile.get(name) not in (None, "")} | {"id": psid}
