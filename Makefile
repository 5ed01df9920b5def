# make demo   three sites, a worker and the Zoom simulator on this machine; Ctrl-C stops all of it
# make demo-hub   a hub, two websites with projects of their own and the Zoom simulator
# make test   sets up a virtual environment and runs the tests on SQLite
# make test-browser   the main paths in a real Chromium
# make bench   measures everything beside its baseline, about 15 minutes; QUICK=1: a minute and a half
# make reference   rewrites the parts of the documentation that the code knows best
# make docs   the documentation as HTML, in build/docs; a warning is an error
# make soak MINUTES=30   random changes, faults and kills, then every row is compared; SOAK="--seed 7 …"
# make meeting-changes CHANGES=200   meetings scheduled, changed and cancelled on PostgreSQL, with faults and kills
# make screenshots   retakes the pictures and the recording of the documentation, from demos of their own
# make coverage   the lines that the tests run, also in processes of their own; at least 95 %
# make release   sdist and wheel, built twice and compared, in dist
# make fuzz      a thousand made-up requests of each kind (tests/security/test_fuzz.py), about half an hour
# make properties   the other property tests, with a thousand examples each
# make mutants   switches each guard off in turn and shows which test notices; WORDS="X9 webhooks.py",
#                SAMPLE=10: a random part of them, 10 minutes long; SEED=7: the same part again
# make lint   style, names, import layers, migrations, build and metadata

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do \
	if command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$p; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo demo-reset demo-hub test test-browser test-services bench soak lint clean
.PHONY: meeting-changes mutants fuzz properties docs reference screenshots coverage release

$(BIN)/pip:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

# What the demo needs is a part of what the tests need.
$(VENV)/.demo: pyproject.toml | $(BIN)/pip
	@echo "Installing into $(VENV), once; this takes about a minute ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[testing]'
	@touch $@

demo: $(VENV)/.demo
	@$(BIN)/python -m demo_site.run

demo-reset: $(VENV)/.demo
	@$(BIN)/python -m demo_site.run --reset

demo-hub: $(VENV)/.demo
	@$(BIN)/python -m demo_site.hub_demo

test: $(VENV)/.ready
	$(BIN)/pytest -n auto -m "not services and not browser and not slow"

test-browser: $(VENV)/.ready
	@test -x /usr/bin/chromium || $(BIN)/playwright install chromium
	$(BIN)/pytest -n 2 --dist worksteal --timeout 300 --reruns $(or $(RERUNS),0) -raR -m browser tests/browser

test-services: $(VENV)/.ready
	sh scripts/test_services.sh $(BIN)

bench: $(VENV)/.ready
	@$(BIN)/pip install --quiet --disable-pip-version-check gunicorn 'psycopg[binary]'
	@QUICK=$(QUICK) $(BIN)/python -m benchmarks.run

reference: $(VENV)/.ready
	$(BIN)/python scripts/reference.py

docs: $(VENV)/.ready
	$(BIN)/sphinx-build -W --keep-going -n -q docs build/docs
	@echo "build/docs/index.html"

soak: $(VENV)/.ready
	@$(BIN)/pip install --quiet --disable-pip-version-check gunicorn
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),2) $(SOAK)

meeting-changes: $(VENV)/.ready
	@$(BIN)/pip install --quiet --disable-pip-version-check gunicorn 'psycopg[binary,pool]'
	MEETING_CHANGES=$(or $(CHANGES),40) $(BIN)/pytest -q -m services tests/layouts/test_meeting_changes.py

mutants: $(VENV)/.ready
	$(BIN)/python scripts/mutate_guards.py $(if $(SAMPLE),--minutes $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(WORDS)

fuzz: $(VENV)/.ready
	$(BIN)/python -m pytest -q tests/security/test_fuzz.py --hypothesis-profile=nightly

properties: $(VENV)/.ready
	$(BIN)/pytest -q -n auto --hypothesis-profile=nightly \
		-m "not services and not browser and not slow" \
		$(filter-out tests/security/test_fuzz.py,$(shell grep -rl --include="test_*.py" "^@given" tests))

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_names.py
	$(BIN)/python scripts/check_words.py
	$(BIN)/djlint wagtail_zoom/templates wagtail_zoom/hub/templates demo_site --lint --quiet
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m django makemigrations --check --dry-run wagtail_zoom wagtail_zoom_hub
	rm -rf dist
	$(BIN)/python -m build --quiet
	$(BIN)/twine check --strict dist/*
	$(BIN)/python scripts/check_wheel.py
	$(BIN)/check-manifest --quiet

screenshots: $(VENV)/.ready
	@$(BIN)/python scripts/screenshots.py
	@$(BIN)/python scripts/screencast.py

coverage: $(VENV)/.ready
	@mkdir -p build/coverage && $(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n auto -m "not services and not browser and not slow"
	$(BIN)/coverage combine --quiet && $(BIN)/coverage html --quiet && $(BIN)/coverage report

release: $(VENV)/.ready
	$(BIN)/python scripts/release.py --twice
	$(BIN)/twine check --strict dist/*
	$(BIN)/python scripts/check_wheel.py

clean:
	rm -rf $(VENV) build dist *.egg-info
