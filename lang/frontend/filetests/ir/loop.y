// test ir
_probe _oneshot {
    long sum = 0;
    for (int i = 0; i < 10; i++) sum += i;
    printf("%ld\n", sum);
}
//> function _probe _oneshot()
//> b0:
//>   step
//>   r0 = 0
//>   r2 = 0
//>   r0 = r2
//>   r1 = 0
//>   r2 = 0
//>   r1 = r2
//>   jump b1
//> b1:
//>   r2 = 10
//>   r3 = r1 < r2 signed
//>   if r3 jump b2 else b4
//> b2:
//>   r4 = r1
//>   r5 = r0
//>   r6 = r5 + r4 as i64
//>   r0 = r6
//>   jump b3
//> b3:
//>   r4 = r1
//>   r5 = 1
//>   r6 = r4 + r5 as i32
//>   r1 = r6
//>   step
//>   jump b1
//> b4:
//>   r2 = 0
//>   r3 = r0
//>   Printf(r2, r3)
//>   return
//>
//> function global variables()
//> b0:
//>   step
//>   jump b1
//> b1:
//>   return
