"""The harness itself: a wrong program has to fail its run."""

import pulumi
import pytest
from pulumi_aws import sns

from tests.harness import run_program, run_source

BEGIN = """
import pulumi
from pulumi_aws import sns
from tests.harness import run_program
"""


def test_what_a_program_registers_is_recorded() -> None:
    def program() -> None:
        first = sns.Topic("first", opts=pulumi.ResourceOptions(protect=True))
        sns.Topic(
            "second", display_name=pulumi.Output.secret("hidden"), opts=pulumi.ResourceOptions(depends_on=[first])
        )
        pulumi.export("plain", first.name)
        pulumi.export("hidden", pulumi.Output.secret("x"))

    graph = run_program(program)

    first, second = graph.one("aws:sns/topic:Topic", "first"), graph.one("aws:sns/topic:Topic", "second")
    assert first.protect
    assert not second.protect
    assert second.dependencies == {first.urn}
    assert second.inputs["displayName"] == "hidden"
    assert second.secret_inputs == {"displayName"}
    assert graph.outputs == {"plain": "first-1a2b3c4", "hidden": "x"}
    assert graph.secret_outputs == {"hidden"}


def test_two_resources_of_one_urn_fail() -> None:
    result = run_source(BEGIN + "run_program(lambda: (sns.Topic('same'), sns.Topic('same')))")

    assert result.returncode == 1
    assert "Two resources have one URN: urn:pulumi:dev::innolab-fbm::" in result.stderr


@pytest.mark.parametrize(
    "program",
    [
        "sns.Topic('a').arn.apply(lambda _: 1 / 0)",
        "sns.Topic('b', display_name=sns.Topic('a').arn.apply(lambda _: str(1 / 0)))",
        "pulumi.export('x', sns.Topic('a').arn.apply(lambda _: 1 / 0))",
        "1 / 0",
    ],
    ids=["unused", "as an input", "as an export", "at once"],
)
def test_an_exception_fails_the_run_wherever_it_is_raised(program: str) -> None:
    result = run_source(BEGIN + f"run_program(lambda: {program})")

    assert result.returncode == 1
    assert "ZeroDivisionError" in result.stderr
