"""A small stand-in for Amazon Lex V2, which the emulated AWS does not have: it understands a request for a collection.

Sources: Amazon Lex V2 API reference, "RecognizeText": the request and the answer.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from sandbox.errors import Refused

PATH = re.compile(r"/bots/([^/]+)/botAliases/([^/]+)/botLocales/([^/]+)/sessions/([^/]+)/text")
BOT = re.compile(r"[0-9a-zA-Z]{10}")
SESSION = re.compile(r"[0-9a-zA-Z._:-]{2,100}")
LONGEST_TEXT = 1024

Json = dict[str, Any]


def recognize(path: str, body: bytes) -> Json:
    """RecognizeText's answer to a request.

    Args:
        path: the request's path.
        body: its JSON.

    Raises:
        Refused: Lex would refuse it.
    """
    found = PATH.fullmatch(path)
    bot, session = (unquote(found[1]), unquote(found[4])) if found else ("", "")
    try:
        request = json.loads(body)
        text = request["text"] if isinstance(request, Mapping) else None
    except (ValueError, KeyError):
        text = None
    if not found or not BOT.fullmatch(bot) or not SESSION.fullmatch(session):
        raise Refused(
            "ValidationException", "RecognizeText", "The path must name a bot, an alias, a locale and a session."
        )
    if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_TEXT:
        raise Refused("ValidationException", "RecognizeText", f"text must have 1 to {LONGEST_TEXT} characters.")
    return {"sessionId": session, **_understood(text.lower())}


def _understood(text: str) -> Json:
    if "collect" in text:
        buttons = [{"text": f"At {hour} o'clock", "value": f"collect at {hour}"} for hour in range(9, 14)]
        if re.search(r"\d", text):
            return _answer("Collect", "ConfirmIntent", _plain(f"Shall we {text}?"))
        card = {"title": "Arrange a collection", "subtitle": "When shall we come?", "buttons": buttons}
        return _answer("Collect", "ElicitSlot", {"contentType": "ImageResponseCard", "imageResponseCard": card})
    if text in {"yes", "no"}:
        return _answer("Collect", "Close", _plain("We will come." if text == "yes" else "As you like."))
    return _answer("FallbackIntent", "Close", _plain("Sorry, I did not get that."))


def _plain(content: str) -> Json:
    return {"contentType": "PlainText", "content": content}


def _answer(intent: str, action: str, message: Json) -> Json:
    named = {"name": intent, "state": "InProgress", "slots": {}}
    state = {"dialogAction": {"type": action, "slotToElicit": "Hour"}, "intent": named}
    return {"messages": [message], "sessionState": state, "interpretations": [{"intent": named}]}
