// test type-error
_probe _oneshot {
    _try { } _catch (_fault f) { int n = f.number; }
}
//> error 3:44: no member `number` in `_fault` [no such member] (help: it has kind, addr, message, span)
