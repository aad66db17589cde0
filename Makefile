# Nothing is needed before these but Python 3.11-3.13. `make lab` and `make test` are complete.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
  BIN := $(VENV)/Scripts
else
  BIN := $(VENV)/bin
endif
PACKAGES := requirements.txt
READY := $(VENV)/.ready
TENSORFLOW := .venv-tensorflow

.PHONY: lab test test-tensorflow lesson-15 fast course stamp wheel fetch lint bench clean help

lab: $(READY)  ## open lesson 01 in JupyterLab
	$(BIN)/python -m course_utils.assets fetch encoder sentiment sms_spam
	@# Else JupyterLab shows saved quizzes as text, and no sound, until their cells are run.
	@$(BIN)/jupyter trust notebooks/*.ipynb > $(VENV)/trust.log
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/01_introduction.ipynb

test: fetch  ## run every test and every lesson, two files side by side
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-tensorflow:  ## run lesson 15 and its tests, in an environment of its own
	$(MAKE) VENV=$(TENSORFLOW) PACKAGES=requirements-tensorflow.txt lesson-15

lesson-15: fetch  # of the environment that the line above names
	$(BIN)/python -m pytest notebooks/15_document_example_tensorflow.ipynb tests/lessons/test_lesson_15.py

fast: $(READY)  ## the tests that take seconds
	$(BIN)/python -m pytest -m "not slow" tests

course: fetch  ## execute every lesson and refresh its outputs; one: make course LESSON=04
	$(BIN)/python -m tools.course execute $(LESSON)

stamp: $(READY)  ## write the public address (pyproject.toml) into badges and set-up cells
	$(BIN)/python -m tools.course stamp $(ADDRESS)

wheel: $(READY)  ## build the wheel to upload to Colab while the course has no public address
	$(BIN)/python -m build --wheel --outdir dist .

fetch: $(READY)  ## fetch all models and data sets (about 310 MB) into the cache
	$(BIN)/python -m course_utils.assets fetch

lint: $(READY)  ## check and format code and notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: fetch  ## repeat the benchmarks of lessons 14, 09, 16 and 28 (nearly two hours)
	$(BIN)/python -m benchmarks.document_example
	$(BIN)/python -m benchmarks.strategies
	$(BIN)/python -m benchmarks.sentiment_table4
	$(BIN)/python -m benchmarks.compute_costs

clean:  ## remove the environment; the cache of models stays
	rm -rf $(VENV) $(TENSORFLOW)

help:  ## list these commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/'

$(READY): $(PACKAGES) requirements.txt pyproject.toml
	@$(PYTHON) -c "import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f'Expected Python 3.11 to 3.13; got {v[0]}.{v[1]}. Run: make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv $(VENV)
	@echo "Installing the course's packages (torch alone is 200 MB and more); this takes a few minutes once."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(PACKAGES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@# JupyterLab asks at its first start whether it may fetch news from the network: it need not.
	$(BIN)/jupyter labextension disable --level=sys_prefix "@jupyterlab/apputils-extension:announcements"
	@touch $(READY)
