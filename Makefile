# make sample: the whole workflow on a drawn competition; make verify, make report: what to think of it; make test: the tests. See README.md.
PYTHON ?= python3
CORES ?= 2
VENV := .venv
# macOS's make, 3.81, would look for programs without a shell, and not in the PATH that is exported here.
SHELL := bash
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)

.PHONY: env sample verify report test test-sample quick golden lint lock audit test-container test-slurm mutants conformance bands digits kills bench bench-gpu growth

env: $(VENV)/.runtime

$(VENV)/.runtime: envs/requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
	  || { echo "error: $(PYTHON) is not Python 3.11 or 3.12; name one: make PYTHON=python3.11 env" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "error: $(PYTHON) cannot make environments; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
ifdef TORCH_CPU
	python envs/lock.py --without-cuda > $(VENV)/without-cuda.txt
	python -m pip install --quiet --require-hashes --requirement $(VENV)/without-cuda.txt
	python -m pip install --quiet --no-deps --index-url $(TORCH_CPU) $$(python envs/lock.py --cpu-builds)
else
	python -m pip install --quiet --require-hashes --requirement envs/requirements.txt
endif
	python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime envs/requirements-dev.txt
	python -m pip install --quiet --require-hashes --requirement envs/requirements-dev.txt
	@touch $@

# make sample DATA=<folder>: the same small configuration on files in Kaggle's layout.
ifneq ($(origin DATA),undefined)
ifneq ($(words $(DATA)),1)
$(error DATA must be the path of one folder, without blanks: make sample DATA=path/to/files)
endif
OVERRIDES := run=sample-folder 'data={"source": "folder", "folder": "$(abspath $(DATA))"}'
endif
# Without units for bfloat16 it would be slower than float32, not twice as fast.
PRECISION := $(if $(shell grep -sm1 -ow avx512_bf16 /proc/cpuinfo),bf16,exact)
OVERRIDES += precision=$(PRECISION)

sample verify report: env
	snakemake $(filter verify report,$@) --cores $(CORES) --resources gpu=0 --quiet rules progress host --configfile config/sample.yaml \
	  --config $(OVERRIDES)

# Five more samples, and from them the bands of its scores: less than two hours.
bands: env
	python -m benchmarks.sample_bands --cores $(CORES) --precision $(PRECISION) --seeds 1 2 3 4 5

# The sample's figures, digit for digit, for runs on the same kind of CPU.
digits: sample
	python -m benchmarks.sample_digits

lint: $(VENV)/.dev
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow/rules
	mypy
	mypy --platform darwin --cache-dir .mypy_cache/darwin src workflow/scripts
	snakemake --lint

# Several processes, each with the tests of whole files; a test that is left out is listed with its reason.
PARALLEL := python -m pytest -q -rs -n $(CORES) --dist loadfile --ignore=tests/golden

quick: $(VENV)/.dev
	$(PARALLEL) -m "not slow"

# In one process: only then is it known that every golden value was compared.
golden: $(VENV)/.dev
	python -m pytest -q -rs tests/golden

test: lint quick golden
	$(PARALLEL) -m "slow"

# What `make sample` promises, and the tour's and the README's commands that look at its run.
test-sample: $(VENV)/.dev
	python -m pytest -q -m sample

lock: $(VENV)/.dev
	python envs/lock.py

# Known vulnerabilities of what is locked, by the package registry's own list.
audit: $(VENV)/.dev
	pip-audit --requirement envs/requirements.txt --require-hashes --disable-pip --strict

# Both install what they need with apt, so they want a Debian machine and its root user.
test-container test-slurm: $(VENV)/.dev
	CARVANA_WHOLE=$(subst test-,,$@) python -m pytest -q -rs tests/$(subst test-,,$@)

# Every planted fault is caught by its golden test, or this fails.
mutants: $(VENV)/.dev
	python -m tests.mutants.run

# 54 kills at random moments of all stages of `tiny`, then a comparison of every final file: half an hour or more.
kills: $(VENV)/.dev
	python -m tests.faults.kills

# Full-size images on one core, the published flow and ours in turns: three to six minutes, best on an idle machine.
bench: env
	python -m benchmarks.cpu

# All that a GPU is needed for; meant to take less than eight minutes on one.
bench-gpu: env
	python -m benchmarks.gpu

# Time and memory of everything but training and prediction at 1, 10 and 100 % of the images: ten minutes.
growth: env
	snakemake report --cores $(CORES) --resources gpu=0 --quiet rules progress host --configfile config/tiny.yaml
	python -m benchmarks.growth

# Golden tests, and what they measured into docs/conformance.md.
conformance: $(VENV)/.dev
	python -m tests.golden.conformance
