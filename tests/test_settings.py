"""Every mistake in a stack's settings is reported, all at once, and no report shows a secret."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.responder import STEP_SECONDS
from settings import FIELDS, SHORTEST_TIMEOUT_SECONDS, Settings, SettingsError, parse
from tests.harness import SECRETS, STACKS, project_defaults, run_source, stack_config

PROJECT = "innolab-fbm"
ENCRYPTED = frozenset({*SECRETS, "appSecretPrevious"})


def read_as(stack: str, encrypted: frozenset[str], changes: Mapping[str, object]) -> Settings:
    values = {**project_defaults(), **SECRETS, "pageId": "100000000000001", **changes}
    return parse(PROJECT, stack, values, encrypted)


def read(**changes: object) -> Settings:
    return read_as("dev", ENCRYPTED, changes)


def mistakes_of(stack: str, encrypted: frozenset[str], changes: Mapping[str, object]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read_as(stack, encrypted, changes)
    return caught.value.mistakes


def mistakes(**changes: object) -> tuple[str, ...]:
    return mistakes_of("dev", ENCRYPTED, changes)


def test_the_program_knows_the_settings_that_the_project_declares() -> None:
    assert FIELDS.keys() == project_defaults().keys()


TOGETHER: tuple[Mapping[str, str], ...] = (
    {"lexBotId": "ABCDEFGHIJ", "lexBotAliasId": "TSTALIASID", "lexLocaleId": "de_DE"},
    {"domainName": "bot.example.org", "hostedZoneId": "Z123"},
    {"organisation": "Example Ltd", "privacyContact": "a@b.org"},
)
"""Settings of which a stack has all or none."""


@pytest.mark.parametrize(("group", "key"), [(group, key) for group in TOGETHER for key in group])
def test_one_that_is_missing_of_settings_that_belong_together_is_reported(group: Mapping[str, str], key: str) -> None:
    (mistake,) = mistakes(**{**group, key: ""})

    assert mistake.startswith(f"{key} is not set; allowed: all of {next(iter(group))}")
    assert "or none" in mistake


def test_a_conversation_of_its_own_needs_time_for_its_answer() -> None:
    (mistake,) = mistakes(conversationCode="examples/nodejs", timeoutSeconds=29)

    assert "allowed: empty, as timeoutSeconds is less than 30" in mistake
    assert read(conversationCode="examples/nodejs", timeoutSeconds=30).conversation_code == "examples/nodejs"


@pytest.mark.parametrize(
    ("key", "value", "report"),
    [
        ("adminGroupName", "Innolab FBM", '"Innolab FBM"; allowed: up to 128 letters'),
        ("adminGroupName", "x" * 129, "allowed: up to 128 letters"),
        ("conversationCode", " bot", '" bot"; allowed: a folder\'s path'),
        ("conversationRuntime", "ruby3.4", '"ruby3.4"; allowed: a Lambda runtime of Node.js, Python, Java or .NET'),
        ("conversationPerson", "first_name, age", '"first_name, age"; allowed: first_name, last_name'),
        ("conversationHandler", "a b", '"a b"; allowed: what the runtime calls'),
        ("adminMembers", ["anna", "anna"], '["anna", "anna"]; allowed: a list of names of IAM users, each once'),
        ("adminMembers", "anna", '"anna"; allowed: a list of names of IAM users'),
        ("adminPolicies", ["arn:aws:s3:::bucket"], "allowed: a list of names of AWS's policies, or ARNs"),
        ("adminRights", "all", '"all"; allowed: documented or scoped'),
        ("adminStacks", ["pr.od"], "allowed: a list of names of stacks, each once"),
        ("adminStacks", ["dev"], "allowed: other stacks than dev itself"),
        ("bot", "yes", '"yes"; allowed: true or false'),
        ("pageId", "", "not set; allowed: 1 to 20 digits"),
        ("pageId", "١٢٣", "allowed: 1 to 20 digits"),
        ("pageId", "123\n", "allowed: 1 to 20 digits"),
        ("graphApiVersion", "26", '"26"; allowed: v and two numbers'),
        ("graphApiUrl", "http://graph.facebook.com", "allowed: https:// and a host"),
        ("graphApiUrl", "https://user@graph.facebook.com", "allowed: https:// and a host"),
        ("graphApiUrl", "https://[::1", "allowed: https:// and a host"),
        ("graphApiUrl", "http://127.0.0.1.example.org", "allowed: https:// and a host"),
        ("assetsUrl", "https://example.org/steps/", "allowed: https:// and a folder's address"),
        ("assetsUrl", "https://example.org/steps?x=1", "allowed: https:// and a folder's address"),
        ("assetsUrl", "https://example.org/" + "x" * 1900, "allowed: https:// and a folder's address"),
        ("memoryMb", 127, "127; allowed: a whole number from 128 to 10240"),
        ("throttleRate", True, "true; allowed: a whole number"),
        ("memoryMb", "512MB", '"512MB"; allowed: a whole number'),
        ("timeoutSeconds", 19, "19; allowed: a whole number from 20 to 900"),
        ("logRetentionDays", 31, "31; allowed: one of 1, 3, 5, 7, 14, 30, 60"),
        ("unknownDays", 366, "366; allowed: a whole number from 0 to 365"),
        ("alarmEmail", "team at example.org", "allowed: an e-mail address"),
        ("lexBotAliasId", "arn:aws:lex", "allowed: "),
        ("domainName", "https://bot.example.org", "allowed: a host in lower case, without https://"),
        ("hostedZoneId", "/hostedzone/Z123", "allowed: Z and up to 31 letters and digits"),
        ("organisation", "Example\nLtd", "allowed: a name of up to 200 characters"),
        ("privacyContact", "javascript:alert(1)", "allowed: an e-mail address, or an https:// URL"),
    ],
)
def test_a_wrong_setting_is_reported_with_what_is_allowed_and_the_command(key: str, value: object, report: str) -> None:
    others = next((group for group in TOGETHER if key in group), {})
    (mistake,) = mistakes(**{**others, key: value})

    assert mistake.startswith(f"{key} is ")
    assert report in mistake
    assert (
        f"pulumi config set {PROJECT}:{key} " in mistake or f"pulumi config set --path '{PROJECT}:{key}[0]'" in mistake
    )


def test_the_shortest_invocation_has_time_to_read_the_ledger_and_begin_a_send() -> None:
    assert SHORTEST_TIMEOUT_SECONDS >= STEP_SECONDS + 2


@pytest.mark.parametrize("key", FIELDS)
def test_a_setting_without_even_a_default_is_reported(key: str) -> None:
    values = {**project_defaults(), **SECRETS, "pageId": "1"}
    del values[key]

    with pytest.raises(SettingsError, match=f"{key} is not set"):
        parse(PROJECT, "dev", values, ENCRYPTED)


@pytest.mark.parametrize("key", ["pageAccessToken", "appSecret", "verifyToken"])
def test_a_missing_secret_is_reported_with_the_command_that_encrypts_it(key: str) -> None:
    assert mistakes(**{key: ""}) == (f"{key} is not set. Set it: pulumi config set --secret {PROJECT}:{key} …",)


@pytest.mark.parametrize("key", sorted(ENCRYPTED))
@pytest.mark.parametrize("value", ["canary\n", "canäry", "canary" * 1000, 17, ["canary"]])
def test_an_impossible_secret_is_reported_without_its_value(key: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        read(**{key: value})

    assert len(caught.value.mistakes) == 1
    assert key in str(caught.value)
    assert "can" not in str(caught.value)
    assert "17" not in str(caught.value)


@pytest.mark.parametrize("key", sorted(ENCRYPTED))
def test_a_plain_text_secret_is_refused_outside_the_local_stack(key: str) -> None:
    changes = {key: "canary-plain"}

    (mistake,) = mistakes_of("prod", ENCRYPTED - {key}, changes)

    assert f"{key} is in plain text" in mistake
    assert f"pulumi config set --secret {PROJECT}:{key} …" in mistake
    assert "canary" not in mistake
    assert read_as("local", frozenset(), changes).bot


def test_an_app_secret_that_is_rotated_to_itself_is_reported() -> None:
    (mistake,) = mistakes(appSecretPrevious=SECRETS["appSecret"])

    assert "appSecretPrevious is the same as appSecret" in mistake
    assert "canary" not in mistake


@pytest.mark.parametrize("key", ["appSecret", "pageAccessToken", "appSecretPrevious"])
def test_a_verify_token_that_is_another_secret_is_reported(key: str) -> None:
    changes = {"verifyToken": "canary-same", key: "canary-same"}

    (mistake,) = mistakes(**changes)

    assert "verifyToken is the same as another secret" in mistake
    assert "canary" not in mistake


@pytest.mark.parametrize("changes", [{"adminMembers": ["anna"]}, {"adminStacks": ["prod"]}])
def test_members_or_stacks_without_a_group_are_reported(changes: Mapping[str, object]) -> None:
    (mistake,) = mistakes(adminGroupName="", **changes)

    assert mistake.startswith(f"{next(iter(changes))} is ")
    assert "an empty list, as adminGroupName is empty" in mistake


def test_a_stack_that_would_hold_nothing_is_reported() -> None:
    (mistake,) = mistakes(adminGroupName="", bot=False)

    assert "this stack would hold nothing" in mistake


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["canary", "dev", "1" * 30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


@given(st.dictionaries(st.sampled_from(list(FIELDS)) | st.text(), VALUES, max_size=4), st.text() | st.just("dev"))
def test_any_values_are_taken_or_reported_without_a_secret(changes: dict[str, object], stack: str) -> None:
    try:
        shown = repr(read_as(stack, ENCRYPTED, {"appSecretPrevious": "canary-previous", **changes}))
    except SettingsError as refusal:
        shown = str(refusal)

    assert not any(secret in shown for secret in (*SECRETS.values(), "canary-previous"))


def test_an_unknown_setting_is_reported_with_the_one_that_was_meant() -> None:
    first, second = mistakes(memoryMB=256, zebra=1)

    assert first == f"memoryMB is not a setting. Did you mean memoryMb? Remove it: pulumi config rm {PROJECT}:memoryMB"
    assert second == f"zebra is not a setting. Remove it: pulumi config rm {PROJECT}:zebra"


@pytest.mark.parametrize("stack", ["a" * 25, "dev.anna", "-dev", "dev/anna", ""])
def test_a_stack_name_that_is_too_much_for_aws_is_reported(stack: str) -> None:
    (mistake,) = mistakes_of(stack, ENCRYPTED, {})

    assert f"The stack is named {stack!r}" in mistake
    assert "pulumi stack init NAME" in mistake


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read(memoryMb=1, throttleRate="many", appSecret="", pageId="x", adminStacks=["dev"], foo=1)

    first, *lines = str(caught.value).splitlines()
    assert first == "The settings of the stack dev have 6 mistakes:"
    assert len(lines) == 6


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:4567", "http://localhost:1", "http://[::1]:80", "https://example.org"]
)
def test_the_graph_api_can_be_on_this_machine_without_encryption(url: str) -> None:
    assert read(graphApiUrl=url).graph_api_url == url


@pytest.mark.parametrize(
    "url", ["", "https://example.org", "https://example.org/a/b.c", "http://127.0.0.1:4567/_sandbox/assets"]
)
def test_assets_can_be_in_any_public_folder_or_on_this_machine(url: str) -> None:
    assert read(assetsUrl=url).assets_url == url


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_file_lacks_only_the_secrets(stack: str) -> None:
    config, _ = stack_config(stack, dict.fromkeys(SECRETS, ""))
    values = {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items() if key.startswith(PROJECT)}

    with pytest.raises(SettingsError) as caught:
        parse(PROJECT, stack, values, ())

    assert [each.split(" is ")[0] for each in caught.value.mistakes] == list(SECRETS)


def test_a_mistake_ends_the_program_with_all_of_them_and_without_a_secret() -> None:
    result = run_source(
        """
        from tests.harness import run_main
        run_main("dev", {"memoryMb": 1, "pageId": "x", "appSecret": "canary with spaces"})
        """
    )

    assert result.returncode == 1
    assert "The settings of the stack dev have 3 mistakes:" in result.stderr
    assert "canary" not in result.stderr
