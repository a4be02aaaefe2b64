"""The stack's settings, read and checked once: all mistakes are told together, with the command that mends each."""

import difflib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pulumi

LOCAL_STACK = "local"
"""The sandbox's stack: the only one whose secrets may stand in plain in its file, because they open nothing."""

KEYS = (
    "adminGroupName", "adminMembers", "adminPolicies", "adminStacks", "bot", "pageId", "pageAccessToken", "appSecret",
    "appSecretPrevious", "verifyToken", "graphApiVersion", "graphApiUrl", "memoryMb", "timeoutSeconds",
    "logRetentionDays", "throttleRate", "throttleBurst", "apiAccessLog", "manageApiGatewayAccount", "stateDays",
    "echoSeconds", "concurrency", "assetsUrl", "lexBotId", "lexBotAliasId", "lexLocaleId", "alarmEmail",
    "protectData", "requireMfa",
)  # fmt: skip

# Lambda and IAM allow 64 characters a name; project, the longest logical name and Pulumi's suffix take 40 of them.
STACK_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,23}"
# IAM User Guide, "IAM and AWS STS quotas": names of users have up to 64 characters, of groups and policies up to 128.
IAM_CHARACTER = "[A-Za-z0-9_+=,.@-]"
POLICY = rf"{IAM_CHARACTER}{{1,128}}|arn:aws:iam::(aws|[0-9]{{12}}):policy/[A-Za-z0-9_+=,.@/-]{{1,512}}"
MEMORY_MB = (128, 10_240)  # Lambda Developer Guide, "Lambda quotas"
# Lambda's highest is 900. Below 15 a send that takes its full time-out would leave no room to record it.
TIMEOUT_SECONDS = (15, 900)
# CloudWatch Logs API reference, `PutRetentionPolicy`.
LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
# API Gateway Developer Guide, "Amazon API Gateway quotas": what an account has, over all its APIs.
THROTTLE_RATE = (1, 10_000)
THROTTLE_BURST = (1, 5_000)
STATE_DAYS = (1, 3650)
ECHO_SECONDS = (1, 900)
LEX_ID = "[0-9a-zA-Z]{10}"  # Amazon Lex V2 API reference, "RecognizeText"
# Lambda Developer Guide, "Configuring scaling behavior for SQS event source mappings".
CONCURRENCY = (2, 1000)
SECRET_CHARACTERS = 4096  # Systems Manager User Guide, "Managing parameter tiers": 4 KB of a standard parameter
FOLDER_CHARACTERS = 1900  # an address in a message has up to 2,000: `bot/messenger/messages.py`
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class SettingsError(pulumi.RunError):
    """The stack cannot be made as set.

    Attributes:
        mistakes: A sentence each.
    """

    def __init__(self, stack: str, mistakes: Sequence[str]) -> None:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__("\n".join([f"The settings of the stack {stack} have {count}:", *[f"- {m}" for m in mistakes]]))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, kw_only=True)
class GroupSettings:
    """The administrators' group: its name, members, managed policies, how the names that they administer start, MFA."""

    name: str
    members: Sequence[str]
    policies: Sequence[str]
    name_prefixes: Sequence[str]
    require_mfa: bool


@dataclass(frozen=True, kw_only=True)
class LexSettings:
    """The Amazon Lex V2 bot that understands what no rule takes."""

    bot_id: str
    bot_alias_id: str
    locale_id: str


@dataclass(frozen=True, kw_only=True)
class BotSettings:
    """The bot, as `Pulumi.yaml` describes it; secrets are Pulumi secrets, no `access_log_days` means no access log."""

    plain_secrets: Mapping[str, str] = field(repr=False)
    page_id: str
    graph_api_version: str
    graph_api_url: str
    memory_mb: int
    timeout_seconds: int
    log_retention_days: int
    throttle_rate: int
    throttle_burst: int
    access_log_days: int | None
    manage_account: bool
    state_days: int
    echo_seconds: int
    concurrency: int
    assets_url: str
    lex: LexSettings | None
    alarm_email: str
    protect_data: bool

    @property
    def environment(self) -> dict[str, str]:
        """What the function is told by environment variables."""
        told = {
            "PAGE_ID": self.page_id,
            "GRAPH_API_URL": self.graph_api_url,
            "GRAPH_API_VERSION": self.graph_api_version,
            "STATE_DAYS": str(self.state_days),
            "ECHO_SECONDS": str(self.echo_seconds),
            "CONCURRENCY": str(self.concurrency),
        }
        if self.assets_url:
            told["ASSETS_URL"] = self.assets_url
        if self.lex:
            told |= {
                "LEX_BOT_ID": self.lex.bot_id,
                "LEX_BOT_ALIAS_ID": self.lex.bot_alias_id,
                "LEX_LOCALE_ID": self.lex.locale_id,
            }
        return told

    @property
    def page_access_token(self) -> pulumi.Output[str]:
        """Lets the bot write as the page."""
        return pulumi.Output.secret(self.plain_secrets["pageAccessToken"])

    @property
    def app_secret(self) -> pulumi.Output[str]:
        """Signs what Facebook sends."""
        return pulumi.Output.secret(self.plain_secrets["appSecret"])

    @property
    def app_secret_previous(self) -> pulumi.Output[str] | None:
        """The one before a rotation; None: none is being rotated."""
        value = self.plain_secrets["appSecretPrevious"]
        return pulumi.Output.secret(value) if value else None

    @property
    def verify_token(self) -> pulumi.Output[str]:
        """Repeated by Facebook in the handshake."""
        return pulumi.Output.secret(self.plain_secrets["verifyToken"])


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A stack, and which of its two halves it holds.

    Attributes:
        project: The project's name.
        stack: The stack's name.
        group: The administrators. None: this stack makes no group.
        bot: The bot. None: this stack holds none.
    """

    project: str
    stack: str
    group: GroupSettings | None
    bot: BotSettings | None

    @property
    def name(self) -> str:
        """What every name in the stack starts with, without the last hyphen."""
        return f"{self.project}-{self.stack}"


def load() -> Settings:
    """The settings of the stack that is running.

    Raises:
        SettingsError: If anything is wrong with them; it tells everything.
    """
    config = pulumi.runtime.config
    prefix = f"{pulumi.get_project()}:"
    everything = {**config.get_config_env(), **config.CONFIG.get()}
    values = {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
    encrypted = {key for key in values if config.is_config_secret(prefix + key)}
    return parse(pulumi.get_project(), pulumi.get_stack(), values, encrypted)


def parse(project: str, stack: str, values: Mapping[str, object], encrypted: Collection[str]) -> Settings:
    """The settings made of a stack's configuration.

    Args:
        project: The project's name.
        stack: The stack's name.
        values: Setting → value, defaults included; as text, as Pulumi hands it over, or of its own type.
        encrypted: The settings that the stack's file holds encrypted.

    Raises:
        SettingsError: If anything is wrong with them; it tells everything.
    """
    read = _Reader(project, values, encrypted)
    read.refuse_unknown()
    if not re.fullmatch(STACK_NAME, stack):
        read.mistakes.append(
            f"The stack is named {stack!r}, and names in AWS start with that: allowed are 1 to 24 letters, digits, - "
            "and _, a letter or digit first. Make it anew: pulumi stack init NAME"
        )
    group = _group(read, project, stack)
    has_bot = read.boolean("bot")
    bot = _bot(read, plain_secrets=stack == LOCAL_STACK, required=has_bot)
    if not has_bot and not group.name:
        read.mistake("bot", "true: without a group in adminGroupName this stack would hold nothing", "true")
    if read.mistakes:
        raise SettingsError(stack, read.mistakes)
    return Settings(project=project, stack=stack, group=group if group.name else None, bot=bot if has_bot else None)


def _group(read: "_Reader", project: str, stack: str) -> GroupSettings:
    name = read.text("adminGroupName", f"{IAM_CHARACTER}{{0,128}}", "up to 128 letters, digits and +=,.@_-", "NAME")
    members = read.names("adminMembers", f"{IAM_CHARACTER}{{1,64}}", "names of IAM users")
    policies = read.names("adminPolicies", POLICY, "names of AWS's policies, or ARNs")
    stacks = read.names("adminStacks", STACK_NAME, "names of stacks")
    for key, listed in (("adminMembers", members), ("adminStacks", stacks)):
        if listed and not name:
            read.mistake(key, "an empty list, as adminGroupName is empty", "[]")
    if stack in stacks:
        read.mistake("adminStacks", f"other stacks than {stack} itself, which is always administered", "[]")
    prefixes = [f"{project}-{each}-" for each in (stack, *stacks)]
    return GroupSettings(
        name=name, members=members, policies=policies, name_prefixes=prefixes, require_mfa=read.boolean("requireMfa")
    )


def _bot(read: "_Reader", *, plain_secrets: bool, required: bool) -> BotSettings:
    secrets = {
        "pageAccessToken": read.secret("pageAccessToken", required=required, plain=plain_secrets),
        "appSecret": read.secret("appSecret", required=required, plain=plain_secrets),
        "appSecretPrevious": read.secret("appSecretPrevious", required=False, plain=plain_secrets),
        "verifyToken": read.secret("verifyToken", required=required, plain=plain_secrets),
    }
    if secrets["appSecret"] and secrets["appSecret"] == secrets["appSecretPrevious"]:
        read.secret_mistake("appSecretPrevious", "is the same as appSecret: leave it empty when none is being rotated")
    # The verify token travels in URLs, where others may read it.
    if secrets["verifyToken"] and list(secrets.values()).count(secrets["verifyToken"]) > 1:
        read.secret_mistake("verifyToken", "is the same as another secret: choose a word that opens nothing else")
    log_days = read.integer("logRetentionDays", (1, 3653))
    if log_days not in LOG_RETENTION_DAYS and 1 <= log_days <= max(LOG_RETENTION_DAYS):
        read.mistake("logRetentionDays", f"one of {', '.join(map(str, LOG_RETENTION_DAYS))}", "30")
    access_log = read.boolean("apiAccessLog")
    return BotSettings(
        plain_secrets=secrets,
        page_id=read.text("pageId", "[0-9]{1,20}" if required else "[0-9]{0,20}", "1 to 20 digits", "PAGE_ID"),
        graph_api_version=read.text("graphApiVersion", r"v[0-9]{1,3}\.[0-9]{1,2}", "v and two numbers", "v26.0"),
        graph_api_url=read.url("graphApiUrl"),
        memory_mb=read.integer("memoryMb", MEMORY_MB),
        timeout_seconds=read.integer("timeoutSeconds", TIMEOUT_SECONDS),
        log_retention_days=log_days,
        throttle_rate=read.integer("throttleRate", THROTTLE_RATE),
        throttle_burst=read.integer("throttleBurst", THROTTLE_BURST),
        access_log_days=log_days if access_log else None,
        manage_account=read.boolean("manageApiGatewayAccount"),
        state_days=read.integer("stateDays", STATE_DAYS),
        echo_seconds=read.integer("echoSeconds", ECHO_SECONDS),
        concurrency=read.integer("concurrency", CONCURRENCY),
        assets_url=read.folder_url("assetsUrl"),
        lex=_lex(read),
        alarm_email=read.text("alarmEmail", r"([^@\s]{1,64}@[^@\s]{1,255})?", "an e-mail address", "NAME@EXAMPLE.ORG"),
        protect_data=read.boolean("protectData"),
    )


def _lex(read: "_Reader") -> LexSettings | None:
    lex = LexSettings(
        bot_id=read.text("lexBotId", f"({LEX_ID})?", "the 10 letters and digits of a Lex V2 bot's id", "BOT_ID"),
        bot_alias_id=read.text("lexBotAliasId", f"({LEX_ID})?", "the 10 letters and digits of an alias", "ALIAS_ID"),
        locale_id=read.text("lexLocaleId", "([a-z]{2,3}_[A-Z0-9]{2,3})?", "a locale of the Lex bot's", "en_US"),
    )
    given = {"lexBotId": lex.bot_id, "lexBotAliasId": lex.bot_alias_id, "lexLocaleId": lex.locale_id}
    if not any(given.values()):
        return None
    for key, value in given.items():
        if not value and not read.values.get(key):
            read.mistake(key, "all of lexBotId, lexBotAliasId and lexLocaleId, or none of them", "VALUE")
    return lex


class _Reader:
    """Reads one setting after another; what is wrong is noted, and a value of the right type returned all the same."""

    def __init__(self, project: str, values: Mapping[str, object], encrypted: Collection[str]) -> None:
        self.project = project
        self.values = values
        self.encrypted = encrypted
        self.mistakes: list[str] = []

    def mistake(self, key: str, allowed: str, example: str) -> None:
        """Note that a setting, which is no secret, has a value that is not allowed."""
        value = self.values.get(key)
        is_what = "not set" if value is None or value == "" else json.dumps(value, ensure_ascii=False, default=str)
        setting = f"{self.project}:{key}"
        command = f"pulumi config set {setting} {example}"
        if example == "[]":
            command = f"pulumi config rm {setting}, then pulumi config set --path '{setting}[0]' NAME for each"
        self.mistakes.append(f"{key} is {is_what}; allowed: {allowed}. Set it: {command}")

    def secret_mistake(self, key: str, is_what: str) -> None:
        """Note what is wrong with a secret, without its value."""
        self.mistakes.append(f"{key} {is_what}. Set it: pulumi config set --secret {self.project}:{key} …")

    def refuse_unknown(self) -> None:
        """Note every setting that the program does not know."""
        for key in sorted(self.values.keys() - set(KEYS)):
            near = difflib.get_close_matches(key, KEYS, n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            self.mistakes.append(f"{key} is no setting.{meant} Remove it: pulumi config rm {self.project}:{key}")

    def text(self, key: str, pattern: str, allowed: str, example: str) -> str:
        """A setting that matches a pattern as a whole."""
        value = self.values.get(key)
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        self.mistake(key, allowed, example)
        return ""

    def url(self, key: str) -> str:
        """A setting that is the beginning of URLs: scheme and host, plain http on this machine only."""
        value = self.values.get(key)
        if isinstance(value, str) and _is_origin(value):
            return value
        self.mistake(
            key, "https:// and a host, nothing after it; http:// for this machine only", "https://graph.facebook.com"
        )
        return ""

    def folder_url(self, key: str) -> str:
        """A setting that is empty or the address of a folder, as plain http on this machine only."""
        value = self.values.get(key)
        if isinstance(value, str) and (value == "" or _is_folder(value)):
            return value
        self.mistake(
            key, "https:// and a folder's address, without a / at its end; http:// for this machine only",
            "https://example.org/pictures",
        )  # fmt: skip
        return ""

    def integer(self, key: str, bounds: tuple[int, int]) -> int:
        """A whole number within bounds, both included."""
        low, high = bounds
        value = self.values.get(key)
        if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.mistake(key, f"a whole number from {low} to {high}", str(low))
        return 0

    def boolean(self, key: str) -> bool:
        """True or false."""
        value = self.values.get(key)
        if value in ("true", "false") or isinstance(value, bool):
            return value in (True, "true")
        self.mistake(key, "true or false", "true")
        return False

    def names(self, key: str, pattern: str, allowed: str) -> tuple[str, ...]:
        """A list of texts, each of which matches a pattern as a whole and occurs once."""
        value = self.values.get(key)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                value = None
        if isinstance(value, list):
            names = [each for each in value if isinstance(each, str) and re.fullmatch(pattern, each)]
            if len(set(names)) == len(value):
                return tuple(names)
        self.mistake(key, f"a list of {allowed}, each once", "[]")
        return ()

    def secret(self, key: str, *, required: bool, plain: bool) -> str:
        """A secret's value, to be wrapped before it goes anywhere."""
        value = self.values.get(key)
        if value == "" and not required:
            return ""
        if value is None or value == "":
            self.secret_mistake(key, "is not set")
        elif not isinstance(value, str) or not re.fullmatch("[!-~]+", value):
            self.secret_mistake(key, "is no text of printable ASCII characters without spaces")
        elif len(value) > SECRET_CHARACTERS:
            self.secret_mistake(key, f"has {len(value)} characters; allowed: up to {SECRET_CHARACTERS}")
        elif key not in self.encrypted and not plain:
            self.secret_mistake(key, "stands in plain in the stack's file; a secret has to be encrypted")
        else:
            return value
        return ""


def _is_folder(value: str) -> bool:
    parts = re.fullmatch(r"(https?://[^/]+)((?:/[A-Za-z0-9._~%-]+)*)", value)
    return parts is not None and len(value) <= FOLDER_CHARACTERS and _is_origin(parts[1])


def _is_origin(value: str) -> bool:
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", value):
        return False
    try:
        url = urlsplit(value)
        valid_port = url.port is None or url.port > 0
    except ValueError:
        return False
    return bool(url.hostname) and valid_port and (url.scheme == "https" or url.hostname in LOOPBACK)
