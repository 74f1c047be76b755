# Thin: every recipe is one command a person could type.
.PHONY: run test bench simulate lint release

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

simulate: ## A million steps of the simulation; SEED and STEPS choose others. Takes the better part of an hour.
	cargo run --locked --release -- simulate --seed $(or $(SEED),1) --steps $(or $(STEPS),1000000)

release: ## The program as it is shipped: target/release/yijie.
	cargo build --locked --release

reliability: ## The long runs of docs/reliability.md: kills, flipped bits, a till with 100 000 entries.
	YIJIE_ROUNDS=1000 cargo test --locked --release --test kill -- --nocapture
	YIJIE_FLIPS=10000 cargo test --locked --release --test flip -- --nocapture
	YIJIE_ENTRIES=100000 cargo test --locked --release --test recovery -- --nocapture
	YIJIE_CODES=100000 cargo test --locked --release -p yijie-hardware --test scanner_port no_random_split -- --nocapture

audit: ## Licences, sources, bans and known problems of all dependencies; needs cargo-deny and, for the last, a network.
	cargo deny check

sbom: ## What the program is made of, as CycloneDX; needs cargo-cyclonedx.
	cargo cyclonedx --format json
