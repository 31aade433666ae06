// test ir
//: int f(long a, long b, double c);
_probe f(long a, long b, double c) -> int r { if (_entry(a + 1)) printf("%d", b); }
//> function _probe f(long a, long b, double c) -> int r()
//> b0:
//>   step
//>   r1 = 0
//>   r4 = 1
//>   r5 = EntryValue(r4)
//>   r1 = r5
//>   r4 = 0
//>   r5 = EntryValue(r4)
//>   if r5 jump b1 else b2
//> b1:
//>   r6 = 0
//>   r7 = r1
//>   Printf(r6, r7)
//>   jump b3
//> b2:
//>   jump b3
//> b3:
//>   return
//>
//> function _entry(a + 1)() -> word
//> b0:
//>   step
//>   r0 = 0
//>   r3 = 5
//>   r4 = HitRegister(r3)
//>   r0 = r4
//>   r3 = 1
//>   r4 = r0 + r3 as i64
//>   return r4
//>
//> function as of entry() -> word
//> b0:
//>   step
//>   r0 = 4
//>   r1 = HitRegister(r0)
//>   return r1
//>
//> function global variables()
//> b0:
//>   step
//>   jump b1
//> b1:
//>   return
