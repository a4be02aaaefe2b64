"""The chat page as a whole: what it shows of a sandbox, and what it lets one do with it."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sandbox.aws.proxy import Proxy
from sandbox.background import Background
from sandbox.errors import SandboxError
from sandbox.facebook.graph import Asked
from sandbox.facebook.webhooks import Facebook, Item
from sandbox.page import acts
from sandbox.page.app import Site, cancelled
from sandbox.page.journal import Journal
from sandbox.page.mailbox import Mailbox
from sandbox.page.memory import UNREADABLE, Memory
from sandbox.page.picture import picture
from sandbox.page.reload import Reload
from sandbox.page.switches import KILLED_VISIBLE_SECONDS, Board
from sandbox.page.witness import Witness
from sandbox.serving import Server

if TYPE_CHECKING:
    from sandbox.local import Sandbox

Json = dict[str, Any]
NAMES = ("Anna", "Ben", "Carla", "David", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Klara", "Liam")
LONGEST_NAME = 40
MOST_PEOPLE = 50
POLL_SECONDS = 0.4
BUSY_SECONDS = 3.0  # for so long after anything was seen, queues and log are looked at
HTTP_OK = 200


class Page:
    """The page of one sandbox; `start` it once the stack is deployed.

    Args:
        sandbox: whose page it is.
        proxy: through which the function calls AWS.
        background: the loop on which it is served.
        port: where it listens; 0 for a free port.
    """

    def __init__(self, sandbox: "Sandbox", proxy: Proxy, background: Background, port: int) -> None:
        self.proxy, self.background = proxy, background
        self._sandbox = sandbox
        hidden = (sandbox.app_secret, sandbox.verify_token, sandbox.page_token)
        self.journal = Journal(background.loop, hidden)
        self._witness = Witness(self.journal, sandbox.page_id, lambda: sandbox.outputs)
        self._memory = Memory(sandbox.client, lambda: sandbox.outputs)
        self._mailbox = Mailbox(sandbox.deliver, self._given_up)
        self._board = Board(sandbox.faults, sandbox.aws_faults, self._pause, self._prepare_to_kill, self._kill)
        self._reload = Reload(
            sandbox.configuration.folder, self._upload, self._start_both, self._told_of_code, self._set_profile
        )
        self._site = Site(self)
        self._server = Server(self._site.app, port, "the chat page")
        self._site.url = self._server.url
        self._people: dict[str, str] = {}
        self._visibility = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._counts: Json = {}

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._server.url

    # Starting and ending

    def start(self) -> None:
        """Serve the page, look on from now on, and have the function awake before the first message."""
        if self._sandbox.facebook:
            self.watch(self._sandbox.facebook)
        self._sandbox.graph.observe = self._asked
        self.proxy.observe = self._witness.called
        self.background.run(self._start())

    def watch(self, facebook: Facebook) -> None:
        """Look on at the webhooks of a sender; an update of the stack can bring a new one."""
        facebook.observe = self._witness.posted

    async def _start(self) -> None:
        await self.add_person("")
        await self._server.start()
        for work in (self._reload.run(), self._look(), asyncio.to_thread(self._start_both)):
            self._tasks.append(asyncio.create_task(self._noted(work)))

    async def _noted(self, work: Awaitable[object]) -> None:
        """Do work; what ends it by mistake is told on the page, not swallowed."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, the page goes on without this work, and says so
            self.journal.note("trouble", sentence=f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """Serve no more. Harmless if repeated."""
        self.proxy.observe = None
        self.background.run(self._stop())

    async def _stop(self) -> None:
        self.journal.close()
        for task in self._tasks:
            await cancelled(task)
        await self._mailbox.stop()
        await self._server.stop()

    # What the server asks

    def described(self) -> Json:
        """What a page is told first."""
        return {
            "stack": self._sandbox.stack,
            "pageId": self._sandbox.page_id,
            "switches": self._board.described(),
            "on": sorted(self._board.on),
            "profile": self._sandbox.graph.profile(),
            "reactions": list(acts.REACTIONS),
        }

    async def add_person(self, name: str) -> Json:
        """Somebody new, called so; a name is chosen if none is given."""
        if len(self._people) >= MOST_PEOPLE:
            raise SandboxError(f"There are {MOST_PEOPLE} people already: that is enough for one sandbox.")
        number = len(self._people)
        chosen = name.strip()[:LONGEST_NAME] or NAMES[number % len(NAMES)]
        person = str(2_000_000_000_000_000 + int.from_bytes(os.urandom(6)) % 10**15)
        self._people[person] = chosen
        self.journal.note("person", person=person, name=chosen)
        return {"person": person}

    def _known(self, person: str) -> None:
        if person not in self._people:
            raise SandboxError("There is no such person on this page: reload it.")

    async def act(self, person: str, act: Json) -> Json:
        """Somebody did something: it is shown at once, and delivered as a webhook."""
        self._known(person)
        item = acts.item(self._sandbox.page_id, person, act)
        key = self._witness.key(item)
        self.journal.note("item", person=person, key=key, item=item, act=act.get("kind"))
        self._mailbox.put(person, [item])
        return {"key": key}

    async def seen(self, person: str, mids: list[str], read: bool) -> None:
        """Messages arrived at somebody's, or were read."""
        self._known(person)
        if items := acts.receipts(self._sandbox.page_id, person, mids, read):
            self._mailbox.put(person, items)

    async def switch(self, names: list[str]) -> None:
        """Break exactly this."""
        await asyncio.to_thread(self._board.set, names)
        self._mailbox.copies = 3 if "duplicates" in self._board.on else 1
        self._mailbox.disorder = "disorder" in self._board.on
        self.journal.note("switches", on=sorted(self._board.on))

    async def memory(self, person: str) -> Json:
        """What AWS holds of somebody, and in the queues."""
        self._known(person)
        counts = await asyncio.to_thread(self._memory.counts)
        letters = await asyncio.to_thread(self._memory.dead_letters) if counts["deadLetters"]["waiting"] else []
        remembered = await asyncio.to_thread(self._memory.of_person, self._sandbox.page_id, person)
        return {"user": remembered, "queues": counts, "deadLetters": letters}

    async def record(self, key: str) -> Json | None:
        """The ledger's record of an event."""
        return await asyncio.to_thread(self._memory.of_event, key)

    async def picture(self) -> Json:
        """The stack's picture."""
        configuration = self._sandbox.configuration
        return await asyncio.to_thread(picture, configuration.project, configuration.stack, self._sandbox.resources)

    # What it does on its own

    def _asked(self, asked: Asked) -> None:
        self._witness.asked(asked)
        if asked.path.endswith("/messenger_profile") and asked.method != "GET":
            self._tell_profile()
        if asked.status == HTTP_OK and asked.path.endswith("/messages") and "message" in (asked.body or {}):
            self._board.sent()

    def _given_up(self, items: Sequence[Item], sentence: str) -> None:
        keys = [self._witness.key(item) for item in items]
        self.journal.note("given_up", keys=keys, sentence=sentence)

    async def _look(self) -> None:
        """Tell of queues and log while anything happens."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if time.monotonic() - self._witness.last_seen > BUSY_SECONDS and not self._counts_busy():
                continue
            with contextlib.suppress(*UNREADABLE):
                await self._tell_news()

    async def _tell_news(self) -> None:
        for line in await asyncio.to_thread(self._memory.new_lines):
            self.journal.note("line", line["time"], text=line["text"])
        counts = await asyncio.to_thread(self._memory.counts)
        if counts != self._counts:
            self._counts = counts
            self.journal.note("queues", counts=counts)
        if not self._counts_busy():
            self._witness.at_rest()

    def _counts_busy(self) -> bool:
        return any((self._counts.get("events") or {}).values())

    def _told_of_code(self, state: str, content: Json) -> None:
        self.journal.note("code", state=state, content=content)

    async def _set_profile(self, profile: object) -> None:
        """Have Messenger show what the bot wants to be shown, unless somebody registered something else."""
        if isinstance(profile, dict) and profile:
            self._sandbox.graph.set_profile(profile)
            self._tell_profile()

    def _tell_profile(self) -> None:
        self.journal.note("profile", profile=self._sandbox.graph.profile())

    def _upload(self, content: bytes) -> None:
        name = str(self._sandbox.outputs["functionName"])
        self._sandbox.client("lambda").update_function_code(FunctionName=name, ZipFile=content)
        self._memory.wait_until_updated(name)

    def _start_both(self) -> str:
        """Start two instances, as one message needs: one for the webhook, one for the queue."""
        with ThreadPoolExecutor(2) as both:
            return next(filter(None, both.map(lambda _: self._wake(), range(2))), "")

    def _wake(self) -> str:
        """Have an instance of the function start and load everything; what it says if it does not."""
        answer = self._sandbox.client("lambda").invoke(
            FunctionName=str(self._sandbox.outputs["functionName"]), Payload=json.dumps({"Records": []})
        )
        if "FunctionError" not in answer:
            return ""
        told = json.loads(answer["Payload"].read() or b"{}")
        return f"The function did not start: {told.get('errorType', 'Error')}: {told.get('errorMessage', '')}"

    def _pause(self, paused: bool) -> None:
        client = self._sandbox.client("lambda")
        mappings = client.list_event_source_mappings(FunctionName=str(self._sandbox.outputs["functionName"]))
        for mapping in mappings["EventSourceMappings"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=not paused)

    def _prepare_to_kill(self, on: bool) -> None:
        """Have the queue show again soon what a killed run held; back to what the stack says afterwards."""
        queue, client = str(self._sandbox.outputs["queueUrl"]), self._sandbox.client("sqs")
        name = "VisibilityTimeout"
        if on:
            self._visibility = client.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"][name]
        value = str(KILLED_VISIBLE_SECONDS) if on else self._visibility
        client.set_queue_attributes(QueueUrl=queue, Attributes={name: value})

    def _kill(self) -> None:
        self._sandbox.kill_functions()
        self.journal.note("killed")
