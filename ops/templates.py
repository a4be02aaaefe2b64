"""The templates of utility messages: what the conversation defines, and what Facebook has.

Source: Messenger Platform, "Send a utility message", 2026-03-13.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from bot.messenger.client import GraphApi
from bot.messenger.errors import Ambiguous, SendError
from bot.messenger.news import UtilityTemplate
from ops.errors import OpsError

Json = dict[str, Any]

MISSING, CHANGED, CREATED = "missing", "differs from the conversation's", "created"


class TemplateState(NamedTuple):
    """One template in one language.

    Attributes:
        name: the template's.
        language: of this wording.
        status: Facebook's, such as `APPROVED`; "" if Facebook does not have it.
        reason: why Facebook refused it; "" if it did not.
        difference: `MISSING`, `CHANGED` or "".
        wanted: the request that creates it; empty if the conversation does not define it.
        identity: Facebook's id of it.
    """

    name: str
    language: str
    status: str
    reason: str
    difference: str
    wanted: Json
    identity: str


class Templates:
    """The templates of a page.

    Args:
        graph: calls Facebook as the page.
        wanted: those that the conversation defines.
    """

    def __init__(self, graph: GraphApi, wanted: Sequence[UtilityTemplate[Any]]) -> None:
        self._graph = graph
        self._wanted = {
            (each.name, language): each.to_request(language) for each in wanted for language in each.wordings
        }

    def show(self) -> list[TemplateState]:
        """Those of the conversation, then those that only Facebook has.

        Raises:
            OpsError: Facebook refused, or cannot be reached; so do the others.
        """
        try:
            found = {(str(each.get("name")), str(each.get("language"))): dict(each) for each in self._graph.templates()}
        except SendError as error:
            raise _refused(error) from None
        keys = [*self._wanted, *(key for key in found if key not in self._wanted)]
        return [_state(key, self._wanted.get(key, {}), found.get(key, {})) for key in keys]

    def create(self, *, dry: bool) -> Iterator[TemplateState]:
        """Create those that Facebook does not have. It reviews each within seconds."""
        for each in self.show():
            if each.difference != MISSING:
                continue
            status = ""
            if not dry:
                try:
                    status = self._graph.create_template(each.wanted)
                except Ambiguous as error:
                    raise OpsError(f"{error} See `python -m ops templates show`.") from None
                except SendError as error:
                    raise _refused(error, each.name) from None
            yield each._replace(status=status)

    def update(self, *, dry: bool) -> Iterator[TemplateState]:
        """Change those that differ. Facebook reviews each again, and takes no messages of it meanwhile."""
        for each in self.show():
            if each.difference != CHANGED:
                continue
            if not dry:
                try:
                    self._graph.update_template(each.identity, each.wanted)
                except SendError as error:
                    raise _refused(error, each.name) from None
            yield each


def _state(key: tuple[str, str], wanted: Json, found: Json) -> TemplateState:
    status, reason = str(found.get("status", "")), str(found.get("rejected_reason") or "")
    difference = ""
    if wanted and not found:
        difference = MISSING
    elif wanted and _said(found) != _said(wanted):
        difference = CHANGED
    return TemplateState(
        *key, status, "" if reason == "NONE" else reason, difference, wanted, identity=str(found.get("id", ""))
    )


def _said(template: Json) -> list[Json]:
    """What a template says: texts and buttons. Facebook adds fields of its own, and leaves examples out."""
    return [
        {
            "type": str(part.get("type", "")).upper(),
            "text": part.get("text"),
            "buttons": [[each.get(name) for name in ("text", "url", "payload")] for each in part.get("buttons", ())],
        }
        for part in template.get("components", ())
    ]


def _refused(error: SendError, name: str = "") -> OpsError:
    what = f"The template {name}" if name else "The page's templates"
    return OpsError(f"{what}: {error} Check that the token has the permission page_utility_messaging.")
