import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bot.messenger.messages import Refused
from bot.messenger.profile import IceBreaker, MenuItem, Profile, difference

SCHEMA = Path(__file__).parents[3] / "sandbox" / "facebook" / "schemas" / "messenger-profile.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))

MENU = {"default": (MenuItem("Status", "STATUS"), MenuItem("Site", url="https://example.org/"))}
WHOLE = Profile(
    get_started="START",
    greeting={"default": "Hello {{user_first_name}}", "de_DE": "Hallo"},
    menu={**MENU, "de_DE": (MenuItem("Status", "STATUS"),)},
    ice_breakers={"default": (IceBreaker("Where is my parcel?", "STATUS"),)},
    domains=("https://example.org",),
    account_linking_url="https://example.org/login",
)


def test_the_api_accepts_a_whole_profile() -> None:
    VALIDATOR.validate(WHOLE.to_json())
    assert WHOLE.to_json()["persistent_menu"] == [
        {
            "locale": "default",
            "call_to_actions": [
                {"type": "postback", "title": "Status", "payload": "STATUS"},
                {"type": "web_url", "title": "Site", "url": "https://example.org/"},
            ],
        },
        {"locale": "de_DE", "call_to_actions": [{"type": "postback", "title": "Status", "payload": "STATUS"}]},
    ]


def test_what_facebook_adds_or_reorders_is_not_a_difference() -> None:
    current = json.loads(json.dumps(WHOLE.to_json()))
    current["greeting"].reverse()
    for menu in current["persistent_menu"]:
        menu["composer_input_disabled"] = False
        menu["call_to_actions"][0]["webview_height_ratio"] = "full"
    assert difference(WHOLE, current) == ({}, ())
    current["persistent_menu"][0]["call_to_actions"].reverse()
    assert list(difference(WHOLE, current)[0]) == ["persistent_menu"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Profile(get_started="x" * 1001),
        lambda: Profile(menu=MENU),
        lambda: Profile(greeting={"de_DE": "Hallo"}),
        lambda: Profile(greeting={"default": "x" * 161}),
        lambda: Profile(get_started="S", menu={"de_DE": MENU["default"]}),
        lambda: Profile(get_started="S", menu={"default": ()}),
        lambda: Profile(get_started="S", menu={"default": MENU["default"] * 11}),
        lambda: Profile(ice_breakers={"default": (IceBreaker("?", "P"),) * 5}),
        lambda: Profile(domains=("https://example.org",) * 51),
        *(
            lambda locale=locale: Profile(greeting={"default": "Hi", locale: "Hallo"})
            for locale in ("de", "ar_ar", "de-DE", "DE_de", "de_AT", "", "\ud83d")
        ),
        lambda: Profile("S", menu={**MENU, "de": MENU["default"]}),
        lambda: Profile(ice_breakers={"default": (IceBreaker("?", "P"),), "de-DE": (IceBreaker("?", "P"),)}),
        *(
            lambda domain=domain: Profile(domains=(domain,))
            for domain in (
                "example.org",
                "http://example.org",
                "https://127.0.0.1",
                "https://[::1]/",
                "https://localhost",
                "https://shop.localhost",
                "https://intranet",
                "https://example.org/a b",
                "https://example.org/\ud83d",
            )
        ),
        lambda: Profile(greeting={"default": "Hi \ud83d"}),
        lambda: Profile(greeting={"default": "\u200b"}),
        lambda: Profile(account_linking_url="http://example.org"),
        lambda: MenuItem("x" * 31, "P"),
        lambda: MenuItem("Status"),
        lambda: MenuItem("Status", "P", "https://example.org"),
        lambda: MenuItem("Status", "x" * 1001),
        lambda: IceBreaker("x" * 81, "P"),
        lambda: IceBreaker("?", ""),
        lambda: MenuItem("Status", url="example.org"),
    ],
)
def test_what_facebook_would_refuse_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(Refused, match=r"\.$"):
        make()


@pytest.mark.parametrize(("locale", "use"), [("de", "de_DE"), ("ar_ar", "ar_AR"), ("pt-BR", "pt_BR, pt_PT")])
def test_a_wrong_locale_is_refused_with_what_was_meant(locale: str, use: str) -> None:
    with pytest.raises(Refused, match=f"the locale '{locale}', which Messenger does not know: use {use}"):
        Profile(greeting={"default": "Hi", locale: "x"})


@pytest.mark.parametrize(
    "domain", ["https://example.org", "https://app.example.org:8443/", "https://xn--bcher-kva.example"]
)
def test_a_domain_with_the_name_of_a_host_is_valid(domain: str) -> None:
    assert Profile(domains=(domain,)).to_json() == {"whitelisted_domains": [domain]}


def test_everything_at_its_limit_is_valid() -> None:
    items = (MenuItem("x" * 30, "p" * 1000),) * 20
    breakers = (IceBreaker("x" * 80, "p" * 1000),) * 4
    texts, domains = {"default": "x" * 160}, ("https://example.org",) * 50
    profile = Profile("p" * 1000, texts, {"default": items}, {"default": breakers}, domains)
    VALIDATOR.validate(profile.to_json())
