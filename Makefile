# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
DEMO_OUTPUT ?= demo_output
export MPLBACKEND := agg

.PHONY: help demo check test test-r test-lowest test-newest coverage notebooks docs bench lint clean apt

help:  ## show this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python >= 3.11 is needed; set PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "python3-venv is needed: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	@mkdir -p $(STAMPS)

$(STAMPS)/core: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e .
	@touch $@

$(STAMPS)/test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[genomics,enrich,scale,test,docs]'
	@for extra in da fragments tracks episcanpy; do $(BIN)/python -m pip install --quiet -e ".[$$extra]" || echo "the extra $$extra could not be installed: its tests will be skipped"; done
	@if command -v R >/dev/null; then $(BIN)/python -m pip install --quiet -e '.[r]' || echo "rpy2 could not be installed: the R tests will be skipped"; else echo "R is missing: the R tests will be skipped"; fi
	@touch $@ $(STAMPS)/core

demo: $(STAMPS)/core  ## enhance the built-in toy study; figures and files in demo_output/
	$(BIN)/sccase-kit demo -o $(DEMO_OUTPUT)

apt:  ## install the system packages the tests use (needs root)
	@sh tests/install_system_packages.sh

test: apt $(STAMPS)/test  ## install what the tests need and run all of them
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n 2 --dist loadfile
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --nbmake notebooks --nbmake-timeout=600 -n 2

check: $(STAMPS)/test  ## the inner loop: no slow tests, no notebooks, no R, no page builds
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -q -n 2 --dist loadfile -m "not slow and not r" --ignore=tests/r --ignore=tests/hostile --ignore=tests/reliability

SOURCES ?=
R_LIBRARY ?= $(VENV)/R
test-r: apt $(STAMPS)/test  ## build the R packages whose sources are in SOURCES=folder, and run the tests of R with them
	@test -n "$(SOURCES)" || { echo "make test-r SOURCES=folder, which holds chromVAR, motifmatchr, scABC and what they need, one source folder each"; exit 1; }
	@mkdir -p $(R_LIBRARY)
	Rscript r_scripts/install.R --from=$(abspath $(SOURCES)) --lib=$(abspath $(R_LIBRARY)) chromVAR motifmatchr scABC
	R_LIBS=$(abspath $(R_LIBRARY)) OMP_NUM_THREADS=2 $(BIN)/python -m pytest tests/r tests/tl/test_chromvar.py tests/tl/test_motifs.py tests/tl/test_scabc.py

# Warnings of old versions of other people's packages are not errors here. Without R and notebooks.
LOWEST ?= .venv-lowest
$(LOWEST)/.stamp: pyproject.toml
	$(PYTHON) -m venv --clear $(LOWEST) && $(LOWEST)/bin/python -m pip install --quiet --upgrade pip uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct -e '.[genomics,enrich,scale,test]'
	@touch $@

test-lowest: $(LOWEST)/.stamp  ## run the tests with the lowest versions that pyproject.toml allows
	OMP_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest tests -n 2 --dist loadfile -W default --disable-warnings --ignore=tests/r --ignore=tests/test_notebooks.py

# What is newest on the day: warnings of other people's packages are not errors here either. Without R and notebooks.
NEWEST ?= .venv-newest
test-newest:  ## run the tests with the newest releases of everything
	$(PYTHON) -m venv --clear $(NEWEST) && $(NEWEST)/bin/python -m pip install --quiet --upgrade pip uv
	$(NEWEST)/bin/uv pip install --quiet --python $(NEWEST)/bin/python --upgrade -e '.[genomics,enrich,scale,test]'
	OMP_NUM_THREADS=1 $(NEWEST)/bin/python -m pytest tests -n 2 --dist loadfile -W default --disable-warnings --ignore=tests/r --ignore=tests/test_notebooks.py

coverage: $(STAMPS)/test  ## run the tests and list the lines that none of them reaches
	OMP_NUM_THREADS=2 $(BIN)/python -m pytest tests --cov --cov-report=term-missing

notebooks: $(STAMPS)/test  ## run the notebooks
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --nbmake notebooks --nbmake-timeout=600 -n 2

docs: $(STAMPS)/test  ## build the documentation, warnings are errors
	$(BIN)/python -m pip install --quiet -e '.[docs]'
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

bench: $(STAMPS)/test  ## run the speed and quality benchmarks (long)
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/quality.py --quick

lint: $(STAMPS)/test  ## check the style and the types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

clean:  ## remove the environment and everything generated
	rm -rf $(VENV) $(LOWEST) $(NEWEST) $(DEMO_OUTPUT) docs/_build docs/api docs/notebooks .pytest_cache .ruff_cache .hypothesis
