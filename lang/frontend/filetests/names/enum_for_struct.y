// test type-error
_probe _oneshot {
    enum e { A };
    struct e v;
}
//> error 4:12: `e` is an enumeration [write `enum e`]
