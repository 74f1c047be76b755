#!/bin/sh
# The table of docs/benchmarks.md "beside others": the same claims through yijie, zen-engine and OpenFisca, in one run.
# Needs python3 with venv, and the package registries. Everything it makes goes to the folder given, or to a new one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install -q openfisca-core==46.0.1
fi
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$work/target} cargo build --release --locked -q --manifest-path "$here/Cargo.toml"
printf 'what\tclaims a second\teach\tto the fen\n'
"${CARGO_TARGET_DIR:-$work/target}/release/peers" 200000 "$work"
"$work/venv/bin/python" "$here/openfisca_model.py" "$work"
