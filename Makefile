# make demo, make test: from a fresh clone to the result. make setup: what both need, once.

VENV    := .venv
PY      := $(VENV)/bin/python
PYTHON ?= python3
READY   := $(VENV)/.ready

.PHONY: setup demo test check fast slow long hostile docs clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt scripts/setup
	PYTHON=$(PYTHON) sh scripts/setup $(VENV)
	touch $@

demo: setup
	$(VENV)/bin/idiolect demo --home .demo

test: check fast slow

check: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

fast: setup
	$(PY) -m pytest -m "not slow and not long" -n 2

slow: setup
	sh scripts/debian-packages
	$(PY) -m pytest -m slow -n 2

long: setup
	sh scripts/debian-packages
	$(PY) -m pytest -m long

# For the night: a home damaged in a thousand ways, and every attack.
hostile: setup
	IDIOLECT_DAMAGES=1000 $(PY) -m pytest tests/hostile -n 2

docs: setup
	$(PY) scripts/write_docs.py

clean:
	rm -rf $(VENV) .demo
