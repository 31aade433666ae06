// test run
_probe _oneshot {
    int i = 0;
    again:
    i++;
    if (i < 5) goto again;
    printf("%d\n", i);
    goto out;
    printf("never\n");
    out:
    printf("end\n");
}
//> warning 9:5: this is never reached [what stands before it always leaves]
//> 5
//> end
