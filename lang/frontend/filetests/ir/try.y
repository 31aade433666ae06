// test ir
_probe _oneshot {
    int x;
    _try { x = *(int *) 0x1000; } _catch { x = -1; }
}
//> function _probe _oneshot()
//> b0:
//>   step
//>   r0 = 0
//>   r1 = ContainerMark()
//>   jump b1
//> b1: on fault b2
//>   r2 = 4096
//>   r3 = load i32 target[r2 + 0]
//>   r0 = r3
//>   jump b3
//> b2:
//>   ContainerRelease(r1)
//>   r2 = -1
//>   r0 = r2
//>   jump b3
//> b3:
//>   return
//>
//> function global variables()
//> b0:
//>   step
//>   jump b1
//> b1:
//>   return
