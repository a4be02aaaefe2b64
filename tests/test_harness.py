"""The harness itself: a wrong program has to fail its run."""

import pytest

from tests.harness import run_source

BEGIN = """
import pulumi
from pulumi_aws import sns
from tests.harness import run_program
"""


def test_two_resources_of_one_urn_fail() -> None:
    result = run_source(BEGIN + "run_program(lambda: (sns.Topic('same'), sns.Topic('same')))")

    assert result.returncode == 1
    assert "Two resources have one URN: urn:pulumi:dev::innolab-fbm::" in result.stderr


@pytest.mark.parametrize(
    "program",
    [
        "sns.Topic('a').arn.apply(lambda _: 1 / 0)",
        "pulumi.export('x', sns.Topic('a').arn.apply(lambda _: 1 / 0))",
    ],
    ids=["unused", "as an export"],
)
def test_an_exception_fails_the_run_wherever_it_is_raised(program: str) -> None:
    result = run_source(BEGIN + f"run_program(lambda: {program})")

    assert result.returncode == 1
    assert "ZeroDivisionError" in result.stderr
