"""The function's environment variables: one list of names for both sides."""

from typing import Any

import pytest

from bot.environment import Environment, read, variables

VALUES: dict[str, Any] = {
    "page_id": "1",
    "graph_api_url": "https://graph.facebook.com",
    "graph_api_version": "v26.0",
    "queue_url": "q",
    "dead_letter_queue_url": "d",
    "message_bytes": 1_048_576,
    "ledger_table": "t",
    "secrets_path": "/s",
    "state_days": 30,
    "echo_seconds": 20.0,
    "concurrency": 5,
}


def test_the_function_reads_what_pulumi_writes() -> None:
    written = variables(**VALUES, assets_url="https://example.org")
    assert all(isinstance(value, str) for value in written.values())
    assert read({"PATH": "/bin"} | written) == Environment(**VALUES, assets_url="https://example.org")


def test_a_default_is_not_written() -> None:
    assert variables(**VALUES, assets_url="", lex_bot_id="") == variables(**VALUES)


def test_a_name_that_the_function_would_not_read_is_refused() -> None:
    with pytest.raises(TypeError, match="queue_uri"):
        variables(**{**VALUES, "queue_uri": "q"})
    with pytest.raises(TypeError, match="page_id"):
        variables(**{name: value for name, value in VALUES.items() if name != "page_id"})


def test_a_missing_variable_is_an_error_that_names_it() -> None:
    written = variables(**VALUES)
    del written["LEDGER_TABLE"]
    with pytest.raises(KeyError, match="LEDGER_TABLE"):
        read(written)
