// test type-error
struct pair { str name; u8 kind; };
string title(path p) { return "x"; }
long t[long];
_probe _oneshot {
    let x = 4;
    delete t[3];
    int *p = nullptr;
    _Bool b = True;
}
//> error 2:15: unknown type `str` [neither the script nor the target has it] (help: did you mean `_str`?)
//> error 2:25: unknown type `u8` [neither the script nor the target has it] (help: did you mean `uint8_t`?)
//> error 3:1: unknown type `string` [neither the script nor the target has it] (help: did you mean `_str`?)
//> error 3:14: unknown type `path` [neither the script nor the target has it] (help: did you mean `_path`?)
//> error 6:5: unknown type `let` [neither the script nor the target has it] (help: a declaration begins with a type: `long n = 1;`, `_str s;`, `typeof(x) y = x;`)
//> error 7:5: unknown type `delete` [neither the script nor the target has it] (help: did you mean `_delete t[key];`?)
//> error 8:14: unknown name `nullptr` [neither the script nor the target has it] (help: write `NULL`)
//> error 9:15: unknown name `True` [neither the script nor the target has it] (help: write `true`)
