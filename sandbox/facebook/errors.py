"""Errors as the Graph API answers them."""

import secrets
from collections.abc import Mapping
from typing import Any, Self

# What a fault may say of the error to answer with.
FAULT_FIELDS = frozenset({"status", "code", "subcode", "message", "isTransient"})


class GraphError(Exception):
    """An error of the Graph API.

    Attributes:
        status: the HTTP status.
        body: the answer's JSON.
    """

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        kind: str = "OAuthException",
        transient: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        error = {
            "message": message,
            "type": kind,
            "code": code,
            "error_subcode": subcode,
            "is_transient": transient,
            "fbtrace_id": "A" + secrets.token_urlsafe(17),
        }
        self.body: dict[str, Any] = {"error": {name: value for name, value in error.items() if value is not None}}

    @classmethod
    def of_fault(cls, described: Mapping[str, Any]) -> Self:
        """The error that a fault asks for; what it leaves out is that of a temporary outage."""
        return cls(
            described.get("status", 500),
            described.get("code", 2),
            described.get("message", "An unexpected error has occurred. Please retry your request later."),
            subcode=described.get("subcode"),
            transient=described.get("isTransient"),
        )

    @classmethod
    def of_answer(cls, status: int, body: dict[str, Any]) -> Self:
        """The error that an answer of the real Graph API holds."""
        error = cls(status, 0, "")
        error.body = body
        return error


def invalid_parameter(message: str) -> GraphError:
    """The error for a parameter that the platform does not accept."""
    return GraphError(400, 100, f"(#100) {message}")


def unknown_path(path: str) -> GraphError:
    """The error for a path that the Graph API does not have."""
    return GraphError(400, 2500, f"Unknown path components: /{path}")
