"""The check of policy documents finds what AWS would refuse."""

import pytest

from tests.policies import mistakes

QUEUE = "arn:aws:sqs:eu-central-1:111122223333:queue"


@pytest.mark.parametrize(
    ("statement", "mistake"),
    [
        ({"Effect": "Allow", "Action": "sqs:SendMessages", "Resource": QUEUE}, "AWS has no such action"),
        ({"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": QUEUE}, "none of"),
        ({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}, "has resources of its own"),
        (
            {
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": QUEUE,
                "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
            },
            "has no condition key",
        ),
        ({"Effect": "Allow", "Action": "sqs:SendMessage"}, "not a statement"),
        ({"Effect": "Grant", "Action": "sqs:SendMessage", "Resource": QUEUE}, "not a statement"),
    ],
)
def test_a_mistake_in_a_policy_is_found(statement: dict[str, object], mistake: str) -> None:
    (found,) = mistakes({"Version": "2012-10-17", "Statement": [statement]})

    assert mistake in found


def test_a_correct_policy_has_no_mistakes() -> None:
    statement = {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": f"{QUEUE}-*"}

    assert list(mistakes({"Version": "2012-10-17", "Statement": [statement]})) == []
