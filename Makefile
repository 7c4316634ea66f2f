.DEFAULT_GOAL := help
.PHONY: setup java chromium demo up down unit test format check rooms docs bench bench-freshness bench-backlog bench-commits bench-stages bench-trials bench-point-in-time bench-hourly bench-backfill bench-publish bench-lateness bench-registry bench-formats bench-dead-letters bench-lineage bench-unattended soak crash-test catalog-test range-test replay-test bad-day backfill-test decoder-test contract-test evolution-test supervision-test hosts-test deploy-test systems-test chart lock help

PYTHON ?= python3
BIN := .venv/bin
SEED ?= 1
CATALOG ?= sqlite

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: java .venv/ready ## install everything into .venv, hashes checked

java:
	@PYTHON=$(PYTHON) deploy/preflight.sh python java

chromium:
	@PYTHON=$(PYTHON) deploy/preflight.sh python java chromium

.venv/ready: requirements/bootstrap.txt requirements/lock.txt pyproject.toml
	@PYTHON=$(PYTHON) deploy/preflight.sh python
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip sync --quiet --require-hashes requirements/lock.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## from nothing to audited derived tables and a running UI
	$(BIN)/headwater demo

up: setup ## start Kafka, the Dagster UI and the daemon
	$(BIN)/headwater up

down: setup ## stop what was started
	$(BIN)/headwater down

# Even where the environment forbids it: else each of hundreds of processes compiles all that it imports.
unit test: export PYTHONDONTWRITEBYTECODE =

unit: .venv/ready ## what needs no Java and no services
	$(BIN)/pytest -n auto --dist loadfile tests/unit tests/contracts -m "not java and not slow"

test: chromium setup ## the whole suite, on real parts
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

format: .venv/ready ## write the code as `check` wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: .venv/ready ## lint, format, types, import direction
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

rooms: .venv/ready ## the rooms of the code: their size, and what each imports
	$(BIN)/python docs/rooms.py

docs: .venv/ready ## the docs site, into build/site; dead links fail
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: setup ## ingest against its peers, in one run (20 min)
	$(BIN)/python -m benchmarks.ingest

bench-freshness: setup ## seconds from produce to queryable, at 20,000 events/s (12 min)
	$(BIN)/python -m benchmarks.freshness

bench-backlog: setup ## memory of an ingest under a backlog of 20 M events (4 min)
	$(BIN)/python -m benchmarks.backlog

bench-commits: setup ## latency of a commit after 5,000 of them (about 15 min)
	$(BIN)/python -m benchmarks.commits

bench-stages: setup ## processor time of an ingest, stage by stage (4 min)
	$(BIN)/python -m benchmarks.stages

bench-trials: setup ## other ways to decode, to know uuids and to write (1 min)
	$(BIN)/python -m benchmarks.trials

bench-point-in-time: setup ## a million training rows joined to features, against DuckDB (2 min)
	$(BIN)/python -m benchmarks.point_in_time

bench-hourly: setup ## an hour of 1, 4 and 10 M events into three tables, against plain SQL (about 40 min)
	$(BIN)/python -m benchmarks.hourly

bench-backfill: setup ## a year of flights at once, against Spark SQL in one job and dbt; a week of viewing
	$(BIN)/python -m benchmarks.backfill

bench-publish: setup ## seconds until readers see an audited hour, over 60 hours (8 min)
	$(BIN)/python -m benchmarks.publish

bench-formats: setup ## ingest by format of values, beside peers that read JSON (15 min)
	$(BIN)/python -m benchmarks.formats

bench-dead-letters: setup ## 100,000 dead letters: found, tried, replayed, beside a loop by hand (4 min)
	$(BIN)/python -m benchmarks.dead_letters

bench-lineage: setup ## commits asked about in SQL, events traced in up to 100 M rows (25 min)
	$(BIN)/python -m benchmarks.lineage

bench-registry: setup ## 1,000 schemas registered over HTTP from 8 processes (1 min)
	$(BIN)/python -m benchmarks.registry

bench-lateness: setup ## rows scanned as late data comes, against a lookback: a simulation (1 min)
	$(BIN)/python -m benchmarks.lateness

soak: setup ## a year of commits, hours and upkeep on a clock that is set; ended, it goes on (hours)
	$(BIN)/python -m benchmarks.soak

bench-unattended: setup ## a stack left alone for half an hour at 2,000 events/s (35 min)
	$(BIN)/python -m benchmarks.unattended

crash-test: setup ## a thousand kills (about 30 min); SEED=n draws others, CATALOG=postgresql or rest+s3 keeps tables there
	$(BIN)/pytest tests/crash --crash-kills 1000 --crash-seed $(SEED) --catalog $(CATALOG)

catalog-test: setup ## commits, hours, late data over PostgreSQL, or CATALOG=rest+s3, postgresql+s3 (5 min)
	$(BIN)/pytest --catalog $(if $(filter sqlite,$(CATALOG)),postgresql,$(CATALOG)) tests/integration/test_ingest.py tests/integration/test_traps_commit.py \
		tests/integration/test_write_audit_publish.py tests/integration/test_late_data.py tests/integration/test_ranges.py \
		tests/integration/test_maintenance.py tests/integration/test_upkeep.py tests/integration/test_retention.py

bad-day: setup ## a bad deploy on a real stack, found, mended and replayed; writes docs/how-to/bad-day.md (about 8 min)
	$(BIN)/python -m docs.bad_day

replay-test: setup ## replays killed 100 times, beside others, ingest and maintenance (about 10 min); SEED=n draws others
	$(BIN)/pytest tests/crash/test_replays.py --replay-kills 100 --crash-seed $(SEED)

range-test: setup ## builds of ranges killed 40 times (about 15 min); SEED=n draws others
	$(BIN)/pytest tests/crash/test_ranges.py tests/crash/test_ranges_of_past.py --range-kills 40 --crash-seed $(SEED)

backfill-test: chromium setup ## 500 hours chosen by range in a real browser (about 5 min)
	$(BIN)/pytest tests/integration/test_ui_backfill.py --backfill-hours 500

evolution-test: setup ## 5,000 chains of contract versions; 3 minutes of events while a contract changes (about 90 min)
	$(BIN)/pytest tests/evolution --chains 5000 --load-seconds 180 --load-rate 10000 --timeout 14400

decoder-test: setup ## ten thousand examples of each property of the decoder (about 20 min)
	$(BIN)/pytest tests/decoder --decoder-examples 10000 --timeout 3600

contract-test: setup ## five thousand drawn contracts, read back by three engines (about an hour)
	$(BIN)/pytest tests/round_trip --contract-examples 5000

supervision-test: setup ## ingest under Dagster, killed 10 times on a quiet machine and 10 under load (about 40 min)
	$(BIN)/pytest tests/supervision/kills.py --kill-seed $(SEED) --log-cli-level INFO

hosts-test: setup ## a host that is killed or paused, followed by another, with leases as they are (about 5 min)
	$(BIN)/pytest tests/integration/test_several_machines.py tests/integration/test_followed_builds.py --lease-s 30

deploy-test: setup ## what the compose file runs, as processes over its systems (2 min)
	$(BIN)/pytest tests/integration/deployment.py

systems-test: setup ## the whole over each kind of a user's own systems, under Dagster, with kills (about 25 min)
	$(BIN)/pytest tests/systems --systems-kills 4

chart: setup ## the Helm chart linted and rendered again, by the helm on the PATH or in HELM
	$(BIN)/python -m tests.support.chart

lock: setup ## pin every dependency again
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --all-extras \
		--group dev pyproject.toml --output-file requirements/lock.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra spark \
		--extra dagster-postgresql --extra protobuf --constraint requirements/lock.txt pyproject.toml --output-file requirements/runtime.txt
