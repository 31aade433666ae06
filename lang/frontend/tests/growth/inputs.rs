//! Texts that try to make the front end slow, in any size.

/// A text of about so many bytes.
pub type Make = fn(usize) -> String;

/// All of them by name.
pub const INPUTS: &[(&str, Make)] = &[
    // Brackets and operators, far deeper than any limit.
    ("open parentheses", |n| in_body("a = ", &"(".repeat(n), "")),
    ("open brackets", |n| "[".repeat(n)),
    ("open braces", |n| "{".repeat(n)),
    ("open angles", |n| {
        in_body("a = b ", &"< ".repeat(n / 2), "")
    }),
    ("parentheses", |n| nested(n, "(", "1", ")")),
    ("brackets", |n| nested(n, "[", "1", "]")),
    ("blocks", |n| nested(n, "{", ";", "}")),
    ("indexes", |n| nested(n, "t[", "s", "]")),
    ("calls", |n| nested(n, "_len(", "s", ")")),
    ("mixed brackets", |n| nested(n, "([{", "1", "}])")),
    ("closers", |n| ")]}".repeat(n / 3)),
    ("crossed brackets", |n| {
        format!("{}{}", "(".repeat(n / 2), "]".repeat(n / 2))
    }),
    ("crossed braces", |n| {
        format!("{}{}", "(".repeat(n / 2), "}".repeat(n / 2))
    }),
    ("crossed blocks", |n| {
        format!("{}{}", "{".repeat(n / 2), ")".repeat(n / 2))
    }),
    ("brackets before semicolons", |n| {
        in_body("", &repeat("a = ((((1;", n), "")
    }),
    ("minus signs", |n| {
        in_body("a = ", &"- ".repeat(n / 2), "1;")
    }),
    ("tildes and nots", |n| {
        in_body("a = ", &"!~ ".repeat(n / 3), "1;")
    }),
    ("stars", |n| in_body("a = ", &"*".repeat(n), "head;")),
    ("casts", |n| in_body("a = ", &"(int)".repeat(n / 5), "1;")),
    ("casts to names", |n| {
        in_body("a = ", &"(x) ".repeat(n / 4), "1;")
    }),
    ("casts to pointers", |n| {
        in_body("a = ", &"(struct list *)".repeat(n / 15), "0;")
    }),
    ("ternaries", |n| {
        in_body("a = ", &"a ? 1 : ".repeat(n / 8), "1;")
    }),
    ("ternaries to the left", |n| {
        in_body("a = ", &"a ? ".repeat(n / 4), "1;")
    }),
    ("sums", |n| in_body("a = 1", &" + 1".repeat(n / 4), ";")),
    ("mixed operators", |n| {
        in_body("a = 1", &" + 1 * 2 << 3 & 4 || 5".repeat(n / 22), ";")
    }),
    ("assignments", |n| in_body("", &"a = ".repeat(n / 4), "1;")),
    ("commas", |n| in_body("a = 1", &", 1".repeat(n / 3), ";")),
    ("arrows", |n| {
        in_body("a = head", &"->next".repeat(n / 6), "->value;")
    }),
    ("dots", |n| in_body("a = variant", &".v".repeat(n / 2), ";")),
    ("sizeofs", |n| {
        in_body("a = ", &"sizeof ".repeat(n / 7), "a;")
    }),
    ("typeofs", |n| {
        let inner = nested_text(n - 20, "typeof(", "int", ")");
        in_body("", &inner, " x;")
    }),
    ("increments", |n| in_body("", &"++".repeat(n / 2), "a;")),
    ("matches", |n| {
        in_body("a = s", &" ~~ rx/a/".repeat(n / 9), ";")
    }),
    ("path divisions", |n| {
        in_body("p = p", &" / s".repeat(n / 4), ";")
    }),
    // Statements as deep, and in as great a number.
    ("else ifs", |n| {
        in_body("", &"if (a) {} else ".repeat(n / 15), ";")
    }),
    ("ifs", |n| in_body("", &"if (a) ".repeat(n / 7), ";")),
    ("loops in loops", |n| {
        in_body("", &"while (a) ".repeat(n / 10), ";")
    }),
    ("do in do", |n| in_body("", &"do ".repeat(n / 3), ";")),
    ("for in for", |n| {
        in_body("", &"for (;;) ".repeat(n / 9), ";")
    }),
    ("nested foreach", |n| {
        in_body("", &"_foreach (k, v in t) ".repeat(n / 21), ";")
    }),
    ("foreach within the limit", |n| {
        let one = format!(
            "{}a++;{}\n",
            "_foreach (k, v in t) { ".repeat(40),
            "}".repeat(40)
        );
        in_body("", &repeat(&one, n), "")
    }),
    ("nested tries", |n| {
        nested(n, "_try { ", "a = 1;", "} _catch (_fault e) {}")
    }),
    ("tries within the limit", |n| {
        let one = format!(
            "{}a++;{}\n",
            "_try { ".repeat(30),
            "} _catch (_fault e) { }".repeat(30)
        );
        in_body("", &repeat(&one, n), "")
    }),
    ("containers in nested loops", |n| {
        let one = format!(
            "{}a++;{}\n",
            "while (a) { long t[_str]; if (b) break; if (c) continue; ".repeat(30),
            "}".repeat(30)
        );
        in_body("int b, c;", &repeat(&one, n), "")
    }),
    ("nested switches", |n| {
        nested(n, "switch (a) { case 1: ", ";", "}")
    }),
    ("a huge switch", |n| {
        in_body(
            "switch (a) {",
            &numbered(n, |i| format!("case {i}: a = {i}; break;\n")),
            "}",
        )
    }),
    ("a switch of ranges", |n| {
        in_body(
            "switch (a) {",
            &numbered(n, |i| format!("case {} ... {}:\n", i * 10, i * 10 + 5)),
            "}",
        )
    }),
    ("a switch of equal cases", |n| {
        in_body("switch (a) {", &"case 1: ".repeat(n / 8), ";}")
    }),
    ("switches of strings of cases", |n| {
        in_body(
            "switch (a) {",
            &"case 1: case 2: default: ".repeat(n / 25),
            ";}",
        )
    }),
    ("labels", |n| {
        in_body("", &numbered(n, |i| format!("l{i}: ")), ";")
    }),
    ("equal labels", |n| in_body("", &"l: ".repeat(n / 3), ";")),
    ("a web of gotos", |n| {
        let count = n / 30;
        let text = numbered(n, |i| {
            format!("l{i}: if (a) goto l{};\n", (i * 7919) % count.max(1))
        });
        in_body("", &text, "")
    }),
    ("gotos to nowhere", |n| {
        in_body("", &numbered(n, |i| format!("goto l{i};")), "")
    }),
    ("gotos out of scopes", |n| {
        let text = numbered(n, |i| {
            format!("{{ long t{i}[_str]; if (a) goto l{i}; }} l{i}: ;\n")
        });
        in_body("", &text, "")
    }),
    ("containers and gotos", |n| {
        let text =
            numbered(n / 2, |i| format!("long t{i}[_str];")) + &repeat("if (a) goto end;", n / 2);
        in_body("{", &text, "} end: ;")
    }),
    ("containers and returns", |n| {
        let text =
            numbered(n / 2, |i| format!("long t{i}[_str];")) + &repeat("if (a) return;", n / 2);
        in_body("{", &text, "}")
    }),
    ("empty statements", |n| in_body("", &";".repeat(n), "")),
    ("assignment statements", |n| {
        in_body("", &"a = 1;".repeat(n / 6), "")
    }),
    ("wrong statements", |n| {
        in_body("", &"a b c;".repeat(n / 6), "")
    }),
    ("wrong types", |n| in_body("", &"s = p;".repeat(n / 6), "")),
    ("unused results", |n| {
        in_body("", &"a + 1; ".repeat(n / 7), "")
    }),
    ("unused results on lines", |n| {
        in_body("", &"a + 1;\n".repeat(n / 7), "")
    }),
    ("breaks", |n| {
        in_body("while (a) {", &"break; ".repeat(n / 7), "}")
    }),
    ("reads of one field", |n| {
        in_body("", &"a = head->value;".repeat(n / 16), "")
    }),
    ("table updates", |n| {
        in_body("", &"t[s] += 1;".repeat(n / 10), "")
    }),
    ("prints", |n| {
        in_body("", &"printf(\"%d %s\\n\", a, s);".repeat(n / 24), "")
    }),
    ("a print of many", |n| {
        let half = n / 5;
        in_body(
            &format!("printf(\"{}\"", "%d ".repeat(half)),
            &", a".repeat(half),
            ");",
        )
    }),
    ("records shown whole", |n| {
        in_body("", &"printf(\"%V\", module);".repeat(n / 22), "")
    }),
    ("conversions without arguments", |n| {
        in_body("printf(\"", &"%d".repeat(n / 2), "\");")
    }),
    // Declarations.
    ("globals", |n| numbered(n, |i| format!("int g{i};\n"))),
    ("equal globals", |n| "int g;\n".repeat(n / 7)),
    ("globals in one declaration", |n| {
        format!("int x{};", numbered(n, |i| format!(",g{i}")))
    }),
    ("globals with values", |n| {
        numbered(n, |i| format!("int g{} = g{i} + 1;\n", i + 1))
    }),
    ("tables", |n| numbered(n, |i| format!("long t{i}[_str];\n"))),
    ("aggregates", |n| numbered(n, |i| format!("_agg a{i};\n"))),
    ("functions", |n| {
        numbered(n, |i| format!("int f{i}(int a) {{ return a; }}\n"))
    }),
    ("functions that call on", |n| {
        numbered(n, |i| {
            format!("int f{i}(int a) {{ return f{}(a); }}\n", i + 1)
        })
    }),
    ("functions that call back", |n| {
        numbered(n, |i| {
            format!("int f{}(int a) {{ return f{i}(a); }}\n", i + 1)
        })
    }),
    ("parameters", |n| {
        format!(
            "void f(int p{}) {{}}",
            numbered(n, |i| format!(", int p{i}"))
        )
    }),
    ("arguments", |n| in_body("f(a", &", a".repeat(n / 3), ");")),
    ("probes", |n| "_probe _oneshot { }\n".repeat(n / 20)),
    ("timers", |n| {
        numbered(n, |i| format!("_probe _timer.s({i}) {{ }}\n"))
    }),
    ("options", |n| {
        numbered(n, |i| format!("_option int o{i} = {i};\n"))
    }),
    ("views", |n| {
        numbered(n, |i| format!("_view bars \"t\" \"u\" long v{i}[_str];\n"))
    }),
    ("documentation", |n| "/// text\n".repeat(n / 9)),
    ("documentation behind", |n| {
        format!("int x; {}", "/// text\n".repeat(n / 9))
    }),
    ("documentation between", |n| {
        "/// text\nint x; /// more\n".repeat(n / 25)
    }),
    ("typedefs in a row", |n| {
        numbered(n, |i| format!("typedef int t{i};\n"))
    }),
    ("typedefs of typedefs", |n| {
        format!(
            "typedef int t0; {} _probe _oneshot {{ t9 x; x = 1; }}",
            numbered(n, |i| format!("typedef t{i} t{};\n", i + 1))
        )
    }),
    ("typedefs backwards", |n| {
        numbered(n, |i| format!("typedef t{} t{i};\n", i + 1))
    }),
    ("typedefs of pointers", |n| {
        format!(
            "typedef int t0; {}",
            numbered(n, |i| format!("typedef t{i} *t{};\n", i + 1))
        )
    }),
    ("structs", |n| {
        numbered(n, |i| format!("struct s{i} {{ int a; }};\n"))
    }),
    ("structs of structs", |n| {
        format!(
            "struct s0 {{ int a; }}; {}",
            numbered(n, |i| format!("struct s{} {{ struct s{i} m; }};\n", i + 1))
        )
    }),
    ("structs that double", |n| {
        format!(
            "struct s0 {{ int a; }}; {} struct s40 z; _probe _oneshot {{ printf(\"%V\", z); }}",
            numbered(n, |i| {
                format!("struct s{} {{ struct s{i} a, b; }};\n", i + 1)
            })
        )
    }),
    ("structs shown whole", |n| {
        let fields = numbered(n / 2, |i| format!("int a{i};"));
        format!(
            "struct big {{ {fields} }}; {}",
            in_body("struct big b;", &"printf(\"%V\", b);".repeat(n / 32), "")
        )
    }),
    ("structs assigned", |n| {
        let fields = numbered(n / 2, |i| format!("_str a{i};"));
        format!(
            "struct big {{ {fields} }}; {}",
            in_body("struct big b, c;", &"b = c;".repeat(n / 12), "")
        )
    }),
    ("structs compared", |n| {
        let fields = numbered(n / 2, |i| format!("int a{i};"));
        format!(
            "struct big {{ {fields} }}; long bt[struct big]; {}",
            in_body("struct big b, c;", &"bt[b] = 1;".repeat(n / 20), "")
        )
    }),
    ("structs declared", |n| {
        let fields = numbered(n / 2, |i| format!("int a{i};"));
        format!(
            "struct big {{ {fields} }}; {}",
            in_body("", &numbered(n / 2, |i| format!("struct big b{i};")), "")
        )
    }),
    ("structs returned", |n| {
        let fields = numbered(n / 2, |i| format!("int a{i};"));
        format!(
            "struct big {{ {fields} }}; struct big f(struct big b) {{ return b; }} {}",
            in_body("struct big b;", &"f(b);".repeat(n / 10), "")
        )
    }),
    ("structs initialized", |n| {
        let fields = numbered(n / 2, |i| format!("int a{i};"));
        format!(
            "struct big {{ {fields} }}; {}",
            in_body(
                "struct big b;",
                &"b = (struct big) { 1 };".repeat(n / 46),
                ""
            )
        )
    }),
    ("fields", |n| {
        format!(
            "struct s {{ {} }};",
            numbered(n, |i| format!("int a{i};\n"))
        )
    }),
    ("equal fields", |n| {
        format!("struct s {{ {} }};", "int a;".repeat(n / 6))
    }),
    ("fields in one declaration", |n| {
        format!(
            "struct s {{ int x{}; }};",
            numbered(n, |i| format!(",a{i}"))
        )
    }),
    ("fields used", |n| {
        let fields = numbered(n / 2, |i| format!("int a{i};"));
        let uses = numbered(n / 2, |i| format!("a = b.a{i};"));
        format!(
            "struct big {{ {fields} }}; {}",
            in_body("struct big b;", &uses, "")
        )
    }),
    ("unknown fields", |n| {
        let fields = numbered(n / 2, |i| format!("int a{i};"));
        let uses = numbered(n / 2, |i| format!("a = b.b{i};"));
        format!(
            "struct big {{ {fields} }}; {}",
            in_body("struct big b;", &uses, "")
        )
    }),
    ("fields initialized", |n| {
        let fields = numbered(n / 2, |i| format!("int a{i};"));
        let values = numbered(n / 2, |i| format!(".a{i} = 1,"));
        format!(
            "struct big {{ {fields} }}; {}",
            in_body(&format!("struct big b = {{ {values} }};"), "", "")
        )
    }),
    ("bit-fields", |n| {
        format!(
            "struct s {{ {} }};",
            numbered(n, |i| format!("int a{i} : 3;"))
        )
    }),
    ("anonymous members", |n| {
        format!(
            "{}int x;{} y;",
            "struct {".repeat(n / 11),
            "};".repeat(n / 22)
        )
    }),
    ("anonymous members side by side", |n| {
        format!(
            "struct s {{ {} }};",
            numbered(n, |i| format!("struct {{ int a{i}; }};"))
        )
    }),
    ("anonymous members within the limit", |n| {
        let one = |i: usize| {
            format!(
                "struct s{i} {{ {}int x;{} }};\n",
                "struct { ".repeat(100),
                "};".repeat(100)
            )
        };
        numbered(n, one)
    }),
    ("enumerators", |n| {
        format!("enum {{ {} }};", numbered(n, |i| format!("E{i},")))
    }),
    ("enumerators that build on one another", |n| {
        format!(
            "enum {{ E0, {} }};",
            numbered(n, |i| format!("E{} = E{i} + 1,", i + 1))
        )
    }),
    ("enumerators backwards", |n| {
        format!(
            "enum {{ {} }};",
            numbered(n, |i| format!("E{i} = E{} + 1,", i + 1))
        )
    }),
    ("enums", |n| {
        numbered(n, |i| format!("enum e{i} {{ E{i} }};\n"))
    }),
    ("initializers", |n| {
        format!("int a[] = {{ {} }};", "1,".repeat(n / 2))
    }),
    ("nested initializers", |n| {
        format!("int a[1] = {}1{};", "{".repeat(n / 2), "}".repeat(n / 2))
    }),
    ("designators", |n| {
        format!(
            "int a[100000] = {{ {} }};",
            numbered(n, |i| format!("[{i}] = 1,"))
        )
    }),
    ("one designator again", |n| {
        format!("int a[8] = {{ {} }};", "[3] = 1,".repeat(n / 8))
    }),
    ("dimensions", |n| format!("int a{};", "[10]".repeat(n / 4))),
    ("a dimension too many", |n| {
        format!(
            "int a[1000000000000]; {}",
            in_body("", &"int b[1000000000]; b[0] = 1;".repeat(n / 28), "")
        )
    }),
    ("pointers of a type", |n| format!("int {}x;", "*".repeat(n))),
    ("functions of functions", |n| {
        format!("int {}x{};", "(*".repeat(n / 4), ")(int)".repeat(n / 12))
    }),
    ("locals", |n| {
        in_body("", &numbered(n, |i| format!("int x{i};")), "")
    }),
    ("locals with values", |n| {
        in_body("", &numbered(n, |i| format!("int x{i} = {i};")), "")
    }),
    ("locals that hide", |n| {
        nested(n, "{ int x = a; a = x;", "a = 1;", "}")
    }),
    ("arrays as locals", |n| {
        in_body("", &numbered(n, |i| format!("int x{i}[1000];")), "")
    }),
    ("locals in blocks", |n| {
        in_body("", &"{ int x = 1; a = x; }".repeat(n / 21), "")
    }),
    ("unused locals", |n| {
        in_body("", &numbered(n, |i| format!("{{ int x{i}; }}")), "")
    }),
    ("layouts", |n| {
        let layouts = numbered(n, |i| {
            format!("_layout l{i} {{ \"a\" {{ struct s{i} {{ int a; }}; }} }} _valid v;\n")
        });
        format!("int v() {{ return 1; }}\n{layouts}")
    }),
    ("candidates", |n| {
        let candidates = numbered(n, |i| format!("\"c{i}\" {{ struct s {{ int a; }}; }}\n"));
        format!("int v() {{ return 1; }} _layout l {{ {candidates} }} _valid v;")
    }),
    ("a candidate of many types", |n| {
        let types = numbered(n, |i| format!("struct s{i} {{ int a; }};\n"));
        format!("int v() {{ return 1; }} _layout l {{ \"a\" {{ {types} }} }} _valid v;")
    }),
    ("modules", |n| {
        format!("_module {} _exe;", "\"lib.so*\", ".repeat(n / 11))
    }),
    ("module lines", |n| "_module \"lib.so*\";\n".repeat(n / 18)),
    ("attributes", |n| "__attribute__((packed)) ".repeat(n / 24)),
    ("qualifiers", |n| {
        format!("{} int x;", "const ".repeat(n / 6))
    }),
    ("type words", |n| format!("{} x;", "long ".repeat(n / 5))),
    // Names and literals.
    ("a long name", |n| in_body(&"x".repeat(n), "= 1;", "")),
    ("a long name of the script", |n| {
        let name = "x".repeat(n / 4);
        format!("int {name}; {}", in_body(&name, "y = 1;", ""))
    }),
    ("uses of a long name", |n| {
        let name = "x".repeat(n / 4);
        format!(
            "int {name}; {}",
            in_body("", &format!("{name} = 1; {name} = 2;"), "")
        )
    }),
    ("long unknown names", |n| {
        in_body(
            "",
            &numbered(n, |i| format!("{}{i} = 1;", "name".repeat(60))),
            "",
        )
    }),
    ("unknown names", |n| {
        in_body("", &numbered(n, |i| format!("unknown{i} = 1;")), "")
    }),
    ("unknown functions", |n| {
        in_body("", &numbered(n, |i| format!("unknown{i}();")), "")
    }),
    ("unknown types", |n| {
        in_body(
            "",
            &numbered(n, |i| format!("struct unknown{i} *x{i};")),
            "",
        )
    }),
    ("unknown names among many known", |n| {
        format!(
            "{}{}",
            numbered(n / 2, |i| format!("int known{i};")),
            in_body("", &numbered(n / 2, |i| format!("unkown{i} = 1;")), "")
        )
    }),
    ("unknown prefixes", |n| {
        in_body("", &numbered(n, |i| format!("lib{i}.so::x = 1;")), "")
    }),
    ("dotted names", |n| in_body("", &"a.".repeat(n / 2), "a;")),
    ("prefixes", |n| "a.b::".repeat(n / 5)),
    ("colons", |n| ":".repeat(n)),
    ("backquotes", |n| "`".repeat(n)),
    ("quoted names", |n| "`a`::".repeat(n / 5)),
    ("a number", |n| format!("int x = {};", "1".repeat(n))),
    ("a fraction", |n| format!("double x = 0.{};", "1".repeat(n))),
    ("an exponent", |n| {
        format!("double x = 1e{};", "9".repeat(n))
    }),
    ("a hexadecimal fraction", |n| {
        format!("double x = 0x1.{}p1;", "f".repeat(n))
    }),
    ("dotted digits", |n| "1.".repeat(n / 2)),
    ("numbers", |n| "1 ".repeat(n / 2)),
    ("wrong numbers", |n| "1x ".repeat(n / 3)),
    ("a string", |n| format!("_str x = \"{}\";", "x".repeat(n))),
    ("strings", |n| {
        format!("_str x = {};", "\"\" ".repeat(n / 3))
    }),
    ("strings that differ", |n| {
        in_body("", &numbered(n, |i| format!("s = \"{i}\";")), "")
    }),
    ("added strings", |n| {
        in_body("s = \"\"", &" + \"a\"".repeat(n / 6), ";")
    }),
    ("a string of escapes", |n| {
        format!("_str x = \"{}\";", "\\x41".repeat(n / 4))
    }),
    ("wrong escapes", |n| {
        format!("_str x = {};", "\"\\q\" ".repeat(n / 5))
    }),
    ("quotes", |n| "\"".repeat(n)),
    ("quotes on lines", |n| "\"\n".repeat(n / 2)),
    ("apostrophes", |n| "'".repeat(n)),
    ("a character of many", |n| {
        format!("int x = '{}';", "a".repeat(n))
    }),
    ("backslashes", |n| "\\".repeat(n)),
    ("spliced lines", |n| {
        format!("int x = 1{};", "\\\n".repeat(n / 2))
    }),
    ("a regex", |n| {
        in_body("a = s ~~ rx/", &"a?".repeat(n / 2), "/;")
    }),
    ("a regex of counts", |n| {
        in_body("a = s ~~ rx/", &"(a{1000})".repeat(n / 9), "/;")
    }),
    ("nested counts", |n| {
        let depth = n / 18;
        in_body(
            &format!("a = s ~~ rx/{}a", "(".repeat(depth)),
            "{1000}",
            &format!("{}/;", "){1000}".repeat(depth)),
        )
    }),
    ("a regex of classes", |n| {
        in_body("a = s ~~ rx/", &"\\w".repeat(n / 2), "/;")
    }),
    ("nested groups", |n| {
        in_body(
            &format!("a = s ~~ rx/{}", "(".repeat(n / 2)),
            &")".repeat(n / 2),
            "/;",
        )
    }),
    ("alternatives", |n| {
        in_body("a = s ~~ rx/a", &"|b".repeat(n / 2), "/;")
    }),
    ("regexes", |n| {
        in_body("", &numbered(n, |i| format!("a = s ~~ rx/a{i}/;")), "")
    }),
    ("regexes of counts", |n| {
        in_body(
            "",
            &numbered(n, |i| format!("a = s ~~ rx/(\\w{{40}}){i}/;")),
            "",
        )
    }),
    ("captures", |n| in_body("a = ", &"$1 ".repeat(n / 3), ";")),
    ("unknown characters", |n| "@".repeat(n)),
    ("unknown characters apart", |n| "@ ".repeat(n / 2)),
    ("characters of many bytes", |n| "“x” ".repeat(n / 8)),
    ("control characters", |n| "\u{1} ".repeat(n / 2)),
    ("comments", |n| "/* */".repeat(n / 5)),
    ("comments that never end", |n| "/*".repeat(n / 2)),
    ("line comments", |n| "//\n".repeat(n / 3)),
    ("comments after code", |n| "int x; // c\n".repeat(n / 12)),
    ("spaces", |n| " ".repeat(n)),
    ("lines", |n| "\n".repeat(n)),
    ("words", |n| "x ".repeat(n / 2)),
    ("words on lines", |n| "x\n".repeat(n / 2)),
    ("keywords", |n| "else ".repeat(n / 5)),
    ("words that start items", |n| "_probe ".repeat(n / 7)),
    ("operators", |n| "+".repeat(n)),
    ("in", |n| in_body("a = k", &" in t".repeat(n / 5), ";")),
    // The preprocessor.
    ("macros", |n| numbered(n, |i| format!("#define M{i} {i}\n"))),
    ("a macro defined anew", |n| {
        numbered(n, |i| format!("#define M {i}\n"))
    }),
    ("uses of a macro", |n| {
        format!("#define M 1\nint a[] = {{ {} }};", "M,".repeat(n / 2))
    }),
    ("macros of macros", |n| {
        format!(
            "#define M0 1\n{}int x = M40;",
            numbered(n, |i| format!("#define M{} M{i}\n", i + 1))
        )
    }),
    ("macros of macros, used", |n| {
        let text = numbered(n / 2, |i| format!("#define M{} M{i}\n", i + 1));
        let last = text.lines().count();
        format!(
            "{text}int a[] = {{ {} }};",
            repeat(&format!("M{last},"), n / 2)
        )
    }),
    ("macros that double", |n| {
        format!(
            "#define M0 x x\n{}M40\n",
            numbered(n, |i| format!("#define M{} M{i} M{i}\n", i + 1))
        )
    }),
    ("arguments that double", |n| {
        format!(
            "#define D(x) x x\n{}y{}",
            "D(".repeat(n / 3),
            ")".repeat(n / 3)
        )
    }),
    ("arguments that double within the limit", |n| {
        let one = format!("{}y{}\n", "D(".repeat(150), ")".repeat(150));
        format!("#define D(x) x x\n{}", repeat(&one, n))
    }),
    ("joined tokens that double", |n| {
        let one = format!("{}y{};\n", "D(".repeat(150), ")".repeat(150));
        format!("#define J(x) x##x\n#define D(x) J(x)\n{}", repeat(&one, n))
    }),
    ("joined tokens that grow", |n| {
        let one = format!("{}y{};\n", "D(".repeat(150), ")".repeat(150));
        format!("#define J(x) y##x\n#define D(x) J(x)\n{}", repeat(&one, n))
    }),
    ("long tokens joined", |n| {
        format!(
            "#define J(x) x##{}\n{}",
            "y".repeat(n / 2),
            repeat("J(a) ", n / 2)
        )
    }),
    ("strings of arguments that double", |n| {
        let one = format!("{}y{};\n", "D(".repeat(150), ")".repeat(150));
        format!("#define S(x) #x\n#define D(x) S(x x)\n{}", repeat(&one, n))
    }),
    ("strings of arguments that escape", |n| {
        let one = format!("{}\"\"{};\n", "D(".repeat(150), ")".repeat(150));
        format!("#define S(x) #x\n#define D(x) S(x)\n{}", repeat(&one, n))
    }),
    ("strings of long arguments", |n| {
        format!(
            "#define S(x) {}\nS({})",
            "#x ".repeat(n / 6),
            "y ".repeat(n / 4)
        )
    }),
    ("long arguments used often", |n| {
        format!(
            "#define S(x) {}\nS({})",
            "x ".repeat(n / 4),
            "y ".repeat(n / 4)
        )
    }),
    ("long bodies used often", |n| {
        format!("#define B {}\n{}", "y ".repeat(n / 4), "B ".repeat(n / 4))
    }),
    ("long empty bodies used often", |n| {
        format!(
            "#define E\n#define B {}\n{}",
            "E ".repeat(n / 4),
            "B ".repeat(n / 4)
        )
    }),
    ("long strings used often", |n| {
        format!(
            "#define B \"{}\"\n_str x = {};",
            "y".repeat(n / 2),
            "B ".repeat(n / 4)
        )
    }),
    ("long names used often", |n| {
        format!("#define B {}\n{}", "y".repeat(n / 2), "B; ".repeat(n / 6))
    }),
    ("long module names used often", |n| {
        format!(
            "#define B {}::x\n{}",
            "y".repeat(n / 2),
            "B; ".repeat(n / 6)
        )
    }),
    ("long regexes used often", |n| {
        format!(
            "#define B ~~ rx/{}/\n{}",
            "y".repeat(n / 2),
            in_body("", &"a = s B; ".repeat(n / 18), "")
        )
    }),
    ("a macro of itself", |n| {
        format!("#define f(x) f(x) x\n{}", nested_text(n, "f(", "1", ")"))
    }),
    ("macros of one another", |n| {
        format!(
            "#define f(x) g(x)\n#define g(x) f(x) f(x)\n{}",
            nested_text(n, "f(", "1", ")")
        )
    }),
    ("macros without end", |n| {
        format!("#define f(x) x\n{}", "f(".repeat(n / 2))
    }),
    ("macros whose arguments never come", |n| {
        format!("#define f(x) x\n{}", "f ( a ".repeat(n / 6))
    }),
    ("macro names without arguments", |n| {
        format!("#define f(x) x\n{}", "f ".repeat(n / 2))
    }),
    ("macros that call on what follows", |n| {
        format!(
            "#define f(x) x f\n{}",
            "f(1)".to_owned() + &"(1)".repeat(n / 3)
        )
    }),
    ("macros of many parameters", |n| {
        let parameters = numbered(n / 3, |i| format!("a{i},"));
        let body = numbered(n / 3, |i| format!("a{i} "));
        format!("#define f({parameters} z) {body}\nf({})", ",".repeat(n / 3))
    }),
    ("parameters of a macro", |n| {
        format!("#define f({}z) z\n", numbered(n, |i| format!("a{i},")))
    }),
    ("arguments of a macro", |n| {
        format!("#define f(...) __VA_ARGS__\nf({})", "1,".repeat(n / 2))
    }),
    ("wrong numbers of arguments", |n| {
        format!("#define f(x) x\n{}", "f(1, 2);".repeat(n / 8))
    }),
    ("tokens that do not join", |n| {
        format!("#define f(x) x ## +\n{}", "f(1) ".repeat(n / 5))
    }),
    ("hide sets", |n| {
        format!(
            "{}{}",
            numbered(n / 2, |i| format!("#define M{i} M{} M{}\n", i + 1, i + 2)),
            "M0 ".repeat(n / 6)
        )
    }),
    ("lines asked for", |n| {
        format!("int a[] = {{ {} }};", "__LINE__,\n".repeat(n / 10))
    }),
    ("conditions", |n| "#if 1\n".repeat(n / 6)),
    ("closed conditions", |n| {
        format!("{}{}", "#if 1\n".repeat(n / 13), "#endif\n".repeat(n / 13))
    }),
    ("conditions in a row", |n| {
        "#if 1\nx\n#endif\n".repeat(n / 15)
    }),
    ("false conditions", |n| "#if 0\n".repeat(n / 6)),
    ("arms", |n| {
        format!("#if 0\n{}#endif\n", "#elif 0\n".repeat(n / 8))
    }),
    ("conditions on the target", |n| {
        "##ifdeftype T\n".repeat(n / 14)
    }),
    ("closed conditions on the target", |n| {
        format!(
            "{}{}",
            "##ifdeftype T\n".repeat(n / 22),
            "##endif\n".repeat(n / 22)
        )
    }),
    ("conditions on the target in a row", |n| {
        "##ifdeffield struct list nxt\nint x;\n##else\nint x;\n##endif\n".repeat(n / 58)
    }),
    ("arms on the target", |n| {
        format!(
            "##ifdeftype T\n{}##endif\n",
            "##elifdeffunc f\n".repeat(n / 16)
        )
    }),
    ("a deep condition", |n| {
        format!("#if {}1{}\n#endif\n", "(".repeat(n / 2), ")".repeat(n / 2))
    }),
    ("a condition of signs", |n| {
        format!("#if {}1\n#endif\n", "!".repeat(n))
    }),
    ("a condition of ternaries", |n| {
        format!("#if {}1\n#endif\n", "1 ? 1 : ".repeat(n / 8))
    }),
    ("a long condition", |n| {
        format!("#if 1{}\n#endif\n", " + 1".repeat(n / 4))
    }),
    ("endings of nothing", |n| "#endif\n".repeat(n / 7)),
    ("unknown directives", |n| "#unknown\n".repeat(n / 9)),
    ("hashes", |n| "#".repeat(n)),
    ("hashes on lines", |n| "#\n".repeat(n / 2)),
    ("pragmas", |n| "#pragma x\n".repeat(n / 10)),
    ("warnings", |n| "#warning x\n".repeat(n / 11)),
    ("errors", |n| "#error x\n".repeat(n / 9)),
    ("includes of nothing", |n| "#include <x>\n".repeat(n / 13)),
    ("includes of themselves", |n| {
        let files = numbered(n, |i| {
            format!(
                "//! file f{i}\n//| #include \"f{}\"\n//| #include \"f{i}\"\n",
                i + 1
            )
        });
        format!("{files}#include \"f0\"\n")
    }),
    ("includes", |n| {
        let half = n / 2;
        let files = numbered(half, |i| format!("//! file f{i}\n//| int g{i};\n"));
        let uses = numbered(half, |i| format!("#include \"f{i}\"\n"));
        format!("{files}{uses}")
    }),
    ("defines on one line each with continuation", |n| {
        format!("#define M {}\nint x = M;", "\\\n 1 +".repeat(n / 6))
    }),
];

/// A probe with some variables around `before`, `middle` and `after`.
fn in_body(before: &str, middle: &str, after: &str) -> String {
    format!("_probe _oneshot {{ int a; _str s; _path p; long t[_str]; {before}{middle}{after} }}\n")
}

/// An expression or a statement nested as deep as fits.
fn nested(n: usize, open: &str, middle: &str, close: &str) -> String {
    in_body("a = ", &nested_text(n, open, middle, close), ";")
}

fn nested_text(n: usize, open: &str, middle: &str, close: &str) -> String {
    let depth = n.saturating_sub(middle.len()) / (open.len() + close.len());
    format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
}

/// The same text again and again.
fn repeat(text: &str, n: usize) -> String {
    text.repeat((n / text.len()).max(1))
}

/// Numbered pieces, until there are so many bytes.
fn numbered(n: usize, piece: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    let mut index = 0;
    while text.len() < n {
        text.push_str(&piece(index));
        index += 1;
    }
    text
}
