"""Who may call the Graph API: the page with its token and proof, the app with its own token."""

import hashlib
import hmac
from typing import Any

from sandbox.facebook.errors import GraphError

NAMES = ("access_token", "appsecret_proof")
SECRETS = (*NAMES, "input_token", "verify_token")
SCOPES = ("pages_messaging", "pages_manage_metadata", "pages_show_list", "page_utility_messaging")

Json = dict[str, Any]


class Credentials:
    """Checks tokens.

    Args:
        page_id: the page's id.
        app_id: the app's id.
        page_token: the page's access token.
        app_secret: the app's secret.
    """

    def __init__(self, page_id: str, app_id: str, page_token: str, app_secret: str) -> None:
        self._page_id, self._app_id = page_id, app_id
        self._page_token, self._app_token = page_token, f"{app_id}|{app_secret}"
        self._proof = hmac.new(app_secret.encode(), page_token.encode(), hashlib.sha256).hexdigest()

    def check_app(self, token: str) -> None:
        """Check the app's token.

        Raises:
            GraphError: it is another.
        """
        if token != self._app_token:
            raise GraphError(400, 190, "Invalid OAuth access token signature.")

    def check_page(self, token: str, parameters: Json) -> None:
        """Check the page's token, and the proof that the caller knows the app's secret.

        Raises:
            GraphError: one of them is wrong or missing.
        """
        if not hmac.compare_digest(token, self._page_token):
            raise GraphError(401, 190, "Invalid OAuth access token - Cannot parse access token")
        proof = parameters.get("appsecret_proof")
        if proof is None:
            sentence = "API calls from the server require an appsecret_proof argument"
            raise GraphError(400, 100, sentence, kind="GraphMethodException")
        if not hmac.compare_digest(str(proof), self._proof):
            sentence = "Invalid appsecret_proof provided in the API argument"
            raise GraphError(400, 100, sentence, kind="GraphMethodException")

    def debug_token(self, parameters: Json) -> Json:
        """`GET /debug_token`. Source: Graph API reference, "Debug-Token"."""
        if parameters.get("input_token") != self._page_token:
            error = {"code": 190, "message": "Invalid OAuth access token."}
            return {"data": {"is_valid": False, "scopes": [], "error": error}}
        return {
            "data": {
                "app_id": self._app_id,
                "type": "PAGE",
                "application": "Sandbox",
                "data_access_expires_at": 0,
                "expires_at": 0,
                "is_valid": True,
                "profile_id": self._page_id,
                "scopes": list(SCOPES),
            }
        }


def token_of(authorization: str, parameters: Json) -> str:
    """The token that a request brings: in its `Authorization` header, or else as a parameter.

    Raises:
        GraphError: it brings none.
    """
    scheme, _, bearer = authorization.partition(" ")
    token = bearer if scheme.lower() in ("bearer", "oauth") else str(parameters.get("access_token", ""))
    if not token:
        raise GraphError(400, 104, "An access token is required to request this resource.")
    return token
