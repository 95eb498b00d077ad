# make demo | check | bench; `make help` lists the rest. Everything runs in .venv, which is made on first use.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Nodes are several processes each: more workers than this make tests slower and time out.
CORES  := $(shell nproc 2>/dev/null || echo 2)
UNIT_WORKERS    ?= $(CORES)
REGTEST_WORKERS ?= $(CORES)
COMPAT_WORKERS  ?= $(CORES)
ARGS   ?=

.PHONY: help demo check check-source check-types check-unit check-regtest check-compat check-bolts bolt-coverage generate bench soak chaos fmt bitcoind clean

help:
	@echo "make demo           three nodes on regtest pay one another (ARGS=--keep leaves them running)"
	@echo "make check          all tests: check-source check-types check-unit check-regtest check-compat"
	@echo "make check-source   layers, lint, BOLT citations, generated code and pages are fresh"
	@echo "make check-types    mypy --strict"
	@echo "make check-unit     everything that needs no bitcoind (ARGS=... goes to pytest)"
	@echo "make check-regtest  real nodes on a real bitcoind"
	@echo "make check-compat   Core Lightning's test tools drive this node (in .venv-compat, made on first use)"
	@echo "make check-bolts    cited BOLT sections exist (BOLTDIR=<clone> checks against that clone)"
	@echo "make generate       wire classes, pages of commands and BOLT coverage from their sources"
	@echo "make bolt-coverage  only the table of which code cites which BOLT section"
	@echo "make bench          table of speed and memory"
	@echo "make soak           the simulations, for as long as you like (ARGS='--seconds N --seed N')"
	@echo "make chaos          five real nodes, 200 channels, payments and every kind of fault for five minutes (ARGS='--seconds N --channels N --seed N')"
	@echo "make bitcoind       find bitcoind, or fetch a private copy, and print its path"
	@echo "make fmt            lay out the code"
	@echo "make clean          remove the virtual environments and what was built"

# The version is checked first: an old Python fails late and strangely otherwise.
$(STAMP): setup.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "A virtual environment could not be made. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "installing pylightningd and what it needs into $(VENV)..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --use-pep517 -e '.[dev]'
	@touch $@

bitcoind: $(STAMP)
	@$(BIN)/python -m tools.get_bitcoind

demo: $(STAMP)
	@$(BIN)/python -m tools.demo $(ARGS)

check: check-source check-types check-unit check-regtest check-compat

check-source: $(STAMP)
	@$(BIN)/python -m tools.check_layers
	@$(BIN)/python -m tools.check_source
	@$(BIN)/ruff check --quiet --no-cache .
	@$(BIN)/python -m tools.generate_wire --check
	@$(BIN)/python -m tools.make_docs --check
	@$(BIN)/python -m tools.check_bolts
	@$(BIN)/python -m tools.bolt_coverage --check

check-types: $(STAMP)
	@$(BIN)/mypy --no-error-summary

check-unit: $(STAMP)
	@$(BIN)/python -m pytest -q -n $(UNIT_WORKERS) --ignore=tests/regtest tests $(ARGS)

check-regtest: $(STAMP)
	@BITCOIND="$$($(BIN)/python -m tools.get_bitcoind)" || exit 1; export BITCOIND; \
		$(BIN)/python -m pytest -q -n $(REGTEST_WORKERS) --dist worksteal tests/regtest $(ARGS)

# With BOLTDIR=<clone of the BOLTs> the committed list of section titles is checked, too.
check-bolts: $(STAMP)
	@$(BIN)/python -m tools.check_bolts

bolt-coverage: $(STAMP)
	@$(BIN)/python -m tools.bolt_coverage

# CLN's own test tools against this node, in an environment of their own.
COMPAT := .venv-compat
$(COMPAT)/.installed: $(STAMP) Makefile
	@test -x $(COMPAT)/bin/python && $(COMPAT)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(COMPAT) || \
		{ rm -rf $(COMPAT); exit 1; }
	@echo "installing Core Lightning's test tools into $(COMPAT)..."
	@$(COMPAT)/bin/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
		pyln-testing pytest-timeout pytest-xdist
	@touch $@

check-compat: $(COMPAT)/.installed
	@BITCOIND="$$($(BIN)/python -m tools.get_bitcoind)" || exit 1; \
		PATH="$(CURDIR)/$(COMPAT)/bin:$(CURDIR)/$(BIN):$$(dirname "$$BITCOIND"):$$PATH" RUST=0 \
		$(COMPAT)/bin/python -m pytest -q -n $(COMPAT_WORKERS) -c tests/compat/pytest.ini --confcutdir=tests/compat \
			--timeout=600 tests/compat $(ARGS)

generate: $(STAMP)
	@$(BIN)/python -m tools.generate_wire
	@$(BIN)/python -m tools.make_docs
	@$(BIN)/python -m tools.bolt_coverage

bench: $(STAMP)
	@$(BIN)/python -m bench $(ARGS)

soak: $(STAMP)
	@$(BIN)/python -m tools.soak $(ARGS)

chaos: $(STAMP)
	@BITCOIND="$$($(BIN)/python -m tools.get_bitcoind)" || exit 1; export BITCOIND; \
		$(BIN)/python -m tools.chaos $(ARGS)

fmt: $(STAMP)
	@$(BIN)/ruff check --quiet --no-cache --select I --fix .
	@$(BIN)/ruff format --no-cache .

clean:
	rm -rf $(VENV) $(COMPAT) build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
