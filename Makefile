# Everything that is done often, by one name each. `make` alone lists the names.

CARGO ?= cargo
# The lints are those of the Rust version that the workspace names; a newer clippy may know more, so
# that there its warnings are shown without failing. CI always fails on them.
MINIMUM_RUST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
PRESENT_RUST := $(shell rustc --version | sed 's/^rustc \([0-9]*\.[0-9]*\).*/\1/')
ifneq ($(filter true,$(CI))$(filter $(MINIMUM_RUST),$(PRESENT_RUST)),)
DENY_WARNINGS := -D warnings
endif

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help test tools check build static suite soak fuzz bench bench-jmeter dashboards k8s rehearse-quick rehearse-mysql rehearse-k8s clean

help: ## list these targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-24s%s\n", $$1, $$2 }'

test: tools check suite build ## install what the tests need, then check and test everything

tools: ## install the browser, fonts and Python tools that the tests need
	bash scripts/install-test-tools.sh

check: ## format, lints and documentation, without running anything
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets --locked -- $(DENY_WARNINGS)
	RUSTDOCFLAGS="$(DENY_WARNINGS)" $(CARGO) doc --release --workspace --no-deps --locked

build: ## build the program: target/release/double11
	$(CARGO) build --release --workspace --locked

# The flag is for the target alone only where a target is named; a folder of its own keeps the other
# builds as they are.
STATIC := target/static
HOST := $(shell rustc --version --verbose | sed -n 's/^host: //p')
static: ## build the program as one file without shared libraries, for containers; prints its path
	@RUSTFLAGS='-C target-feature=+crt-static' $(CARGO) build --profile static --locked -p double11 \
	  --target $(HOST) --target-dir $(STATIC) >&2
	@echo $(CURDIR)/$(STATIC)/$(HOST)/static/double11

suite: ## all tests in their short form; arrows between crates and licences among them
	$(CARGO) test --release --workspace --locked --no-fail-fast

soak: ## the long counts of every crash, race and statistics test; writes docs/SOAK.md
	bash scripts/soak.sh

fuzz: ## a million inputs that nobody would write for each reader of plans, result files and texts
	nice -n 19 bash scripts/fuzz.sh

bench: build ## every speed figure side by side; a table, and results/bench.json
	$(CARGO) run --release --locked -p double11-bench -- run

bench-jmeter: tools build ## the same plan by JMeter and by ours: requests a second of processor time, memory
	$(CARGO) run --release --locked -p double11-bench -- run --only jmeter --rounds 3 --out results/bench-jmeter.json

dashboards: ## write the Grafana dashboards below deploy/grafana from their types
	DOUBLE11_WRITE_DASHBOARDS=1 $(CARGO) test --release --locked -p double11-dashboards the_files_are

k8s: ## write the flat deployments of both variants and the configurations that follow from others
	DOUBLE11_WRITE_K8S=1 $(CARGO) test --release --locked -p double11 --test kubernetes drift

rehearse-quick: ## the main job in its short form; the report lands in results/
	$(CARGO) run --release -- rehearse --quick

rehearse-mysql: build ## the same on a private MariaDB and Redis, which are stopped again; MORE= for options
	target/release/double11-servers run --mariadb --redis --cpus 0 -- \
	  target/release/double11 rehearse --quick --products 10000 \
	  --store {mysql} --cache {redis} --out results-mysql $(MORE)

rehearse-k8s: build ## both variants on the current cluster, one after the other, and the report; MORE= for options
	bash scripts/baseline_test.sh $(MORE)
	bash scripts/optimized_test.sh $(MORE)

clean: ## remove what the build made; results/ stays
	$(CARGO) clean
