# Everything runs in a virtual environment of its own, .venv; nothing else on the machine changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# make soak MINUTES=60 SEED=17
MINUTES ?= 3
SEED ?=
# make bench ONLY="kills-full history"
ONLY ?=
# make deb MACHINE=arm64 DEB_VERSION=0.2.0+clinic1; packages are for Debian 12's Python, and built by it
DEB_PYTHON ?= /usr/bin/python3
MACHINE ?= amd64
DEB_VERSION ?=

.PHONY: help demo test test-system test-package check deb dist pin bench soak fuzz fmt clean

help:
	@echo "make demo    install, then show a day of messages on simulated modems (no hardware)"
	@echo "make test    install, then run all tests"
	@echo "make test-system   what needs mounts: full disks, no file events (Linux, util-linux)"
	@echo "make test-package  installs, upgrades and removes the packages in a clean Debian (debootstrap)"
	@echo "make check   style, types and import contracts"
	@echo "make deb     the Debian package, all libraries inside: dist/*.deb (Debian 12; MACHINE=arm64)"
	@echo "make dist    one archive with install script for other systems: dist/*.tar.gz"
	@echo "make pin     choose the newest libraries for the packages: packaging/requirements.txt"
	@echo "make bench   measure speed, load, kills and waiting, beside smstools3 (ONLY=\"kills-full history\")"
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

# In a mount and process namespace of its own, in a Debian made by debootstrap and kept in .cache.
test-package: $(VENV)/dev
	$(BIN)/python tests/package/tools.py
	$$($(BIN)/python tests/package/tools.py --namespace) $(BIN)/python -m pytest -q tests/package

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

deb:
	$(DEB_PYTHON) packaging/build.py deb --machine $(MACHINE) $(if $(DEB_VERSION),--version $(DEB_VERSION))

dist:
	$(DEB_PYTHON) packaging/build.py dist --machine $(MACHINE)

pin:
	$(DEB_PYTHON) packaging/build.py pin

bench: $(VENV)/dev
	$(BIN)/python tests/bench $(ONLY)

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
