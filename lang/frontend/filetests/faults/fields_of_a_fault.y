// test run
int *deref(int **p) { return *p; }
_probe _oneshot {
    _try {
        int n = *deref((int **) 0x1000);
    } _catch (_fault f) {
        printf("%s|%p|%s|%s\n", f.kind, f.addr, f.message, f.span);
    }
}
//> unmapped|0x1000|address 0x1000 is not mapped|faults/fields_of_a_fault.y:2:30
