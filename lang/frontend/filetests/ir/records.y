// test ir
struct p { long x; unsigned f : 3; };
struct p make(long x) { struct p v; v.x = x; v.f = 2; return v; }
_probe _oneshot { struct p a = make(5); a.f++; }
//> function make(r0, r1)
//>   slot s0: 16 bytes
//> b0:
//>   step
//>   zero 16 bytes s0[ + 0]
//>   r2 = r1
//>   store w64 s0[ + 0] = r2
//>   r2 = 2
//>   r3 = 7
//>   r4 = r2 & r3 as u64
//>   r5 = load u8 s0[ + 8]
//>   r6 = 248
//>   r7 = r5 & r6 as u64
//>   r8 = 7
//>   r9 = r4 & r8 as u64
//>   r10 = r7 | r9 as u64
//>   store u8 s0[ + 8] = r10
//>   r11 = 7
//>   r12 = r2 & r11 as u64
//>   copy 16 bytes frame[r0 + 0] = s0[ + 0]
//>   return
//>
//> function _probe _oneshot()
//>   slot s0: 16 bytes
//> b0:
//>   step
//>   zero 16 bytes s0[ + 0]
//>   r0 = 5
//>   r1 = address of s0
//>   call make(r1, r0)
//>   r1 = load u8 s0[ + 8]
//>   r2 = 7
//>   r3 = r1 & r2 as u64
//>   r0 = r3
//>   r4 = 1
//>   r5 = r0 + r4 as u32
//>   r6 = 7
//>   r7 = r5 & r6 as u64
//>   r8 = load u8 s0[ + 8]
//>   r9 = 248
//>   r10 = r8 & r9 as u64
//>   r11 = 7
//>   r12 = r7 & r11 as u64
//>   r13 = r10 | r12 as u64
//>   store u8 s0[ + 8] = r13
//>   r14 = 7
//>   r15 = r5 & r14 as u64
//>   return
//>
//> function global variables()
//> b0:
//>   step
//>   jump b1
//> b1:
//>   return
