/// Where the stack of a thread begins and ends, as glibc notes it in the thread's control block, whoever gave the memory (pthread_attr_setstack(3) too).
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_STACKS_Y
#define GLIBC_STACKS_Y

#include <heap/roots.y>

// `struct pthread` has `stackblock`, `stackblock_size` and `guardsize` one after the other, behind what is of a known size to nobody: from 2.17 on between
// these bytes.
#define GLIBC_BLOCK_FIRST 0x200
#define GLIBC_BLOCK_LAST 0x1000
// It lies at the upper end of the stack, with no more above it than itself and what aligns it.
#define GLIBC_BLOCK_MOST 0x4000
// No stack of a first thread is taken for deeper than this.
#define GLIBC_FIRST_MOST (1ul << 30)
// No stack is smaller (PTHREAD_STACK_MIN on x86-64).
#define GLIBC_STACK_LEAST 16384

/// Finds the stack of a thread that its stack pointer lies in, by its control block.
void heap_find_stack(long tid, uint64_t sp, uint64_t block)
{
    _try {
        // The control block begins with its own address, and has it once more (tcbhead_t: tcb, self).
        if (!block || (block & 63) || *(uint64_t *)block != block || *(uint64_t *)(block + 16) != block)
            return;
        for (uint64_t a = block + GLIBC_BLOCK_FIRST; a < block + GLIBC_BLOCK_LAST; a += 8) {
            uint64_t start = *(uint64_t *)a;
            uint64_t size = *(uint64_t *)(a + 8);
            uint64_t guard = *(uint64_t *)(a + 16);
            // Of the first thread's the beginning is 0, and the size is where it ended when the program began (`__libc_stack_end`).
            if (tid == _pid() && start == 0 && size > sp && size - sp < GLIBC_FIRST_MOST) {
                heap_stack_end = size;
                heap_stack_grows = 1;
                return;
            }
            // Both lie between the beginning and the end.
            if (start == 0 || start > sp || start > block || size < GLIBC_STACK_LEAST || sp - start >= size || block - start >= size)
                continue;
            if (guard >= size || start + size - block > GLIBC_BLOCK_MOST)
                continue;
            heap_stack_start = start;
            heap_stack_end = start + size;
            return;
        }
    } _catch (_fault f) {
        // It ends with what can be read.
    }
}

#endif
