#!/usr/bin/env bash
# Installs what building, running and testing yijie need on Debian 12, and says what is missing where it cannot.
set -euo pipefail

build=(gcc pkg-config libpcsclite-dev libfontconfig-dev ca-certificates)
run=(pcscd vsmartcard-vpcd fontconfig fonts-dejavu-core libxkbcommon-x11-0)
test=(opensc socat openssl poppler-utils)
wanted=("${build[@]}" "${run[@]}")
[ "${1:-run}" = test ] && wanted+=("${test[@]}")

missing=()
for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing: ${missing[*]}"
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

version=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$(dirname "$0")/../rust-toolchain.toml")
if ! command -v cargo >/dev/null; then
    echo "Rust $version is needed: install rustup (https://rustup.rs, or 'apt-get install rustup' where Debian has it)," >&2
    echo "then 'rustup toolchain install $version --component rustfmt,clippy'." >&2
    exit 1
fi
if ! cargo --version | grep -qF "$version"; then
    echo "Rust $version is needed, found $(cargo --version): 'rustup toolchain install $version --component rustfmt,clippy'." >&2
    exit 1
fi
