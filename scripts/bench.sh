#!/usr/bin/env bash
# Measures what docs/benchmarks.md shows, on this machine, in one run. Needs a quiet machine; takes some minutes to build.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "machine: $(nproc) × $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ {print int($2/1048576)" GiB"}' /proc/meminfo), $(uname -sr), $(rustc --version)"
cargo build --locked --release --bin yijie

echo "== split, one core, three lines a claim"
cargo bench --locked -q -p yijie-rules --bench split
claims=$(mktemp)
trap 'rm -f "$claims"' EXIT
yes "$(cat benches/three-lines.claim.json)" | head -n 200000 >"$claims" || true
for options in "" "--no-trace"; do
    start=$(date +%s.%N)
    # shellcheck disable=SC2086
    ./target/release/yijie split --jsonl $options <"$claims" >/dev/null
    awk -v a="$start" -v b="$(date +%s.%N)" -v o="$options" 'BEGIN {printf "yijie split --jsonl %s\t%.0f claims/s, parse and print included\n", o, 200000 / (b - a)}'
done

echo "== journal against a bare write+fdatasync of the same bytes on the same disk"
cargo bench --locked -q -p yijie-offline-cache --bench commit

echo "== card reader (real pcscd, the virtual reader; needs root)"
if command -v pcscd >/dev/null; then
    cargo bench --locked -q -p yijie-hardware --bench reader
else
    echo "reader: not measured (Debian packages pcscd and vsmartcard-vpcd are missing)"
fi

echo "== receipt"
cargo bench --locked -q -p yijie-hardware --bench receipt

echo "== counter"
cargo bench --locked -q -p yijie --bench counter

echo "== drain of a queue, agency on the same machine"
cargo bench --locked -q -p yijie --bench drain

echo "== window of a prepared till, agency in another process"
if command -v Xvfb >/dev/null; then
    work=$(mktemp -d)
    ./target/release/yijie agency sandbox --data "$work/agency" >"$work/agency.out" &
    agency=$!
    until grep -q '^listening on ' "$work/agency.out"; do sleep 0.1; done
    printf '246810\n' | ./target/release/yijie init --data "$work/till" --agency "$(sed -n 's/^listening on //p' "$work/agency.out")" \
        --tls "$work/agency/tls" --fixmedins H53010200001 --level 2 --operator 001 --pin-stdin >/dev/null
    Xvfb :93 -screen 0 1366x768x24 -fbdir "$work" >/dev/null 2>&1 &
    screen=$!
    until [ -s "$work/Xvfb_screen0" ]; do sleep 0.1; done
    sleep 1
    cp "$work/Xvfb_screen0" "$work/blank"
    for _ in 1 2 3 4 5; do
        start=$(date +%s.%N)
        DISPLAY=:93 ./target/release/yijie --data "$work/till" >"$work/out" 2>&1 &
        till=$!
        while cmp -s "$work/blank" "$work/Xvfb_screen0"; do sleep 0.002; done
        awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN {printf "process start to first frame\t%.0f ms\n", (b - a) * 1000}'
        sleep 2
        awk '/VmRSS/ {printf "resident memory, window open\t%.0f MB\n", $2 / 1024}' "/proc/$till/status"
        kill "$till"
        wait "$till" 2>/dev/null || true
        until cmp -s "$work/blank" "$work/Xvfb_screen0"; do sleep 0.05; done
    done
    kill "$screen" "$agency"
    rm -rf "$work"
else
    echo "window: not measured (Debian package xvfb is missing)"
fi
