# The commands of the README. Each does the set-up that it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
# Tests start servers and compile rules: more workers than cores only wait for each other.
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n > 4 ? 4 : n)))
SET_UP := pyproject.toml jupyter-config/jupyter_nbconvert_config.json \
  jupyter-config/jupyter_server_config.d/jupyter_qguard.json .ci/prepare

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

.PHONY: demo
demo: .venv/.ready-demo ## Show saves and kernels under guard, with a real Jupyter server and real SDKs; then a table of what held
	@$(BIN)/python -m examples.demo

.PHONY: test
test: .venv/.ready-dev lint docs ## Lint, types, import contracts, documentation, all tests
	$(BIN)/qguard scan --format json pyproject.toml >/dev/null
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not long" $(TESTS)

.PHONY: lint
lint: .venv/.ready-dev ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: .venv/.ready-dev ## Let ruff fix and format what it can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: docs
docs: .venv/.ready-dev ## Build the documentation into docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet -b html docs docs/_build/html

.PHONY: lab
lab: .venv/.ready-lab ## Open a guarded JupyterLab on a copy of the examples
	mkdir -p build/lab && cp -n examples/notebooks/*.ipynb build/lab/
	$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)/build/lab" $$([ "$$(id -u)" -ne 0 ] || echo --allow-root)

.PHONY: bench
bench: .venv/.ready-dev ## Long: every measurement of docs/benchmarks.md (BENCH="--notebooks FOLDER --cases FOLDER")
	$(BIN)/python -m benchmarks $(BENCH)

.PHONY: fuzz
fuzz: .venv/.ready-dev ## Long: 100 000 hostile notebooks and policies, and giant ones (FUZZ="--count N"); 1 000 000 of the wire
	$(BIN)/python -m tests.fuzz $(FUZZ)
	$(BIN)/python -m tests.fuzz.wire

.PHONY: matrix
matrix: .venv/.ready-dev ## Long: the wheel beside each supported JupyterLab, Notebook and Jupyter Server
	tests/e2e/matrix.sh

.PHONY: hooks
hooks: .venv/.ready-dev ## Long: the pre-commit hooks, built and run by pre-commit in another repository
	$(BIN)/python -m pytest tests/e2e/test_pre_commit.py

.PHONY: compat
compat: .venv/.ready-dev ## Long: libraries and tutorials in guarded kernels and others (NOTEBOOKS="A.ipynb …")
	$(BIN)/python -m pip install --quiet "papermill>=2.6"
	test -x .venvs/compat/bin/python || $(BIN)/python -m venv .venvs/compat
	.venvs/compat/bin/python -m pip install --quiet -r tests/compat/requirements.txt
	$(BIN)/python -m pytest tests/compat
	[ -z "$(NOTEBOOKS)" ] || $(BIN)/python -m tests.compat.tutorials --python .venvs/compat/bin/python $(NOTEBOOKS)

.PHONY: sdks
sdks: .venv/.ready-dev ## Long: vendors' own clients, each in its own environment below build/sdks, against the broker
	$(BIN)/python -m pytest tests/sdks

.PHONY: clean
clean: ## Remove what was built here
	rm -rf .venv .venvs build dist docs/_build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# One environment; a larger set of extras serves the smaller ones too.
.venv/.ready: $(SET_UP)
	.ci/prepare
	touch $@

.venv/.ready-demo: $(SET_UP)
	.ci/prepare demo
	touch $@ .venv/.ready

.venv/.ready-lab: $(SET_UP)
	.ci/prepare lab
	touch $@ .venv/.ready

.venv/.ready-dev: $(SET_UP)
	.ci/prepare dev
	touch $@ .venv/.ready .venv/.ready-lab
