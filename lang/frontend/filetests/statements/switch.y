// test run
void f(int n) {
    switch (n) {
    case 1:
        printf("one ");
    case 2:
        printf("two ");
        break;
    case 10 ... 20:
        printf("teens ");
        break;
    default:
        printf("other ");
    case -1:
        printf("minus ");
    }
}
_probe _oneshot {
    f(1); f(2); f(3); f(10); f(20); f(21); f(-1);
    printf("\n");
}
//> one two two other minus teens teens other minus minus 
