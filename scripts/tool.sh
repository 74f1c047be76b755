#!/usr/bin/env bash
# Installs a cargo tool of a version where it is missing.
set -euo pipefail
command -v "$1" >/dev/null || cargo install --locked --debug --version "$2" "$1"
