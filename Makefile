# Everything runs in a virtual environment of its own, .venv; nothing else on the machine changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# make soak MINUTES=60 SEED=17
MINUTES ?= 3
SEED ?=

.PHONY: help demo test test-system check bench soak fuzz fmt clean

help:
	@echo "make demo    install, then show a day of messages on simulated modems (no hardware)"
	@echo "make test    install, then run all tests"
	@echo "make test-system   what needs mounts: full disks, no file events (Linux, util-linux)"
	@echo "make check   style, types and import contracts"
	@echo "make bench   measure the figures that docs/architecture.md promises"
	@echo "make soak    traffic with random faults, and the balance of it (MINUTES=60 SEED=17)"
	@echo "make fuzz    spoiled input for all that reads foreign bytes (SECONDS=120 SEED=...)"
	@echo "make fmt     format the code"
	@echo "make clean   remove the virtual environment and caches"

$(VENV)/base: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/dev: $(VENV)/base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .[dev]
	@touch $@

demo: $(VENV)/base
	$(BIN)/gsmgw demo

test: $(VENV)/dev
	$(BIN)/python -m pytest -q -n 8 --dist worksteal

# In a user and mount namespace of its own: nothing that is mounted there is seen outside.
test-system: $(VENV)/dev
	$(BIN)/python tests/system/tools.py
	unshare --map-root-user --mount $(BIN)/python -m pytest -q tests/system

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev
	$(BIN)/python tests/bench

soak: $(VENV)/dev
	$(BIN)/python tests/soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

fuzz: export SECONDS ?= 120
fuzz: $(VENV)/dev
	$(BIN)/python tests/fuzz

fmt: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
