# Thin: every recipe is one command a person could type.
.PHONY: run test bench simulate lint release reliability audit advisories sbom

run: ## Installs what is missing and runs the main job: the demo, with a window where there is a display.
	./scripts/setup.sh run
	cargo run --locked -- demo

test: ## Installs what is missing and runs all tests.
	./scripts/setup.sh test
	cargo test --locked --workspace --no-fail-fast

lint: ## Formatting and lints, as CI runs them.
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

bench: ## Prints the table of docs/benchmarks.md.
	./scripts/bench.sh

simulate: ## A million steps of the simulation with a new seed; SEED and STEPS choose others. Takes the better part of an hour.
	cargo run --locked --release -- simulate --seed $(or $(SEED),$(shell date +%s)) --steps $(or $(STEPS),1000000)

release: ## The program as it is shipped: target/release/yijie; the same bytes from whatever directory.
	RUSTFLAGS="--remap-path-prefix=$(CURDIR)=/yijie --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo" \
	    cargo build --locked --release

reliability: ## The long runs of docs/reliability.md: kills, flipped bits, a till with 100 000 entries.
	YIJIE_ROUNDS=2000 cargo test --locked --release --test kill -- --nocapture
	YIJIE_FLIPS=10000 cargo test --locked --release --test flip -- --nocapture
	YIJIE_ENTRIES=100000 cargo test --locked --release --test recovery -- --nocapture
	YIJIE_CODES=100000 cargo test --locked --release -p yijie-hardware --test scanner_port no_random_split -- --nocapture

audit: ## Licences, sources and bans of all dependencies; installs cargo-deny where it is missing.
	./scripts/tool.sh cargo-deny 0.20.2
	cargo deny --locked check bans licenses sources

advisories: ## Known problems of all dependencies; fetches their list from GitHub.
	./scripts/tool.sh cargo-deny 0.20.2
	cargo deny --locked check advisories

sbom: ## What the program is made of, as CycloneDX: yijie.cdx.json; installs cargo-cyclonedx where it is missing.
	./scripts/tool.sh cargo-cyclonedx 0.5.9
	cargo cyclonedx --format json
