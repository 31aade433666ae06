// test type-error
_probe _oneshot {
    printf("%n", 1);
}
//> error 3:12: bad conversion `%n` [`%n` writes to memory, which no probe file does]
