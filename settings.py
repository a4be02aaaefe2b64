"""The stack's settings, read and checked once. All mistakes are reported together, each with the command to fix it."""

import difflib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import pulumi
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from components.admin_group import GROUP_NAME, POLICY, USER_NAME
from components.alarms import SILENCE_HOURS
from components.bot_function import MEMORY_MB, TIMEOUT_SECONDS
from components.bot_logs import RETENTION_DAYS
from components.bot_secrets import SECRET_CHARACTERS
from components.conversation_function import HANDLER, RUNTIME
from components.custom_domain import DOMAIN_NAME, HOSTED_ZONE_ID
from components.deployer import REPOSITORY
from components.lex import LEX_ID
from components.live_alias import RELEASE_MINUTES, RELEASE_PERCENT
from components.questions import DAYS
from components.queue_consumer import CONCURRENCY
from components.rest_api import THROTTLE_BURST, THROTTLE_RATE

LOCAL_STACK = "local"
"""The sandbox's stack: the only one whose file may hold secrets in plain text, because they open nothing."""

# Lambda and IAM allow 64 characters per name. Project, the longest logical name and Pulumi's suffix take 40 of them.
STACK_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,23}"
# The worker begins no event with less time than a send and its records may take (`STEP_SECONDS` in bot/responder.py).
SHORTEST_TIMEOUT_SECONDS = 20
# With a conversation in a function of its own, that function's answer comes first (`ANSWER_SECONDS` in
# bot/aws/function.py).
SHORTEST_TIMEOUT_WITH_CONVERSATION = 30
STATE_DAYS = range(1, 3650 + 1)
ECHO_SECONDS = range(1, 900 + 1)
HUMAN_HOURS = range(1, 7 * 24 + 1)  # a human may write for 7 days after the person did: "Send API", HUMAN_AGENT
DISCLOSE_DAYS = range(1, 365 + 1)
PERSON = "(first_name|last_name|profile_pic|locale)"  # "User Profile API", as `Person` in bot/dialogue/turn.py has it
HUMAN_MINUTES = range(7 * 24 * 60 + 1)
ADDRESS_CHARACTERS = 1900  # with an asset's name after it; a URL in a message has up to 2,000
ORIGIN = r"https?://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?"
FOLDER = rf"{ORIGIN}(/[A-Za-z0-9._~%-]+)*"
EMAIL = r"[^@\s]{1,64}@[^@\s]{1,255}"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

SECRETS = ("page_access_token", "app_secret", "app_secret_previous", "verify_token")
LEX = ("lex_bot_id", "lex_bot_alias_id", "lex_locale_id")
DOMAIN = ("domain_name", "hosted_zone_id")
PAGES = ("organisation", "privacy_contact")


UserName = Annotated[str, Field(pattern=f"^({USER_NAME})$")]
Policy = Annotated[str, Field(pattern=f"^({POLICY})$")]
StackName = Annotated[str, Field(pattern=f"^({STACK_NAME})$")]

Info = ValidationInfo[Mapping[str, Any]]
"""With the context of `parse`: the stack, the encrypted settings, and all values as they came."""


class SettingsError(pulumi.RunError):
    """The stack cannot be deployed with its settings.

    Attributes:
        mistakes: One sentence per mistake.
    """

    def __init__(self, stack: str, mistakes: Sequence[str]) -> None:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__("\n".join([f"The settings of the stack {stack} have {count}:", *[f"- {m}" for m in mistakes]]))
        self.mistakes = tuple(mistakes)


def _text(pattern: str, allowed: str, example: str) -> Any:
    return Field(pattern=f"^({pattern})$", description=allowed, examples=[example])


def _number(bounds: range) -> Any:
    low, high = bounds.start, bounds[-1]
    return Field(ge=low, le=high, description=f"a whole number from {low} to {high}", examples=[str(low)])


def _choice() -> Any:
    return Field(description="true or false", examples=["true"])


def _secret() -> Any:
    return Field(repr=False, description="is not text of printable ASCII characters without spaces")


class Settings(BaseModel):
    """The settings of a stack, named and described as in `Pulumi.yaml`.

    A field's description says what is allowed; its example completes the command that sets it.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, strict=True)

    admin_group_name: str = _text(f"({GROUP_NAME})?", "up to 128 letters, digits and +=,.@_-", "NAME")
    admin_rights: Literal["documented", "scoped"] = Field(description="documented or scoped", examples=["scoped"])
    admin_members: list[UserName] = Field(description="a list of names of IAM users, each once")
    admin_policies: list[Policy] = Field(description="a list of names of AWS's policies, or ARNs, each once")
    admin_stacks: list[StackName] = Field(description="a list of names of stacks, each once")
    require_mfa: bool = _choice()
    deploy_from: str = _text(
        f"({REPOSITORY})?", "OWNER/NAME of a repository on GitHub, or OWNER@ID/NAME@ID with GitHub's ids", "OWNER/NAME"
    )
    manage_github_provider: bool = _choice()
    bot: bool = _choice()
    page_id: str = _text("[0-9]{0,20}", "1 to 20 digits", "PAGE_ID")
    page_access_token: str = _secret()
    app_secret: str = _secret()
    app_secret_previous: str = _secret()
    verify_token: str = _secret()
    graph_api_version: str = _text(r"v[0-9]{1,3}\.[0-9]{1,2}", "v and two numbers", "v26.0")
    graph_api_url: str = _text(
        ORIGIN, "https:// and a host, nothing after it; http:// for this machine only", "https://graph.facebook.com"
    )
    memory_mb: int = _number(MEMORY_MB)
    timeout_seconds: int = _number(range(SHORTEST_TIMEOUT_SECONDS, TIMEOUT_SECONDS.stop))
    log_retention_days: int = Field(description=f"one of {', '.join(map(str, RETENTION_DAYS))}", examples=["30"])
    throttle_rate: int = _number(THROTTLE_RATE)
    throttle_burst: int = _number(THROTTLE_BURST)
    domain_name: str = _text(f"({DOMAIN_NAME})?", "a host in lower case, without https://", "bot.example.org")
    hosted_zone_id: str = _text(f"({HOSTED_ZONE_ID})?", "Z and up to 31 letters and digits", "Z0123456789ABC")
    api_access_log: bool = _choice()
    manage_api_gateway_account: bool = _choice()
    state_days: int = _number(STATE_DAYS)
    unknown_days: int = _number(DAYS)
    echo_seconds: int = _number(ECHO_SECONDS)
    human_hours: int = _number(HUMAN_HOURS)
    disclose_days: int = _number(DISCLOSE_DAYS)
    concurrency: int = _number(CONCURRENCY)
    assets_url: str = _text(
        f"({FOLDER})?",
        "https:// and a folder's address, without a / at its end; http:// for this machine only",
        "https://example.org/assets",
    )
    conversation_code: str = _text(
        r"(\S(.{0,498}\S)?)?", "a folder's path, from the project's folder", "examples/nodejs"
    )
    conversation_runtime: str = _text(
        f"({RUNTIME})?", "a Lambda runtime of Node.js, Python, Java or .NET", "nodejs24.x"
    )
    conversation_handler: str = _text(f"({HANDLER})?", "what the runtime calls, up to 128 characters", "index.handler")
    conversation_person: str = _text(
        f"({PERSON}( {PERSON})*)?", "first_name, last_name, profile_pic, locale, with spaces", "first_name locale"
    )
    inbox_app_id: str = _text("[0-9]{0,20}", "an app's id of 1 to 20 digits", "263902037430900")
    lex_bot_id: str = _text(f"({LEX_ID})?", "the 10 letters and digits of a Lex V2 bot's id", "BOT_ID")
    lex_bot_alias_id: str = _text(f"({LEX_ID})?", "the 10 letters and digits of an alias", "ALIAS_ID")
    lex_locale_id: str = _text("([a-z]{2,3}_[A-Z0-9]{2,3})?", "a locale of the Lex bot", "en_US")
    release_minutes: int = _number(RELEASE_MINUTES)
    release_percent: int = _number(RELEASE_PERCENT)
    smoke_person: str = _text("[0-9]{0,20}", "1 to 20 digits", "6543210987654321")
    app_id: str = _text("[0-9]{0,20}", "the digits of the Facebook app's id", "200000000000001")
    self_heal: bool = _choice()
    human_minutes: int = _number(HUMAN_MINUTES)
    silence_hours: int = _number(SILENCE_HOURS)
    alarm_email: str = _text(f"({EMAIL})?", "an e-mail address", "NAME@EXAMPLE.ORG")
    organisation: str = _text(
        "([^ \\x00-\\x1f\\x7f][^\\x00-\\x1f\\x7f]{0,199})?", "a name of up to 200 characters", "'Example Ltd'"
    )
    privacy_contact: str = _text(
        rf"(https://[^\s]{{1,200}}|{EMAIL})?", "an e-mail address, or an https:// URL", "privacy@example.org"
    )
    protect_data: bool = _choice()

    # A ValueError's text replaces the field's description in the report.

    @field_validator("*", mode="before")
    @classmethod
    def _parse(cls, value: object, info: Info) -> object:
        """Pulumi passes every value as text: numbers, booleans and lists as JSON."""
        if isinstance(value, str) and cls.model_fields[str(info.field_name)].annotation is not str:
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                return value
        return value

    @field_validator("admin_members", "admin_policies", "admin_stacks")
    @classmethod
    def _check_names(cls, names: list[str], info: Info) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError
        if names and info.field_name != "admin_policies" and info.data.get("admin_group_name") == "":
            raise ValueError("an empty list, as adminGroupName is empty")
        return names

    @field_validator("admin_stacks")
    @classmethod
    def _check_stacks(cls, names: list[str], info: Info) -> list[str]:
        if info.context["stack"] in names:
            raise ValueError(f"other stacks than {info.context['stack']} itself, which is always administered")
        return names

    @field_validator("deploy_from")
    @classmethod
    def _check_deploy_from(cls, repository: str, info: Info) -> str:
        if repository and info.data.get("admin_group_name") == "":
            raise ValueError("empty, as adminGroupName is empty: set it in the stack with the administrators' group")
        if repository and info.data.get("admin_rights") == "documented":
            raise ValueError("empty, as adminRights is not scoped: the workflows get no other permissions")
        return repository

    @field_validator("bot")
    @classmethod
    def _check_bot(cls, bot: bool, info: Info) -> bool:
        if not bot and info.data.get("admin_group_name") == "":
            raise ValueError("true: without a group in adminGroupName this stack would hold nothing")
        return bot

    @field_validator("page_id", "page_access_token", "app_secret", "verify_token")
    @classmethod
    def _check_required(cls, value: str, info: Info) -> str:
        if not value and info.data.get("bot"):
            raise ValueError
        return value

    @field_validator(*SECRETS)
    @classmethod
    def _check_secret(cls, value: str, info: Info) -> str:
        if not value:
            return value
        if not re.fullmatch("[!-~]+", value):
            raise ValueError
        if len(value) > SECRET_CHARACTERS:
            raise ValueError(f"has {len(value)} characters; allowed: up to {SECRET_CHARACTERS}")
        if info.context["stack"] != LOCAL_STACK and to_camel(str(info.field_name)) not in info.context["encrypted"]:
            raise ValueError("is in plain text in the stack's file; a secret must be encrypted")
        if info.field_name == "app_secret_previous" and value == info.data.get("app_secret"):
            raise ValueError("is the same as appSecret: leave it empty except during a rotation")
        # The verify token travels in URLs, where others may read it.
        if info.field_name == "verify_token" and value in {info.data.get(each) for each in SECRETS}:
            raise ValueError("is the same as another secret: choose a word that opens nothing else")
        return value

    @field_validator("graph_api_url", "assets_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if url and not _is_reachable(url):
            raise ValueError
        return url

    @field_validator("conversation_code")
    @classmethod
    def _check_conversation(cls, folder: str, info: Info) -> str:
        if folder and info.data.get("timeout_seconds", 0) < SHORTEST_TIMEOUT_WITH_CONVERSATION:
            raise ValueError(f"empty, as timeoutSeconds is less than {SHORTEST_TIMEOUT_WITH_CONVERSATION}")
        return folder

    @field_validator("log_retention_days")
    @classmethod
    def _check_retention(cls, days: int) -> int:
        if days not in RETENTION_DAYS:
            raise ValueError
        return days

    @field_validator(*LEX, *DOMAIN, *PAGES)
    @classmethod
    def _check_group(cls, value: str, info: Info) -> str:
        group = [to_camel(each) for each in next(names for names in (LEX, DOMAIN, PAGES) if info.field_name in names)]
        if not value and any(info.context["values"].get(each) for each in group):
            raise ValueError(f"all of {', '.join(group[:-1])} and {group[-1]}, or none of them")
        return value


FIELDS = {to_camel(name): field for name, field in Settings.model_fields.items()}


def load() -> Settings:
    """The settings of the running stack.

    Raises:
        SettingsError: If they have mistakes; it reports all of them.
    """
    config = pulumi.runtime.config
    prefix = f"{pulumi.get_project()}:"
    everything = {**config.get_config_env(), **config.CONFIG.get()}
    values = {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
    encrypted = {key for key in values if config.is_config_secret(prefix + key)}
    return parse(pulumi.get_project(), pulumi.get_stack(), values, encrypted)


def parse(project: str, stack: str, values: Mapping[str, object], encrypted: Collection[str]) -> Settings:
    """The settings in a stack's configuration.

    Args:
        project: The project's name.
        stack: The stack's name.
        values: Setting → value, defaults included; as text, as Pulumi passes it, or of its own type.
        encrypted: The settings that are encrypted in the stack's file.

    Raises:
        SettingsError: If they have mistakes; it reports all of them.
    """
    mistakes: dict[str, str] = {}
    if not re.fullmatch(STACK_NAME, stack):
        mistakes[""] = (
            f"The stack is named {stack!r}, and names in AWS start with that; allowed: 1 to 24 letters, digits, - and "
            "_, a letter or digit first. Create it again: pulumi stack init NAME"
        )
    for key in sorted(values.keys() - FIELDS.keys()):
        near = difflib.get_close_matches(key, FIELDS, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        mistakes[key] = f"{key} is not a setting.{meant} Remove it: pulumi config rm {project}:{key}"
    known = {key: value for key, value in values.items() if key in FIELDS}
    try:
        settings = Settings.model_validate(known, context={"stack": stack, "encrypted": encrypted, "values": values})
    except ValidationError as refusal:
        for error in refusal.errors(include_url=False, include_input=False):
            key = str(error["loc"][0])
            reason = str(error["ctx"]["error"]) if error["type"] == "value_error" else ""
            mistakes.setdefault(key, _mistake(project, key, values.get(key), reason))
    if mistakes:
        raise SettingsError(stack, list(mistakes.values()))
    return settings


def _is_reachable(url: str) -> bool:
    """Can Facebook, or the sandbox on this machine, use this URL?"""
    try:
        parts = urlsplit(url)
        encrypted = parts.scheme == "https" or parts.hostname in LOOPBACK
        return encrypted and parts.port != 0 and len(url) <= ADDRESS_CHARACTERS
    except ValueError:
        return False


def _mistake(project: str, key: str, value: object, reason: str) -> str:
    """The sentence about a mistake. It never shows a secret."""
    setting = f"{project}:{key}"
    unset = value is None or value == ""
    reason = reason or str(FIELDS[key].description)
    if not FIELDS[key].repr:
        return f"{key} {'is not set' if unset else reason}. Set it: pulumi config set --secret {setting} …"
    shown = "not set" if unset else json.dumps(value, ensure_ascii=False, default=str)
    command = f"pulumi config rm {setting}, then pulumi config set --path '{setting}[0]' NAME for each"
    for example in FIELDS[key].examples or ():
        command = f"pulumi config set {setting} {example}"
    return f"{key} is {shown}; allowed: {reason}. Set it: {command}"
