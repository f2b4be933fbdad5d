# Two commands matter: `make book` and `make test`. `make help` lists the rest.

PYTHON ?= python3
PROFILE ?= lite
# Extra arguments for pip, for example the index of another torch build.
PIP_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
TEST_RESULTS := $(CURDIR)/_build/test-results
# Tests that start other programs and wait for them.
PROGRAMS := tests/book/test_browser.py tests/book/test_wheel.py \
	tests/benchmarks/test_kill_and_resume.py tests/training/test_two_processes.py
# The lowest versions that pyproject.toml admits, and the lowest Python, in a place of
# their own.
LOWEST := .venv-lowest
LOWEST_PYTHON ?= python3.11
# What shows in a few minutes whether old versions do: every room but those whose tests
# compute long, and of these the tests of what leans on a library's version.
LOWEST_TESTS := $(wildcard tests/test_*.py) tests/metrics tests/solvers tests/cortex \
	tests/recordings tests/imaging/test_imager.py tests/imaging/test_onnx_export.py \
	tests/network tests/synthesis tests/neural_mass/test_lane_math.py

# Quiet and alike on every machine: no progress bars or log lines in stored outputs.
export TQDM_DISABLE := 1
export MNE_LOGGING_LEVEL := WARNING
# Threads that wait for each other sleep: on cores shared with others, waiting awake
# makes the networks two to three times slower.
export OMP_WAIT_POLICY := PASSIVE

.DEFAULT_GOAL := help
.PHONY: help setup book site test test-library test-chapters test-programs test-lowest bench bench-statistics bench-real lint notebooks run pdf serve linkcheck contract clean full-clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(VENV)/.ready  ## Make the virtual environment from constraints.txt

$(VENV)/.ready: pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (a few minutes the first time) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) \
		-c constraints.txt -e ".[book,test,tvb,head]"
	@touch $@

book: setup  ## Execute all chapters (PROFILE=lite) and build the site into _build/html
	$(BIN)/python book/execute.py --profile $(PROFILE)
	$(BIN)/python book/build_site.py --profile $(PROFILE) --notebooks _build/notebooks

site: setup  ## Build the site from the stored notebooks, executing nothing
	$(BIN)/python book/build_site.py --profile $(PROFILE) --notebooks notebooks

# Two parts run at a time, on a core each; when one has ended, the third begins. Threads
# would only wait for those of the other part. Of what does not run first, the report
# comes in one piece.
test: setup  ## Run pytest and doctests, and nbval on all chapters
	$(MAKE) -k -j2 test-library test-chapters test-programs

TESTS := test-library test-chapters test-programs
$(TESTS): export OMP_NUM_THREADS := 1
$(TESTS): export OPENBLAS_NUM_THREADS := 1
$(TESTS): export DEEPSIF_LITE_RESULTS = $(TEST_RESULTS)/$@
in-one-piece = > _build/$@.log 2>&1; status=$$?; cat _build/$@.log; exit $$status

test-library: setup  ## Run pytest and doctests alone, but for those of whole programs
	$(BIN)/python -m pytest tests deepsif_lite $(PROGRAMS:%=--ignore=%)

test-chapters: setup  ## Run nbval on all chapters alone
	@$(BIN)/python book/nbval_copies.py
	@$(BIN)/python -m pytest _build/nbval --nbval \
		--nbval-sanitize-with book/nbval_sanitize.cfg --nbval-cell-timeout 1200 \
		$(in-one-piece)

test-programs: setup  ## Run the tests of browser, wheel and killed runs alone
	@mkdir -p _build
	@$(BIN)/python -m pytest $(PROGRAMS) $(in-one-piece)

$(LOWEST)/.ready: pyproject.toml constraints-lowest.txt
	@echo "Setting up $(LOWEST) (a few minutes the first time) ..."
	$(LOWEST_PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: \
		$(PIP_ARGS) -c constraints-lowest.txt -e ".[test,head]"
	@touch $@

# Old versions warn of what newer ones have mended: warnings are no errors here. Torch
# alone is not the oldest that pyproject.toml admits: pip finds no CPU build of that, only
# one of gigabytes for graphics cards.
test-lowest: $(LOWEST)/.ready  ## Run the quick tests on the lowest versions admitted
	$(LOWEST)/bin/python -m pytest -W default $(LOWEST_TESTS)

bench: setup  ## Time simulation (beside The Virtual Brain) and training (some minutes)
	$(BIN)/python benchmarks/simulation.py
	$(BIN)/python benchmarks/training.py

bench-statistics: setup  ## Compare noisy simulations with The Virtual Brain (half an hour)
	env -u TQDM_DISABLE $(BIN)/python benchmarks/simulation_statistics.py --save data/tvb_statistics.csv

bench-real: setup  ## Image the published recordings by the network and by solvers (two minutes)
	$(BIN)/python benchmarks/real_recordings.py

contract: setup  ## Measure the table of what can be imaged again (book/contract.csv)
	cd tests && ../$(BIN)/python -m contract

lint: setup  ## Check style with ruff, and types with mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# How long a short run takes is stored as well: what longer ones take is estimated from both.
notebooks: setup  ## Execute all chapters again in place and store their outputs
	$(BIN)/python book/execute.py --profile smoke
	cp _build/notebooks/results/chapters.json notebooks/results/chapters-smoke.json
	$(BIN)/python book/execute.py --profile lite --in-place
	cp _build/results/lite/04_example.png book/_static/teaser.png

run: setup  ## Execute one chapter in place: make run NB=01_simulation
	@test -n "$(NB)" || { echo "Say which chapter: make run NB=01_simulation"; exit 2; }
	$(BIN)/python book/execute.py --profile $(PROFILE) --in-place $(NB)

pdf: site  ## Print the site as one PDF: _build/deepsif.pdf (needs Chromium)
	$(BIN)/python book/print_pdf.py

serve:  ## Show the built site at http://localhost:8000
	$(PYTHON) -m http.server 8000 --directory _build/html

linkcheck: setup  ## Check the links of the site (needs the network)
	$(BIN)/python book/build_site.py --profile $(PROFILE) --notebooks notebooks --builder linkcheck

clean:  ## Remove what was built, keep the environment
	rm -rf _build

full-clean: clean  ## Remove the environments as well
	rm -rf $(VENV) $(LOWEST)
