# The commands of the house. `make demo` and `make test` need nothing but Python 3.11 and make.

PYTHON ?= python3
VENV := .venv/bin/python
COMPILE := uv pip compile pyproject.toml --generate-hashes --universal --python-version 3.11 \
	--no-header --no-emit-index-url --no-emit-find-links --no-annotate --quiet

.PHONY: demo test coverage check soak bench reset lock messages setup setup-test setup-bench
.DEFAULT_GOAL := demo

# Opens a clinic with believable data at http://127.0.0.1:$(PORT), 8000 unless said otherwise.
demo: setup
	@exec $(VENV) -m clinic.embedded demo

# Every test: the rules and pages first, then the browser in a process of its own.
test: setup-test
	@exec $(VENV) -m clinic.embedded test -- $(VENV) scripts/run_tests.py

# The same with branch coverage of the rules and pages shown.
coverage: export COVERAGE = 1
coverage: test

# Linters, types, the direction of imports, migrations.
check: setup-test
	@exec $(VENV) -m clinic.embedded test -- $(VENV) scripts/run_checks.py

# The long proofs: load, kills, big property runs.
soak: setup-test
	@$(VENV) -m clinic.embedded test -- $(VENV) -m pytest tests/soak -o addopts='--strict-markers -ra'
	@exec $(VENV) -m clinic.embedded test -- $(VENV) -m pytest tests/browser -m soak -o addopts='--strict-markers -ra'

# What each page costs above a bare Django view, at 30,000 patients; SCALE=1 is quick.
# ARGS="--only pages" (or diary-growth, record, pdf) measures that part alone.
bench: setup-bench
	@exec $(VENV) -m clinic.embedded bench -- $(VENV) -m tests.bench $(ARGS)

# Erases the demo after asking; YES=1 answers.
reset: setup
	@exec $(VENV) -m clinic.embedded reset

# Pins every package anew from pyproject.toml.
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv"; exit 1; }
	$(COMPILE) -o requirements/base.txt
	$(COMPILE) --extra demo -c requirements/base.txt -o requirements/demo.txt
	$(COMPILE) --extra dev -c requirements/base.txt -o requirements/dev.txt

# Gathers the texts of templates and code into the catalogues of locale/. Then translate what is
# empty or marked fuzzy there; tests/clinic/test_translation.py names what is left.
messages: setup
	@DEMO=1 SECRET_KEY=only-for-reading-texts-only-for-reading-texts-only-for-reading \
		$(VENV) manage.py makemessages --all --no-obsolete --no-location \
		--ignore=.venv --ignore=.clinic --ignore=tests --ignore=scripts --ignore=staticfiles

setup:
	@$(PYTHON) scripts/bootstrap.py demo

setup-test:
	@$(PYTHON) scripts/bootstrap.py test

setup-bench:
	@$(PYTHON) scripts/bootstrap.py bench
