"""Amazon Lex, for a team that uses it to understand free text: permission to ask one alias of one bot."""

from components.policy import Account, Statement

LEX_ID = "[0-9a-zA-Z]{10}"
"""The id of a bot or an alias, as a pattern (Amazon Lex V2 API reference, "RecognizeText")."""


def lex_statement(account: Account, bot_id: str, bot_alias_id: str) -> Statement:
    """The statement that lets a role ask Lex what a text means.

    Args:
        account: Where the Lex bot is.
        bot_id: The Lex V2 bot's id.
        bot_alias_id: The id of the alias that is asked.
    """
    alias = account.arn("lex", f"bot-alias/{bot_id}/{bot_alias_id}")
    return Statement(sid="AskLex", actions=["lex:RecognizeText"], resources=[alias])
