//! Whether what has been typed so far is all of it.

use super::tokens;
use crate::diagnostics::Diagnostic;
use crate::lexer::{Token, TokenKind};

/// Words whose parentheses a statement follows.
const HEADS: [&str; 6] = ["if", "while", "for", "switch", "_foreach", "_catch"];

/// Words that a statement follows.
const BEFORE_STATEMENTS: [&str; 3] = ["else", "do", "_try"];

/// Words behind which a name and parentheses are an expression, or a type without a name.
const BEFORE_EXPRESSIONS: [&str; 6] = ["return", "sizeof", "case", "else", "do", "_delete"];

/// Operators behind which an expression goes on. Those that may also redirect what is shown are not among them.
const BINARY: [&str; 24] = [
    "+", "-", "*", "/", "%", "&", "^", "&&", "||", "?", ",", "<", "==", "!=", "<=", ">=", "<<",
    "=", "+=", "-=", "*=", "/=", "&=", "|=",
];

/// Whether more must follow: a bracket, a comment or an `#if` is open, the last line ends in a backslash, or what ends there is the beginning of
/// something only: of a statement, a function, a probe, an expression.
pub fn is_incomplete(text: &str) -> bool {
    if text.trim_end_matches([' ', '\t', '\n']).ends_with('\\') {
        return true;
    }
    let (tokens, diagnostics) = tokens(text);
    let open_comment = |diagnostic: &Diagnostic| diagnostic.message.contains("comment never ends");
    if diagnostics.iter().any(open_comment) {
        return true;
    }
    let mut depth = 0_i64;
    let mut conditions = 0_i64;
    let mut after_hash = false;
    let mut in_directive = false;
    // What comes after it may be a shell's.
    let mut redirects = false;
    // What is in no directive.
    let mut code = Vec::new();
    for token in &tokens {
        if token.kind == TokenKind::Punctuator {
            match &*token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                "|" | ">" | ">>" => redirects |= depth == 0,
                _ => {}
            }
        }
        if after_hash {
            match &*token.text {
                "endif" => conditions -= 1,
                word if word.starts_with("if") => conditions += 1,
                _ => {}
            }
        }
        after_hash = token.first && (token.is("#") || token.is("##"));
        in_directive = after_hash || in_directive && !token.first;
        if !in_directive && token.kind != TokenKind::Documentation {
            code.push(token);
        }
    }
    // What is no token is wrong, or another's.
    let end = tokens.last().map_or(0, |last| last.span.end as usize);
    let rest = text.get(end..).unwrap_or_default().trim_start();
    let is_read = rest.is_empty() || rest.starts_with("//") || rest.starts_with("/*");
    let may_go_on = depth == 0 && !in_directive && !redirects && is_read;
    depth > 0 || conditions > 0 || may_go_on && wants_more(&code)
}

/// Whether what is closed everywhere is the beginning of something only.
fn wants_more(code: &[&Token]) -> bool {
    let Some((last, before)) = code.split_last() else {
        return false;
    };
    if last.kind == TokenKind::Identifier {
        // A tag alone is no expression, and its members may follow.
        let is_tag = before.split_last().is_some_and(|(word, earlier)| {
            let begins = earlier.is_empty() || ends_something(code, earlier.len() - 1);
            begins && is_word(word, &["struct", "union", "enum"])
        });
        return is_tag || is_word(last, &BEFORE_STATEMENTS) || is_head_of_probe(code);
    }
    if is_head_of_probe(code) {
        return true;
    }
    if last.is(")") {
        return opening(code).is_some_and(|at| is_head(code, at));
    }
    if last.is("}") {
        // What is tried is followed by what is done if it fails.
        return opening(code).is_some_and(|at| {
            let before = at.checked_sub(1).and_then(|at| code.get(at));
            before.is_some_and(|word| is_word(word, &["_try"]))
        });
    }
    last.kind == TokenKind::Punctuator && BINARY.contains(&&*last.text)
}

/// Whether the parentheses that begin at `at`, and end what there is, belong to the head of a statement or of a function.
fn is_head(code: &[&Token], at: usize) -> bool {
    let Some(name) = at.checked_sub(1).and_then(|at| code.get(at)) else {
        return false;
    };
    let before = code.get(..at.saturating_sub(1)).unwrap_or_default();
    if is_word(name, &HEADS) {
        let ends_do = is_word(name, &["while"]) && ends_in_do(before);
        return !ends_do;
    }
    // `long f(int a)`: names that follow one another are no expression.
    let start = (0..before.len())
        .rev()
        .find(|at| ends_something(code, *at))
        .map_or(0, |at| at + 1);
    let words = before.get(start..).unwrap_or_default();
    let is_plain = |token: &&&Token| token.kind == TokenKind::Identifier || token.is("*");
    let Some(first) = words.first() else {
        return false;
    };
    // Of `a * f(x)` nothing tells that `a` is a type.
    let has_pair = words.len() > 1 && words.iter().take(2).all(|word| !word.is("*"))
        || words.len() == 1 && !words.iter().any(|word| word.is("*"))
        || is_word(first, &["void", "char", "short", "int", "long", "struct"]);
    name.kind == TokenKind::Identifier
        && words.iter().all(|word| is_plain(&word))
        && has_pair
        && !is_word(first, &BEFORE_EXPRESSIONS)
        && !is_word(first, &BEFORE_STATEMENTS)
}

/// Whether the last thing is a probe without its handler.
fn is_head_of_probe(code: &[&Token]) -> bool {
    let mut depth = 0_i64;
    for token in code.iter().rev() {
        if token.is(")") || token.is("]") {
            depth += 1;
        } else if token.is("(") || token.is("[") {
            depth -= 1;
        } else if depth == 0 && (token.is("}") || token.is(";") || token.is("{")) {
            return false;
        } else if depth == 0 && is_word(token, &["_probe"]) {
            return true;
        }
    }
    false
}

/// Whether these end in the body of a `do`.
fn ends_in_do(code: &[&Token]) -> bool {
    if code.last().is_some_and(|last| last.is("}")) {
        return opening(code).is_some_and(|at| {
            let before = at.checked_sub(1).and_then(|at| code.get(at));
            before.is_some_and(|word| is_word(word, &["do"]))
        });
    }
    // `do x++; while (x < 9)`
    code.iter().any(|token| is_word(token, &["do"]))
}

/// Whether a statement or a definition ends with the token there.
fn ends_something(code: &[&Token], at: usize) -> bool {
    code.get(at)
        .is_some_and(|token| token.is(";") || token.is("}") || token.is("{"))
}

/// Where the bracket stands that the last token closes.
fn opening(code: &[&Token]) -> Option<usize> {
    let mut depth = 0_i64;
    code.iter().rposition(|token| {
        if token.kind == TokenKind::Punctuator {
            match &*token.text {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" => depth -= 1,
                _ => {}
            }
        }
        depth == 0
    })
}

fn is_word(token: &Token, words: &[&str]) -> bool {
    token.kind == TokenKind::Identifier && words.contains(&&*token.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_wanted_while_something_is_open() {
        for text in [
            "while (1) {",
            "f(1,",
            "/* begun",
            "#define a \\",
            "#if 1\nint x;",
            "a[",
        ] {
            assert!(is_incomplete(text), "{text}");
        }
        for text in [
            "x + 1",
            "}",
            "\"(\"",
            "'{'",
            "// (",
            "#if 1\nint x;\n#endif",
            "ngx_cycle->",
        ] {
            assert!(!is_incomplete(text), "{text}");
        }
    }

    #[test]
    fn more_is_wanted_after_the_beginning_of_something() {
        for text in [
            "if (0)",
            "n++; if (f(1))",
            "while (x[1] > 2)",
            "for (int i = 0; i < 3; i++)",
            "_foreach (m in _maps())",
            "if (a) b++; else",
            "do",
            "do { a++; } while (a < 3); if (a)",
            "_try { f(); }",
            "_try { f(); } _catch (_fault f)",
            "long h(int a)",
            "struct node *first(struct list *l, int n)",
            "int a; char *h(void)",
            "struct q",
            "int a;\nenum z",
            "_probe work(int k) -> long r",
            "_probe _timer.ms(10)",
            "n++; _probe work",
            "1 +",
            "a = b &&",
            "long a,",
        ] {
            assert!(is_incomplete(text), "{text}");
        }
        for text in [
            "if (0) ;",
            "if (0) { }",
            "if (a) b++; else c++;",
            "do { a++; } while (a < 3)",
            "do a++; while (a < 3)",
            "_try { f(); } _catch (_fault f) { }",
            "f(1)",
            "a * f(1)",
            "*f(1)",
            "a + f(1)",
            "(long)f(1)",
            "sizeof f(1)",
            "return f(1)",
            "x = f(1)",
            "n++; f(1)",
            "long h(int a) { return a; }",
            "long h(int a);",
            "struct node n",
            "struct q { int a; };",
            "_probe work { }",
            "_probe work { n++; } n",
            "x++",
            "#define F(x)",
            "#define A long h(int a)",
            "(struct node *)p",
            "a >",
            "a |",
            "$ + $$",
            "a | sed s/=/is/",
            "a | grep else",
        ] {
            assert!(!is_incomplete(text), "{text}");
        }
    }
}
