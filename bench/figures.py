"""Measures this bot, a peer and the floor as Lambda runs them, and writes the figures as a part of a page."""

import hashlib
import hmac
import itertools
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import botocore

from bench import stubs
from bench.runtime import HERE, NODE, PYTHON, BenchError, Function, Invocation
from bench.stubs import LATENCIES, Call, Stubs
from bot.environment import variables
from bot.pace import AHEAD_SECONDS, TEXTS_PER_SECOND
from components.event_queue import MAX_MESSAGE_BYTES
from sandbox.background import Background
from sandbox.facebook.webhooks import Item, text_item
from sandbox.local import new_person

Json = dict[str, Any]

OURS, PEER, FLOOR = "this bot", "claudia-bot-builder", "floor"
NAMES = {OURS: "ours", PEER: "a peer", FLOOR: "the limit"}
TALKATIVE = "this bot, with another conversation"
MEMORY_MB, CONCURRENCY = 512, 5
# The Graph API's latencies, and how often everything is measured with each: the peer waits for it in every round.
USUAL = 0.3
ROUNDS = {0.05: 10, USUAL: 10, 1.0: 4}
TLS_ROUNDS, IMPORT_ROUNDS, WARM_UP = 5, 5, 3
# In each round everybody but the peer acknowledges so often.
WARM_CALLS = 25
# What else the worker is given: people, answers for each, the Graph API's latency, and how often.
WORKER = ((10, 2, USUAL, 3), (10, 4, USUAL, 3), (100, 1, 0.05, 2), (100, 1, USUAL, 2))
# What the goals allow, in ms but for the share.
COLD_MS, COLD_SHARE, WARM_MS, FLAT_MS, BATCH_MS = 50.0, 0.25, 2.0, 1.0, 40.0
# Imports that take less than this many milliseconds share a line.
SMALLEST_MS = 0.7
ACKNOWLEDGEMENT_SECONDS = 5  # "Webhooks" of the Messenger Platform, read 2026-11-25
TEMPLATE = HERE / "lambda.md"
IMPORT_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


def bot_variables(at: Stubs, concurrency: int) -> dict[str, str]:
    """The variables of a bot that calls the stubs; `concurrency` is of its queue's consumer."""
    return variables(
        page_id=stubs.PAGE,
        graph_api_url=at.urls["graph"],
        graph_api_version=stubs.GRAPH_VERSION,
        message_bytes=MAX_MESSAGE_BYTES,
        queue_url=stubs.EVENTS,
        dead_letter_queue_url="",
        ledger_table=stubs.TABLE,
        secrets_path=stubs.SECRETS_PATH,
        state_days=30,
        echo_seconds=20,
        human_hours=12,
        disclose_days=30,
        concurrency=concurrency,
    )


class Bench:
    """Everybody's code, in place, and the stubs that it calls.

    Args:
        background: runs the Runtime API.
        at: the stubs.
        folder: takes code and logs; of stubs with TLS it holds the certificates to be trusted, as `bundle.pem`.
    """

    def __init__(self, background: Background, at: Stubs, folder: Path) -> None:
        self.stubs, self._background, self._folder = at, background, folder
        self._environment = {
            **bot_variables(at, CONCURRENCY),
            "facebookAccessToken": stubs.TOKEN,
            "facebookAppSecret": stubs.APP_SECRET,
            "facebookVerifyToken": "made-up",
            "PATH": os.environ["PATH"],
            "LANG": "en_US.UTF-8",
            "AWS_REGION": stubs.REGION,
            "AWS_ACCESS_KEY_ID": stubs.KEY,
            "AWS_SECRET_ACCESS_KEY": stubs.SECRET,
            "AWS_SESSION_TOKEN": stubs.SESSION,
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
            "SSL_CERT_FILE": str(folder / "bundle.pem"),
            "NODE_EXTRA_CA_CERTS": str(folder / "shown.pem"),
            # Lambda's folder cannot be written to, so what a function loads of its own is compiled at each cold start.
            "PYTHONPATH": str(PYTHON),
            "PYTHONDONTWRITEBYTECODE": "1",
            **{f"AWS_ENDPOINT_URL_{name.upper()}": at.urls[name] for name in LATENCIES},
        }
        for name in (OURS, TALKATIVE):
            shutil.copytree(HERE.parent / "bot", folder / name / "bot", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(HERE / "talkative.py", folder / TALKATIVE / "bot/conversation/__init__.py")
        shutil.copytree(HERE / "floor", folder / FLOOR)
        shutil.copytree(HERE / "peer", folder / PEER)
        (folder / PEER / "node_modules").symlink_to(NODE / "node_modules")

    def start(self, name: str, **more: str) -> Function:
        """Start a new execution environment, with more variables if given."""
        if name == PEER:
            command = ["node", str(NODE / "node_modules/aws-lambda-ric/bin/index.mjs"), "index.proxyRouter"]
        else:
            # -S: this interpreter's own packages are out of sight, as they are on Lambda.
            command = [str(Path(sys.executable).resolve()), "-S", "-m", "awslambdaric"]
            command.append("index.handle" if name == FLOOR else "bot.handler.handle")
        return Function(self._background, command, self._environment | more, self._folder / name)

    def warm(self, name: str) -> Function:
        """Start one that has acknowledged and answered."""
        function = self.start(name)
        for _ in range(WARM_UP):
            acknowledge(function, text("1" if name == TALKATIVE else "status"))
            self.work(function)
        self.stubs.take_calls()
        return function

    def work(self, function: Function) -> float:
        """Pass the queue's messages to a function, batch by batch; how many seconds it took.

        Raises:
            BenchError: it did not get through.
        """
        seconds = 0.0
        while messages := self.stubs.take_messages():
            done = function.invoke({"Records": messages})
            if done.answer != {"batchItemFailures": []}:
                raise BenchError(f"The worker did not answer everybody: {done.answer}")
            seconds += done.ended - done.began
        return seconds


def text(content: str = "status") -> Item:
    """An item of a webhook: somebody new writes something."""
    return text_item(stubs.PAGE, new_person(), content)


def acknowledge(function: Function, *items: Item) -> Invocation:
    """Send a function a signed webhook as the REST API passes it.

    Raises:
        BenchError: it was not acknowledged.
    """
    entry = {"id": stubs.PAGE, "time": round(time.time() * 1000), "messaging": items}
    body, key = json.dumps({"object": "page", "entry": [entry]}), stubs.APP_SECRET.encode()
    request = {
        "resource": "/webhook",
        "path": "/facebook",
        "httpMethod": "POST",
        "headers": {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": f"sha256={hmac.new(key, body.encode(), hashlib.sha256).hexdigest()}",
            "X-Hub-Signature": f"sha1={hmac.new(key, body.encode(), hashlib.sha1).hexdigest()}",
        },
        "requestContext": {"resourcePath": "/facebook", "httpMethod": "POST", "stage": "live"},
        "body": body,
    }
    done = function.invoke(request)
    if done.answer["statusCode"] != 200:
        raise BenchError(f"A webhook was answered {done.answer}.")
    return done


class Figures:
    """All that one run measured.

    Attributes:
        rows: seconds, by title and contestant.
        parts: of this bot's cold acknowledgement, without TLS and with it, in seconds.
        worker: seconds of the worker, those of the Graph calls that follow one another, and its calls, by title.
        calls: what one message calls, stage by stage.
        memory: MiB at the peak.
        imports: milliseconds of each import of a cold acknowledgement.
        late: by how many seconds the stubs were late.
    """

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.parts: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.worker: dict[str, tuple[list[float], float, Counter[str]]] = {}
        self.calls: dict[str, Counter[str]] = {}
        self.memory: dict[str, float] = {}
        self.imports: dict[str, float] = {}
        self.late: list[float] = []

    def _take(self, bench: Bench) -> Sequence[Call]:
        calls = bench.stubs.take_calls()
        self.late += [call.late for call in calls]
        return calls

    def cold(self, bench: Bench, delay: float, rounds: int, over: str = "") -> None:
        """Cold acknowledgements of everybody, in turns."""
        bench.stubs.graph_takes(delay)
        for _, name in itertools.product(range(rounds), NAMES):
            with bench.start(name) as function:
                done = acknowledge(function, text())
                self.rows[cold_title(delay, over)][name].append(done.ended - function.started)
                calls, imported = self._take(bench), function.ready - function.started
                if name == FLOOR:
                    self.parts[over]["the interpreter and AWS's runtime client"].append(imported)
                elif name == OURS:
                    ssm, sqs = calls
                    self.parts[over]["all of it until the first event is there"].append(imported)
                    self.parts[over]["from the event to the call of SSM"].append(ssm.arrived - function.ready)
                    self.parts[over]["SSM"].append(ssm.answered - ssm.arrived)
                    self.parts[over]["from SSM's answer to the call of SQS"].append(sqs.arrived - ssm.answered)
                    self.parts[over]["SQS"].append(sqs.answered - sqs.arrived)
                    self.parts[over]["from SQS's answer to the acknowledgement"].append(done.ended - sqs.answered)
                bench.stubs.take_messages()

    def warm(self, bench: Bench, functions: dict[str, Function], delay: float, rounds: int) -> None:
        """Warm acknowledgements, answers, and ten people in one webhook, in turns."""
        bench.stubs.graph_takes(delay)
        for _, name in itertools.product(range(rounds), NAMES):
            function = functions[name]
            for _ in range(1 if name == PEER else WARM_CALLS):
                done = acknowledge(function, text())
                self.rows[warm_title(delay)][name].append(done.ended - done.began)
            while bench.stubs.take_messages():
                pass  # what was enqueued meanwhile is of no interest here
            self._take(bench)
            if name != FLOOR:
                done = acknowledge(function, text())
                bench.work(function)
                arrived = max(call.arrived for call in self._take(bench) if call.name == "graph:send")
                self.rows[f"answer at the Graph API, warm, {graph(delay)}"][name].append(arrived - done.began)
                seconds = self.crowd(bench, function, [text() for _ in range(10)], 1, delay)
                self.rows[f"ten people in one webhook, all answered, {graph(delay)}"][name].append(seconds)

    def crowd(self, bench: Bench, function: Function, items: Sequence[Item], answers: int, delay: float) -> float:
        """Several people in one webhook, each of whom gets some answers; seconds until the last has them."""
        done = acknowledge(function, *items)
        acknowledging, worked, calls = self._take(bench), bench.work(function), self._take(bench)
        sends = [call.recipient for call in (*acknowledging, *calls) if call.name == "graph:send"]
        if Counter(sends) != Counter({item["sender"]["id"]: answers for item in items}):
            raise BenchError(f"{len(items)} people got {len(sends)} answers.")
        if worked:
            title = f"{len(items)} people, {answers} answer{'s' * (answers > 1)} each, {graph(delay)}"
            in_a_row = delay * answers * len(items) / stubs.BATCH_MESSAGES
            found, _, _ = self.worker.setdefault(title, ([], in_a_row, Counter()))
            self.worker[title] = [*found, worked], in_a_row, Counter(call.name for call in calls)
        # What counts is the work, not the wait for the function's share of the page's rate limit.
        time.sleep(max(0.0, done.began + len(sends) * CONCURRENCY / TEXTS_PER_SECOND - time.monotonic()))
        return done.ended - done.began + worked

    def count_calls(self, bench: Bench, functions: dict[str, Function]) -> None:
        """What one message calls, stage by stage; and the memory of all."""

        def note(stage: str, function: Function, item: Item) -> Sequence[Call]:
            acknowledge(function, item)
            bench.work(function)
            calls = self._take(bench)
            self.calls[stage] = Counter(call.name for call in calls)
            return calls

        message = text()
        answered = note("a message and its answer", functions[OURS], message)
        repeated: Item = {
            "sender": message["recipient"],
            "recipient": message["sender"],
            "message": {"mid": "m_echo", "is_echo": True, "app_id": 1, "metadata": answered[-2].metadata},
        }
        note("its echo, where it meets the environment that answered", functions[OURS], repeated)
        with bench.warm(OURS) as another:
            note("its echo, where it meets another", another, repeated)
        note(f"{PEER}: a message and its answer", functions[PEER], text())
        self.memory = {name: function.peak_mib for name, function in functions.items()}

    def time_imports(self, bench: Bench) -> None:
        """The imports of a cold acknowledgement: the least of some runs.

        A module of the bot counts alone, and one of the standard library with all that it loads first.
        """
        found: dict[str, list[float]] = defaultdict(list)
        for _ in range(IMPORT_ROUNDS):
            with bench.start(OURS, PYTHONPROFILEIMPORTTIME="1") as function:
                acknowledge(function, text())
                bench.stubs.take_messages()
                self._take(bench)
            for name, milliseconds in _causes(function.log.read_text()):
                found[name].append(milliseconds)
        self.imports = {name: min(each) for name, each in found.items() if len(each) == IMPORT_ROUNDS}


def _causes(log: str) -> Iterator[tuple[str, float]]:
    ancestors: list[str] = []
    # From the last to the first, whatever loads a module comes before it.
    for own, whole, blanks, name in reversed(IMPORT_LINE.findall(log)):
        depth = len(blanks) // 2
        ancestors = [*ancestors[:depth], name]
        if name.partition(".")[0] == "bot":
            yield name, int(own) / 1000
        elif depth and ancestors[-2].partition(".")[0] == "bot":
            yield name, int(whole) / 1000


def measured() -> Figures:
    """Measure everything.

    Raises:
        BenchError: something did not answer as it should.
    """
    found = Figures()
    with ExitStack() as ending:
        background = Background()
        ending.callback(background.stop)
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        plain = Bench(background, ending.enter_context(Stubs()), folder / "plain")
        for delay, rounds in ROUNDS.items():
            found.cold(plain, delay, rounds)
        found.time_imports(plain)
        tls = Bench(background, ending.enter_context(Stubs(_certificate(folder))), folder)
        found.cold(tls, USUAL, TLS_ROUNDS, ", TLS")
        functions = {name: ending.enter_context(plain.warm(name)) for name in (*NAMES, TALKATIVE)}
        for delay, rounds in ROUNDS.items():
            found.warm(plain, functions, delay, rounds)
        for people, answers, delay, rounds in WORKER:
            plain.stubs.graph_takes(delay)
            for _ in range(rounds):
                items = [text(str(answers)) for _ in range(people)]
                found.crowd(plain, functions[TALKATIVE], items, answers, delay)
        found.count_calls(plain, functions)
    return found


def _certificate(folder: Path) -> tuple[str, str]:
    """A certificate for loopback and its key; beside them a bundle with as many authorities as Lambda has."""
    shown, key = folder / "shown.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(shown)]
    subprocess.run(command, check=True, capture_output=True)
    mozilla = Path(botocore.__file__).with_name("cacert.pem")
    (folder / "bundle.pem").write_text(shown.read_text() + mozilla.read_text())
    return str(shown), str(key)


# The page


def graph(delay: float) -> str:
    """How long the Graph API takes, in words."""
    return f"Graph API {delay:g} s"


def cold_title(delay: float, over: str = "") -> str:
    """The title of a row of cold acknowledgements."""
    return f"acknowledgement, cold, {graph(delay)}{over}"


def warm_title(delay: float) -> str:
    """The title of a row of warm acknowledgements."""
    return f"acknowledgement, warm, {graph(delay)}"


class Goal(NamedTuple):
    """One goal: what it asks for, the figure, and the most that it may be, both in one unit."""

    text: str
    figure: float
    most: float

    @property
    def holds(self) -> bool:
        """Whether the figure is small enough."""
        return self.figure <= self.most

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "DOES NOT HOLD"
        return f"{verdict}: {self.text}: {self.figure:.2f}, at most {self.most:.2f}"


def goals(figures: Figures) -> list[Goal]:
    """Each goal with its figure: medians of this run."""
    cold = {name: _ms(each) for name, each in figures.rows[cold_title(USUAL)].items()}
    ours, floor = ([_ms(figures.rows[warm_title(delay)][name]) for delay in ROUNDS] for name in (OURS, FLOOR))
    ssm, sqs = LATENCIES["ssm"] * 1000, LATENCIES["sqs"] * 1000
    found = [
        Goal("cold, ms above the floor's: 50, and SSM and SQS", cold[OURS] - cold[FLOOR], COLD_MS + ssm + sqs),
        Goal("cold, share of the peer's", cold[OURS] / cold[PEER], COLD_SHARE),
        Goal("warm, ms from the fastest to the slowest Graph API", max(ours) - min(ours), FLAT_MS),
    ]
    for delay, mine, least in zip(ROUNDS, ours, floor, strict=True):
        found.append(Goal(f"warm, ms above the floor's: 2, and SQS, {graph(delay)}", mine - least, WARM_MS + sqs))
        title = f"10 people, 1 answer each, {graph(delay)}"
        above = _ms(figures.worker[title][0]) - delay * 1000
        found.append(Goal(f"the worker, ms above that one call: {title}", above, BATCH_MS))
    return found


def _ms(seconds: Iterable[float]) -> float:
    return statistics.median(seconds) * 1000


def _cell(seconds: Sequence[float]) -> str:
    """The median, the 99th percentile where there are enough, and the least and the most."""
    ordered = sorted(each * 1000 for each in seconds)
    percentile = f" / {statistics.quantiles(ordered, n=100)[98]:.1f}" if len(ordered) > 100 else ""
    return f"{statistics.median(ordered):.1f}{percentile} ({ordered[0]:.1f} to {ordered[-1]:.1f})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown: the first column to the left, all others to the right."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _apart(figures: Figures) -> list[Sequence[str]]:
    tls = figures.parts[", TLS"]
    rows: list[Sequence[str]] = [
        [name, f"{_ms(each):.1f}", f"{_ms(tls[name]):.1f}"] for name, each in figures.parts[""].items()
    ]
    ordered = sorted(figures.imports.items(), key=lambda each: -each[1])
    rows += [[f"import `{name}`", f"{took:.1f}", ""] for name, took in ordered if took >= SMALLEST_MS]
    small = [took for _, took in ordered if took < SMALLEST_MS]
    return [*rows, [f"import {len(small)} others", f"{sum(small):.1f}", ""]]


def section(figures: Figures) -> str:
    """The figures as a part of a page."""
    rows = [
        [title, *(_cell(row[name]) if name in row else "" for name in NAMES)] for title, row in figures.rows.items()
    ]
    rows.append(["memory at its peak (MiB)", *(f"{figures.memory[name]:.0f}" for name in NAMES)])
    worker = [
        [title, _cell(found), f"{in_a_row * 1000:.0f}", str(calls.total() - calls["graph:send"])]
        for title, (found, in_a_row, calls) in figures.worker.items()
    ]
    stages = [
        [stage, ", ".join(f"{count} `{name}`" for name, count in calls.items()) or "none"]
        for stage, calls in figures.calls.items()
    ]
    late = statistics.quantiles((each * 1000 for each in figures.late), n=100)
    over_tls = _ms(figures.rows[cold_title(USUAL, ", TLS")][OURS])
    return TEMPLATE.read_text().format(
        processors=os.cpu_count(),
        python=platform.python_version(),
        latencies=", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in LATENCIES.items()),
        late=f"{late[49]:.2f} ms late at the median and {late[98]:.2f} ms at the 99th percentile",
        table=table(("ms, unless it says otherwise", *(f"{name} ({what})" for name, what in NAMES.items())), rows),
        memory=MEMORY_MB,
        usual=f"{USUAL:g}",
        goals="\n".join(f"- {each}" for each in goals(figures)),
        apart=table(("part of a cold acknowledgement (ms)", "plain", "TLS"), _apart(figures)),
        tls=f"{over_tls:.0f}",
        share=f"{over_tls / ACKNOWLEDGEMENT_SECONDS / 10:.0f}",
        rate=TEXTS_PER_SECOND,
        concurrency=CONCURRENCY,
        least=f"{(100 * CONCURRENCY / TEXTS_PER_SECOND - AHEAD_SECONDS) * 1000:.0f}",
        worker=table(("the worker (ms)", "all its invocations", "of it, Graph calls in a row", "calls to AWS"), worker),
        calls=table(("what one message calls", "calls"), stages),
    )
