"""The faults of the page together."""

from sandbox.page.fault_panel import FAULTS, SLOW_SECONDS, FaultPanel


def test_slowness_and_missing_echoes_come_with_every_other_fault_of_facebook() -> None:
    described: list[object] = []
    panel = FaultPanel(FAULTS, described.append, lambda _: None, {}, lambda: None)

    panel.set(["slow", "no_echoes", "drop_after"])

    delays = {"delaySeconds": SLOW_SECONDS, "loseEchoes": True}
    assert described == [[{**delays, "dropAfter": True, "every": 2}, delays]]
