// test capture
//: struct conn { int kind; long bytes; };
//: int sent(struct conn *c, long n);
//: void closed(struct conn *c);
long hits, bytes, odd, reset, seen, both, never; unsigned char small; _agg sizes; _agg by[int, long]; _agg took;
struct sums { long n; int least; }; struct sums of[long]; long named[_str]; long walked;
_probe sent(struct conn *c, long n) { hits++; bytes += n; small -= 3; sizes <<< n; }
_probe sent(struct conn *c, long n) {
    if (n & 1) { odd++; return; }
    if (!c) return;
    of[c->kind].n++;
    of[c->kind].least += n;
    if (n > 100) of[c->kind].n -= 2;
    by[c->kind, n] <<< c->bytes; by[c->kind, n] <<< 1;
}
_probe sent(...) -> r { took <<< _now_ns() - _entry(_now_ns()); if (r < 0) bytes += r; }
_probe closed(struct conn *c) { reset++; both += 2; printf("%d\n", c->kind); }
_probe closed(struct conn *c) { reset = 0; both += reset; }
_probe closed(struct conn *c) { if (c) seen++; else hits++; }
_probe closed(struct conn *c) { named["x"]++; walked++; }
_probe closed(struct conn *c) { for (long i = 0; i < c->bytes; i++) walked += 2; }
_probe closed(struct conn *c) { _try { hits += c->bytes; } _catch (_fault f) { odd++; } }
_probe closed(struct conn *c) { long old = never++; if (old > 3) walked++; }
_probe _timer.s(1) { if (hits > 5) bytes = 0; _foreach (k, v in of) printf("%ld %V\n", k, v); }
//> registers 4
//> count if 1: global 0 at 0:i64 += 1; global 8 at 8:i64 += register 4; global 56 at 56:i8 += -3; global 64 <<< register 4
//>
//> drop if (((register 4 & 1) == 0) & (register 5 == 0))
//> c0 = 16 bytes (0+4 8+8) at register 5
//> may insert c0[0]:i32 in the table at 88
//> may insert c0[0]:i32, register 4 in the table at 72
//> registers 4 5
//> count if ((register 4 & 1) != 0): global 16 at 16:i64 += 1
//> count if (((register 4 & 1) == 0) & (register 5 != 0)) with c0/11: global 88[c0[0]:i32] at 0:i64 += ((register 4 <= signed 100) ? 1 : -1); global 88[c0[0]:i32] at 8:i32 += register 4; global 72[c0[0]:i32, register 4] <<< c0[8]:u64; global 72[c0[0]:i32, register 4] <<< 1
//>
//> registers 0
//> entry values 0
//> count if (i32(register 0) < signed 0): global 80 <<< (time - entry value 0); global 8 at 8:i64 += i32(register 0)
//> count if (i32(register 0) >= signed 0): global 80 <<< (time - entry value 0)
//>
//> c0 = 4 bytes at register 5
//> registers 5
//>
//>
//> registers 5
//> count if (register 5 != 0): global 32 at 32:i64 += 1
//> count if (register 5 == 0): global 0 at 0:i64 += 1
//>
//>
//> c0 = 8 bytes at (register 5 + 8)
//> registers 5
//>
//> c0 = 8 bytes at (register 5 + 8)
//> registers 5
//> count if 1 with c0: global 0 at 0:i64 += c0[0]:u64
//>
//>
