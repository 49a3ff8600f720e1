# Every command does its own set-up: a fresh machine needs Python 3.11 (or newer) and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
export OMP_NUM_THREADS ?= 1

.PHONY: install demo test long check bench docs wheel matrix clean

install: $(READY)

# torch goes first and alone: a later resolver run would fetch a CUDA build of several GB.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,docs,dp,minari,sign,tensorboard]'
	touch $(READY)

demo: install
	$(BIN)/panda-grid demo --out runs/demo

test: install
	$(BIN)/python -m pytest -n 2 -q

long: install
	$(BIN)/python -m pytest -n 2 -q -m long

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.workflows
	$(BIN)/python -m tests.bench.pipelines
	$(BIN)/python -m tests.bench.jit

# The site in build/docs/html: every warning is an error, then internal links are checked.
docs: install
	$(BIN)/python -m sphinx -W --keep-going -n -q -b html docs build/docs/html
	$(BIN)/python docs/check_links.py build/docs/html

wheel: install
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m pytest -q -m long tests/packaging

# `make matrix TORCH=torch==2.13.0` keeps to one torch, which pip installs first (a CPU build, say).
matrix: install
	$(BIN)/python scripts/matrix.py lowest $(if $(TORCH),--torch $(TORCH))
	$(BIN)/python scripts/matrix.py newest $(if $(TORCH),--torch $(TORCH))

clean:
	rm -rf $(VENV) runs build dist *.egg-info
