"""A strict stand-in for the Graph API: takes what Facebook takes, refuses what it refuses, with Facebook's errors.

What a request may look like is in ``schemas/``; here is what a schema cannot say: who asks, for which page, who may be
written to and when. Beside it a side door, ``/_sandbox/…``, tells what was received and puts faults in.
"""

import asyncio
import email
import hashlib
import hmac
import json
import re
import secrets
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import assets as pictures
from sandbox.errors import SandboxError
from sandbox.faults import Faults, fault

SCHEMAS = Path(__file__).with_name("schemas")
SCHEMA_NAMES = ("send-api", "message-attachments", "messenger-profile")

# Each version lives for about two years after it appeared (Graph API changelog); v26.0 is the newest.
VERSIONS = {f"v{number}.0" for number in range(21, 27)}

STANDARD_WINDOW_SECONDS = 24 * 3600  # Messenger Platform policy: RESPONSE and UPDATE
HUMAN_AGENT_WINDOW_SECONDS = 7 * 24 * 3600
MESSAGES_A_SECOND = 300  # Send API, "Rate limits": text messages of a page
PROFILE_CALLS, PROFILE_PERIOD_SECONDS = 10, 600  # Messenger Profile API, "Limitations"
PROFILE_FIELDS = {
    "get_started", "greeting", "persistent_menu", "ice_breakers", "whitelisted_domains", "account_linking_url",
}  # fmt: skip
WEBHOOK_FIELDS = {
    "messages", "messaging_postbacks", "messaging_optins", "message_deliveries", "message_reads", "messaging_payments",
    "messaging_pre_checkouts", "messaging_checkout_updates", "messaging_account_linking", "messaging_referrals",
    "message_echoes", "messaging_game_plays", "standby", "messaging_handovers", "messaging_policy_enforcement",
    "message_reactions", "message_edits", "messaging_feedback", "message_context", "messaging_customer_information",
    "response_feedback", "feed",
}  # fmt: skip

EFFECTS: Mapping[str, type | tuple[type, ...]] = {
    "delaySeconds": (int, float),
    "error": dict,
    "dropBefore": bool,
    "dropAfter": bool,
    "loseEchoes": bool,
    "echoDelaySeconds": (int, float),
}

LONGEST_REASON = 300  # beyond, only the end of a reason is told: it would repeat the value

Echo = Callable[[dict[str, Any], float], None]
"""Takes an echo and the seconds after which it is to be sent."""


class Asked(NamedTuple):
    """One call of the Graph API, without token and proof; `status` 0 if nothing was taken, `lost` if not answered."""

    method: str
    path: str
    body: dict[str, Any] | None
    status: int
    answer: dict[str, Any]
    began: float
    seconds: float
    lost: bool


class GraphError(Exception):
    """An error as the Graph API answers it."""

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
        self.body: dict[str, Any] = {"error": {"message": message, "type": kind, "code": code}}
        if subcode is not None:
            self.body["error"]["error_subcode"] = subcode
        if transient is not None:
            self.body["error"]["is_transient"] = transient
        self.body["error"]["fbtrace_id"] = "A" + secrets.token_urlsafe(17)


def refuse_param(message: str) -> GraphError:
    """The error for a parameter that the platform does not take."""
    return GraphError(400, 100, f"(#100) {message}")


class Rate:
    """Counts calls in a sliding period."""

    def __init__(self, calls: int, seconds: float) -> None:
        self._calls, self._seconds = calls, seconds
        self._times: deque[float] = deque()

    def take(self) -> None:
        """Count one call.

        Raises:
            GraphError: it is one too many.
        """
        now = time.monotonic()
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        if len(self._times) >= self._calls:
            raise GraphError(400, 613, "(#613) Calls to this api have exceeded the rate limit.", transient=True)
        self._times.append(now)


class Graph:
    """The stand-in, as an application to be served.

    Args:
        page_id: the page's id.
        app_id: the app's id.
        page_token: the page's access token.
        app_secret: the app's secret.
        echo: takes the echo of each message that was taken; ``None`` sends none.
        aws_faults: takes the faults between function and AWS.
        anyone: take messages to people who never wrote: for a sandbox without webhooks of its own.
    """

    def __init__(
        self,
        page_id: str,
        app_id: str,
        page_token: str,
        app_secret: str,
        *,
        echo: Echo | None = None,
        aws_faults: Callable[[object], None] = lambda _: None,
        anyone: bool = False,
    ) -> None:
        self.page_id, self.app_id = page_id, app_id
        self._token, self._secret = page_token, app_secret
        self._proof = hmac.new(app_secret.encode(), page_token.encode(), hashlib.sha256).hexdigest()
        self._echo, self._aws_faults, self._anyone = echo, aws_faults, anyone
        self._wrote: dict[str, float] = {}
        self._requests: list[dict[str, Any]] = []
        self._under_way = 0
        self._last_activity = time.monotonic()
        self._lock = threading.Lock()
        self._faults = Faults()
        self._validators = {name: _validator(name) for name in SCHEMA_NAMES}
        self._message_rate = Rate(MESSAGES_A_SECOND, 1.0)
        self._profile_rate = Rate(PROFILE_CALLS, PROFILE_PERIOD_SECONDS)
        self._profile: dict[str, Any] = {}
        self._page_fields: list[str] | None = None
        self._app_subscription: dict[str, Any] | None = None
        self.observe: Callable[[Asked], None] | None = None
        """Told of each call, on the event loop that serves."""
        self.app = Starlette(
            routes=[
                Route("/_sandbox/requests", self._side_requests, methods=["GET", "DELETE"]),
                Route("/_sandbox/faults", self._side_faults, methods=["PUT"]),
                Route("/_sandbox/aws-faults", self._side_faults, methods=["PUT"]),
                pictures.ROUTE,
                Route("/{path:path}", self._serve, methods=["GET", "POST", "DELETE", "PUT", "PATCH"]),
            ]
        )

    # What the sandbox tells and asks it

    def note_message(self, psid: str, written: float | None = None) -> None:
        """Someone has written to the page: from now on, for 24 hours, the page may answer.

        Args:
            psid: who.
            written: when, in seconds since 1970; now if not given.
        """
        with self._lock:
            self._wrote[psid] = max(self._wrote.get(psid, 0.0), time.time() if written is None else written)

    def profile(self) -> dict[str, Any]:
        """The page's Messenger profile as it was last set."""
        return dict(self._profile)

    def set_profile(self, profile: Mapping[str, Any]) -> None:
        """Set the profile as the page's owner would, its rate not counted."""
        self._profile = dict(profile)

    def requests(self) -> list[dict[str, Any]]:
        """All requests received, in order: ``time``, ``method``, ``path``, ``status``, ``body``."""
        with self._lock:
            return list(self._requests)

    def forget_requests(self) -> None:
        """Forget the requests received so far."""
        with self._lock:
            self._requests.clear()

    def quiet_seconds(self) -> float:
        """For how long nothing has been asked of it; 0 while a request is under way."""
        with self._lock:
            return 0.0 if self._under_way else time.monotonic() - self._last_activity

    def set_faults(self, described: object) -> None:
        """Set the faults from now on.

        Args:
            described: an object or a list of them, as the side door takes them; ``{}`` for none.

        Raises:
            SandboxError: it is something else.
        """
        each = described if isinstance(described, list) else [described]
        faults = [("*", fault(one, EFFECTS)) for one in each if one != {}]
        for _, one in faults:
            if unknown := set(one.get("error") or ()) - {"status", "code", "subcode", "message", "isTransient"}:
                raise SandboxError(f"An error to be answered has no {', '.join(sorted(unknown))}.")
        self._faults.set(faults)

    # The side door

    async def _side_requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.forget_requests()
            return Response(status_code=204)
        return JSONResponse(self.requests())

    async def _side_faults(self, request: Request) -> Response:
        try:
            described = await request.json()
            if request.url.path.endswith("/aws-faults"):
                self._aws_faults(described)
            else:
                self.set_faults(described)
        except (SandboxError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return Response(status_code=204)

    # The Graph API

    async def _serve(self, request: Request) -> Response:
        received = time.time()
        raw = await request.body()
        with self._lock:
            self._under_way += 1
        status, answer, body, lost = 0, {}, None, True
        try:
            met = self._faults.meet("*") if self._faults else None
            if met:
                await asyncio.sleep(met.get("delaySeconds", 0))
            try:
                body = _parameters(request, raw)
                if met and met.get("dropBefore"):
                    return _hang_up(request)
                if met and met.get("error") is not None:
                    raise _asked_for(met.get("error"))
                delay = None if met and met.get("loseEchoes") else (met.get("echoDelaySeconds", 0) if met else 0)
                status, answer = 200, await self._answer(request, body, delay)
            except GraphError as error:
                status, answer = error.status, error.body
            if met and met.get("dropAfter"):
                return _hang_up(request)
            lost = False
            return JSONResponse(answer, status_code=status)
        finally:
            if self.observe:
                seconds = time.time() - received
                self.observe(
                    Asked(request.method, request.url.path, _recorded(body), status, answer, received, seconds, lost)
                )
            with self._lock:
                self._under_way -= 1
                self._last_activity = time.monotonic()
                self._requests.append(
                    {
                        "time": received,
                        "method": request.method,
                        "path": request.url.path,
                        "status": status,
                        "body": _recorded(body),
                    }
                )

    async def _answer(self, request: Request, parameters: dict[str, Any], echo_delay: float | None) -> dict[str, Any]:
        parts = [part for part in request.url.path.split("/") if part]
        if not parts or not re.fullmatch(r"v\d+\.\d+", parts[0]):
            raise GraphError(400, 2500, "An unknown error occurred: name a version, such as /v26.0, in the path.")
        if parts[0] not in VERSIONS:
            raise GraphError(400, 2500, f"Unknown path components: /{'/'.join(parts)}")
        route = parts[1:]
        if route and route[0] == "me":
            route[0] = self.page_id
        token = self._token_of(request, parameters)
        if route in (["debug_token"], [self.app_id, "subscriptions"]):
            if token != f"{self.app_id}|{self._secret}":
                raise GraphError(400, 190, "Invalid OAuth access token signature.")
            if len(route) == 1:
                return self._debug(parameters)
            return await self._subscriptions(request.method, parameters)
        self._check_page_token(token, parameters)
        return self._of_page(request.method, route, parameters, echo_delay)

    def _of_page(
        self, method: str, route: list[str], parameters: dict[str, Any], echo_delay: float | None
    ) -> dict[str, Any]:
        if not route or route[0] != self.page_id:
            raise GraphError(
                400,
                100,
                f"Unsupported {method.lower()} request. Object with ID '{route[0] if route else ''}' does not exist, "
                "cannot be loaded due to missing permissions, or does not support this operation",
                subcode=33,
                kind="GraphMethodException",
            )
        given = {key: value for key, value in parameters.items() if key not in ("access_token", "appsecret_proof")}
        match (method, route[1:]):
            case ("GET", []):
                return {"name": "Sandbox", "id": self.page_id}
            case ("POST", ["messages"]):
                return self._messages(given, echo_delay)
            case ("POST", ["message_attachments"]):
                self._validate("message-attachments", given)
                return {"attachment_id": str(10**15 + secrets.randbelow(9 * 10**15))}
            case (_, ["messenger_profile"]):
                return self._messenger_profile(method, given)
            case (_, ["subscribed_apps"]):
                return self._subscribed_apps(method, given)
        raise GraphError(400, 2500, f"Unknown path components: /{'/'.join(route[1:])}")

    def _token_of(self, request: Request, parameters: Mapping[str, Any]) -> str:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        token = bearer if scheme.lower() in ("bearer", "oauth") else str(parameters.get("access_token", ""))
        if not token:
            raise GraphError(400, 104, "An access token is required to request this resource.")
        return token

    def _check_page_token(self, token: str, parameters: Mapping[str, Any]) -> None:
        if not hmac.compare_digest(token, self._token):
            raise GraphError(401, 190, "Invalid OAuth access token - Cannot parse access token")
        proof = parameters.get("appsecret_proof")
        if proof is None:
            raise GraphError(
                400, 100, "API calls from the server require an appsecret_proof argument", kind="GraphMethodException"
            )
        if not hmac.compare_digest(str(proof), self._proof):
            raise GraphError(
                400, 100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException"
            )

    def _validate(self, name: str, parameters: Mapping[str, Any]) -> None:
        error = best_match(self._validators[name].iter_errors(parameters))
        if error:
            where = error.json_path.removeprefix("$").removeprefix(".")
            shortened = error.message if len(error.message) < LONGEST_REASON else f"… {error.message[-80:]}"
            raise refuse_param(f"Param {where or 'body'} is not valid: {shortened}")

    def _messages(self, parameters: dict[str, Any], echo_delay: float | None) -> dict[str, Any]:
        self._validate("send-api", parameters)
        recipient = str(parameters["recipient"].get("id", ""))
        if recipient:
            self._check_window(recipient, parameters)
        if "sender_action" in parameters:
            return {"recipient_id": recipient}
        self._message_rate.take()
        mid = "m_" + secrets.token_urlsafe(60)
        if self._echo and echo_delay is not None:
            self._echo(self._echo_of(recipient, mid, parameters["message"]), echo_delay)
        return {"recipient_id": recipient, "message_id": mid}

    def _check_window(self, recipient: str, parameters: Mapping[str, Any]) -> None:
        with self._lock:
            wrote = self._wrote.get(recipient)
        if self._anyone:
            return
        if wrote is None:
            raise GraphError(400, 100, "(#100) No matching user found", subcode=2018001)
        kind = parameters.get("messaging_type", "RESPONSE")
        if kind == "UTILITY":
            return
        window = HUMAN_AGENT_WINDOW_SECONDS if kind == "MESSAGE_TAG" else STANDARD_WINDOW_SECONDS
        if time.time() - wrote > window:
            raise GraphError(400, 10, "(#10) This message is sent outside of allowed window.", subcode=2018278)

    def _echo_of(self, recipient: str, mid: str, message: Mapping[str, Any]) -> dict[str, Any]:
        echoed: dict[str, Any] = {"mid": mid, "is_echo": True, "app_id": int(self.app_id)}
        echoed |= {key: message[key] for key in ("text", "metadata") if key in message}
        if attachment := message.get("attachment"):
            echoed["attachments"] = [attachment]
        return {
            "sender": {"id": self.page_id},
            "recipient": {"id": recipient},
            "timestamp": int(time.time() * 1000),
            "message": echoed,
        }

    def _messenger_profile(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if method == "GET":
            asked = [field for field in str(parameters.get("fields", "")).split(",") if field]
            return {
                "data": [{key: self._profile[key] for key in asked if key in self._profile}] if self._profile else []
            }
        self._profile_rate.take()
        if method == "DELETE":
            fields = parameters.get("fields")
            if not isinstance(fields, list) or not fields or set(fields) - PROFILE_FIELDS:
                raise refuse_param(f"Param fields must be an array of {', '.join(sorted(PROFILE_FIELDS))}")
            if "get_started" in fields and "persistent_menu" in self._profile and "persistent_menu" not in fields:
                raise refuse_param("You must delete persistent_menu before get_started")
            for field in fields:
                self._profile.pop(field, None)
            return {"result": "success"}
        if method != "POST":
            raise refuse_param(f"Unsupported method {method}")
        self._validate("messenger-profile", parameters)
        if "persistent_menu" in parameters and "get_started" not in {**self._profile, **parameters}:
            raise refuse_param("You must set a Get Started button if you also wish to use persistent menu")
        self._profile |= parameters
        return {"result": "success"}

    def _subscribed_apps(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if method == "GET":
            if self._page_fields is None:
                return {"data": []}
            return {"data": [{"name": "Sandbox", "id": self.app_id, "subscribed_fields": self._page_fields}]}
        if method == "DELETE":
            self._page_fields = None
            return {"success": True}
        self._page_fields = _fields(parameters.get("subscribed_fields"), "subscribed_fields")
        return {"success": True}

    async def _subscriptions(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if method == "GET":
            return {"data": [self._app_subscription] if self._app_subscription else []}
        if method == "DELETE":
            self._app_subscription = None
            return {"success": True}
        if parameters.get("object") != "page":
            raise refuse_param("Param object must be one of {user, page, permissions, payments}")
        callback, token = str(parameters.get("callback_url", "")), str(parameters.get("verify_token", ""))
        fields = _fields(parameters.get("fields"), "fields")
        challenge = str(secrets.randbelow(10**10))
        if not await asyncio.to_thread(handshake, callback, token, challenge):
            raise GraphError(
                400,
                2200,
                "(#2200) Callback verification failed with the following errors: HTTP Status Code or challenge "
                "did not match",
            )
        self._app_subscription = {
            "object": "page",
            "callback_url": callback,
            "active": True,
            "fields": [{"name": field, "version": "v26.0"} for field in fields],
        }
        return {"success": True}

    def _debug(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        valid = parameters.get("input_token") == self._token
        if not valid:
            return {
                "data": {
                    "is_valid": False,
                    "scopes": [],
                    "error": {"code": 190, "message": "Invalid OAuth access token."},
                }
            }
        return {
            "data": {
                "app_id": self.app_id,
                "type": "PAGE",
                "application": "Sandbox",
                "data_access_expires_at": 0,
                "expires_at": 0,
                "is_valid": True,
                "profile_id": self.page_id,
                "scopes": ["pages_messaging", "pages_manage_metadata"],
            }
        }


def handshake(callback: str, token: str, challenge: str) -> bool:
    """Ask a webhook the verification question, as Facebook does when one is registered."""
    query = urlencode({"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge})
    if not callback.startswith(("http://127.0.0.1:", "https://")):
        return False
    try:
        with urllib.request.urlopen(f"{callback}?{query}", timeout=10) as answer:
            return bool(answer.status == 200 and answer.read() == challenge.encode())
    except OSError:
        return False


def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))


def _parameters(request: Request, raw: bytes) -> dict[str, Any]:
    """All parameters of a call: of its query, and of its JSON or form body."""
    parameters: dict[str, Any] = dict(request.query_params)
    if not raw:
        return parameters
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return parameters | dict(parse_qsl(raw.decode("utf-8", "replace")))
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return parameters | _form(request.headers["content-type"], raw)
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise refuse_param("The content type must be application/json")
    try:
        body = json.loads(raw)
    except ValueError:
        raise refuse_param("The body is not valid JSON") from None
    if not isinstance(body, dict):
        raise refuse_param("The body must be a JSON object")
    return parameters | body


def _form(content_type: str, raw: bytes) -> dict[str, Any]:
    """The fields of a form: an object where one is written as JSON, and of a file its name, type and size."""
    form = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode("latin-1") + raw)
    if not form.is_multipart() or form.defects:
        raise refuse_param("The body is not a valid form")
    fields: dict[str, Any] = {}
    for part in form.walk():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if part.is_multipart() or not isinstance(content, bytes):
            continue
        if part.get_filename() is not None:
            file = {"filename": part.get_filename(), "contentType": part.get_content_type(), "bytes": len(content)}
            fields[str(name)] = file
            continue
        text = content.decode("utf-8", "replace")
        try:
            fields[str(name)] = json.loads(text)
        except ValueError:
            fields[str(name)] = text
    return fields


def _recorded(parameters: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What is kept of a request: no token, no proof."""
    if parameters is None:
        return None
    hidden = ("access_token", "appsecret_proof", "input_token", "verify_token")
    return {key: value for key, value in parameters.items() if key not in hidden}


def _fields(given: object, name: str) -> list[str]:
    fields = given if isinstance(given, list) else [field for field in str(given or "").split(",") if field]
    if not fields or set(fields) - WEBHOOK_FIELDS:
        raise refuse_param(f"Param {name} must be a list of {', '.join(sorted(WEBHOOK_FIELDS))}")
    return fields


def _asked_for(error: Mapping[str, Any]) -> GraphError:
    return GraphError(
        error.get("status", 500),
        error.get("code", 2),
        error.get("message", "An unexpected error has occurred. Please retry your request later."),
        subcode=error.get("subcode"),
        transient=error.get("isTransient"),
    )


def _hang_up(request: Request) -> Response:
    """Close the connection without an answer."""
    request.scope["hang_up"]()
    return Response()
