"""The walk of tests/bench/chunks.c in the Python of gdb and of drgn, whichever runs this file.

From the environment: WALK_START and WALK_TOP, as the program printed them; WALK_HOW, "objects" (each chunk is a structure, as such
scripts are commonly written) or "pieces" (large reads, taken apart by Python itself); WALK_MOST, how many chunks at most.
Prints "CHUNKS BYTES FREE-CHUNKS FREE-BYTES NANOSECONDS", chunks in use first.
"""

import os
import struct
import time

try:
    import gdb
except ImportError:
    gdb = None

PIECE = 1 << 20


def pieces_reader():
    """A function from an address to the size field there, by large reads."""
    if gdb:
        process = gdb.selected_inferior()
        read = process.read_memory
    else:
        read = prog.read  # noqa: F821, drgn's
    state = [0, 0, b""]
    unpack = struct.Struct("<Q").unpack_from

    def size_at(address):
        offset = address + 8 - state[0]
        if offset < 0 or offset + 8 > state[1]:
            state[0] = address
            length = min(PIECE, top + 16 - address)
            state[2] = bytes(read(address, length))
            state[1] = length
            offset = 8
        return unpack(state[2], offset)[0]

    return size_at


def objects_reader():
    """The same, by a structure of the debugger for each chunk."""
    if gdb:
        chunk = gdb.lookup_type("struct chunk").pointer()
        return lambda address: int(gdb.Value(address).cast(chunk)["size"])
    from drgn import Object

    kind = prog.type("struct chunk")  # noqa: F821, drgn's
    return lambda address: Object(prog, kind, address=address).size.value_()  # noqa: F821


def walk(size_at, p, most):
    count = [0] * 64
    size_of = [0] * 64
    free = free_bytes = n = 0
    size = size_at(p) & ~7
    while p < top and n < most:
        following = p + size
        word = size_at(following)
        if word & 1:
            bit = size.bit_length()
            count[bit] += 1
            size_of[bit] += size
        else:
            free += 1
            free_bytes += size
        n += 1
        p = following
        size = word & ~7
    return sum(count), sum(size_of), free, free_bytes


start = int(os.environ["WALK_START"], 16)
top = int(os.environ["WALK_TOP"], 16)
reader = {"pieces": pieces_reader, "objects": objects_reader}[os.environ["WALK_HOW"]]()
before = time.monotonic_ns()
found = walk(reader, start, int(os.environ["WALK_MOST"]))
print("walked", *found, time.monotonic_ns() - before)
