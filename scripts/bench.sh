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

echo "== counter"
cargo bench --locked -q -p yijie --bench counter

echo "== window"
if command -v Xvfb >/dev/null && command -v xdotool >/dev/null; then
    Xvfb :93 -screen 0 1366x768x24 >/dev/null 2>&1 &
    screen=$!
    sleep 1
    for _ in 1 2 3 4 5; do
        data=$(mktemp -d)
        DISPLAY=:93 ./target/release/yijie demo --data "$data/till" >"$data/out" 2>&1 < <(sleep 60) &
        demo=$!
        until grep -q 246810 "$data/out"; do sleep 0.01; done
        start=$(date +%s.%N)
        DISPLAY=:93 xdotool search --sync --onlyvisible --name 医结 >/dev/null
        awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN {printf "demo set up to mapped window\t%.0f ms\n", (b - a) * 1000}'
        sleep 2
        awk '/VmRSS/ {printf "resident memory, window open, demo agency in the same process\t%.0f MB\n", $2 / 1024}' "/proc/$demo/status"
        kill "$demo"
        wait "$demo" 2>/dev/null || true
        rm -rf "$data"
    done
    kill "$screen"
else
    echo "window: not measured (Debian packages xvfb and xdotool are missing)"
fi
