# Whistle's everyday commands. Two matter to a newcomer: `make demo` and `make test`.
# Each sets up what is missing by itself; see scripts/setup.

CARGO ?= cargo
DEMO_DIR ?= .demo
DEMO_CASES ?= 20000
LISTEN ?= 127.0.0.1:8311

.PHONY: demo test bench front lint fmt audit setup-build setup-test unit browser open311 api-fuzz examples clean

## Builds Whistle, makes the sample place Three Rivers with a history, and serves it.
demo: setup-build front
	$(CARGO) build --release --locked -p whistle
	target/release/whistle demo --dir $(DEMO_DIR) --cases $(DEMO_CASES) --seed 1 --listen $(LISTEN)

## Runs every test: style, rules, store, service, HTTP, command line, browser, Open311, API fuzzing.
test: setup-build setup-test front lint unit browser open311 api-fuzz

setup-build:
	@scripts/setup build

setup-test:
	@scripts/setup test

## Scripts and styles of the pages, from front/, which the next build takes into the program. Done anew when something there changed.
front: setup-build front/dist/.vite/manifest.json

front/dist/.vite/manifest.json: $(wildcard front/src/* front/src/*/*) front/package-lock.json front/tsconfig.json $(wildcard front/vite*.js) front/fonts.js
	cd front && npm run --silent build
	@touch $@

## Formatting, clippy without warnings, types and style of front/, licences and advisories of what we depend on.
lint: front
	cd front && npm run --silent check
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@scripts/audit

## Every Rust test: with cargo-nextest where it is installed, else with cargo test. First on SQLite, then what touches a
## database once more on PostgreSQL, on a server that is started for it and removed.
unit: front
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace --locked --no-fail-fast && $(CARGO) test --workspace --doc --locked && \
		scripts/postgres with $(CARGO) nextest run --workspace --locked --no-fail-fast -E '$(ON_POSTGRES)'; \
	else \
		$(CARGO) test --workspace --locked && \
		scripts/postgres with $(CARGO) test --workspace --locked --test '*'; \
	fi

# Tests that hold a database: those of the crates above the domain, but for what is tested inside them without one.
ON_POSTGRES = kind(test) & (package(whistle-store) | package(whistle-service) | package(whistle-web) | package(whistle))

# With the whole workspace, so that it is the program that the Rust tests built: another choice of packages has other features, and
# hundreds of crates would be built once more.
PROGRAM = $(CARGO) build --workspace --locked --bin whistle

## What people click, in a real browser, and axe on every page.
browser: setup-test front
	$(PROGRAM)
	cd tests/browser && node --test --test-concurrency=1 --test-reporter=spec

## An Open311 client of its own, written from the specification, against a real server.
open311: setup-test front
	$(PROGRAM)
	tests/open311/run.py target/debug/whistle

## Schemathesis against the OpenAPI document that the server itself serves.
api-fuzz: setup-test front
	$(PROGRAM)
	scripts/api-fuzz

## Benchmarks, each as a ratio against a reference measured in the same run. Takes some twenty minutes.
bench: setup-build front
	@scripts/setup bench
	$(CARGO) build --release --locked -p whistle -p whistle-bench
	target/release/whistle-bench all

fmt:
	$(CARGO) fmt --all

clean:
	rm -rf $(DEMO_DIR) front/dist
	$(CARGO) clean
