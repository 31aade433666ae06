# Stops a process at instants that nobody has chosen, and tells what gdb makes of each stack, with what a probe would have captured of it at that instant:
# records as `capture.c` writes them, on descriptor 3. CAPTURE_MOST: how many stacks.
import os
import random
import re
import struct
import subprocess

import gdb

MOST_BYTES = 64 << 10
MOST_FRAMES = 1000
MOST_STEPS = 150
REGISTERS = "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()

out = os.fdopen(3, "wb")


def put(kind, data):
    out.write(struct.pack("=II", kind, len(data)) + data)


def word(frame, name):
    return int(frame.read_register(name)) & (1 << 64) - 1


def stack():
    """The addresses of the frames that are on the stack, not inlined ones nor those that are told from jumps at the ends of functions: those of calls lie within
    the call. A return address of 0 ends the stack."""
    frames = []
    frame, called = gdb.newest_frame(), False
    while frame is not None and frame.pc() != 0 and len(frames) < MOST_FRAMES:
        if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
            frames.append(frame.pc() - called)
            called = frame.type() != gdb.SIGTRAMP_FRAME
        frame = frame.older()
    return frames


def memory_from(pid, address):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for length in (MOST_BYTES, 16 << 10, 8 << 10, 4096 - address % 4096):
            memory.seek(address)
            try:
                data = memory.read(length)
            except OSError:
                continue
            # A read ends where memory does.
            return data
    return b""


def maps_of(pid):
    with open(f"/proc/{pid}/maps") as file:
        return file.read()


def code_of(maps):
    return re.findall(r"^\S+ r.x. .*$", maps, re.M)


def main():
    pid = gdb.selected_inferior().pid
    gdb.execute("handle all nostop noprint pass", to_string=True)
    gdb.execute("handle SIGINT stop print nopass", to_string=True)
    for setting in ("past-main on", "past-entry on", "limit unlimited"):
        gdb.execute(f"set backtrace {setting}")
    said = ""
    vdso = re.search(r"^([0-9a-f]+)-([0-9a-f]+) .*\[vdso\]$", maps_of(pid), re.M)
    if vdso:
        start, end = (int(text, 16) for text in vdso.groups())
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            memory.seek(start)
            put(2, struct.pack("=Q", start) + memory.read(end - start))
    most = int(os.environ["CAPTURE_MOST"])
    for _ in range(most):
        # This debugger listens to nobody while the process runs.
        seconds = random.uniform(0, 0.02)
        interrupt = subprocess.Popen(["sh", "-c", f"sleep {seconds:.4f}; kill -INT {pid}"])
        gdb.execute("continue", to_string=True)
        interrupt.wait()
        # Signals come between calls of the kernel and others: any instruction after is as likely.
        gdb.execute(f"stepi {random.randint(1, MOST_STEPS)}", to_string=True)
        frame = gdb.newest_frame()
        registers = [word(frame, name) for name in REGISTERS]
        frames = stack()
        memory = memory_from(pid, registers[7])
        maps = maps_of(pid)
        if code_of(maps) != code_of(said):
            put(1, maps.encode())
            said = maps
        head = [frame.pc(), *registers, len(frames), len(memory)]
        put(3, struct.pack(f"={len(head) + len(frames)}Q", *head, *frames) + memory)
    put(4, struct.pack("=Q", most))
    out.flush()
    gdb.execute("detach")


main()
