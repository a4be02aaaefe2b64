"""The function's environment variables: Pulumi writes them and the function reads them, both from this list."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Environment(NamedTuple):
    """The function's environment; each field is a variable of the same name in capitals.

    Attributes:
        page_id: the Facebook page that the bot speaks for.
        graph_api_url: where the Graph API answers.
        graph_api_version: such as `v26.0`.
        queue_url: of the event queue.
        dead_letter_queue_url: of its dead-letter queue.
        message_bytes: the longest message that both queues take.
        ledger_table: the name of the ledger's table.
        secrets_path: the SSM path of the secrets.
        state_days: how many days a user's state is kept after their last message.
        echo_seconds: how long to wait for the echo of a message that may have arrived.
        human_hours: for how long the bot is silent after a human wrote to a person.
        disclose_days: after how many days the bot says again that it is one.
        concurrency: how many batches of events are worked on at once.
        assets_url: the public folder of the images that the conversation shows; empty for none.
        conversation_function: the name of the function that converses; empty for the Python package.
        inbox_app_id: the app to which a conversation is passed when the person wants a human; empty for none.
        lex_bot_id: of an Amazon Lex V2 bot; empty for none, and so are its alias and locale.
        lex_bot_alias_id: of its alias.
        lex_locale_id: such as `en_US`.
    """

    page_id: str
    graph_api_url: str
    graph_api_version: str
    queue_url: str
    dead_letter_queue_url: str
    message_bytes: int
    ledger_table: str
    secrets_path: str
    state_days: int
    echo_seconds: float
    human_hours: float
    disclose_days: float
    concurrency: int
    assets_url: str = ""
    conversation_function: str = ""
    inbox_app_id: str = ""
    lex_bot_id: str = ""
    lex_bot_alias_id: str = ""
    lex_locale_id: str = ""


def read(variables: Mapping[str, str]) -> Environment:
    """Read the environment.

    Args:
        variables: `os.environ`; other variables in it are ignored.

    Raises:
        KeyError: a variable without a default is missing.
        ValueError: a variable that should hold a number does not.
    """
    values = {name: variables.get(name.upper(), default) for name, default in Environment._field_defaults.items()}
    values |= {name: variables[name.upper()] for name in Environment._fields if name not in values}
    return Environment(**{name: Environment.__annotations__[name](value) for name, value in values.items()})


def variables(**values: object) -> dict[str, Any]:
    """The variables for these values; a value equal to its default is left out.

    Args:
        values: the fields of `Environment`; a Pulumi output may stand for any of them.

    Raises:
        TypeError: a field is unknown, or one without a default is missing.
    """
    Environment(**values)  # type: ignore[arg-type]  # an output stands for its value
    defaults = Environment._field_defaults
    return {
        name.upper(): value if not isinstance(value, (int, float)) else str(value)
        for name, value in values.items()
        if not (name in defaults and isinstance(value, str) and value == defaults[name])
    }
