"""A small share of `make fuzz`, and a proof that it finds mistakes."""

import json

import pytest

from bot import handler, webhook
from bot.messenger import events, signature
from bot.recently_answered import RecentlyAnswered
from tests.fuzz import targets
from tests.fuzz.inputs import Inputs
from tests.fuzz.targets import TARGETS, Finding, Target, run

INPUTS = 300


@pytest.mark.parametrize("target", TARGETS, ids=[each.name for each in TARGETS])
def test_hostile_input_does_no_harm(target: Target) -> None:
    counted = run(target, seed=7, number=INPUTS)

    assert counted.inputs == INPUTS
    assert 0 < counted.accepted < INPUTS


def named(name: str) -> Target:
    (found,) = [each for each in TARGETS if each.name == name]
    return found


def test_the_shares_are_a_hundred() -> None:
    assert sum(each.share for each in TARGETS) == 100


def test_the_same_seed_gives_the_same_input() -> None:
    assert [Inputs(3).body() for _ in range(20)] == [Inputs(3).body() for _ in range(20)]
    assert Inputs(3).body() != Inputs(4).body()


def test_every_bomb_is_thrown_and_none_is_accepted_without_a_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = Inputs(1)
    monkeypatch.setattr(handler, "_webhook", lambda: targets.WEBHOOK)
    for bomb in {inputs.bomb() for _ in range(40)}:
        request = inputs.envelope(bomb, {"X-Hub-Signature-256": signature.sign(bomb, targets.SECRET)})
        assert targets.call(request)["statusCode"] == 200
        request["headers"] = {"X-Hub-Signature-256": signature.sign(bomb, "guessed")}
        assert targets.call(request)["statusCode"] == 403


def test_a_signature_that_is_not_checked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature, "verify", lambda *_: True)

    for name in ("signature", "handler"):
        with pytest.raises(Finding):
            run(named(name), seed=7, number=INPUTS)


def test_a_handshake_that_compares_beginnings_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_equal", lambda given, expected: expected.startswith(given[:3]))

    with pytest.raises(Finding):
        run(named("handshake"), seed=7, number=INPUTS)


def test_a_parser_that_trusts_a_type_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = events.parse

    def trusting(item: object, entry_id: str, *, platform: str = "page") -> events.Event:
        if isinstance(item, dict) and "message" in item:
            item["message"]["text"].strip()
        return parse(item, entry_id, platform=platform)

    monkeypatch.setattr(events, "parse", trusting)

    with pytest.raises(Finding, match=r"parser, seed 7, input \d+: (TypeError|KeyError|AttributeError)"):
        run(named("parser"), seed=7, number=INPUTS)


def test_a_text_in_the_log_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = webhook.split_by_user

    def telling(body: bytes, page: str, recent: RecentlyAnswered, size: int) -> webhook.Split:
        print(json.dumps({"kind": "seen", "body": repr(body)}))
        return original(body, page, recent, size)

    monkeypatch.setattr(webhook, "split_by_user", telling)

    with pytest.raises(Finding, match="CANARYtext9f2c in the log"):
        run(named("handler"), seed=7, number=INPUTS)
