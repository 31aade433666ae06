#!/usr/bin/env bash
# Builds the reference walks against the fixtures' LuaJITs: $YTRACE_FIXTURES/lj_walk-gc64.so, lj_walk-gc32.so.
set -euo pipefail
. "$(dirname "$0")/../fixtures/lib.sh"

here=$repo_root/tests/bench
lock bench
for width in gc64 gc32; do
    source=$YTRACE_FIXTURES/src/build-luajit-$width/src
    [ -e "$source/lj_obj.h" ] || die "$source is missing: run tests/fixtures/build-nginx-dwarf.sh luajit"
    flags=()
    [ "$width" = gc64 ] || flags=(-DLUAJIT_DISABLE_GC64)
    out=$YTRACE_FIXTURES/lj_walk-$width.so
    if [ ! "$out" -nt "$here/lj_walk.c" ]; then
        cc -O2 -g -Wall -Wno-format-truncation -shared -fPIC "${flags[@]}" -I "$source" "$here/lj_walk.c" -o "$out.new"
        mv "$out.new" "$out"
        say "$out"
    fi
done
