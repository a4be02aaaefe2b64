"""From a system made by hand to a stack, with the real engine, while people write to the page all the time.

The commands are those of docs/migrate.md, as written there, and each way back is gone before the way on.
"""

import hmac
import json
import re
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore import xform_name

from bot.registration import SUBSCRIBED
from sandbox.aws.cloud import OWNER
from sandbox.configuration import read
from sandbox.engine.automation import PulumiStack
from sandbox.engine.deployment import Deployed
from sandbox.facebook.graph import Graph
from sandbox.facebook.webhooks import Facebook, text_item
from sandbox.platforms import APP_ID, Platforms, new_person
from tests.engine import handmade
from tests.engine.place import run, touched
from tests.harness import ROOT
from tests.inventory import everything

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

PAGE = (ROOT / "docs" / "migrate.md").read_text("utf-8")
SECRETS = {"pageAccessToken": "EAAold", "appSecret": "secret-of-the-app", "verifyToken": "word-of-the-new-bot"}
OLD_FIELDS = ["messages", "messaging_postbacks"]
PEOPLE = ["anna", "ben", "cleo"]
OLD = "The old bot: "
Json = dict[str, Any]


class Meta(Platforms):
    """An account and a page, without a stack. Echoes go where events go, if the page is subscribed to them."""

    facebook: Facebook

    def _new_graph(self) -> Graph:
        return Graph(self.page_id, APP_ID, self.page_token, self.app_secret, echo=self._echo)

    def _echo(self, item: Json, delay: float) -> None:
        if "message_echoes" in self.graph.subscribed_apps.fields:
            self.facebook.echo(item, delay)

    @property
    def callback(self) -> str:
        """Where the app's webhook is."""
        return str(self.graph.app_subscription.subscriptions[0]["callback_url"])


class People(threading.Thread):
    """Somebody new writes every half second, until the end."""

    def __init__(self, meta: Meta) -> None:
        super().__init__()
        self._meta, self._ended = meta, threading.Event()
        self.acknowledged: dict[str, int] = {}

    def run(self) -> None:
        facebook = self._meta.facebook
        while not self._ended.wait(0.5):
            person = new_person()
            self._meta.graph.note_message(person)
            facebook.url = self._meta.callback
            self.acknowledged[person], _ = facebook.post(
                facebook.body([text_item(self._meta.page_id, person, "status")])
            )

    def end(self) -> None:
        self._ended.set()
        self.join()


class Migration:
    """The whole way.

    Attributes:
        steps: what was there after each step: `account`, `registered`, and the `answer` that somebody got.
        found: by `look`.
        done: by the last `pulumi up` of the way.
        watched: by the last switch.
        leftovers: as `leftovers` lists them.
        repeated: what one more `pulumi up` changed at the end.
        acknowledged: person → the status that their message got.
    """

    found: Json
    done: dict[str, str]
    watched: Json
    leftovers: list[Json]
    repeated: dict[str, str]
    acknowledged: dict[str, int]

    def __init__(self, meta: Meta, folder: Path) -> None:
        self.meta, self._folder = meta, folder
        self.iam = meta.client("iam")
        proof = hmac.digest(meta.app_secret.encode(), meta.page_token.encode(), "sha256").hex()
        url = f"{meta.graph_url}/v26.0/{meta.page_id}/messages?appsecret_proof={proof}"
        send = {"SEND_URL": url, "TOKEN": meta.page_token}
        self.old_url = meta.cloud_url + handmade.make(meta.client, meta.configuration.region, send, PEOPLE)
        app = {"object": "page", "callback_url": self.old_url, "verify_token": handmade.VERIFY_TOKEN}
        meta.graph.app_subscription.subscribe(app | {"fields": OLD_FIELDS})
        meta.graph.subscribed_apps.subscribe({"subscribed_fields": OLD_FIELDS})
        meta.facebook = Facebook(self.old_url, meta.app_secret, meta.page_id)
        self.steps: dict[str, Json] = {}

    def record(self, step: str) -> None:
        """Note what is there now, and who answers."""
        (answer,) = self.ask()
        self.steps[step] = {"account": self.account(), "registered": self.registered(), "answer": answer}

    def import_group(self) -> None:
        """`adopt import`, and the command that it prints."""
        file = Path(self.stack.engine.workspace.work_dir) / "import.json"
        file.write_text(self.ops("import", "--stack", "dev"), "utf-8")
        (command,) = re.findall(r"^ *(pulumi import .*)$", self.said, re.MULTILINE)
        assert command in PAGE
        self.run(*shlex.split(command), "--yes")

    def account(self) -> Json:
        """What is in the account, with the group in full."""
        group = self.iam.get_group(GroupName=handmade.GROUP)
        attached = self.iam.list_attached_group_policies(GroupName=handmade.GROUP)["AttachedPolicies"]
        return {
            "names": sorted(
                each for each in everything(self.meta.client) if not each.startswith("/aws/lambda/fbm-bot")
            ),
            "group": group["Group"]["GroupId"],
            "people": sorted(each["UserName"] for each in group["Users"]),
            "policies": sorted(each["PolicyArn"] for each in attached),
        }

    def registered(self) -> tuple[Json, list[str]]:
        """What Facebook knows of app and page."""
        (app,) = self.meta.graph.app_subscription.subscriptions
        return dict(app), list(self.meta.graph.subscribed_apps.fields)

    def answered(self, person: str) -> list[str]:
        """The texts that somebody got."""
        sent = [each for each in self.meta.requests() if each["path"].endswith("/messages") and each["status"] == 200]
        bodies = [each["body"] for each in sent]
        return [
            each["message"]["text"] for each in bodies if person == each["recipient"].get("id") and "message" in each
        ]

    def ask(self) -> list[str]:
        """Write to the page, wherever its events go now, and wait for the answer."""
        person = new_person()
        self.meta.graph.note_message(person)
        self.meta.facebook.url = self.meta.callback
        self.meta.facebook.deliver([text_item(self.meta.page_id, person, "status")])
        wait_for(lambda: self.answered(person))
        return self.answered(person)

    def deploy(self, settings: Json, key: tuple[str, ...] = OWNER) -> None:
        """A stack of the real engine, with settings as a person writes them."""
        configuration = read(ROOT, "dev").with_values(
            graphApiUrl=self.meta.graph_url,
            **SECRETS,
            **{
                key.partition(":")[2]: value if isinstance(value, str) else json.dumps(value)
                for key, value in settings.items()
            },
        )
        self.stack = PulumiStack(configuration, self._folder, self.meta.cloud_url, key)

    def up(self) -> dict[str, str]:
        deployed = Deployed()
        self.stack.run("up", deployed.note)
        return deployed.done

    def ops(self, *arguments: str) -> str:
        """Run `python -m ops adopt …`, with the old bot's verify token for whoever asks."""
        return self.run(sys.executable, "-m", "ops", "adopt", *arguments)

    def run(self, *command: str) -> str:
        """Run a command; return its standard output."""
        done = run(command, self.stack, input=handmade.VERIFY_TOKEN)
        self.said = done.stderr
        return done.stdout

    def go_back(self, step: int) -> None:
        """Take a step back with the commands of the page, as they are written there."""
        section = PAGE.partition(f"\n## {step}. ")[2].partition("\n## ")[0]
        block = re.findall(r"^```sh\n(.*?)^```", section.partition("Way back")[2], re.MULTILINE | re.DOTALL)[0]
        for line in block.splitlines():
            program, *arguments = shlex.split(line)
            if program == "pulumi":
                self.run(program, *arguments, "--yes")
            else:
                self.run(sys.executable, *arguments)


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def walk(way: Migration) -> None:
    """Every step, its way back, and the step again."""
    way.record("by hand")
    way.deploy({}, way.meta.key_of("anna"))
    way.found = json.loads(way.ops("look", "--json"))
    way.deploy(yaml.safe_load(way.found["settings"])["config"])
    app = ("--stack", "dev", "--app-id", APP_ID)

    for step in ("imported", "forgotten", "imported again"):
        if step == "forgotten":
            way.go_back(3)
        else:
            way.import_group()
        way.record(step)
    for step in ("up", "down", "up again"):
        if step == "down":
            way.go_back(4)
            way.record(step)
            way.import_group()
        else:
            way.done = way.up()
            way.record(step)
    for step in ("switched", "back", "switched again"):
        if step == "back":
            way.go_back(5)
        else:
            way.watched = json.loads(way.ops("switch", *app, "--json"))["watched"]
        way.record(step)
    way.leftovers = json.loads(way.ops("leftovers", *app, "--json"))
    for command in re.findall(r"^aws .*$", way.ops("leftovers", *app), re.MULTILINE):
        aws(way.meta.client, command)
    way.record("old system deleted")
    way.repeated = touched(way.up())


def aws(client: Callable[[str], Any], command: str) -> None:
    """Do what a line for the AWS CLI does: `aws SERVICE OPERATION --NAME VALUE …`."""
    program, service, operation, *options = shlex.split(command)
    assert program == "aws"
    call = getattr(client(service), operation.replace("-", "_"))
    model = client(service).meta.service_model.operation_model(
        client(service).meta.method_to_api_mapping[call.__name__]
    )
    names = {xform_name(name, "-"): name for name in model.input_shape.members}
    call(**{names[name.removeprefix("--")]: value for name, value in zip(options[::2], options[1::2], strict=True)})


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migration]:
    with Meta(read(ROOT, "dev").with_values(**SECRETS)) as meta:
        migration = Migration(meta, tmp_path_factory.mktemp("migration"))
        people = People(meta)
        people.start()
        try:
            walk(migration)
        finally:
            people.end()
            meta.facebook.stop()
        migration.acknowledged = people.acknowledged
        yield migration


def test_every_message_on_the_way_is_acknowledged_at_once_and_answered_once(way: Migration) -> None:
    assert set(way.acknowledged.values()) == {200}
    wait_for(lambda: all(way.answered(person) for person in way.acknowledged))
    answers = [way.answered(person) for person in way.acknowledged]
    assert {len(each) for each in answers} == {1}
    assert {text.startswith(OLD) for (text,) in answers} == {True, False}


def test_the_bot_that_answers_is_the_one_that_facebook_was_switched_to(way: Migration) -> None:
    answered_by_the_old = {name for name, step in way.steps.items() if step["answer"].startswith(OLD)}

    assert answered_by_the_old == way.steps.keys() - {"switched", "switched again", "old system deleted"}


def test_a_look_finds_the_group_the_role_the_function_and_the_api(way: Migration) -> None:
    found = way.found
    assert found["group"]["members"] == PEOPLE
    assert [(each["name"], each["role"]) for each in found["functions"]] == [(handmade.FUNCTION, handmade.ROLE)]
    assert [(each["name"], each["inline"]) for each in found["roles"]] == [(handmade.ROLE, [handmade.POLICY])]
    assert [(each["name"], each["paths"]) for each in found["apis"]] == [(handmade.API, ["/prod/messenger"])]


@pytest.mark.parametrize("step", ["imported", "forgotten", "imported again", "down"])
def test_taking_over_the_group_and_each_way_back_leave_the_account_as_it_was(way: Migration, step: str) -> None:
    assert way.steps[step]["account"] == way.steps["by hand"]["account"]


def test_the_group_stays_with_its_people_and_policies_and_the_rest_is_made_beside_it(way: Migration) -> None:
    before, after = way.steps["by hand"]["account"], way.steps["up again"]["account"]
    group = {name: what for name, what in way.done.items() if name.endswith("-admins-group")}

    assert group == {"innolab-fbm-dev-admins-group": "same"}
    assert (after["group"], after["people"]) == (before["group"], before["people"])
    assert set(after["policies"]) > set(before["policies"])
    assert set(after["names"]) > set(before["names"])
    assert all("innolab-fbm-dev-" in name for name in set(after["names"]) - set(before["names"]))


def test_nothing_is_switched_before_the_switch(way: Migration) -> None:
    assert way.steps["up again"]["registered"] == way.steps["by hand"]["registered"]


def test_the_way_back_registers_exactly_what_was_registered_before(way: Migration) -> None:
    assert way.steps["switched"]["registered"][1] == list(SUBSCRIBED)
    assert way.steps["back"]["registered"] == way.steps["by hand"]["registered"]


def test_the_switch_waits_for_the_first_answer(way: Migration) -> None:
    assert way.watched["answered"] >= 1
    assert way.watched["wrong"] == []


def test_the_old_bot_never_gets_an_echo(way: Migration) -> None:
    sent_to = {
        each["body"]["recipient"].get("id") for each in way.meta.requests() if each["path"].endswith("/messages")
    }

    assert way.meta.page_id not in sent_to


def test_what_is_left_over_is_the_old_system_and_without_it_nothing_is_missing(way: Migration) -> None:
    names = {each["name"] for each in way.leftovers}
    logs = f"/aws/lambda/{handmade.FUNCTION}"
    assert names == {handmade.API, handmade.FUNCTION, logs, handmade.ROLE, handmade.RETIRED}

    before, after = (way.steps[step]["account"] for step in ("switched again", "old system deleted"))
    assert set(before["names"]) - set(after["names"]) == {handmade.API, handmade.FUNCTION, handmade.ROLE}
    assert after["people"] == PEOPLE
    assert way.repeated == {}
