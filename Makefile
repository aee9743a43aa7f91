# `make` alone lists what there is. Nothing is installed outside .venv; no target needs root.
.DEFAULT_GOAL := help

# The first interpreter that is new enough; `make PY=/path/to/python` chooses another.
PY ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# As a regular install would; without it each start compiles every module where PYTHONDONTWRITEBYTECODE is set.
BYTECODE := $(BIN)/python -m compileall -q src
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/made:
	@test -n "$(PY)" || { echo "Trex needs Python 3.11 or newer, with venv, as python3 on PATH (or: make PY=...)" >&2; exit 1; }
	@echo "making $(VENV) with $(PY)"
	@$(PY) -m venv $(VENV)
	@touch $@

$(VENV)/run-ready: pyproject.toml | $(VENV)/made
	@echo "installing trex into $(VENV)"
	@$(INSTALL) .
	@$(BYTECODE)
	@touch $@

$(VENV)/test-ready: pyproject.toml | $(VENV)/made
	@echo "installing trex and what its tests need into $(VENV)"
	@$(INSTALL) '.[test]'
	@$(BYTECODE)
	@touch $@ $(VENV)/run-ready

demo: $(VENV)/run-ready ## install, then run a permitted script, and the same script under a stricter policy
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/log-report/demo

test: $(VENV)/test-ready ## install what tests need, and run them
	@$(BYTECODE)
	@$(BIN)/python -m pytest -q -n auto

lint: $(VENV)/test-ready ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/test-ready ## rewrite the sources in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint fresh test ## everything: format, lint, types, contracts, generated files fresh, tests

fresh: $(VENV)/test-ready
	$(BIN)/python tools/generate.py --check

generate: $(VENV)/test-ready ## rewrite the generated pages
	$(BIN)/python tools/generate.py

golden: $(VENV)/test-ready ## rewrite the recorded forms of tests/golden; then read the difference
	TREX_GOLDEN_UPDATE=1 $(BIN)/python -m pytest -q tests/golden

attacks: $(VENV)/test-ready ## the attack suite, with many more tries than `make test`
	TREX_ATTACK_TRIES=$${TREX_ATTACK_TRIES:-20000} $(BIN)/python -m pytest -q tests/attacks

fuzz: $(VENV)/test-ready ## hostile texts, from reading to running, as many as TREX_FUZZ_EXAMPLES says
	TREX_FUZZ_EXAMPLES=$${TREX_FUZZ_EXAMPLES:-20000} $(BIN)/python -m pytest -q -n auto tests/fuzz

compliance: $(VENV)/test-ready ## the language against its own engine, where TREX_ORACLE names one
	TREX_COMPLIANCE_EXAMPLES=$${TREX_COMPLIANCE_EXAMPLES:-20000} $(BIN)/python -m pytest -q -n auto tests/compliance

bench: $(VENV)/test-ready ## the benchmarks, each beside something to compare with
	@$(BYTECODE)
	@for f in $$(grep -l __main__ bench/*.py); do echo "== $$f"; $(BIN)/python $$f || exit 1; done

clean: ## remove the virtual environment and the caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.PHONY: help demo test lint format check fresh generate golden attacks compliance fuzz bench clean
