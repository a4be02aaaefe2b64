"""The page's templates of utility messages: Facebook reviews each, and takes messages of those that it approved.

Source: Messenger Platform, "Send a utility message" (2026-03-13); Graph API reference, "Messenger Business Template".
"""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.facebook.errors import GraphError, invalid_parameter
from sandbox.facebook.schema import Schema

PLACEHOLDER = re.compile(r"\{\{\w+\}\}")
# Facebook approves nothing promotional. Its review is not public; these words are enough to try a refusal.
PROMOTIONAL = re.compile(r"\b(sale|discount|offer|coupon|voucher|rabatt|gutschein|angebot)\b|\d ?%", re.IGNORECASE)
PAGE_SIZE = 25  # Graph API, "Paginated Results"

Json = dict[str, Any]


class MessageTemplates:
    """The page's templates.

    Args:
        report: takes each `message_template_status_update`.
    """

    def __init__(self, report: Callable[[Json], None]) -> None:
        self._report, self._schema = report, Schema("message-template")
        self._by_id: dict[str, Json] = {}

    def has(self, identity: str) -> bool:
        """Whether a template has this id."""
        return identity in self._by_id

    def read(self, parameters: Json) -> Json:
        """`GET /message_templates`, one page of them."""
        wanted = [name for name in str(parameters.get("fields", "")).split(",") if name]
        begin = int(parameters["after"]) if str(parameters.get("after", "")).isdigit() else 0
        end = begin + PAGE_SIZE
        found = list(self._by_id.values())
        shown = [{name: each[name] for name in ("id", *wanted) if name in each} for each in found[begin:end]]
        more = {"paging": {"cursors": {"after": str(end)}, "next": "…"}} if end < len(found) else {}
        return {"data": shown, **more}

    def create(self, parameters: Json) -> Json:
        """`POST /message_templates`: create one, and review it at once."""
        self._check(parameters)
        if self._find(parameters["name"], parameters["language"]):
            # "Error codes" of WhatsApp's Business Management API; Messenger's page has none.
            raise GraphError(400, 100, "(#100) Content in this language already exists", subcode=2388024)
        identity = str(10**14 + secrets.randbelow(9 * 10**14))
        self._by_id[identity] = {**parameters, "id": identity}
        self._review(identity)
        kept = self._by_id[identity]
        return {name: kept[name] for name in ("id", "status", "category")}

    def update(self, identity: str, parameters: Json) -> Json:
        """`POST /<TEMPLATE_ID>`: change what it says, and review it again."""
        known = self._by_id[identity]
        changed = {name: parameters[name] for name in ("components", "parameter_format") if name in parameters}
        created = ("name", "language", "category", "parameter_format", "components")
        self._check({name: known[name] for name in created if name in known} | changed)
        self._by_id[identity] = known | changed
        self._review(identity)
        return {"success": True}

    def replace(self, wanted: Iterable[Json]) -> None:
        """Have exactly these templates, as `create` takes them; those that are there already are left as they are."""
        requests = list(wanted)
        kept = {identity: each for identity, each in self._by_id.items() if _described(each) in requests}
        self._by_id = kept
        for each in requests:
            if each not in map(_described, kept.values()):
                self.create(each)

    def check(self, template: Mapping[str, Any]) -> None:
        """Check a template that is to be sent.

        Raises:
            GraphError: it is not approved, or its placeholders are not filled in.
        """
        known = self._find(template["name"], template["language"]["code"])
        if known is None or known["status"] != "APPROVED":
            raise GraphError(400, 132001, "(#132001) Template name does not exist in the translation")
        given = {part["type"].lower(): len(part.get("parameters", ())) for part in template.get("components", ())}
        for part in known.get("components", ()):
            kind = part["type"].lower()
            if kind in ("header", "body") and given.get(kind, 0) != len(set(PLACEHOLDER.findall(part.get("text", "")))):
                raise GraphError(400, 132000, "(#132000) Number of parameters does not match the expected number")

    def text(self, template: Mapping[str, Any]) -> str:
        """What a person reads of a template that was sent."""
        known = self._find(template["name"], template["language"]["code"]) or {}
        text = next((part["text"] for part in known.get("components", ()) if part["type"] == "BODY"), "")
        for part in template.get("components", ()):
            for number, each in enumerate(part.get("parameters", ()), 1):
                if part["type"].lower() == "body":
                    text = text.replace(f"{{{{{each.get('parameter_name', number)}}}}}", each["text"])
        return str(text)

    def buttons(self, template: Mapping[str, Any]) -> list[Json]:
        """The buttons under a template that was sent, in the form of a button template's."""
        known = self._find(template["name"], template["language"]["code"]) or {}
        given = [
            each["payload"]
            for part in template.get("components", ())
            if part["type"].lower() == "buttons"
            for each in part["parameters"]
        ]
        shown = []
        for part in known.get("components", ()):
            for button in part.get("buttons", ()) if part["type"] == "BUTTONS" else ():
                if button["type"] == "URL":
                    shown.append({"type": "web_url", "title": button["text"], "url": button["url"]})
                else:
                    payload = PLACEHOLDER.sub(lambda _: given.pop(0) if given else "", button["payload"])
                    shown.append({"type": "postback", "title": button["text"], "payload": payload})
        return shown

    def _find(self, name: str, language: str) -> Json | None:
        return next(
            (each for each in self._by_id.values() if (each["name"], each["language"]) == (name, language)), None
        )

    def _check(self, request: Json) -> None:
        self._schema.check(request)
        (body,) = (part["text"].strip() for part in request["components"] if part["type"] == "BODY")
        if PLACEHOLDER.match(body) or body.endswith("}}"):
            raise invalid_parameter("Param components is not valid: the text begins or ends with a placeholder")

    def _review(self, identity: str) -> None:
        template = self._by_id[identity]
        promotional = PROMOTIONAL.search(str(template["components"]))
        template["status"] = "REJECTED" if promotional else "APPROVED"
        template["rejected_reason"] = "PROMOTIONAL" if promotional else "NONE"
        self._report(
            {
                "field": "message_template_status_update",
                "value": {
                    "event": template["status"],
                    "message_template_id": int(identity),
                    "message_template_name": template["name"],
                    "message_template_language": template["language"],
                    "reason": template["rejected_reason"],
                },
            }
        )


def _described(template: Json) -> Json:
    """A template as it was created."""
    return {name: value for name, value in template.items() if name not in ("id", "status", "rejected_reason")}
