"""The chat page as a whole: what it shows of a sandbox, and what one can do with the sandbox there."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from sandbox.aws.proxy import Proxy
from sandbox.background import Background
from sandbox.conversation import not_loaded
from sandbox.conversation_function import ConversationCode, conversation_code
from sandbox.errors import SandboxError
from sandbox.facebook import actions
from sandbox.facebook.outbox import Outbox
from sandbox.facebook.request_log import GraphCall
from sandbox.facebook.webhooks import Facebook, Item
from sandbox.local import Sandbox
from sandbox.page.app import Site, cancelled
from sandbox.page.aws_reader import UNREADABLE, AwsReader
from sandbox.page.conversation_function import ConversationFunction
from sandbox.page.diagram import deployed_diagram
from sandbox.page.event_log import EventLog
from sandbox.page.fault_panel import FAULTS, VISIBILITY_SECONDS, Fault, FaultPanel
from sandbox.page.feed import Feed
from sandbox.page.operator import Operator
from sandbox.page.outcomes import OUTCOMES
from sandbox.page.reload import Reload, bot_source, conversation_source, raised_again
from sandbox.serving import Server

Json = dict[str, Any]
NAMES = ("Anna", "Ben", "Carla", "David", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Klara", "Liam")
LONGEST_NAME = 40
MOST_PEOPLE = 50
POLL_SECONDS = 0.4
BUSY_SECONDS = 3.0  # queues and log are read for so long after anything was seen
COPIES = 3  # of each webhook, with the fault `duplicates`


class ChatPage:
    """The chat page of one sandbox; call `start` once the stack is deployed.

    Args:
        sandbox: the sandbox.
        proxy: through which the function calls AWS.
        background: the loop on which the page is served.
        port: where it listens; 0 for a free port.
        observe: takes what the author's code raised, for the terminal: ``{"event": "defect", …}``.

    Attributes:
        feed: what happened.
    """

    FAULTS: Sequence[Fault] = FAULTS
    """What can be switched on."""

    def __init__(
        self,
        sandbox: Sandbox,
        proxy: Proxy,
        background: Background,
        port: int,
        observe: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.proxy, self.background, self._observe = proxy, background, observe
        self._sandbox = sandbox
        self.feed = Feed(background.loop, (sandbox.app_secret, sandbox.verify_token, sandbox.page_token))
        self._aws = AwsReader(sandbox.client, lambda: sandbox.outputs)
        self._operator = Operator(sandbox)
        self._outbox = Outbox(sandbox.deliver, self._not_delivered)
        switches = {
            "paused": self._pause,
            "killed": self._shorten_visibility,
            "duplicates": self._duplicate,
            "disorder": self._reorder,
        }
        self._faults = FaultPanel(self.FAULTS, sandbox.faults, sandbox.aws_faults, switches, sandbox.kill_functions)
        self._event_log = EventLog(self.feed, sandbox.page_id, lambda: sandbox.outputs, self._faults.hits)
        self._reload = Reload(
            bot_source(sandbox.configuration.folder),
            lambda content: self._upload(str(sandbox.outputs["functionName"]), content),
            self._start_both,
            self.note_code,
            self._take_offer,
        )
        self._conversation = ConversationFunction(sandbox)
        self._conversation_code: ConversationCode | None = None
        self._conversation_reload: Reload | None = None
        with contextlib.suppress(SandboxError):  # the deployment will say so
            self._look_at_conversation()
        self._site = Site(self)
        self._server = Server(self._site.app, port, "the chat page")
        self._site.url = self._server.url
        self._people: dict[str, str] = {}
        self._demonstrations: Json = {}
        self._visibility = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._counts: Json = {}

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._server.url

    # Starting and stopping

    def start(self) -> None:
        """Serve the page, observe everything from now on, and start the function before the first message."""
        if self._sandbox.facebook:
            self.watch(self._sandbox.facebook)
        self._sandbox.graph.observe = self._called_graph
        self.proxy.observe = self._event_log.called_aws
        self.background.run(self._start())

    def watch(self, facebook: Facebook) -> None:
        """Observe the webhooks of a sender; an update of the stack can bring another one."""
        facebook.observe = self._event_log.posted

    async def _start(self) -> None:
        await self._begin()
        await self._server.start()
        works = (self._reload.run(), self._follow_conversation(), self._poll(), asyncio.to_thread(self._start_both))
        for work in works:
            self._tasks.append(asyncio.create_task(self._report_failure(work)))

    async def _begin(self) -> None:
        """Have somebody to write as."""
        await self.add_person("")

    async def _report_failure(self, work: Awaitable[object]) -> None:
        """Do work; if it fails, the page says so."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, the page continues without this work, and says so
            self.feed.note("failure", sentence=f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """Stop serving. Can be called twice."""
        self.proxy.observe = None
        self.background.run(self._stop())

    async def _stop(self) -> None:
        self.feed.close()
        for task in self._tasks:
            await cancelled(task)
        await self._outbox.stop()
        await self._server.stop()

    # What the server asks

    def described(self) -> Json:
        """What a browser is sent first."""
        return {
            "stack": self._sandbox.stack,
            "pageId": self._sandbox.page_id,
            "outcomes": {name: each._asdict() for name, each in OUTCOMES.items()},
            "faults": self._faults.described(),
            "on": sorted(self._faults.on),
            "demonstrations": self._demonstrations,
            "profile": self._sandbox.graph.profile(),
            "reactions": list(actions.REACTIONS),
        }

    async def add_person(self, name: str) -> Json:
        """Add a person; without a name they get one."""
        if len(self._people) >= MOST_PEOPLE:
            raise SandboxError(f"There are {MOST_PEOPLE} people already: a sandbox cannot have more.")
        chosen = name.strip()[:LONGEST_NAME] or NAMES[len(self._people) % len(NAMES)]
        person = str(2_000_000_000_000_000 + int.from_bytes(os.urandom(6)) % 10**15)
        self._sandbox.graph.people.set(person, first_name=chosen, last_name="")
        self._show_person(person, chosen)
        return {"person": person}

    def _show_person(self, person: str, name: str) -> None:
        self._people[person] = name
        self._event_log.know(person)
        self.feed.note("person", person=person, name=name)

    def _known(self, person: str) -> str:
        if person not in self._people:
            raise SandboxError("There is no such person on this page: reload it.")
        return person

    async def act(self, person: str, action: Json) -> Json:
        """A person did something: show it at once, and deliver it as a webhook."""
        item = actions.item(self._sandbox.page_id, self._known(person), action)
        if action["kind"] == "hand_back":
            self._sandbox.graph.threads.give_back(person)
        return self._deliver(person, item, action["kind"])

    def _deliver(self, person: str, item: Item, action: str) -> Json:
        self._sandbox.know(person, item)
        key = self._event_log.begin(item, person, action)
        self._outbox.put(person, [item])
        return {"key": key}

    async def replay(self, key: str) -> Json:
        """Deliver an event once more, as another event."""
        item = self._event_log.items.get(key)
        if item is None:
            raise SandboxError("This event cannot be replayed: the page did not see its webhook.")
        if notice := item.get("notice"):
            return await self.notify(item["sender"]["id"], notice["topic"], notice["data"])
        return self._deliver(self._event_log.stories[key].person, actions.again(item), "replay")

    # What an operator does

    async def notify(self, person: str, topic: str, data: Mapping[str, str]) -> Json:
        """Send the bot a notice about a person."""
        item = await asyncio.to_thread(self._operator.notify, self._known(person), topic, data)
        return {"key": self._event_log.begin(item, person, "notice")}

    async def answer_as_human(self, person: str, text: str) -> None:
        """Answer a person from the page's inbox."""
        echo = actions.inbox_echo(self._sandbox.page_id, self._known(person), text)
        self.feed.note("inbox", person=person, mid=echo["message"]["mid"], text=text)
        self._outbox.put(person, [echo])

    async def reply(self, person: str, text: str) -> None:
        """Answer a person as `ops reply` does."""
        await asyncio.to_thread(self._operator.reply, self._known(person), text)

    async def day_later(self, person: str) -> None:
        """Let a day pass for one person."""
        await asyncio.to_thread(self._operator.day_later, self._known(person))
        self.feed.note("day_later", person=person)

    async def forget(self, person: str) -> Json:
        """Delete what is kept about a person."""
        sentence = f"{self._people[self._known(person)]}, {await asyncio.to_thread(self._operator.forget, person)}"
        self.feed.note("forgotten", person=person, sentence=sentence)
        for story in list(self._event_log.stories.values()):
            if story.person == person and not story.outcome.final:
                self._event_log.take(story.key, "forgotten")
        return {"sentence": sentence}

    async def redrive(self, letter: str) -> None:
        """Send a dead letter's events back to the queue."""
        for key in await asyncio.to_thread(self._operator.redrive, letter):
            self._event_log.take(key, "redriven")

    async def drop(self, letter: str) -> None:
        """Delete a dead letter."""
        for key in await asyncio.to_thread(self._operator.drop, letter):
            self._event_log.take(key, "dropped")

    async def start_over(self) -> None:
        """Forget everybody, empty the queues, switch all faults off, and begin again with one person."""
        await self.set_faults([])
        await self._outbox.stop()
        await asyncio.to_thread(self._operator.clear)
        self._outbox = Outbox(self._sandbox.deliver, self._not_delivered)
        self._people.clear()
        self._event_log.forget()
        self.feed.restart()
        await self.add_person("")

    async def received(self, person: str, mids: list[str]) -> None:
        """Messages arrived at a person's; nothing if everything has started over since."""
        if person in self._people:
            self._outbox.put(person, [actions.delivery(self._sandbox.page_id, person, mids)])

    async def read(self, person: str) -> None:
        """A person has read everything so far; nothing if everything has started over since."""
        if person in self._people:
            self._outbox.put(person, [actions.read(self._sandbox.page_id, person)])

    async def set_faults(self, names: list[str]) -> None:
        """Switch exactly these faults on."""
        before = self._faults.on
        await asyncio.to_thread(self._faults.set, names)
        if self._faults.on - before:
            self._event_log.count_from_now()
        self.feed.note("faults", on=sorted(self._faults.on))

    async def memory(self, person: str) -> Json:
        """What AWS holds of a person, and in the queues."""
        self._known(person)
        counts = await asyncio.to_thread(self._aws.counts)
        letters = await asyncio.to_thread(self._aws.dead_letters) if counts["deadLetters"]["waiting"] else []
        user = await asyncio.to_thread(self._aws.user, self._sandbox.page_id, person)
        return {"user": user, "queues": counts, "deadLetters": letters}

    async def record(self, key: str) -> Json | None:
        """The ledger's record of an event."""
        return await asyncio.to_thread(self._aws.event, key)

    async def diagram(self) -> Json:
        """The diagram of the stack."""
        configuration = self._sandbox.configuration
        prefix = f"{configuration.project}-{configuration.stack}"
        return await asyncio.to_thread(deployed_diagram, prefix, configuration.folder, self._sandbox.resources)

    # What it observes

    def _called_graph(self, call: GraphCall) -> None:
        self._event_log.called_graph(call, self._shown((call.body or {}).get("message") or {}))
        if call.path.endswith("/messenger_profile") and call.method != "GET":
            self._note_profile()
        taken = call.status == HTTPStatus.OK and call.path.endswith("/messages") and "message" in (call.body or {})
        if taken and self._faults.sent():
            key = self._event_log.answered(call)
            self.feed.note("killed", key=key)
            self._event_log.take(key, "killed")

    def _shown(self, message: Json) -> Json:
        """What a person sees of a message: of a template, its text with everything filled in."""
        if "template" not in message:
            return message
        templates = self._sandbox.graph.templates
        text, buttons = templates.text(message["template"]), templates.buttons(message["template"])
        form = {"template_type": "button", "text": text, "buttons": buttons}
        return {"attachment": {"type": "template", "payload": form}} if buttons else {"text": text}

    def _not_delivered(self, items: Sequence[Item], sentence: str) -> None:
        keys = [self._event_log.key(item) for item in items]
        self.feed.note("not_delivered", keys=keys, sentence=sentence)
        for key in keys:
            self._event_log.take(key, "abandoned")

    async def _poll(self) -> None:
        """Read queues and log while anything happens."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if time.monotonic() - self._event_log.last_seen > BUSY_SECONDS and not self._queue_is_busy():
                continue
            with contextlib.suppress(*UNREADABLE):
                await self._note_news()

    async def _note_news(self) -> None:
        began = time.time()
        for line in await asyncio.to_thread(self._aws.new_lines):
            self.feed.note("line", line["time"], text=line["text"])
            if key := self._event_log.line(line["text"]):
                await self._explain(key, line)
        self._event_log.log_was_read(began)
        counts = await asyncio.to_thread(self._aws.counts)
        if counts != self._counts:
            self._counts = counts
            self.feed.note("queues", counts=counts)
        if not self._queue_is_busy():
            self._event_log.queue_is_empty()

    async def _explain(self, key: str, line: Json) -> None:
        """Show what the author's code raised: the turn is run again, as a log never has what a person wrote."""
        story, logged = self._event_log.stories[key], json.loads(line["text"])
        turn = {
            "item": self._event_log.items.get(key),
            "page": self._sandbox.page_id,
            "state": story.state,
            "now": line["time"],
            "variables": await asyncio.to_thread(self._aws.variables),
        }
        kind = str(logged["reason"]).partition(" ")[0]
        raised: Json | None = None
        if turn["item"] and self._conversation.name:
            raised = await asyncio.to_thread(self._conversation.raised_again, turn)
        elif turn["item"] and self._reload.live:
            raised = await asyncio.to_thread(raised_again, self._reload.live, turn)
        if not raised or raised["type"] != kind:
            sentence = "It was not raised again when the turn was run once more, so only the log knows where it was."
            raised = {"type": kind, "message": sentence, "frames": [], "at": logged.get("at", "")}
        defect = {"key": key, "person": story.person, "said": story.said, **raised}
        if defect != story.code:  # the same event fails several times, if no handler answers in its place
            story.code = defect
            self.feed.note("defect", **defect)
            self._observe({"event": "defect", **json.loads(self.feed.masked(json.dumps(defect)))})

    def _queue_is_busy(self) -> bool:
        return any((self._counts.get("events") or {}).values())

    # Live reload

    def note_code(self, state: str, content: Json) -> None:
        """Note a change of the code or of the settings: it is being checked, is live, or is broken."""
        self.feed.note("code", state=state, content=content)

    async def _follow_conversation(self) -> None:
        """Reload the conversation that is a function of its own, whichever the settings name."""
        watching: asyncio.Task[None] | None = None
        try:
            while True:
                with contextlib.suppress(SandboxError):  # the deployment has said so
                    if self._look_at_conversation():
                        await cancelled(watching)
                        watching = None
                if self._conversation_reload and self._conversation.name and not watching:
                    watching = asyncio.create_task(self._watch_conversation(self._conversation_reload))
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await cancelled(watching)

    def _look_at_conversation(self) -> bool:
        """Watch the code of a conversation that is a function of its own from now on; False if that is so already."""
        code = conversation_code(self._sandbox.configuration)
        if code == self._conversation_code:
            return False
        self._conversation_code = code
        self._conversation_reload = code and Reload(
            conversation_source(self._sandbox.configuration.folder, code),
            lambda content: self._upload(self._conversation.name, content),
            self._conversation.start,
            self.note_code,
            self._take_offer,
        )
        return True

    async def _watch_conversation(self, reload: Reload) -> None:
        if failure := await asyncio.to_thread(self._conversation.start):
            self.note_code("broken", {"changed": [], **not_loaded(failure)})
        await self._report_failure(reload.run())

    async def _take_offer(self, offered: Json) -> None:
        """Show the bot's Messenger profile, and what it can demonstrate; a bot without a profile keeps the present.

        Its templates are reviewed, as if `ops templates` had created them. A function of its own has neither.
        """
        self._demonstrations = offered["demonstrations"]
        self.feed.note("demonstrations", demonstrations=self._demonstrations)
        if offered["templates"] is not None:
            await asyncio.to_thread(self._sandbox.graph.templates.replace, offered["templates"])
        if offered["profile"]:
            self._sandbox.graph.set_profile(offered["profile"])
            self._note_profile()

    def _note_profile(self) -> None:
        self.feed.note("profile", profile=self._sandbox.graph.profile())

    def _upload(self, name: str, content: bytes) -> None:
        """Make a zip the code of the bot's function, or of the conversation's, and let the new version answer."""
        client, outputs = self._sandbox.client("lambda"), self._sandbox.outputs
        bot = str(outputs["functionName"])
        client.update_function_code(FunctionName=name, ZipFile=content)
        self._aws.wait_until_updated(name)
        version = client.publish_version(FunctionName=name)["Version"]
        if name != bot:
            variables = {**self._aws.variables(), "CONVERSATION_FUNCTION": f"{name}:{version}"}
            client.update_function_configuration(FunctionName=bot, Environment={"Variables": variables})
            self._aws.wait_until_updated(bot)
            version = client.publish_version(FunctionName=bot)["Version"]
        client.update_alias(FunctionName=bot, Name=outputs["aliasName"], FunctionVersion=version, RoutingConfig={})

    def _start_both(self) -> str:
        """Start the two instances that a message needs: one for the webhook, one for the queue."""
        with ThreadPoolExecutor(2) as both:
            return next(filter(None, both.map(lambda _: self._start_instance(), range(2))), "")

    def _start_instance(self) -> str:
        """Have an instance of the function load everything; the answer says why it did not, or is empty."""
        answer = self._sandbox.client("lambda").invoke(
            FunctionName=str(self._sandbox.outputs["functionName"]),
            Qualifier=str(self._sandbox.outputs["aliasName"]),
            Payload=json.dumps({"Records": []}),
        )
        if "FunctionError" not in answer:
            return ""
        error = json.loads(answer["Payload"].read() or b"{}")
        return f"The function did not start: {error.get('errorType', 'Error')}: {error.get('errorMessage', '')}"

    # Faults that are neither the Graph API's nor AWS's

    def _pause(self, on: bool) -> None:
        client = self._sandbox.client("lambda")
        mappings = client.list_event_source_mappings(FunctionName=str(self._sandbox.outputs["functionName"]))
        for mapping in mappings["EventSourceMappings"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=not on)

    def _shorten_visibility(self, on: bool) -> None:
        """Have the queue show soon what a killed run had taken; afterwards, what the stack says holds again."""
        queue, client, name = str(self._sandbox.outputs["queueUrl"]), self._sandbox.client("sqs"), "VisibilityTimeout"
        if on:
            self._visibility = client.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"][name]
        value = str(VISIBILITY_SECONDS) if on else self._visibility
        client.set_queue_attributes(QueueUrl=queue, Attributes={name: value})

    def _duplicate(self, on: bool) -> None:
        self._outbox.copies = COPIES if on else 1

    def _reorder(self, on: bool) -> None:
        self._outbox.reorder = on
