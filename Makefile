# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo smoke test chaos check bench screenshots examples messages lock venv clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

.venv/prod.stamp: requirements/prod.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; python3 is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages into .venv/ ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/prod.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/prod.stamp
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

venv: .venv/dev.stamp  ## the virtual environment with all packages

demo: .venv/prod.stamp  ## the product with the embedded sandbox on this machine
	@$(BIN)/python manage.py demo

smoke: .venv/prod.stamp  ## the whole road once, without a browser
	@$(BIN)/python scripts/smoke.py

test: .venv/dev.stamp  ## the whole suite, on SQLite and where it is reachable on PostgreSQL
	@$(BIN)/python -m tests

chaos: .venv/dev.stamp  ## kills, power cuts, lost answers: each promise and its negative control (QUICK=1: a tenth)
	@$(BIN)/python -m tests.chaos $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

check: .venv/dev.stamp  ## lint, types, import contracts, migrations, templates, translations, locks
	@$(BIN)/python scripts/check.py

# spyne, which notifications are measured beside, cannot be imported on Python 3.12 or newer.
.venv/bench.stamp: requirements/bench.txt .venv/dev.stamp
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 12))'; then \
	  $(BIN)/python -m pip install --quiet --require-hashes -r requirements/bench.txt; fi
	@touch $@

bench: .venv/bench.stamp  ## measurements as ratios, side by side in one run
	@$(BIN)/python -m benchmarks

screenshots: .venv/dev.stamp  ## docs/screenshots/ from a fresh demo, in Chromium
	@$(BIN)/python scripts/screenshots.py

examples: .venv/dev.stamp  ## write examples/ anew
	@$(BIN)/python scripts/make_examples.py

messages: .venv/dev.stamp  ## collect the texts of the screens and compile the translations
	@$(BIN)/python scripts/messages.py

lock: .venv/dev.stamp  ## pin requirements/*.in with hashes, without addresses
	@for name in prod dev bench; do $(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 \
	  --no-emit-index-url --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean:  ## remove the demo's data and the virtual environment
	rm -rf var .venv staticfiles
