// test parse-error
probe oneshot { }
//> error 2:1: `probe` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_probe`?)
//> error 2:7: `oneshot` is no word of the language [words that C does not have begin with an underscore] (help: did you mean `_oneshot`?)
