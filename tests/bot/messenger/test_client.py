import asyncio
import hashlib
import hmac
import json
import urllib.parse
from collections.abc import MutableMapping
from typing import Any, NamedTuple

import pytest

from bot.http import NotSent, Response, Unanswered
from bot.messenger import errors, messages
from bot.messenger.client import GraphApi, Token
from bot.messenger.profile import MenuItem, Profile
from bot.people import People
from sandbox.facebook.graph import Graph
from tests.bot.connections import FixedAnswers

PAGE, APP, TOKEN, SECRET = "1001", "2002", "EAAGpagetoken", "app-secret-7"


class InProcess:
    """A connection to the stand-in without a socket: its application is called as a server would."""

    def __init__(self, graph: Graph) -> None:
        self.app = graph.app

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes, timeout: float) -> Response:
        parts = urllib.parse.urlsplit(path)
        names = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "path": parts.path, "query_string": parts.query.encode()}
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        asyncio.run(asyncio.wait_for(self.app({**scope, "headers": names}, receive, send), timeout))
        return Response(sent[0]["status"], {}, b"".join(part["body"] for part in sent[1:]))


def answer(body: object, status: int = 200) -> Response:
    return Response(status, {}, json.dumps(body).encode())


def api(connection: FixedAnswers | InProcess) -> GraphApi:
    return GraphApi("https://graph.invalid", "v26.0", PAGE, TOKEN, SECRET, timeout=3, connection=connection)


@pytest.fixture
def graph() -> Graph:
    graph = Graph(PAGE, APP, TOKEN, SECRET)
    graph.note_message("24")
    return graph


@pytest.fixture
def page(graph: Graph) -> GraphApi:
    return api(InProcess(graph))


def test_a_call_carries_the_token_in_a_header_only_and_the_proof_of_the_secret() -> None:
    connection = FixedAnswers(answer({"message_id": "m1"}))
    assert api(connection).send(messages.Text("Hi").to_request("24"), timeout=1.5) == "m1"
    method, path, headers, body, timeout = connection.asked[0]
    assert (method, urllib.parse.urlsplit(path).path) == ("POST", "/v26.0/1001/messages")
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Type"] == "application/json"
    proof = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(path).query) == {"appsecret_proof": [proof]}
    assert TOKEN not in path
    assert TOKEN.encode() not in body
    assert timeout == 1.5


def test_an_action_makes_no_message_and_thread_control_has_edges_of_its_own(page: GraphApi, graph: Graph) -> None:
    for each in (
        messages.Action("typing_on"),
        messages.PassThread("2002", "help"),
        messages.TakeThread(),
        messages.ReleaseThread(),
        messages.RequestThread(),
    ):
        assert page.send(each.to_request("24")) == ""
    assert [each["path"].rsplit("/", 1)[1] for each in graph.requests()] == [
        "messages",
        "pass_thread_control",
        "take_thread_control",
        "release_thread_control",
        "request_thread_control",
    ]


UTILITY = {"recipient": {"id": "24"}, "messaging_type": "UTILITY"}


@pytest.mark.parametrize(
    ("scopes", "request_", "kind"),
    [
        (["pages_messaging"], UTILITY, errors.NotAllowed),
        ([], UTILITY, errors.Credentials),
        (["pages_messaging"], UTILITY | {"messaging_type": "UPDATE"}, errors.Credentials),
    ],
    ids=["only that of utility messages", "all of them", "for another message"],
)
def test_a_missing_permission_for_utility_messages_says_nothing_about_other_messages(
    scopes: list[str], request_: dict[str, Any], kind: type[Exception]
) -> None:
    token = {"is_valid": True, "profile_id": PAGE, "scopes": scopes}
    missing = answer({"error": {"code": 200, "message": "Permission error"}}, 403)
    with pytest.raises(kind):
        api(FixedAnswers(missing, answer({"id": APP}), answer({"data": token}))).send(request_)


def test_all_pages_of_the_templates_are_read(page: GraphApi) -> None:
    for number in range(30):
        new = {"name": f"t{number}", "language": "en", "category": "UTILITY", "parameter_format": "NAMED"}
        assert page.create_template(new | {"components": [{"type": "BODY", "text": "It is here."}]}) == "APPROVED"
    assert [each["name"] for each in page.templates()] == [f"t{number}" for number in range(30)]


EITHER = answer({"error": {"code": 100, "error_subcode": 33}}, 400)
VALID = {"is_valid": True, "profile_id": PAGE, "scopes": ["pages_messaging"]}


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([answer({"id": APP}), answer({"data": VALID})], errors.Unreachable),
        ([answer({"id": APP}), answer({"data": VALID | {"is_valid": False}})], errors.Credentials),
        ([answer({"id": APP}), answer({"data": VALID | {"profile_id": "7"}})], errors.Credentials),
        ([answer({"id": APP}), answer({"data": VALID | {"scopes": []}})], errors.Credentials),
        ([answer({"error": {"code": 190}}, 401)], errors.Credentials),
        ([answer({"id": APP}), Unanswered("TimeoutError")], errors.Transient),
        ([answer({"error": {"code": 368}}, 400)], errors.SlowDown),
        ([answer({"error": {"code": 100, "message": "You must provide an app access token"}}, 400)], errors.Unclear),
        ([answer({"id": APP}), EITHER], errors.Unclear),
        ([answer({"error": {"code": 551}}, 400)], errors.Unclear),
    ],
)
def test_what_may_be_the_person_or_the_token_is_decided_by_asking_about_the_token_once(
    answers: list[Response | Exception], kind: type[errors.SendError]
) -> None:
    connection = FixedAnswers(EITHER, *answers)
    with pytest.raises(errors.SendError) as decided:
        api(connection).send(messages.Text("Hi").to_request("24"))
    assert type(decided.value) is kind
    asked = [urllib.parse.urlsplit(each.path) for each in connection.asked[1:]]
    shown = [(url.path, sorted(urllib.parse.parse_qs(url.query))) for url in asked]
    expected = [("/v26.0/app", ["appsecret_proof", "fields"]), ("/v26.0/debug_token", ["input_token"])]
    assert shown == expected[: len(answers)], "the app's own call has no proof of the page's token"
    tokens = [f"Bearer {TOKEN}", f"Bearer {APP}|{SECRET}"]
    assert [each.headers["Authorization"] for each in connection.asked[1:]] == tokens[: len(answers)]


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (NotSent("ConnectionRefusedError"), errors.Transient),
        (Unanswered("TimeoutError"), errors.Ambiguous),
        *(
            (Response(200, {}, body), errors.Ambiguous)
            for body in (b"", b"null", b"<html>ok</html>", b'{"message_id": ')
        ),
    ],
)
def test_without_facebooks_answer_a_send_is_ambiguous_unless_it_never_left_and_any_other_call_may_be_repeated(
    outcome: Response | Exception, kind: type[errors.SendError]
) -> None:
    with pytest.raises(kind):
        api(FixedAnswers(outcome)).send({})
    with pytest.raises(errors.Transient):
        api(FixedAnswers(outcome)).profile()


def test_an_error_in_an_answer_of_200_is_an_error() -> None:
    with pytest.raises(errors.Credentials):
        api(FixedAnswers(answer({"error": {"code": 190}}))).send({})


@pytest.mark.parametrize("platform", ["page", "instagram"])
def test_a_public_reply_is_made_once_however_often_it_is_sent(page: GraphApi, graph: Graph, platform: str) -> None:
    reply = messages.PublicReply("See your messages.", "1001_77", platform).to_request("")
    first = page.send(reply)
    assert page.send(reply) == first
    page.send(messages.PublicReply("Thank you.", "1001_77", platform).to_request(""))
    edge = "comments" if platform == "page" else "replies"
    asked = [(each["method"], each["path"].removeprefix("/v26.0/1001_77/")) for each in graph.requests()]
    assert asked == [("GET", edge), ("POST", edge), ("GET", edge), ("GET", edge), ("POST", edge)]


def test_another_persons_reply_with_the_same_words_is_not_the_pages() -> None:
    theirs = {"data": [{"id": "1_2", "message": "Thank you.", "from": {"id": "77"}}]}
    connection = FixedAnswers(answer(theirs), answer({"id": "1_3"}))
    assert api(connection).send(messages.PublicReply("Thank you.", "1").to_request("")) == "1_3"
    assert json.loads(connection.asked[1].body) == {"message": "Thank you."}


def test_a_persons_profile_has_the_fields_that_they_show(page: GraphApi, graph: Graph) -> None:
    graph.people.set("3000000000000001", first_name="Ada", last_name="", locale="de_DE")
    assert page.person("3000000000000001", ("first_name", "last_name", "locale")) == {
        "first_name": "Ada",
        "locale": "de_DE",
    }
    graph.people.permissions = ()
    with pytest.raises(errors.NotAllowed, match="may not read this part"):
        page.person("3000000000000001", ("first_name", "locale"))


@pytest.mark.parametrize("answered", [NotSent("x"), Unanswered("x"), answer({"error": {"code": 190}}, 400)])
def test_whatever_keeps_a_profile_from_being_read_is_logged_and_costs_a_second_at_most(
    answered: Response | Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = FixedAnswers(answered)
    assert People(Gives(api(connection))).read("3000000000000001", ("first_name",)) == {}
    assert connection.asked[0].timeout <= 1
    assert json.loads(capsys.readouterr().out)["kind"] == "profile_not_read"


class Gives(NamedTuple):
    graph: GraphApi

    def get(self) -> GraphApi:
        return self.graph


@pytest.mark.parametrize("token", ["", "two words", "line\n", "ä", "\x7f"])
def test_an_invalid_token_is_refused_without_quoting_it(token: str) -> None:
    with pytest.raises(errors.Credentials) as refusal:
        GraphApi("https://graph.invalid", "v26.0", PAGE, token, SECRET)
    assert not token or token not in str(refusal.value)


def test_no_error_contains_a_secret() -> None:
    answers = (
        answer({"error": {"code": 190, "message": f"Malformed access token {TOKEN}{'x' * 30}"}}, 400),
        answer({"error": {"code": 100, "message": f"Malformed access token {TOKEN}{'x' * 30}"}}, 400),
        Unanswered("TimeoutError"),
        NotSent("TimeoutError"),
    )
    for outcome in answers:
        with pytest.raises(errors.SendError) as failure:
            api(FixedAnswers(outcome)).send({})
        assert TOKEN not in str(failure.value)
        assert SECRET not in str(failure.value)
        assert failure.value.__cause__ is None


def test_a_profile_is_applied_by_difference(page: GraphApi, graph: Graph) -> None:
    wanted = Profile("START", {"default": "Hello"}, {"default": (MenuItem("Status", "STATUS"),)})
    assert set(page.apply_profile(wanted)) == {"get_started", "greeting", "persistent_menu"}
    assert page.profile() == wanted.to_json()
    graph.forget_requests()
    assert page.apply_profile(wanted) == ()
    assert [request["method"] for request in graph.requests()] == ["GET"]
    assert page.apply_profile(Profile(greeting={"default": "Hello"})) == ("persistent_menu", "get_started")
    assert page.profile() == {"greeting": [{"locale": "default", "text": "Hello"}]}


def test_a_token_is_invalid_unless_facebook_says_that_it_is_valid() -> None:
    for said in ({}, {"data": {"is_valid": 1, "scopes": "x", "expires_at": "x"}}):
        assert api(FixedAnswers(answer(said))).token(APP) == Token(False)
