# Whistle's everyday commands. Two matter to a newcomer: `make demo` and `make test`.
# Each sets up what is missing by itself; see scripts/setup.

CARGO ?= cargo
DEMO_DIR ?= .demo
DEMO_CASES ?= 20000
LISTEN ?= 127.0.0.1:8311

.PHONY: demo test bench lint fmt audit setup-build setup-test unit browser open311 api-fuzz examples clean

## Builds Whistle, makes the sample place Three Rivers with a history, and serves it.
demo: setup-build
	$(CARGO) build --release --locked -p whistle
	target/release/whistle demo --dir $(DEMO_DIR) --cases $(DEMO_CASES) --seed 1 --listen $(LISTEN)

## Runs every test: style, rules, store, service, HTTP, command line, browser, Open311, API fuzzing.
test: setup-build setup-test lint unit browser open311 api-fuzz

setup-build:
	@scripts/setup build

setup-test:
	@scripts/setup test

## Formatting, clippy without warnings, licences and advisories of what we depend on.
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@scripts/audit

## Every Rust test: with cargo-nextest where it is installed, else with cargo test.
unit:
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace --locked && $(CARGO) test --workspace --doc --locked; \
	else \
		$(CARGO) test --workspace --locked; \
	fi

## What people click, in a real browser, and axe on every page.
browser: setup-test
	$(CARGO) build --locked -p whistle
	cd tests/browser && node --test --test-concurrency=1 --test-reporter=spec

## An Open311 client of its own, written from the specification, against a real server.
open311: setup-test
	$(CARGO) build --locked -p whistle
	tests/open311/run.py target/debug/whistle

## Schemathesis against the OpenAPI document that the server itself serves.
api-fuzz: setup-test
	$(CARGO) build --locked -p whistle
	scripts/api-fuzz

## Benchmarks, each as a ratio against a reference measured in the same run. Takes some twenty minutes.
bench: setup-build
	@scripts/setup bench
	$(CARGO) build --release --locked -p whistle -p whistle-bench
	target/release/whistle-bench all

fmt:
	$(CARGO) fmt --all

clean:
	rm -rf $(DEMO_DIR)
	$(CARGO) clean
