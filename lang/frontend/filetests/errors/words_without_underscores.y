// test parse-error
view bars "Sizes" "calls" long count[long];
option int most = 3;
module "libx.so";
layout a { "one" { typedef int it; } } _valid ok;
probe oneshot {
    foreach (k, v in count by v desc limit most)
        printf("%ld %ld\n", k, v);
    foreach (k in count) { puts("x"); }
    try { _raise("x"); } catch (_fault f) { puts(f.message); }
}
probe _end { }
_probe timer.s(1) { }
//> error 2:1: `view` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_view`?)
//> error 3:1: `option` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_option`?)
//> error 4:1: `module` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_module`?)
//> error 5:1: `layout` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_layout`?)
//> error 6:1: `probe` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_probe`?)
//> error 6:7: `oneshot` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_oneshot`?)
//> error 7:5: `foreach` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_foreach`?)
//> error 7:28: `by` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_by`?)
//> error 7:33: `desc` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_desc`?)
//> error 7:38: `limit` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_limit`?)
//> error 9:5: `foreach` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_foreach`?)
//> error 10:5: `try` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_try`?)
//> error 10:26: `catch` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_catch`?)
//> error 12:1: `probe` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_probe`?)
//> error 13:8: `timer` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_timer`?)
