# Podium's commands. `make help` lists them.
PYTHON ?= python3
SIZE ?= mini
SEED ?= 1
SERVE ?= 1
PORT ?= 8000
PY := .venv/bin/python
PEERS := .venv-peers/bin/python
# Offline: TRL would report home. tests/conftest.py is cut off, because it starts Django.
PEER_TESTS := HF_HUB_OFFLINE=1 TRL_EXPERIMENTAL_SILENCE=1 $(PEERS) -m pytest tests/peers -m peers --confcutdir=tests/peers
TORCH := $(shell sed -n 's/^torch==/torch==/p' constraints.txt)

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 27

demo: .venv/.runtime  ## one whole round with simulated labelers, then Podium at :8000 (SIZE=toy SEED=2 SERVE=0 PORT=8001)
	@$(PY) -m config.launch demo --size $(SIZE) --seed $(SEED) --serve $(SERVE) --port $(PORT)

run: .venv/.runtime  ## an empty Podium for real use at :8000
	@$(PY) -m config.launch run --port $(PORT)

test: .venv/.dev  ## the whole suite, browser tests included
	@$(PY) -m tests.chromium
	$(PY) -m pytest $(ARGS)

test-peers: .venv-peers/.installed  ## our losses, PPO, checkpoints and benchmark tasks against TRL's and the harness's
	$(PEER_TESTS) $(ARGS)
	PYTHONPATH=.venv-peers/trl-1.12.0 $(PEER_TESTS) $(ARGS)

screenshots: .venv/.dev  ## the pictures of the guides in docs/, made anew
	@$(PY) -m tests.chromium
	$(PY) -m pytest tests/browser/screenshots.py tests/browser/round_screenshots.py tests/browser/researcher_screenshots.py -q

lint: .venv/.dev  ## ruff and mypy
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

clean-demo:  ## forget the demo: its database, datasets and weights
	rm -rf var/postgres var/redis var/artifacts var/demo var/logs var/celerybeat-schedule*

.venv/.runtime: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Podium needs Python 3.11 or newer; $(PYTHON) is {v[0]}.{v[1]}. Try: make PYTHON=python3.12 ...")'
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python lacks its venv module; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "Installing into .venv (the first time takes some minutes) ..."
	@# torch first: a local CPU wheel is taken where pip knows one, else the same version from the index.
	@$(PY) -m pip install --quiet --disable-pip-version-check $(TORCH) -c constraints.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check . -c constraints.txt
	@touch $@

.venv/.dev: .venv/.runtime
	@$(PY) -m pip install --quiet --disable-pip-version-check ".[dev]" -c constraints.txt
	@touch $@

.venv-peers/.installed: constraints.txt constraints-peers.txt
	@test -x $(PEERS) || $(PYTHON) -m venv .venv-peers
	@echo "Installing into .venv-peers (the first time takes some minutes) ..."
	@# torch first, as above. PPO is only in older releases of TRL: one of them lies beside, for a second run.
	@$(PEERS) -m pip install --quiet --disable-pip-version-check $(TORCH) -c constraints.txt
	@$(PEERS) -m pip install --quiet --disable-pip-version-check trl lm-eval datasets transformers accelerate pytest pytest-timeout \
		-c constraints.txt -c constraints-peers.txt
	@$(PEERS) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .venv-peers/trl-1.12.0 trl==1.12.0
	@touch $@

bench-training: .venv-peers/.installed  ## the training core beside TRL and transformers, one thread
	.venv-peers/bin/python -m benchmarks.training $(ARGS)
	PYTHONPATH=.venv-peers/trl-1.12.0 .venv-peers/bin/python -m benchmarks.training $(ARGS)

bench-preferences: .venv-peers/.installed  ## reward models on public preferences, beside TRL (DATA=folder; see its --help)
	.venv-peers/bin/python -m benchmarks.preferences --data $(DATA) $(ARGS)

.PHONY: help demo run test test-peers bench-training bench-preferences screenshots lint clean-demo
