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
//> 5
//> end
