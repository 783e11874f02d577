# Two commands are all that a newcomer needs: `make demo` and `make test`.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
DEFINITIONS := pyproject.toml constraints.txt Makefile

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench quality truth leaks scale clean

help: ## Show what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/demo ## Set up and run the quickstart experiment on 20 years of the S&P 500
	@echo "windtunnel run configs/quickstart.yaml"
	@$(BIN)/windtunnel run configs/quickstart.yaml

test: $(VENV)/all lint ## Set up with all extras, check the code and run the tests
	@$(BIN)/python -m pytest -n 2

lint: $(VENV)/all ## Check style, types and the layers of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy

bench: $(VENV)/all ## Measure beside other backtesters, results compared before times (the first run sets them up)
	@$(BIN)/python benchmarks/run.py

quality: $(VENV)/all ## Measure how good the models are, out of sample, beside naive baselines
	@$(BIN)/python benchmarks/quality/run.py

truth: $(VENV)/all ## Measure how often the verdict is wrong, on universes whose truth is known (five to ten minutes)
	@$(BIN)/python benchmarks/truth/run.py

leaks: $(VENV)/all ## Plant leaks and look whether they are found, and whether clean plugins are left in peace
	@$(BIN)/python benchmarks/leaks/run.py

scale: $(VENV)/all ## Measure what it costs to spread trials over processes and machines
	@$(BIN)/python benchmarks/scale/run.py

clean: ## Remove the environment and all caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/created: $(DEFINITIONS)
	@test -n "$(PYTHON)" || { echo "Windtunnel needs Python 3.11 or later; none was found." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/demo: $(VENV)/created
	@echo "… setting up $(VENV) (about a minute, once)"; start=$$(date +%s); $(PIP) -e . \
		&& echo "✓ environment ready ($(VENV), $$(( $$(date +%s) - start )) s)"
	@touch $@

$(VENV)/all: $(VENV)/created
	@echo "… setting up $(VENV) with all extras (a few minutes, once)"; start=$$(date +%s); $(PIP) -e '.[all]' \
		&& echo "✓ environment ready ($(VENV), $$(( $$(date +%s) - start )) s)"
	@touch $@ $(VENV)/demo
