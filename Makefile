# make up     the whole stack on a local cloud, and a page to chat with the bot
# make test   every check
# make proofs what takes longer: every path of the bot, all rights in the life of a stack, storms over a running one
# make docs   the parts of the documentation that follow from the code
# make screenshots  the README's screenshots of the chat page, with Chromium
# make coverage  how much of bot/ the tests beside it reach, branches included; less than 95 % is an error
# make bench  figures beside a peer's, a cold start taken apart, calls, a developer's loop: into docs/benchmarks.md
# make storms 10,000 storms over a model of all that surrounds the bot, and 10,000 events of 500 people in the sandbox
# make rights what each right is for, proven one by one, into docs/rights.md
# make fuzz   a million hostile inputs
# make audit  what is installed against the list of known weaknesses, when online
PYTHON ?= python3
BIN := .venv/bin

# What is compiled is kept, wherever this is otherwise set: each sandbox starts several processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up test proofs docs screenshots coverage bench storms rights fuzz audit clean
help:
	@sed -n 's/^# make /make /p' Makefile

up: .venv/installed
	@$(BIN)/python -m sandbox up --open

test: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy .
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m 'not long' -rs -q

proofs: .venv/installed
	$(BIN)/pytest -m long -rs -q

docs: .venv/installed
	@$(BIN)/python -m tools.docs

screenshots: .venv/installed
	@$(BIN)/python -m tools.screenshots

# Without the long runs of the model: what they reach, its mechanisms' tests reach too.
coverage: .venv/installed
	$(BIN)/coverage run -m pytest -q -p no:randomly tests/bot tests/model/test_mechanisms.py
	@$(BIN)/coverage report

bench: .venv/installed
	@$(BIN)/python -m bench --checks --write docs/benchmarks.md

storms: .venv/installed
	STORMS=10000 $(BIN)/pytest -n 2 -q -rP tests/model/test_storms.py
	@$(BIN)/python -m bench.load

rights: .venv/installed
	@$(BIN)/python -m tools.rights

fuzz: .venv/installed
	@$(BIN)/python -m tests.fuzz

audit: .venv/installed
	@$(BIN)/python -m tools.audit

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Compiling what is installed takes longer than installing it, and most of it is never imported:
# what always is, is compiled by importing it once.
.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'This needs Python 3.11 or newer: name one, as in `make up PYTHON=python3.12`.' >&2; exit 1; }
	@echo 'Installing into .venv (once, about a minute) …' >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --no-compile --requirement requirements-dev.txt
	-@$(BIN)/python -c 'import components, boto3, ministack.app, sandbox.cli'
	@touch $@
