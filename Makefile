# Platea: `make up` starts everything, `make test` tests everything. Needs Python 3.11 or newer and nothing else.

PORT ?= 8000
DATA ?= var
# The folder as it was typed, whatever is in its name: neither make nor the shell reads more into it.
override DATA := $(value DATA)
export DATA
EXAMPLES ?= 300
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)

BIN := .venv/bin
SITE := build/docs
MAKEFLAGS += --no-print-directory
# A shell that calls make from inside another environment must not lend us its packages, nor keep each process compiling all of them anew.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up test check format soak coverage statement contracts docs bench lock clean

help:
	@echo "make up         start Platea here        (PORT=$(PORT) DATA=$$DATA)"
	@echo "make test       run all tests           (ARGS=\"-m unit\" in a minute; also service, browser, faults, slow)"
	@echo "make soak       whatever can happen to a response, in EXAMPLES=$(EXAMPLES) chosen orders"
	@echo "make coverage   what the unit and service tests do not reach"
	@echo "make check      format, lint, types, import rules, generated contracts"
	@echo "make bench      the benchmark report"
	@echo "make format     put the code in shape"
	@echo "make statement  all accessibility tests, and their results into the statement"
	@echo "make contracts  write docs/contracts anew"
	@echo "make docs       the documentation as a site in $(SITE); /docs shows it"
	@echo "make lock       pin the newest dependencies again"
	@echo "make clean      remove everything that make set up; data stays"

# The site is built once the stack stands, which takes both processors until then.
up: .venv/.runtime
	@{ sleep 10; nice -n 19 $(MAKE) docs; } >/dev/null 2>&1 &
	@exec $(BIN)/platea up --port "$(PORT)" --data "$$DATA"

# Three workers on two cores: half of the time a test waits for servers that start, stop and fall. Those of the tier `unit` never wait.
test: .venv/.dev
	@$(if $(findstring -m unit,$(ARGS)),,$(BIN)/python -m tests.browser && $(BIN)/python -m tests.export.judges && $(BIN)/python -m tests.exchange.judges)
	@$(BIN)/python -m pytest --numprocesses $(if $(findstring -m unit,$(ARGS)),2,3) --dist loadfile --no-loadscope-reorder $(ARGS)

soak: .venv/.dev
	@PLATEA_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest --timeout 0 --hypothesis-show-statistics tests/analysis/ingest/test_simulation.py $(ARGS)

# Child processes are measured too.
coverage: .venv/.dev
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(or $(ARGS),-m "unit or service")
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

check: .venv/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m deploy.contracts --check
	@$(MAKE) docs

format: .venv/.dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

statement: .venv/.dev
	@$(BIN)/python -m tests.browser
	@PLATEA_EVERY_STATE=1 PLATEA_ACCESSIBILITY_RESULTS=services/intake/accessibility.json $(BIN)/python -m pytest tests/accessibility tests/pages/test_dashboard.py tests/export/http/test_data_page.py $(ARGS)

contracts: .venv/.dev
	@$(BIN)/python -m deploy.contracts

# Strict: a page that no other leads to, or a link to nothing, fails. Whoever reads meanwhile has the former site until the new one is whole.
docs: $(SITE)/index.html
$(SITE)/index.html: .venv/.docs CHANGELOG.md CONTRIBUTING.md SECURITY.md $(shell find docs -type f)
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env --jobs auto \
		--doctree-dir $(SITE).$$PPID/doctrees --conf-dir docs/site docs $(SITE).$$PPID/site
	@rm -rf $(SITE) && mv $(SITE).$$PPID/site $(SITE) && rm -rf $(SITE).$$PPID

bench: .venv/.dev
	@$(BIN)/python -m tests.bench $(ARGS)

# The pins carry hashes and no addresses: where packages come from is the installer's business.
PIN = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header

lock: .venv/.dev
	@$(PIN) --output-file requirements.lock pyproject.toml
	@$(PIN) --output-file requirements-setup.lock --constraint requirements.lock --group setup
	@$(PIN) --output-file requirements-docs.lock --constraint requirements.lock --constraint requirements-setup.lock --group docs
	@$(PIN) --output-file requirements-dev.lock --constraint requirements.lock --constraint requirements-setup.lock --constraint requirements-docs.lock --group dev pyproject.toml
	@$(PIN) --output-file requirements-judges.lock --group judges
	@npm --prefix tests/exchange/judged install survey-core@latest --save-exact --package-lock-only --omit-lockfile-registry-resolved \
		--ignore-scripts --no-audit --no-fund --silent
	@! grep --line-number "://" requirements*.lock tests/exchange/judged/package-lock.json

clean:
	@rm -rf .venv .venv-judges .node-judges .coverage build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# Set up once: the stamp is newer than what it was made from, and then nothing is done at all.
.venv/.runtime: requirements.lock requirements-setup.lock pyproject.toml deploy/environment.py
.venv/.docs: requirements-docs.lock .venv/.runtime
.venv/.dev: requirements-dev.lock requirements-setup.lock pyproject.toml deploy/environment.py
.venv/.runtime .venv/.docs .venv/.dev:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Platea needs Python 3.11 or newer. Install it, or set PYTHON=/path/to/python3." >&2; exit 1; }
	@"$(PYTHON)" -P deploy/environment.py $(@F:.%=%)
