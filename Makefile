# Everything starts here. `make help` lists the targets.
VENV   := .venv
PY     := $(VENV)/bin/python
PYTHON ?= $(shell command -v python3.11 || command -v python3)
export PYTHONPATH := $(CURDIR):$(CURDIR)/src
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
TEMPLATES := src/config/templates shared_apps tenant_apps
.PHONY: help venv demo test lint format bench chromium messages lists picture screenshots

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The copy of the lock in the environment, and not its date (git changes dates), says what is installed.
venv: ## the Python environment (.venv), again only when requirements.lock has changed
	@cmp -s requirements.lock $(VENV)/requirements.lock || { \
	  test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Il faut Python 3.11 ou plus récent (essayez: make demo PYTHON=/chemin/vers/python3.11)." >&2; exit 1; }; \
	  echo "Installation des paquets Python dans $(VENV)…"; \
	  "$(PYTHON)" -m venv $(VENV) || { \
	    echo "Python ne sait pas faire d'environnement: installez aussi son paquet « venv »." >&2; exit 1; }; \
	  $(PY) -m pip install --quiet --require-hashes -r requirements.lock && \
	  cp requirements.lock $(VENV)/requirements.lock; }

demo: venv ## everything on this machine, on PORT (8000); Ctrl-C stops it (ARGS=--verbose shows the journals)
	@$(PY) -m sandbox --with-parent $(ARGS)

chromium: venv
	@$(PY) -m sandbox.chromium

test: venv chromium ## the whole suite on real services, browser tests included (ARGS="-k word")
	@RUN_WITH="$$RUN_WITH $$PPID" $(PY) -m pytest -n 3 $(ARGS)

messages: venv ## the sentences of the code into the catalogues, and the catalogues compiled
	@$(PY) -m sandbox.env $(PY) -m sandbox.messages

lists: venv ## the pages of docs/ that are made from the code: facts, kinds of messages
	@$(PY) -m sandbox.env $(PY) manage.py list_facts > docs/facts.md
	@$(PY) -m sandbox.env $(PY) manage.py list_notices > docs/notices.md

picture: venv ## who may import whom, drawn from the code (docs/images/rooms.svg)
	@$(PY) -m sandbox.picture

screenshots: venv chromium ## the pictures of the documentation, from a running demo
	$(PY) docs/screenshots.py

format: venv ## the code and the templates laid out by their tools
	$(VENV)/bin/ruff check --fix --select I .
	$(VENV)/bin/ruff format .
	-@$(VENV)/bin/djlint $(TEMPLATES) --reformat --quiet # 1 when it changed something

lint: venv ## style, layout of the templates, imports between rooms, types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/djlint $(TEMPLATES) --check --quiet
	$(VENV)/bin/lint-imports
	$(PY) -m sandbox.env $(VENV)/bin/mypy

bench: venv ## ours beside a peer or the limit, one line a figure (ONLY=name)
	@RUN_WITH="$$RUN_WITH $$PPID" $(PY) -m benchmarks $(ONLY)
