"""The environment of a deployed function, for tests that need one."""

from typing import Any

from bot.environment import Environment

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
    "human_hours": 12.0,
    "disclose_days": 30.0,
    "concurrency": 5,
}

ENVIRONMENT = Environment(**VALUES)
