"""The role has the documented log policy by default, and a policy of its own for everything else."""

from components.bot_role import BotRole, BotRoleArgs
from components.policy import Statement
from tests.harness import run_program

# The documented system, "AWS IAM, components".
DOCUMENTED = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:*:*:*",
        }
    ],
}


def test_further_statements_are_a_separate_policy() -> None:
    read = Statement(sid="Read", actions=["sqs:ReceiveMessage"], resources=["arn:aws:sqs:eu-central-1:1:a"])

    graph = run_program(lambda: BotRole("bot", BotRoleArgs(statements=[read])))

    assert graph.one("aws:iam/rolePolicy:RolePolicy", "-log-policy").policy() == DOCUMENTED
    assert graph.one("aws:iam/rolePolicy:RolePolicy", "-access-policy").policy()["Statement"] == [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": ["sqs:ReceiveMessage"],
            "Resource": "arn:aws:sqs:eu-central-1:1:a",
        }
    ]
