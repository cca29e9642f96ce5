# Every target only calls what a person could type.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

TESTER := $(VENV)/caldav

.PHONY: demo test lint types style bench soak docs lock caldav-tester clean

$(VENV):
	mkdir -p $@

$(VENV)/ready: requirements.lock pyproject.toml | $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-compile --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(TESTER)/ready: tests/system/caldav-requirements.txt | $(VENV)
	$(PYTHON) -m venv $(TESTER)
	$(TESTER)/bin/pip install --quiet --no-compile --require-hashes -r tests/system/caldav-requirements.txt
	touch $@

demo: $(VENV)/ready  ## the whole product on imitated clouds
	$(BIN)/ccdaemon demo

test: $(VENV)/ready $(TESTER)/ready  ## the whole test suite
	$(BIN)/pytest -n auto --dist loadscope --no-loadscope-reorder

lint: types style  ## style, types, layers, dependencies

types: $(VENV)/ready
	$(BIN)/mypy

style: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/deptry .

soak: $(VENV)/ready  ## an evening: everything at once, every kill point, many random histories, new random payloads
	$(BIN)/python -m tests.soak
	$(BIN)/pytest tests/system/crash tests/system/test_kill.py --thorough --timeout 7200
	$(BIN)/pytest tests/machine --seeds 20000 --timeout 7200
	$(BIN)/pytest tests/contract/store/test_dav_histories.py --seeds 20000 --timeout 7200
	$(BIN)/pytest tests -m hypothesis --hypothesis-profile fuzz -n auto --timeout 7200

bench: $(VENV)/ready  ## speed, as ratios against a floor or a peer in the same run
	$(BIN)/python benchmarks/ingest.py
	$(BIN)/python benchmarks/pull.py --full
	$(BIN)/python benchmarks/mapping.py
	$(BIN)/python benchmarks/dav.py
	$(BIN)/python benchmarks/dav_load.py
	$(BIN)/python benchmarks/dav_timing.py
	$(BIN)/python benchmarks/sandbox.py

caldav-tester: $(TESTER)/ready  ## a CalDAV client and its server tester, apart: they bring another urllib3

docs: $(VENV)/ready  ## pages that are made from the code
	$(BIN)/python docs/mapping.py

lock:  ## renew requirements.lock from pyproject.toml
	$(BIN)/pip-compile --quiet --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info
