# Every command a person or CI runs. Bare `make` prints them. Logic lives in Python, not here.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
# One thing at a time: two builds, or a build beside a training, take longer than one after the other.
.NOTPARALLEL:

UV_VERSION := 0.13.9
UV := $(or $(shell command -v uv),$(CURDIR)/.rrm/uv/bin/uv)
export UV
PYTHON := .venv/bin/python
PROFILE ?= cpu
CLUSTER := $(PYTHON) -m rrm_test_cluster
DEMO := $(PYTHON) -m rrm_test_cluster.demo
PYTEST := $(PYTHON) -m pytest

##@ Start here
.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup ## Train a tiny judge on a real cluster: at most 35 min the first time, usually 12 after (KEEP=1 leaves it up)
	@$(DEMO) run $(if $(KEEP),--keep)

.PHONY: test
test: setup ## Everything that must pass: at most 75 min the first time, usually 45 after
	@$(PYTHON) -m rrm_test_cluster.suite

.PHONY: test-long
test-long: setup cluster-tools trainer-env ## What CI has no time for: a week of 200 simulated trainings, verl on two nodes, a Ray that freezes for minutes
	$(PYTEST) -m long -s tests

##@ While working
.PHONY: setup
setup: .venv/.ready ## The Python environment of tests, tools and operator (brings uv along if there is none)

.venv/.ready: uv.lock pyproject.toml crds/pyproject.toml operator/pyproject.toml tests/cluster/pyproject.toml | $(UV)
	$(UV) sync --quiet --locked --python 3.11
	@touch $@

$(CURDIR)/.rrm/uv/bin/uv:
	@echo "no uv on PATH: installing uv $(UV_VERSION) into .rrm/uv"
	@$$(command -v python3.11 || command -v python3) -m venv .rrm/uv \
	  || { echo "needs python3.11 with venv (Debian: apt-get install python3.11-venv)"; exit 3; }
	@.rrm/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.PHONY: check
check: setup ## Format, lint, types, imports, generated files, unit tests: under 2 min
	$(PYTHON) -m ruff format --check --quiet .
	$(PYTHON) -m ruff check --quiet .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) crds/generate.py --check
	$(PYTEST) --quiet --numprocesses=auto -m "not (api or fakenodes or node or verl or bench or interop or browser or slow or long)"

.PHONY: format
format: setup ## Format and repair what ruff can
	$(PYTHON) -m ruff format --quiet .
	$(PYTHON) -m ruff check --quiet --fix .

.PHONY: generate
generate: setup ## Write CRD, reference page, editor schema, the chart's copy and the page of complaints
	$(PYTHON) crds/generate.py
	$(PYTHON) -m tests.complaints.table

.PHONY: goldens
goldens: setup ## Write the golden files anew (YAML, prompts, overrides, rewards, presets); review them as product output
	UPDATE_GOLDEN=1 $(PYTEST) --quiet $$(grep -rl UPDATE_GOLDEN tests/unit --include='*.py')

.PHONY: trainer-pins
trainer-pins: setup ## Resolve the trainer's pins again (trainer_image/profiles/*/requirements.in)
	$(PYTHON) -m rrm.trainer_env.pins

.PHONY: bench
bench: trainer-env cluster-tools ## Measure speed and size; prints, asserts no time
	$(PYTEST) -s -m bench tests/bench

##@ Parts of the demo
.PHONY: demo-data
demo-data: setup trainer-env ## Rows and tiny model into .rrm/claims/demo, where `rrm run crds/examples/tiny-cpu.yaml` finds them
	@$(DEMO) data

.PHONY: trainer-env
# Root may install the compiler it needs; others are told.
trainer-env: setup $(if $(filter 0,$(shell id -u)),node-deps) ## The trainer's environment (torch, verl, vLLM, Ray) in the user's cache: 3 GB, 3 min once (PROFILE=cpu-verl04: the older engine)
	@$(PYTHON) -m rrm.trainer_env --profile $(PROFILE) >/dev/null

.PHONY: cluster-tools
cluster-tools: setup ## Kubernetes, etcd, KubeRay and helm from pinned Go modules: 10 min once
	@$(CLUSTER) tools

.PHONY: node-deps
node-deps: setup ## Debian packages of a real node (as root; else says what is missing)
	@$(CLUSTER) deps

.PHONY: images
images: setup node-deps ## Operator image and trainer images, built here without Docker
	@$(DEMO) images

.PHONY: cluster-up
cluster-up: setup cluster-tools node-deps ## A cluster with a real node for a person; prints the KUBECONFIG
	@$(CLUSTER) up

.PHONY: cluster-down
cluster-down: setup ## Take it down
	@$(CLUSTER) down

.PHONY: clean
clean: ## Remove what was made in this checkout (not the user's cache)
	@[ ! -x $(PYTHON) ] || $(CLUSTER) down
	rm -rf .venv .rrm .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
