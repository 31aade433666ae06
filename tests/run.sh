#!/usr/bin/env bash
# Runs all tests: installs what they need, builds the fixtures (cached in .fixtures/), then tests.
# Needs root on Debian 12 with Rust and gcc.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tests/fixtures/setup.sh --no-peers
# The tests run the program itself, which `cargo test` alone does not build.
cargo build --workspace --bins
# Tests on real programs share two cores and a kernel's facilities for tracing.
exec cargo test --workspace --no-fail-fast "$@"
