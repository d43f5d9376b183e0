# The two commands of the README: `make demo` and `make test`. Both set up what they need.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
ROOMS := common schemas annotators captioning pipeline training
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PIP_WHEEL := $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation
INPUT ?=
OUT ?= demo-out
TRUTH ?= truth-out
SECONDS ?= 3600
QUERIES ?= "a piece in C major that moves through C, F and G" "F minor, Andante, 78 BPM" "a fast piece in D major"
export PYTHONWARNINGS ?= ignore

.PHONY: help setup demo truth test check lint types unit fuzz dist omnizart test-omnizart chordino test-chordino vllm test-vllm llm test-llm lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## Create .venv from the lock

$(STAMP): requirements/main.lock requirements/torch-cpu.lock requirements/torch-pypi.lock requirements/install_torch.sh pyproject.toml setup.py
	@PYTHON=$(PYTHON) sh requirements/needs.sh setup python free:3
	$(PYTHON) -m venv $(VENV)
	$(PIP) --no-deps --require-hashes -r requirements/main.lock
	sh requirements/install_torch.sh $(BIN)/python
	$(PIP) --no-deps --no-build-isolation -e .
	$(BIN)/python -c "from fgmcaps.annotators.libraries.librosa import load_librosa; load_librosa()" # compiles, before processes do it at once
	touch $@

demo: setup ## Build shards from the small real music set (or INPUT=folder) into OUT=demo-out, train on them, search
	$(BIN)/fgmcaps build $(if $(INPUT),$(INPUT),$$($(BIN)/python -m fgmcaps.pipeline.demo)) $(OUT) --workers 2
	$(BIN)/figma train $(OUT) $(OUT)-model --config demo
	$(BIN)/figma search $(OUT)-model $(OUT) $(QUERIES) --top 2

check: setup lint types unit ## Lint, types, unit tests: the inner loop, under 2 minutes on 2 cores

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	mkdir -p build/types/fgmcaps
	ln -sfn $(addprefix ../../../,$(ROOMS) $(wildcard fgmcaps/*.py) fgmcaps/py.typed) build/types/fgmcaps/
	$(BIN)/mypy

unit: setup
	$(BIN)/pytest -m "not slow" -n 2

test: check ## All tests, the slow ones with real models included
	$(BIN)/pytest -m slow

truth: setup ## Render music of known beats, meter, key and chords into TRUTH=truth-out (needs apt's mma and fluidsynth)
	@sh requirements/needs.sh truth mma:mma fluidsynth:fluidsynth
	$(BIN)/python -m benchmarks.truth render $(TRUTH)/rendered --workers 2
	$(BIN)/python -m benchmarks.truth negatives $(TRUTH)/negatives
	$(BIN)/python -m benchmarks.truth recorded $(TRUTH)/recorded

fuzz: setup ## Property tests with new examples for SECONDS=3600
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --processes 2

dist: setup ## Build the wheel into dist/
	$(PIP_WHEEL) -w dist .
	rm -rf build/lib build/bdist.*

omnizart: ## Environment of Omnizart (the paper profile's chords; needs a C++ compiler)
	@PYTHON=$(PYTHON) sh requirements/needs.sh omnizart python compiler free:2
	sh annotators/workers/make_omnizart_env.sh

test-omnizart: setup ## Test Omnizart through a model made by the test (after `make omnizart`)
	@sh requirements/needs.sh test-omnizart env:.venv-omnizart:omnizart
	FGMCAPS_TEST_OMNIZART=1 $(BIN)/pytest tests/omnizart

chordino: ## Environment of Chordino (optional; needs a C++ compiler)
	@PYTHON=$(PYTHON) sh requirements/needs.sh chordino python compiler free:1
	sh annotators/workers/make_chordino_env.sh

test-chordino: setup ## Test Chordino (after `make chordino`)
	@sh requirements/needs.sh test-chordino env:.venv-chordino:chordino
	FGMCAPS_TEST_CHORDINO=1 $(BIN)/pytest tests/chordino

vllm: ## Environment of vLLM for `--serve` (its CUDA build where there is a GPU, else its CPU build: 3.5 to 6.3 GB)
	@PYTHON=$(PYTHON) sh requirements/needs.sh vllm python free:8
	sh captioning/make_vllm_env.sh

test-vllm: setup ## Test captions by a real vLLM with a 135 M model (after `make vllm`)
	@sh requirements/needs.sh test-vllm env:.venv-vllm:vllm
	FGMCAPS_TEST_VLLM=1 $(BIN)/pytest tests/vllm

llm: ## llama.cpp's server with a model of 1.5 B parameters, to caption without a GPU (compiles 7 minutes, 1.3 GB)
	@PYTHON=$(PYTHON) sh requirements/needs.sh llm python compiler free:4
	sh captioning/make_llama_env.sh

test-llm: setup ## Test captions of 100 clips by that model through llama.cpp and vLLM (after `make llm vllm`; an hour)
	@sh requirements/needs.sh test-llm env:.venv-llama:llm env:.venv-vllm:vllm
	FGMCAPS_TEST_LLM=1 $(BIN)/pytest tests/llm

lock: ## Resolve pyproject.toml anew into requirements/*.lock (needs pip-tools)
	@sh requirements/needs.sh lock "pip-compile:pip-tools (or python3.11 -m pip install pip-tools)"
	sh requirements/lock.sh

clean: ## Remove the demo's output (never .venv)
	rm -rf demo-out demo-out-model demo-out-model.features
