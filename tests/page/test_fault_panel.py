"""The faults of the page: each is one that the sandbox knows."""

from sandbox.aws.proxy import Proxy
from sandbox.facebook.graph import Graph
from sandbox.page.fault_panel import FAULTS, SLOW_SECONDS, FaultPanel


def test_every_fault_can_be_switched_on_and_off() -> None:
    switched: list[tuple[str, bool]] = []
    switches = {"paused": lambda on: switched.append(("paused", on))}
    panel = FaultPanel(
        FAULTS, Graph("1", "2", "token", "secret").set_faults, Proxy().set_faults, switches, lambda: None
    )

    names = [each.name for each in FAULTS]
    panel.set([*names, "unknown"])
    panel.set([*names])
    panel.set([])

    assert switched == [("paused", True), ("paused", False)]


def test_slowness_and_missing_echoes_come_with_every_other_fault_of_facebook() -> None:
    described: list[object] = []
    panel = FaultPanel(FAULTS, described.append, lambda _: None, {}, lambda: None)

    panel.set(["slow", "no_echoes", "drop_after"])

    delays = {"delaySeconds": SLOW_SECONDS, "loseEchoes": True}
    assert described == [[{**delays, "dropAfter": True, "probability": 0.5}, delays]]
