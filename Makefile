# `make help` lists the targets. Everything is installed into .venv, nothing outside this folder.
PYTHON ?= python3
BIN := .venv/bin
# Most of what comes is never imported: what is gets compiled then.
PIP := $(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-compile --constraint .ci/constraints.txt

.DEFAULT_GOAL := help
# Tests start many processes, each of which would compile everything anew, as each run would all tests.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help install run contract pins test conformance conformance-document crawl fuzz soak looks bench bench-scale check fix coverage clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 24

# The pip that comes with Python 3.11 takes twice as long to find what fits.
.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(PIP) pip

.venv/.runtime: pyproject.toml .ci/constraints.txt | .venv/bin/python
	$(PIP) --editable .
	@touch $@

.venv/.tests: pyproject.toml .ci/constraints.txt | .venv/bin/python
	$(PIP) --editable '.[test]'
	@touch .venv/.runtime $@

install: .venv/.tests ## Install the service and what its tests need into .venv

run: .venv/.runtime ## Start the service with sample data on http://127.0.0.1:8000
	@$(BIN)/instance-registry serve --sample

contract: .venv/.runtime ## Check the contract and show what it promises
	@$(BIN)/instance-registry contract

pins: .venv/.runtime ## Pin the contexts for a release: from 1.0.0 on none that is pinned may change
	@$(BIN)/instance-registry contract --pin

test: .venv/.tests ## Run the tests
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

conformance: .venv/.tests ## Run the tests of the conformance list, and print how much of it is held
	$(BIN)/pytest -n 2 tests/conformance --conformance $(ARGS)

conformance-document: .venv/.tests ## Write docs/conformance.md from the list and its tests
	$(BIN)/python -m tests.conformance.document

soak: .venv/.tests ## Kill, stop, load and mistreat the service for minutes, and print what it bore
	$(BIN)/python -m tests.soak $(ARGS)

looks: .venv/.tests ## Look at every page of the explorer, light, dark and narrow, and print how soon the first is drawn; pictures are put into build/screenshots, README's into docs/images
	EXPLORER_LOOKS=all $(BIN)/pytest --capture no tests/explorer/test_looks.py $(ARGS)

bench: .venv/.tests ## Measure what requests cost, beside two yardsticks; ARGS="--cases item-json-ld --rounds 3" is quick
	@$(BIN)/python -m tests.benchmarks $(ARGS)

bench-scale: .venv/.tests ## Load a million instances and compare with ten thousand; ARGS="--database postgres --instances N" varies it
	@$(BIN)/python -m tests.benchmarks.scale $(ARGS)

crawl: .venv/.tests ## Follow every IRI of the sample data, in each syntax; ARGS="--url … --token …" for others
	$(BIN)/python -m tests.crawl $(ARGS)

fuzz: .venv/.tests ## Send 100,000 hostile requests; ARGS="--seed S --only N" repeats one
	$(BIN)/python -m tests.fuzz $(ARGS)

check: .venv/.tests ## Check format, lint, types and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/.tests ## Format, and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: ## Run the tests, and fail if they miss too many branches of app
	@$(MAKE) test ARGS='--cov --cov-report=term'

clean: ## Remove what was installed and built
	rm -rf .venv build htmlcov .coverage*
