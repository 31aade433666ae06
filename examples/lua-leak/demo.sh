#!/usr/bin/env bash
# Builds ytrace, starts an nginx worker whose Lua code leaks certificates, asks why it holds its
# memory, and leaves the flame graph in held.svg. Needs root on Debian 12 with Rust and gcc.
# Usage: demo.sh [dwarf|stock]     with debug information (the default), or Debian's stripped packages
set -euo pipefail
cd "$(dirname "$0")/../.."
variant=${1:-dwarf}
fixture=tests/fixtures/fixture.sh

bash tests/fixtures/setup.sh --no-peers
cargo build --release -p ytrace

eval "$(bash $fixture start "$variant")"
trap 'bash $fixture stop "$PREFIX"' EXIT
bash $fixture get "$PREFIX" "/fill?n=50000"
echo "worker $WORKER says: $(bash $fixture get "$PREFIX" /gccount) bytes of Lua heap"
echo

set -x
target/release/ytrace ps nginx
target/release/ytrace run probes/lua-gc-fgraph.y -p "$WORKER"
target/release/ytrace run probes/lua-gc-fgraph.y -p "$WORKER" -o held.svg
