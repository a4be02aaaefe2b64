PYTHON ?= python3
BIN := .venv/bin

# Each sandbox starts several Python processes, so they keep their bytecode even where that is usually switched off.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up check-bot test proofs engine docs screenshots coverage bench loop storms rights fuzz audit clean
help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile | expand -t 18

up: .venv/installed ## bring up the whole stack on a local cloud, and open a page to chat with the bot
	@$(BIN)/python -m sandbox up --open

check-bot: .venv/installed ## check that the conversation can be loaded, without a sandbox
	@$(BIN)/python -m sandbox check

test: .venv/installed ## run every check: lint, format, types and tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy .
	$(BIN)/pytest -n 3 --dist loadfile -m 'not long and not engine' -rs -q

proofs: .venv/installed ## run the long tests: every path of the bot, all permissions in a stack's life, storms
	$(BIN)/pytest -m long -rs -q

engine: .venv/installed ## run the real Pulumi engine against the sandbox; get a Pulumi CLI if there is none
	@$(BIN)/python -m tools.pulumi_cli
	$(BIN)/pytest -p no:randomly -n 2 --dist loadfile -rs -q tests/engine tests/sandbox/provider

docs: .venv/installed ## write the parts of the docs that follow from the code
	@$(BIN)/python -m tools.docs

screenshots: .venv/installed ## write the README's images of the chat page, with Chromium
	@$(BIN)/python -m tools.screenshots

coverage: .venv/installed ## report which lines and branches of bot/ its tests do not reach; fail below 95 %
	$(BIN)/coverage run -m pytest -q -p no:randomly tests/bot tests/model/test_mechanisms.py
	@$(BIN)/coverage report

bench: .bench/installed ## measure the bot as Lambda runs it, and write that into docs/benchmarks.md
	@$(BIN)/python -m bench lambda --write docs/benchmarks.md
	@$(BIN)/python -m bench conversation --write docs/benchmarks.md

loop: .venv/installed ## measure how long a developer waits, and write that into docs/benchmarks.md
	@$(BIN)/python -m bench loop --write docs/benchmarks.md

storms: .venv/installed ## run 10,000 storms over a model of the bot, and 10,000 events of 500 people in the sandbox
	STORMS=10000 $(BIN)/pytest -n 2 -q -rP tests/model/test_storms.py
	@$(BIN)/python -m bench load --write docs/benchmarks.md

rights: .venv/installed ## prove each permission by taking it away, and write docs/rights.md
	@$(BIN)/python -m tools.rights

fuzz: .venv/installed ## try 100,000 hostile inputs on everything that strangers and settings can reach
	$(BIN)/pytest -n 2 -q --timeout 0 --hypothesis-profile fuzz tests/bot/test_hostile_input.py tests/bot/messenger tests/test_settings.py

audit: .venv/installed ## compare the installed packages with the list of known weaknesses, online
	@$(BIN)/pip-audit --local --strict

clean: ## remove the virtual environment and all caches
	rm -rf .venv .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Installing without compiling saves time, because most modules are never imported. The import compiles those that always are.
.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'This needs Python 3.11 or newer: name one, as in `make up PYTHON=python3.12`.' >&2; exit 1; }
	@echo 'Installing into .venv (once, about a minute) …' >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --no-compile --requirement requirements-dev.txt
	-@$(BIN)/python -c 'import components, settings, boto3, ministack.app, sandbox.cli'
	@touch $@

# AWS's own runtime clients and a peer, for the benchmark alone. The client for Node is compiled.
.bench/installed: .venv/installed bench/requirements.txt bench/package.json
	@echo "Installing AWS's runtime clients into .bench (once, about two minutes; needs node, npm, cmake and libtool) …" >&2
	@mkdir -p .bench/node
	@cp bench/package.json .bench/node
	@$(BIN)/python -m pip install --quiet --target .bench/python --upgrade --requirement bench/requirements.txt
	@npm install --prefix .bench/node --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@
