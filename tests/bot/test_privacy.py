"""The pages /privacy and /deletion name every place where the stack keeps something about people."""

import ast
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

import bot
from bot import handler, privacy
from bot.aws.ledger import DAY_SECONDS, EVENT_SECONDS
from bot.dialogue.privacy import Kept
from bot.dialogue.turn import Person, Progress, Session
from bot.environment import DELETION, PRIVACY, read
from bot.messenger.human import Human
from components.event_queue import RETENTION_SECONDS
from tests.bot.environment import ENVIRONMENT
from tests.harness import ROOT, Graph, run_main
from tests.policies import statements

# Resources that hold data, by their type and the end of their name. What a new one holds must be decided here.
RESOURCES = {
    ("aws:sqs/queue:Queue", "queue"): "queue",
    ("aws:sqs/queue:Queue", "dead-letters"): "letters",
    ("aws:dynamodb/table:Table", "questions-table"): "questions",
    ("aws:dynamodb/table:Table", "table"): "state",
    ("aws:cloudwatch/logGroup:LogGroup", "bot-logs-group"): "log",
    ("aws:cloudwatch/logGroup:LogGroup", "dialogue-logs-group"): "conversation",
    ("aws:cloudwatch/logGroup:LogGroup", "access-log"): "access",
}
# Types that describe or connect the others, by their services, or hold nothing about people: code, the team's secrets,
# the counts of alarms and the team's own address.
WITHOUT_DATA = re.compile(
    "fbm:.*|pulumi:.*|aws:(iam|apigateway|scheduler)/.*|aws:sqs/redriveAllowPolicy:.*|aws:ssm/parameter:.*|"
    "aws:sns/topic.*|aws:lambda/(function:|permission|eventSource|alias).*|"
    "aws:cloudwatch/(metricAlarm|compositeAlarm|dashboard|logMetricFilter):.*"
)
# The services that the function's role lets it use: what it leaves in the stack's own resources is decided above.
SERVICES = {"lex": "lex", **dict.fromkeys(("sqs", "dynamodb", "logs", "lambda", "ssm"), "")}
# Every kind of record in the table, by the beginning of its id.
RECORDS = {
    "event": "answers",
    "user": "state",
    "refused": "refusals",
    **dict.fromkeys(("page", "template", "registered", "adopted"), ""),  # nothing about a person
}
# Every field of a person's state, and the words of the page that name it.
STATE = {
    "language": "your language",
    **dict.fromkeys(("opened", "advertised", "asked"), "when you last wrote"),
    **dict.fromkeys(("pace", "paced", "quiet_until"), "how often you write"),
    **dict.fromkeys(("dialogue", "name"), "how far you are in a dialogue"),
    "answers": "what you answered in it",
    **dict.fromkeys(("person", "first_name", "last_name"), "your name"),
    "profile_pic": "picture",
    "locale": "locale",
    "disclosed": "when it last told you that it is a bot",
    **dict.fromkeys(("human", "until", "since", "waiting", "returned"), "if a human talks with you"),
    "person of Human": "your page-scoped id",
    "wrote": "when you and they last wrote",
}


@pytest.fixture(scope="module")
def graph() -> Graph:
    """A stack that keeps everything that a setting can make it keep."""
    return run_main(
        "prod",
        {
            "apiAccessLog": True,
            "alarmEmail": "team@example.org",
            "organisation": "Example & Sons <Ltd>",
            "privacyContact": "privacy@example.org",
            "lexBotId": "ABCDEFGHIJ",
            "lexBotAliasId": "TSTALIASID",
            "lexLocaleId": "de_DE",
            "conversationCode": "tests/system/node_conversation",
            "unknownDays": 7,
        },
    )


@pytest.fixture(scope="module")
def pages(graph: Graph) -> dict[str, str]:
    """What one reads on each page of that stack."""
    variables = graph.one("aws:lambda/function:Function", "-bot-function").inputs["environment"]["variables"]
    environment = read({name: str(value) for name, value in variables.items()})
    return {page: as_read(privacy.answer(page, environment)["body"]) for page in (PRIVACY, DELETION)}


def as_read(page: str) -> str:
    return unescape(re.sub("<[^>]*>", " ", page))


def kept_by_resources(graph: Graph) -> Iterator[str]:
    for each in graph.resources.values():
        if WITHOUT_DATA.fullmatch(each.type):
            continue
        ends = [end for type_, end in RESOURCES if type_ == each.type and each.name.endswith(end)]
        assert ends, f"Does {each.type} ({each.name}) hold something about people?"
        yield RESOURCES[each.type, ends[0]]
        if each.inputs.get("pointInTimeRecovery", {}).get("enabled"):
            yield "backups"


def kept_by_services(graph: Graph) -> Iterator[str]:
    for actions, _ in statements(graph.one("aws:iam/rolePolicy:RolePolicy", "-bot-access-policy").policy()):
        for action in actions:
            yield SERVICES[action.partition(":")[0]]


def kept_in_the_table() -> Iterator[str]:
    for path in [*(ROOT / "bot").rglob("*.py"), *(ROOT / "ops").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for kind in re.findall("^([a-z]+)#$|^([a-z]+)#[^ ]*$", node.value):
                    yield RECORDS["".join(kind)]


def test_the_page_names_every_place_where_something_about_people_is_kept(graph: Graph, pages: dict[str, str]) -> None:
    found = {*kept_by_resources(graph), *kept_by_services(graph), *kept_in_the_table()} - {""}

    for language, words in privacy.WORDS.items():
        assert words.stores.keys() == found
        for what, _ in words.stores.values():
            assert what in pages[PRIVACY] or language not in bot.conversation.bot.languages


def test_the_page_names_every_part_of_a_persons_state(pages: dict[str, str]) -> None:
    parts = {*Session._fields, *Progress._fields, *Person._fields, *Human._fields, "person of Human"}

    assert parts == STATE.keys()
    for words in STATE.values():
        assert words in pages[PRIVACY]


def test_the_page_says_for_how_long_from_the_stacks_settings(graph: Graph, pages: dict[str, str]) -> None:
    log = graph.one("aws:cloudwatch/logGroup:LogGroup", "bot-logs-group").inputs["retentionInDays"]

    assert "90 days after your last message" in pages[PRIVACY]
    assert f"(Amazon CloudWatch)  {log} days " in pages[PRIVACY]
    assert "35 days after it was deleted from the table" in pages[PRIVACY]
    assert privacy.QUEUE_DAYS * DAY_SECONDS == RETENTION_SECONDS
    assert privacy.EVENT_DAYS * DAY_SECONDS == EVENT_SECONDS


def test_the_page_names_nothing_that_the_stack_does_not_keep() -> None:
    page = as_read(privacy.answer(PRIVACY, ENVIRONMENT._replace(log_days=7))["body"])

    assert "Amazon CloudWatch" in page
    for absent in ("Backups", "IP address", "Amazon Lex", "did not understand"):
        assert absent not in page


def test_both_pages_name_organisation_and_contact_and_how_to_delete_in_each_of_the_bots_languages(
    pages: dict[str, str],
) -> None:
    for page in pages.values():
        assert "Example & Sons <Ltd> is responsible" in page
        assert page.count("privacy@example.org") == len(bot.conversation.bot.languages)
        for kept in bot.conversation.PRIVACY.values():
            assert kept.phrase in page
    for kept in bot.conversation.PRIVACY.values():
        assert kept.remembers in pages[PRIVACY]


def test_a_contact_is_a_link_and_nothing_in_a_setting_is_markup() -> None:
    def body(contact: str) -> str:
        given = ENVIRONMENT._replace(organisation="<script>", privacy_contact=contact)
        return str(privacy.answer(DELETION, given)["body"])

    assert 'href="mailto:a@b.org"' in body("a@b.org")
    assert 'href="https://x.org/?a=1&amp;b=&quot;"' in body('https://x.org/?a=1&b="')
    assert "<script>" not in body("a@b.org")


def test_a_language_without_words_is_left_out_and_an_author_can_give_them() -> None:
    french = privacy.WORDS["en"].replace(privacy="Vie privée")

    assert list(privacy.languages(("fr", "de"), {})) == ["de"]
    assert list(privacy.languages(("fr",), {})) == ["en"]
    assert list(privacy.languages(("en", "de"), {"de": Kept("nichts"), "fr": Kept("rien")})) == ["de"]
    assert privacy.languages(("fr",), {"fr": Kept("rien", words=french)})["fr"][0].privacy == "Vie privée"


def test_a_store_that_an_authors_words_leave_out_is_named_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    french = privacy.WORDS["en"].replace(stores={"state": ("Ce que le bot retient", "{days} jours")})
    monkeypatch.setattr(bot.conversation, "PRIVACY", {"fr": Kept("rien", words=french)})

    page = as_read(privacy.answer(PRIVACY, ENVIRONMENT)["body"])

    assert "Ce que le bot retient  30 jours" in page
    assert "What the bot could not handle" in page
    assert "What the bot remembers about you, in the same table" not in page


def test_a_page_needs_neither_aws_nor_a_secret_and_may_be_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    def unneeded() -> Any:
        raise AssertionError

    for part in ("_shared", "_webhook", "_worker"):
        monkeypatch.setattr(handler, part, unneeded)
    for name, value in ENVIRONMENT._asdict().items():
        monkeypatch.setenv(name.upper(), str(value))
    handler._page.cache_clear()
    for page in (PRIVACY, DELETION):
        event = {"resource": f"/{page}", "path": f"/anything/{page}", "httpMethod": "GET"}
        answer = handler.handle(event, None)  # type: ignore[arg-type]  # a page needs no time limit
        assert answer["statusCode"] == 200
        assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
        assert "max-age" in answer["headers"]["cache-control"]
    handler._page.cache_clear()


def test_the_pages_are_served_only_if_somebody_is_responsible(graph: Graph) -> None:
    def paths(stack: Graph) -> set[str]:
        return {each.inputs["pathPart"] for each in stack.of("aws:apigateway/resource:Resource")}

    nobody = run_main("dev", {"organisation": "", "privacyContact": ""})

    assert paths(graph) == {"webhook", PRIVACY, DELETION}
    assert graph.outputs["privacyUrl"] == graph.outputs["webhookUrl"].replace("webhook", PRIVACY)
    assert graph.outputs["deletionUrl"] == graph.outputs["webhookUrl"].replace("webhook", DELETION)
    assert paths(nobody) == {"webhook"}
    assert not {"privacyUrl", "deletionUrl"} & nobody.outputs.keys()
