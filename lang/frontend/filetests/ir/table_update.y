// test ir
long t[int];
_probe _oneshot {
    t[3] += 2;
    t[4] = t[5];
}
//> function _probe _oneshot()
//> b0:
//>   step
//>   r0 = load w64 globals[ + 0]
//>   r1 = 3
//>   r2 = 2
//>   r3 = TableInsert(r0, r1)
//>   r4 = load w64 row[r0, r3 + 8]
//>   r5 = r4 + r2 as i64
//>   store w64 row[r0, r3 + 8] = r5
//>   r0 = load w64 globals[ + 0]
//>   r1 = 4
//>   r2 = load w64 globals[ + 0]
//>   r3 = 5
//>   r5 = TableFind(r2, r3)
//>   r6 = -1
//>   r7 = r5 != r6 unsigned
//>   if r7 jump b1 else b2
//> b1:
//>   r4 = load w64 row[r2, r5 + 8]
//>   jump b3
//> b2:
//>   r4 = 0
//>   jump b3
//> b3:
//>   r8 = TableInsert(r0, r1)
//>   store w64 row[r0, r8 + 8] = r4
//>   return
//>
//> function global variables()
//> b0:
//>   step
//>   r0 = 0
//>   r1 = ContainerNew(r0)
//>   store w64 globals[ + 0] = r1
//>   jump b1
//> b1:
//>   return
