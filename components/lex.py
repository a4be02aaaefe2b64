"""Amazon Lex, where a team uses it to understand free text: the right to ask one alias of one bot, and nothing else."""

import pulumi

from components.policy import Statement


def lex_statement(
    region: pulumi.Input[str], account_id: pulumi.Input[str], bot_id: str, bot_alias_id: str
) -> Statement:
    """The right to have texts understood.

    Args:
        region: Where the Lex bot is.
        account_id: Whose it is.
        bot_id: The Lex V2 bot's id.
        bot_alias_id: The id of the alias that is asked.
    """
    alias = pulumi.Output.concat("arn:aws:lex:", region, ":", account_id, f":bot-alias/{bot_id}/{bot_alias_id}")
    return Statement(sid="AskLex", actions=["lex:RecognizeText"], resources=[alias])
