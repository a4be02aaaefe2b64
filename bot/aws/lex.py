"""Amazon Lex V2, for a conversation that uses it. Source: Amazon Lex V2, "RecognizeText"."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.aws.client import Aws, AwsError
from bot.log import log

# How long a user waits for Lex before the bot answers in its own words.
TIMEOUT_SECONDS = 2.0


class LexRuntime:
    """One Lex bot; see `bot.dialogue.Lex`.

    Args:
        aws: the client.
        bot_id: the bot's id.
        alias_id: its alias.
        locale_id: such as `en_US`.
    """

    def __init__(self, aws: Aws, bot_id: str, alias_id: str, locale_id: str) -> None:
        self._aws, self._names = aws, ("bots", bot_id, "botAliases", alias_id, "botLocales", locale_id, "sessions")

    def recognize(self, session: str, text: str) -> Mapping[str, Any]:
        """What RecognizeText answers; empty if Lex does not answer, as if it had not understood.

        Args:
            session: the user's session id, 2 to 100 characters.
            text: 1 to 1,024 characters.
        """
        path = "".join(f"/{quote(part, safe='')}" for part in (*self._names, session, "text"))
        try:
            # A call that may have been carried out is not repeated: Lex would take it for a second statement.
            return self._aws.call(
                "lex", "RecognizeText", {"text": text}, path=path, timeout=TIMEOUT_SECONDS, repeatable=False
            )
        except AwsError as error:
            log("WARN", "lex_unavailable", reason=str(error))
            return {}
