// test run
_probe _oneshot {
    for (int i = 0; i < 4; i++) { switch (i) { case 0: printf("a"); case 1: printf("b"); break; case 2: printf("c"); default: printf("d"); } printf("\n"); }
}
//> ab
//> b
//> cd
//> d
