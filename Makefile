# Two commands do everything on a fresh machine: `make demo` and `make test`. `make` alone lists the others.
# If something is missing, one line says so before anything starts.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# `make demo KILL=10`, `make demo ARGS="--date 2013-07-22 --keep"`, `make demo MONITORING=1`
KILL   ?= 0
MONITORING ?=
ARGS   ?=
# `make bench BENCH="--only latency"`, `make bench BENCH=--quick`
BENCH  ?=
# `make test PYTEST="-k quiet_hours"`
PYTEST ?=
# `make check EXAMPLES=100`: the share in percent of the examples that each property is tried with; `make test` tries all
EXAMPLES ?= 10
# `make chaos KILLS=100 SEED=7`, `make chaos ONLY="zombie broker_kill"`, `make drill ONLY="broker_killed complaints"`
KILLS  ?= 30
SEED   ?= 1
ONLY   ?=
# `make fuzz MINUTES=20 SEED=1`
MINUTES ?= 20

# Tests start hundreds of programs, and each would compile all of its modules again.
unexport PYTHONDONTWRITEBYTECODE

# Over all cores, a file's tests together, the longest first (tests/conftest.py). `make test` uses two processes instead,
# one for live tests and one for the others: two live tests at once on two cores time out.
SPREAD := -n auto --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test check chaos drill fuzz bench interop unit lock lock-servers clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: $(VENV)/installed ## play a real snow-storm day and show the letters; starts its servers and stops them again
	@$(BIN)/careline demo --kill $(KILL) $(if $(filter-out 0,$(MONITORING)),--monitoring) $(ARGS)

test: $(VENV)/installed ## run lint, type checks, unit tests, and live tests on real servers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/careline schemas check
	@$(BIN)/python -m tests $(PYTEST)

check: $(VENV)/installed ## run lint, type checks and unit tests, with a tenth of their examples; no server
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/careline schemas check
	@EXAMPLES=$(EXAMPLES) $(BIN)/pytest -q -m "not live" $(SPREAD) $(PYTEST)

chaos: $(VENV)/installed ## kill every server and role again and again, and count what was lost (nothing); half an hour
	@$(BIN)/python -m tests.chaos --kills $(KILLS) --seed $(SEED) \
	  $(if $(RATE),--rate $(RATE)) $(if $(TIMERS),--timers $(TIMERS)) $(if $(ONLY),--only $(ONLY))

drill: $(VENV)/installed ## cause faults under a real Prometheus with our rules, and see which alerts fire and resolve; most of an hour
	@$(BIN)/python -m tests.drill $(if $(ONLY),--only $(ONLY))

fuzz: $(VENV)/installed ## publish extreme records of every type to the real roles, among ordinary customers
	@$(BIN)/python -m tests.fuzz --minutes $(MINUTES) --seed $(SEED)

bench: $(VENV)/installed ## measure the speed, compared with peers on the same broker; about an hour on an idle machine; needs a JDK and Maven
	@$(BIN)/python -m tests.benchmarks $(BENCH)

interop: $(VENV)/installed ## test producers in Java and Go; needs a JDK, Maven and Go
	@$(BIN)/python -m tests.interop $(if $(ONLY),--only $(ONLY))

lock: ## resolve the dependencies again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header --extra processors --extra demo --extra dev pyproject.toml -o requirements.lock

lock-servers: $(VENV)/installed ## list the files of Kafka and the registry again after deploy/local/pom.xml changed; needs a JDK and Maven
	@$(BIN)/python -m deploy.local.relock

clean: ## delete the virtual environment and .careline
	rm -rf $(VENV) .careline

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) deploy/local/preflight.py
	@echo "Installing Careline into $(VENV) (once; a minute or two) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check --use-pep517 --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo > $@
