"""Counts the values of a Perl interpreter by type in the Python of gdb and of drgn, whichever runs this file: every arena is read
whole and taken apart by Python itself, the quickest that such a script can do. Prints "VALUES NANOSECONDS"."""

import struct
import time

try:
    import gdb
except ImportError:
    gdb = None

if gdb:
    arena = int(gdb.parse_and_eval("PL_curinterp->Isv_arenaroot"))
    read = gdb.selected_inferior().read_memory
else:
    arena = prog["PL_curinterp"].Isv_arenaroot.value_()  # noqa: F821, drgn's
    read = prog.read  # noqa: F821

# A value's head: its body, its reference count, its flags, whose low byte is the type, and a word of its own (sv.h).
HEAD = struct.Struct("<QIIQ")
before = time.monotonic_ns()
types = [0] * 256
while arena:
    following, slots, _, _ = HEAD.unpack(bytes(read(arena, HEAD.size)))
    block = bytes(read(arena + HEAD.size, (slots - 1) * HEAD.size))
    for _, _, flags, _ in HEAD.iter_unpack(block):
        types[flags & 255] += 1
    arena = following
print("walked", sum(types) - types[255], time.monotonic_ns() - before)
