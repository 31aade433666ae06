// test ir
// Parameters that the body does not use cost nothing.
//: int f(long a, long b, double c);
_probe f(long a, long b, double c) { printf("%d", b); }
//> function _probe f(long a, long b, double c)()
//> b0:
//>   step
//>   r1 = 0
//>   r3 = 4
//>   r4 = HitRegister(r3)
//>   r1 = r4
//>   r3 = 0
//>   r4 = r1
//>   Printf(r3, r4)
//>   return
//>
//> function global variables()
//> b0:
//>   step
//>   jump b1
//> b1:
//>   return
