# make demo    a whole clinic on http://127.0.0.1:8000/ (PORT, HOST, DEMO_DIR, DEMO_PASSWORD, DEMO_API_KEY, DEMO_PHOTOS)
# make test    every test; DATABASE_URL and REDIS_URL choose the database and the broker
# make coverage    the same without the browser tests, and the share of lines that ran
# make faults    photographs are uploaded while servers, workers and disks fail; prints what became of them
# make test-compose    the whole system in containers, with failures
# make lint types contracts    style, strict types, import order; make format fixes what a tool can fix
# make messages    the catalogues of translations, after a text has changed
# make run worker beat         the three processes of an installation, for development

# The first Python that is 3.11 or newer; `make PYTHON=/path/to/python demo` overrides.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST_ARGS ?=
# Files whose words and names are checked against docs/style/.
VOCABULARY ?= .

.PHONY: demo test coverage faults test-compose lint words format types contracts migrations messages run worker beat
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed-serve
	@exec $(BIN)/python -m screening.demo

test: $(VENV)/.installed-all
	$(BIN)/python -m pytest $(PYTEST_ARGS)

coverage: $(VENV)/.installed-all
	$(BIN)/python -m pytest -m "not browser" --cov --cov-report= $(PYTEST_ARGS)
	$(BIN)/coverage report --skip-covered

# Needs a container engine, and root where base images cannot be pulled. Not part of CI: it takes a quarter of an hour.
test-compose:
	tests/compose/run.sh

# Uses programs of PostgreSQL and Redis on this machine, on other ports; root, to mount a small disk. Ten minutes.
faults: $(VENV)/.installed-all
	FAULTS=1 $(BIN)/python -m pytest tests/faults -p no:xdist $(PYTEST_ARGS)

lint: $(VENV)/.installed-all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory words
	$(BIN)/oxlint --deny-warnings static
	$(BIN)/djlint --quiet --lint templates deploy
	$(BIN)/djlint --check templates deploy

words: $(VENV)/.installed-all
	$(BIN)/codespell $(VOCABULARY)
	$(BIN)/python docs/style/vocabulary.py $(VOCABULARY)

format: $(VENV)/.installed-all
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint --quiet --reformat templates deploy

types: $(VENV)/.installed-all
	$(BIN)/mypy .

contracts: $(VENV)/.installed-all
	$(BIN)/lint-imports

migrations: $(VENV)/.installed-all
	DEBUG=true $(BIN)/python manage.py makemigrations --check --dry-run

messages: $(VENV)/.installed-all
	$(BIN)/python docs/messages.py

run: $(VENV)/.installed-serve
	DEBUG=true $(BIN)/python manage.py migrate
	DEBUG=true $(BIN)/python manage.py runserver $(or $(PORT),8000)

worker: $(VENV)/.installed-serve
	DEBUG=true $(BIN)/celery -A drsite worker --loglevel INFO --concurrency 1

beat: $(VENV)/.installed-serve
	DEBUG=true $(BIN)/celery -A drsite beat --loglevel INFO

# A stamp file records what is installed, so that a second call is instant.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. Install it, or name it: make PYTHON=/path/to/python3.11 demo" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "A virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@$(PIP) pip==26.3 || echo "pip stays as it is: installing takes longer" # that of Python 3.11 needs twice the time

$(VENV)/.installed-serve: requirements/serve.txt | $(BIN)/python
	@echo "Installing what serving needs into $(VENV) ..."
	@$(PIP) -r requirements/serve.txt
	@touch $@

$(VENV)/.installed-all: requirements.txt $(wildcard requirements/*.txt) | $(BIN)/python
	@echo "Installing everything into $(VENV) ..."
	@$(PIP) -r requirements.txt
	@touch $@ $(VENV)/.installed-serve
