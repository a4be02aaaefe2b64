"""Comments under the page's posts: one private message may follow each, and replies that everybody can read.

Sources: "Private Replies", 2026-11-25; "Graph API Reference, Object Comments", 2026-11-25; "IG Comment Replies".
"""

import secrets
import threading
import time
from typing import Any

from sandbox.facebook.errors import GraphError, invalid_parameter

PRIVATE_SECONDS = 7 * 24 * 3600  # "Private Replies"
EDGES = ("comments", "replies")  # of a comment on Facebook, and on Instagram

Json = dict[str, Any]


class Comments:
    """The comments that the stand-in knows. A webhook that somebody signs can report any other.

    Args:
        page_id: the page, which writes the replies.
    """

    def __init__(self, page_id: str) -> None:
        self._page = page_id
        self._authors: dict[str, tuple[str, float]] = {}  # comment's id → its author's page-scoped id, and when
        self._answered: set[str] = set()
        self._replies: dict[str, list[Json]] = {}
        self._lock = threading.Lock()

    def note(self, comment: str, person: str) -> None:
        """A person with this page-scoped id commented now."""
        self._authors[comment] = person, time.time()

    def author(self, comment: str) -> str:
        """The page-scoped id of a comment's author; "" if the comment is unknown."""
        return self._authors.get(comment, ("", 0.0))[0]

    def answer_privately(self, comment: str) -> None:
        """Take the one private message after a comment.

        Raises:
            GraphError: there was one already, or the comment is too old.
        """
        with self._lock:
            if comment in self._answered:
                raise GraphError(400, 10900, "(#10900) Activity already replied to")
            if time.time() - self._authors.get(comment, ("", time.time()))[1] > PRIVATE_SECONDS:
                raise GraphError(400, 100, "The comment is invalid for a private reply", subcode=2534025)
            self._answered.add(comment)

    def read(self, comment: str, edge: str) -> Json:
        """`GET /COMMENT/comments` or `/replies`: the latest reply first."""
        text = "message" if edge == "comments" else "text"
        with self._lock:
            replies = reversed(self._replies.get(comment, []))
            return {"data": [{"id": each["id"], text: each["message"], "from": each["from"]} for each in replies]}

    def reply(self, comment: str, parameters: Json) -> Json:
        """`POST /COMMENT/comments` or `/replies`.

        Raises:
            GraphError: the reply has no words.
        """
        message = parameters.get("message")
        if not isinstance(message, str) or not message.strip():
            raise invalid_parameter("The parameter message is required")
        reply = {"id": f"{comment}_{secrets.randbelow(10**12)}", "message": message, "from": {"id": self._page}}
        with self._lock:
            self._replies.setdefault(comment, []).append(reply)
        return {"id": reply["id"]}
