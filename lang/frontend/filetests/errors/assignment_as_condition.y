// test type-error
//: struct node { struct node *next; };
//: struct node *head;
_probe _oneshot {
    int x = 4;
    struct node *n = head;
    if (x = 5)
        puts("x");
    while (n = n->next)
        ;
    do { } while (x = 0);
    if ((x = 5))
        puts("y");
    while ((n = n->next) != NULL)
        ;
    for (; (x) = 0; )
        ;
    if (x == 5 || (x = 4))
        none;
}
//> warning 7:9: this condition assigns [it is what `=` has assigned] (help: `==` compares; if `=` is meant, put it in parentheses of its own: `((a = b))`)
//> warning 9:12: this condition assigns [it is what `=` has assigned] (help: `==` compares; if `=` is meant, put it in parentheses of its own: `((a = b))`)
//> warning 11:19: this condition assigns [it is what `=` has assigned] (help: `==` compares; if `=` is meant, put it in parentheses of its own: `((a = b))`)
//> error 19:9: unknown name `none` [neither the script nor the target has it]
