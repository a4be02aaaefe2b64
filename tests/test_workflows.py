"""The GitHub workflows: valid, pinned, and with no more permissions than they need."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.live_alias import RELEASE_MINUTES
from ops import cli
from tests.harness import ACCOUNT, REGION, ROOT, Graph, run_main

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
BIN = Path(sys.executable).parent
SCHEMA = (BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows")
ZIZMOR = (BIN / "zizmor", "--offline", "--no-progress", "--strict-collection")


def read(name: str) -> dict[Any, Any]:
    workflow: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return workflow


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_workflows_follow_github_s_schema() -> None:
    result = run(*SCHEMA, *FILES)

    assert result.returncode == 0, result.stdout + result.stderr


def test_zizmor_finds_nothing_and_can_read_every_expression() -> None:
    result = run(*ZIZMOR, ROOT / ".github")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "couldn't parse expression" not in result.stderr


def test_only_the_preview_and_the_look_for_drift_may_write_and_only_jobs_that_call_aws_get_an_identity() -> None:
    read_only = {"contents": "read"}
    calls_aws = {**read_only, "id-token": "write"}
    jobs = [(file.stem, name, job) for file in FILES for name, job in read(file.name)["jobs"].items()]

    assert {f"{workflow} {name}": job["permissions"] for workflow, name, job in jobs} == {
        "test test": read_only,
        "preview preview": {**calls_aws, "pull-requests": "write"},
        "deploy test": read_only,
        "deploy dev": calls_aws,
        "deploy prod": calls_aws,
        "deploy-stack up": calls_aws,
        "drift drift": {**calls_aws, "issues": "write"},
    }
    assert [file.name for file in FILES if read(file.name)["permissions"] != {}] == []


def test_no_workflow_uses_a_stored_secret() -> None:
    assert [file.name for file in FILES if "secrets." in file.read_text("utf-8")] == []


def test_a_stack_is_deployed_after_the_checks_and_one_at_a_time_and_prod_after_dev() -> None:
    jobs = read("deploy.yml")["jobs"]

    # YAML 1.1 reads the key `on` as true.
    assert read("deploy.yml")[True] == {"push": {"branches": ["main"]}}
    assert read("test.yml")[True].keys() == {"push", "pull_request", "workflow_call"}
    assert jobs["test"]["uses"].endswith("/test.yml")
    assert [each["run"] for each in read("test.yml")["jobs"]["test"]["steps"][-3:]] == [
        ".ci/run",
        "make engine",
        "make proofs",
    ]
    assert jobs["dev"]["needs"] == "test"
    assert jobs["prod"]["needs"] == "dev"
    assert (jobs["dev"]["with"], jobs["prod"]["with"]) == ({"stack": "dev"}, {"stack": "prod"})
    up = read("deploy-stack.yml")["jobs"]["up"]
    assert up["environment"] == "${{ inputs.stack }}"
    assert up["concurrency"] == {"group": "deploy-${{ inputs.stack }}", "cancel-in-progress": False}


def test_a_deployment_releases_and_ends_with_a_test_message_by_commands_that_exist() -> None:
    *_, release, smoke = read("deploy-stack.yml")["jobs"]["up"]["steps"]

    for step, command in ((release, "release"), (smoke, "smoke")):
        assert step["run"] == f'.venv/bin/python -m ops {command} --stack "$STACK"'
        assert cli.parser().parse_args([command, "--stack", "dev"]).stack == "dev"
    assert read("deploy-stack.yml")["jobs"]["up"]["timeout-minutes"] > RELEASE_MINUTES[-1] + 30


@pytest.mark.parametrize(("drifted", "already_open"), [(True, False), (True, True), (False, False)])
def test_drift_opens_one_issue_that_shows_it(drifted: bool, already_open: bool, tmp_path: Path) -> None:
    steps = {each.get("id", each.get("name", "")): each for each in read("drift.yml")["jobs"]["drift"]["steps"]}
    look, report = steps["look"]["run"], steps["Open an issue, unless one is open"]["run"]
    title = "The stack dev differs from what is in AWS"
    opened = title if already_open else "Another"
    commands = {
        "pulumi": f'echo "$*: ~ queue"; exit {int(drifted)}',
        "gh": f"""if [ "$2" = list ]; then echo '{opened}'; else echo "$*" >> created; fi""",
    }
    for name, script in commands.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n", "utf-8")
        (tmp_path / name).chmod(0o755)

    def runs(script: str) -> bool:
        environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "STACK": "dev"}
        return not subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, check=False).returncode

    assert runs(look) or runs(report)

    created = tmp_path / "created"
    assert created.exists() == (drifted and not already_open)
    if created.exists():
        assert created.read_text("utf-8") == f"issue create --title {title} --body-file issue.md\n"
        assert "refresh --preview-only --expect-no-changes --non-interactive --diff --stack dev: ~ queue" in (
            tmp_path / "issue.md"
        ).read_text("utf-8")


def test_the_workflows_use_the_pulumi_of_the_requirements() -> None:
    pinned = re.search(r"^pulumi==(.+)$", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert pinned is not None

    for name in ("preview.yml", "deploy-stack.yml", "test.yml", "drift.yml"):
        assert f"pulumi-version: {pinned[1]}\n" in (FOLDER / name).read_text("utf-8")


def filled_in(workflow: str, job: str, stack: str, tmp_path: Path) -> dict[str, dict[str, str]]:
    """Action → what it is given, once GitHub has run the steps before it and replaced the expressions.

    Args:
        workflow: its file.
        job: the job's name.
        stack: the stack that the job is about.
        tmp_path: a folder for what the steps put out.
    """
    known = {"vars.AWS_ACCOUNT_ID": ACCOUNT, "inputs.stack": stack, "matrix.stack": stack}

    def fill(text: object) -> str:
        return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: known[found[1]], str(text))

    given = {}
    for step in read(workflow)["jobs"][job]["steps"]:
        if "GITHUB_OUTPUT" in step.get("run", ""):
            output = tmp_path / "output"
            environment = {key: fill(value) for key, value in step["env"].items()} | {"GITHUB_OUTPUT": str(output)}
            subprocess.run(["bash", "-e", "-c", step["run"]], cwd=ROOT, env=os.environ | environment, check=True)
            lines = dict(line.split("=", 1) for line in output.read_text("utf-8").splitlines())
            known |= {f"steps.{step['id']}.outputs.{key}": value for key, value in lines.items()}
        elif "BACKEND" in step.get("env", {}):  # a login of its own, where the action only installs the CLI
            given["pulumi/actions"] = {"cloud-url": fill(step["env"]["BACKEND"])}
        elif "role-to-assume" in step.get("with", {}) or "cloud-url" in step.get("with", {}):
            given[step["uses"].partition("@")[0]] = {key: fill(value) for key, value in step["with"].items()}
    return given


@pytest.fixture(scope="module")
def of_the_deployer() -> Graph:
    """What a stack registers that makes the deployer of two others."""
    return run_main("local", {"adminRights": "scoped", "adminStacks": ["dev", "prod"], "deployFrom": "octo/bot"})


@pytest.mark.parametrize(
    ("workflow", "job", "stack", "role"),
    [
        ("deploy-stack.yml", "up", "dev", "deploy-dev"),
        ("deploy-stack.yml", "up", "prod", "deploy-prod"),
        ("preview.yml", "preview", "dev", "preview"),
        ("preview.yml", "preview", "prod", "preview"),
        ("drift.yml", "drift", "dev", "drift"),
    ],
)
def test_a_workflow_assumes_the_role_that_the_deployer_makes_and_uses_the_bucket_that_the_role_may_use(
    of_the_deployer: Graph, workflow: str, job: str, stack: str, role: str, tmp_path: Path
) -> None:
    made = of_the_deployer.one("aws:iam/role:Role", f"deployer-{role}-role").inputs
    state = of_the_deployer.one("aws:iam/rolePolicy:RolePolicy", f"deployer-{role}-state-policy").policy()
    (bucket,) = [each["Resource"] for each in state["Statement"] if each["Sid"] == "ListState"]

    given = filled_in(workflow, job, stack, tmp_path)

    assert given["aws-actions/configure-aws-credentials"] == {
        "role-to-assume": f"arn:aws:iam::{ACCOUNT}:role{made['path']}{made['name']}",
        "aws-region": REGION,
    }
    assert given["pulumi/actions"]["cloud-url"] == f"s3://{bucket.rpartition(':')[2]}?region={REGION}"


def test_a_workflow_needs_one_variable_runs_only_where_it_is_set_and_previews_no_fork() -> None:
    texts = [file.read_text("utf-8") for file in FILES]

    assert {name for text in texts for name in re.findall(r"vars\.(\w+)", text)} == {"AWS_ACCOUNT_ID"}
    preview = read("preview.yml")["jobs"]["preview"]["if"]
    assert "vars.AWS_ACCOUNT_ID != ''" in preview
    assert "github.event.pull_request.head.repo.full_name == github.repository" in preview
    assert read("deploy.yml")["jobs"]["dev"]["if"] == "vars.AWS_ACCOUNT_ID != ''"
