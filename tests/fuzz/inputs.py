"""Hostile input, made by changing values, keys and bytes of good input at random; the same for the same seed."""

import base64
import copy
import json
import random
from typing import Any

Json = Any

PAGE, PERSON = "100000000000003", "7000000000000001"
TEXT_CANARY = "CANARYtext9f2c"
"""Part of what users write. It must never be in a log or an answer."""

SEEDS: tuple[dict[str, Json], ...] = (
    {"message": {"mid": "m_1", "text": f"status {TEXT_CANARY}"}},
    {"message": {"mid": "m_2", "text": "12345678"}},
    {"message": {"mid": "m_3", "quick_reply": {"payload": "TRACK"}, "text": "Track"}},
    {"message": {"mid": "m_4", "attachments": [{"type": "image", "payload": {"url": "https://example.org/a.png"}}]}},
    {
        "message": {
            "mid": "m_5",
            "attachments": [{"type": "audio", "payload": {"url": ""}}],
            "sticker_id": 369239263222822,
        }
    },
    {"message": {"mid": "m_6", "text": TEXT_CANARY, "is_echo": True, "app_id": 1, "metadata": "abc:0"}},
    {
        "postback": {
            "mid": "p_1",
            "title": "Start",
            "payload": "GET_STARTED",
            "referral": {"ref": "x", "source": "SHORTLINK"},
        }
    },
    {"referral": {"ref": "summer", "source": "ADS", "type": "OPEN_THREAD", "ad_id": "9"}},
    {"reaction": {"mid": "m_1", "action": "react", "emoji": "\u2764\ufe0f", "reaction": "love"}},
    {"delivery": {"mids": ["m_1"], "watermark": 1458668856253}},
    {"read": {"watermark": 1458668856253}},
    {"optin": {"type": "notification_messages", "notification_messages_token": "t", "payload": "P"}},
    {"message_edit": {"mid": "m_1", "text": "edited", "num_edit": 1}},
    {"pass_thread_control": {"new_owner_app_id": "1", "metadata": "m"}},
    {"take_thread_control": {"previous_owner_app_id": "1"}},
    {"app_roles": {"123": ["primary_receiver"]}},
    {"policy_enforcement": {"action": "block", "reason": "spam"}},
    {"account_linking": {"status": "linked", "authorization_code": "c"}},
    {"game_play": {"game_id": "1", "player_id": "2"}},
    {"messaging_feedback": {"feedback_screens": [{"questions": {"q": {"payload": "5"}}}]}},
)

ATOMS: tuple[Json, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**63,
    -(2**64),
    10**400,
    1e308,
    -0.0,
    1.5,
    "",
    " ",
    "0",
    "null",
    "true",
    [],
    {},
    [[]],
    [{}],
    {"": ""},
    "\x00",
    '\r\n{"level": "ERROR", "kind": "forged"}\r\n',
    "\u2028\u2029",
    "\ud800",
    "\udfff\ud800",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 9,
    "e\u0301" * 50,
    "\u202e\u2066evil\u2069",
    "\ufeff",
    "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
    "\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
    "a" * 3000,
    "\u00df" * 2001,
    "%s%n{0}{__class__}",
    "${jndi:ldap://x}",
    "'; DROP TABLE users; --",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "__proto__",
    "constructor",
    {"S": "x"},
    {"__class__": "x"},
    [None] * 40,
    {"id": {"id": {"id": "1"}}},
    "\u0130stanbul \u017ftatus \u212a",
    "STATUS",
    "forget me",
    "12345678 87654321",
    "\t1234\u00a05678\t",
)
KEYS = (
    "id",
    "mid",
    "text",
    "sender",
    "recipient",
    "payload",
    "message",
    "postback",
    "is_echo",
    "metadata",
    "\ud83d",
    "",
    "__proto__",
    "timestamp",
    "standby",
)
BYTES = (
    b"\x00",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"{",
    b"[",
    b'"',
    b"\\u0000",
    b"1e999",
    b"NaN",
    b"-Infinity",
    b'"a":1,"a":2,',
    b"\xef\xbb\xbf",
)


class Inputs:
    """A stream of hostile input.

    Args:
        seed: the same seed gives the same input.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def item(self) -> Json:
        """One item of a webhook, well-formed or not."""
        chance = self.chance
        item: Json = {
            "sender": {"id": PERSON},
            "recipient": {"id": PAGE},
            "timestamp": 1458692752478,
            **copy.deepcopy(chance.choice(SEEDS)),
        }
        for _ in range(chance.choice((0, 1, 1, 2, 3, 8))):
            item = self.mutated(item)
        return item

    def mutated(self, value: Json) -> Json:
        """A value with something in it changed, somewhere."""
        chance = self.chance
        if isinstance(value, dict) and value and chance.random() < 0.9:
            key = chance.choice(list(value))
            match chance.randrange(10):
                case 0:
                    del value[key]
                case 1:
                    value[chance.choice(KEYS)] = value.pop(key)
                case 2:
                    value[chance.choice(KEYS)] = copy.deepcopy(chance.choice(ATOMS))
                case _:
                    value[key] = self.mutated(value[key])
            return value
        if isinstance(value, list) and value and chance.random() < 0.8:
            index = chance.randrange(len(value))
            value[index] = self.mutated(value[index])
            return value * chance.choice((1, 1, 1, 3))
        if isinstance(value, str) and chance.random() < 0.4:
            return value[: chance.randrange(len(value) + 1)] + str(chance.choice(ATOMS)) + value[::-1][:9]
        return copy.deepcopy(chance.choice(ATOMS))

    def payload(self) -> Json:
        """The JSON of a webhook request, well-formed or not."""
        chance = self.chance
        entry: Json = {
            "id": PAGE,
            "time": 1458692752478,
            "messaging": [self.item() for _ in range(chance.choice((0, 1, 1, 1, 2)))],
        }
        if chance.random() < 0.1:
            entry["standby"] = [self.item()]
        payload: Json = {"object": "page", "entry": [entry]}
        return self.mutated(payload) if chance.random() < 0.2 else payload

    def body(self) -> bytes:
        """The bytes of a webhook request: most of them JSON."""
        chance = self.chance
        if chance.random() < 0.0005:
            return self.bomb()
        text = json.dumps(self.payload(), ensure_ascii=chance.random() < 0.9)
        content = bytearray(text.encode("utf-8", "surrogatepass"))
        if chance.random() < 0.25:
            for _ in range(chance.randrange(1, 4)):
                at = chance.randrange(len(content) + 1)
                match chance.randrange(3):
                    case 0:
                        content[at : at + chance.randrange(4)] = b""
                    case 1:
                        content[at:at] = chance.choice(BYTES)
                    case _:
                        content = content[:at] or content
        return bytes(content)

    def bomb(self) -> bytes:
        """JSON that is expensive to parse: deep, wide, with long numbers or repeated keys."""
        size = self.chance.choice((1_000, 20_000, 100_000))
        return self.chance.choice(
            (
                b"[" * size,
                b'{"a":' * size + b"1" + b"}" * size,
                b'{"object":"page","entry":[' + b"[" * size + b"]" * size + b"]}",
                b'{"object":"page","entry":[{"id":"1","messaging":[' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]}]}",
                b'{"object":"page","entry":[{"messaging":[' + b"9" * min(size, 4_000) + b"]}]}",
                b'{"object":"page","entry":[{"messaging":[{"timestamp":' + b"9" * size + b"}]}]}",
                b"{" + b'"a":1,' * size + b'"object":"page"}',
                b'{"object":"page","entry":[' + b'{"id":"1","messaging":[0]},' * 1_000 + b"{}]}",
            )
        )

    def text(self) -> str:
        """Any text."""
        chance = self.chance
        atom = chance.choice(ATOMS)
        return "".join(
            chance.choice((str(atom), chr(chance.randrange(0x110000)), "a")) for _ in range(chance.randrange(4))
        )

    def envelope(self, body: bytes, headers: dict[str, Json]) -> dict[str, Json]:
        """API Gateway's event for a POST; what is not UTF-8 it encodes as base64."""
        request: dict[str, Json] = {"httpMethod": "POST", "headers": headers, "isBase64Encoded": False}
        try:
            return request | {"body": body.decode()}
        except UnicodeDecodeError:
            return request | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
