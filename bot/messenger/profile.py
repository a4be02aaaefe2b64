"""The Messenger profile: what users see before they write. Get-started button, greeting, menu, ice breakers.

A profile is data. `difference` says what to change: Facebook allows ten calls in ten minutes.
Source: Messenger Platform, "Messenger Profile API" and the pages of its properties.
"""

import ipaddress
from collections.abc import Mapping

from bot.messenger.messages import PAYLOAD, Refused, check_url, host, readable, within
from bot.messenger.record import Record

GREETING = 160  # characters: "Greeting"
MENU_ITEMS = 20  # "Persistent Menu"
MENU_TITLE = 30  # characters: "Persistent Menu"
ICE_BREAKERS = 4  # "Ice Breakers"
QUESTION = 80  # characters: "Ice Breakers"
DOMAINS = 50  # "Domain Whitelisting"
# Source: "Supported Locales", 2023-07-25, those of messenger.com and of Messenger on Android.
_LOCALES = (
    "default af_ZA ar_AR bn_IN cs_CZ da_DK de_DE el_GR en_GB en_US es_ES es_LA fi_FI fr_FR gu_IN he_IL hi_IN hr_HR "
    "hu_HU id_ID it_IT ja_JP kn_IN ko_KR ml_IN mr_IN ms_MY nb_NO nl_NL pa_IN pl_PL pt_BR pt_PT ro_RO ru_RU sk_SK sv_SE "
    "ta_IN te_IN th_TH tl_PH tr_TR uk_UA vi_VN zh_CN zh_HK zh_TW"
)
LOCALES = frozenset(_LOCALES.split())

FIELDS = (  # a menu needs the get-started button, so it goes first
    "persistent_menu",
    "ice_breakers",
    "greeting",
    "get_started",
    "whitelisted_domains",
    "account_linking_url",
)
# What Facebook adds to a field that was not set.
_DEFAULTS = {"composer_input_disabled": False, "webview_height_ratio": "full", "disabled_surfaces": []}

Json = dict[str, object]


class MenuItem(Record):
    """One line of the menu: a postback or a web page.

    Args:
        title: at most 30 characters.
        payload: comes back with the tap.
        url: the web page that it opens, instead of `payload`.
    """

    title: str
    payload: str = ""
    url: str = ""

    def check(self) -> None:
        _filled(f"The menu item {self.title!a}", self.title, MENU_TITLE)
        if bool(self.payload) == bool(self.url):
            raise Refused(f"The menu item {self.title!r} needs a payload or an address, and not both.")
        if self.url:
            check_url(f"The menu item {self.title!r}", self.url)
        else:
            _filled(f"The payload of the menu item {self.title!r}", self.payload, PAYLOAD)

    def to_json(self) -> Json:
        """The item as the API expects it."""
        if self.url:
            return {"type": "web_url", "title": self.title, "url": self.url}
        return {"type": "postback", "title": self.title, "payload": self.payload}


class IceBreaker(Record):
    """A question offered to users who open the chat for the first time. A tap on it is a postback.

    Args:
        question: at most 80 characters.
        payload: comes back with the tap.
    """

    question: str
    payload: str

    def check(self) -> None:
        _filled(f"The question {self.question!a}", self.question, QUESTION)
        _filled(f"The payload of the question {self.question!r}", self.payload, PAYLOAD)

    def to_json(self) -> Json:
        """The question as the API expects it."""
        return {"question": self.question, "payload": self.payload}


class Profile(Record):
    """A page's profile. Texts are keyed by one of `LOCALES`, such as `de_DE`, with `default` for all others.

    Args:
        get_started: payload of the get-started button; "" for none.
        greeting: shown above that button, at most 160 characters. `{{user_first_name}}` stands for the user's name.
        menu: at most 20 items. It needs `get_started`.
        ice_breakers: at most 4 questions.
        domains: of web pages that may use Messenger's extensions, at most 50, each beginning with `https://`, with the
            name of a host on the internet.
        account_linking_url: where users link their accounts; "" for nowhere.
    """

    get_started: str = ""
    greeting: Mapping[str, str] = {}
    menu: Mapping[str, tuple[MenuItem, ...]] = {}
    ice_breakers: Mapping[str, tuple[IceBreaker, ...]] = {}
    domains: tuple[str, ...] = ()
    account_linking_url: str = ""

    def check(self) -> None:
        if self.get_started:
            _filled("The get-started button's payload", self.get_started, PAYLOAD)
        if self.menu and not self.get_started:
            raise Refused("The profile has a menu but no get-started button: set get_started too.")
        for locale, text in self.greeting.items():
            _filled(f"The greeting in {locale}", text, GREETING)
        _everywhere("greeting", self.greeting)
        _counted("menu", self.menu, MENU_ITEMS)
        _counted("ice_breakers", self.ice_breakers, ICE_BREAKERS)
        if len(self.domains) > DOMAINS:
            raise Refused(f"The profile has {len(self.domains)} domains, and {DOMAINS} are allowed.")
        for domain in self.domains:
            check_url("The profile's domain", domain, schemes=("https://",))
            _public(domain)
        if self.account_linking_url:
            check_url("The profile's account_linking_url", self.account_linking_url, schemes=("https://",))

    def to_json(self) -> Json:
        """The profile as the API expects it: only what is set."""
        everything: Json = {
            "get_started": {"payload": self.get_started} if self.get_started else None,
            "greeting": [{"locale": locale, "text": text} for locale, text in self.greeting.items()],
            "persistent_menu": [
                {"locale": locale, "call_to_actions": [item.to_json() for item in items]}
                for locale, items in self.menu.items()
            ],
            "ice_breakers": [
                {"locale": locale, "call_to_actions": [item.to_json() for item in items]}
                for locale, items in self.ice_breakers.items()
            ],
            "whitelisted_domains": list(self.domains),
            "account_linking_url": self.account_linking_url,
        }
        return {name: value for name, value in everything.items() if value}


def difference(wanted: Profile, current: Mapping[str, object]) -> tuple[Json, tuple[str, ...]]:
    """What to set and what to delete, so that a page has the wanted profile.

    Args:
        wanted: the profile that the page should have.
        current: the page's profile, as the API returns it.
    """
    target = wanted.to_json()
    changed = {name: value for name, value in target.items() if _plain(value) != _plain(current.get(name))}
    gone = tuple(name for name in FIELDS if current.get(name) and name not in target)
    return changed, gone


def _everywhere(name: str, by_locale: Mapping[str, object]) -> None:
    if by_locale and "default" not in by_locale:
        raise Refused(f"The {name} has no locale default: add one for everybody else.")
    for locale in by_locale:
        if locale not in LOCALES:
            near = ", ".join(sorted(each for each in LOCALES if each[:2] == locale[:2].lower()))
            raise Refused(
                f"The {name} has the locale {locale!a}, which Messenger does not know: use {near or 'default'}."
            )


def _public(domain: str) -> None:
    """Refuse what is not the name of a host. Source: "whitelisted_domains Reference", 2025-07-01."""
    name = host(domain).rstrip(".")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if "." in name and not name.endswith(".localhost"):
            return
    raise Refused(f"The profile has the domain {domain!r}: give the name of a host, not an IP address or localhost.")


def _counted(name: str, by_locale: Mapping[str, tuple[Record, ...]], limit: int) -> None:
    _everywhere(name, by_locale)
    for locale, items in by_locale.items():
        if not 1 <= len(items) <= limit:
            raise Refused(f"The {name} in {locale} has {len(items)} entries: give from 1 to {limit}.")


def _plain(value: object) -> object:
    """The value without what Facebook adds, and with the locales in order."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name not in _DEFAULTS or each != _DEFAULTS[name]}
    if isinstance(value, list):
        plain = [_plain(each) for each in value]
        return sorted(plain, key=_locale) if any(map(_locale, plain)) else plain
    return value


def _locale(value: object) -> str:
    return str(value.get("locale", "")) if isinstance(value, dict) else ""


def _filled(what: str, text: str, limit: int) -> None:
    readable(what, text, "fill it in")
    within(what, text, limit, "shorten it")
