# One door: make check, make quick, make test, make every, make docs. `make lock` after a change of dependencies.

BIN := .venv/bin
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --quiet

.PHONY: check test quick every docs lock setup

setup:
	python3 start.py setup

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.reference --check

test:
	python3 start.py test

quick:
	python3 start.py quick

every:
	python3 start.py every

docs: setup
	$(BIN)/python -m tools.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: setup
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) --extra profiles --extra database --extra annex --group build --output-file requirements.txt
	$(LOCK) --extra profiles --group build --constraint requirements.txt --output-file requirements-demo.txt
	$(LOCK) --extra profiles --extra database --extra annex --extra fast --extra ebm --group build --group test --group lint --group docs \
		--constraint requirements.txt --output-file requirements-dev.txt
	$(LOCK) --resolution lowest-direct --extra profiles --extra database --extra annex --extra fast --group build --group test \
		--output-file requirements-lowest.txt
