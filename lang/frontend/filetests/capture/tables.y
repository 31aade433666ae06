// test capture
//: void *got(unsigned long n);
//: void gone(void *p, int kind);
struct block { long size; long at; };
struct block live[void *];
long by_kind[void *, int];
long other[long];
long total[_str];
void keep(void *p, long n) { live[p].size = n; live[p].at = _now_ns(); }
void drop(void *p) { long n = live[p].size; total["all"] += n; _delete live[p]; }
_probe got(unsigned long n) -> void *p { if (n < 64) return; if (p) keep(p, n); }
_probe gone(void *p, int kind) { if (!(p in live)) return; drop(p); }
_probe gone(void *p, int kind) {
    if (!p) return;
    if ((p, kind) in by_kind) { by_kind[p, kind]++; return; }
    other[total["x"]] = 1;
}
_probe gone(void *p, int kind) { if (!(p in live)) return; if (kind) drop(p); else puts("kept"); }
_probe gone(void *p, int kind) {
    if (p in live) {
        _delete live[p];
        for (long i = 0; i < total["x"]; i++) keep(p, 1);
    }
}
_probe _timer.s(1) { _foreach (p, b in live) if (b.size > 1) _delete live[p]; }
//> drop if (entry value 0 < 64)
//> drop if (register 0 == 0)
//> may insert register 0 in the table at 0
//> registers 0
//> entry values 0
//>
//> drop if 1 and no register 5 in the table at 0
//> leaves no register 5 in the table at 0
//> registers 5
//>
//> drop if (register 5 == 0)
//> may insert register 5, i32(register 4) in the table at 8
//> registers 4 5
//>
//> drop if 1 and no register 5 in the table at 0
//> registers 4 5
//>
//> drop if 1 and no register 5 in the table at 0
//> may insert register 5 in the table at 0
//> registers 5
//>
