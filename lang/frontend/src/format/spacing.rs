//! Which tokens stand apart.

/// What a token is to its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A name or a literal.
    Operand,
    /// A word of a type: a parenthesis after it stands apart.
    TypeWord,
    /// A word that a parenthesis after it stands apart from, and that an operand follows.
    Keyword,
    /// `sizeof` and its like: tight to a parenthesis, and an operand follows.
    Sizeof,
    /// An operator in front of its operand.
    Prefix,
    /// `++` after its operand.
    Postfix,
    /// An operator between operands.
    Infix,
    /// The `*` of a declarator.
    Pointer,
    /// `.` or `->`.
    Member,
    /// `(` or `[`.
    Open,
    /// `)` or `]` after which an operand is spaced: of a call, a head, a declarator.
    Close,
    /// `)` of a cast or of a group.
    CloseGroup,
    /// `)` of the head of `if` and its like.
    CloseHead,
    Comma,
    Semicolon,
    /// `:` after a label.
    LabelColon,
    OpenBrace,
    CloseBrace,
    /// What is left as the author spaced it.
    Other,
}

impl Role {
    /// Whether an operator after it is an infix or a postfix one.
    pub fn ends_operand(self) -> bool {
        matches!(
            self,
            Role::Operand | Role::TypeWord | Role::Postfix | Role::Close | Role::CloseGroup
        )
    }
}

/// Words that a head in parentheses and a statement follow.
pub fn is_head(word: &str) -> bool {
    matches!(
        word,
        "if" | "while" | "for" | "switch" | "_foreach" | "_catch"
    )
}

/// Words that a statement follows at once.
pub fn is_bare_head(word: &str) -> bool {
    matches!(word, "else" | "do" | "_try")
}

/// The role of a word.
pub fn word_role(word: &str) -> Role {
    match word {
        "return" | "case" | "goto" | "_delete" | "_if" | "_probe" => Role::Keyword,
        _ if is_head(word) || is_bare_head(word) => Role::Keyword,
        "_by" | "_desc" | "_limit" => Role::Infix,
        "sizeof" | "typeof" | "__typeof__" | "offsetof" | "_container_of" => Role::Sizeof,
        _ if is_type_word(word) => Role::TypeWord,
        _ => Role::Operand,
    }
}

/// Whether a word can only be part of a type.
pub fn is_type_word(word: &str) -> bool {
    matches!(
        word,
        "void"
            | "char"
            | "short"
            | "int"
            | "long"
            | "float"
            | "double"
            | "signed"
            | "unsigned"
            | "struct"
            | "union"
            | "enum"
            | "const"
            | "volatile"
            | "restrict"
            | "static"
            | "extern"
            | "inline"
            | "register"
            | "typedef"
            | "_option"
            | "_Bool"
            | "_str"
            | "_path"
            | "_agg"
            | "_fault"
            | "_void"
    )
}

/// Whether a word names a type by its form.
pub fn is_type_name(word: &str) -> bool {
    is_type_word(word) || word.ends_with("_t")
}

const PUNCTUATORS: &[&str] = &[
    "...", "->", "::", "*=", "/=", "%=", "+=", "-=", "<<=", ">>=", "&=", "^=", "|=", "++", "--",
    "<<", "<<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "~~", "!~~", "##", "//", "/*", "..",
];

/// Whether two tokens would be others if nothing stood between them.
pub fn pastes(before: &str, after: &str) -> bool {
    let (Some(last), Some(first)) = (before.bytes().last(), after.bytes().next()) else {
        return false;
    };
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if word(last) && word(first) {
        return true;
    }
    let number = before.bytes().next().is_some_and(|byte| {
        byte.is_ascii_digit() || byte == b'.' && before.len() > 1 && before != "..."
    });
    if number && matches!(first, b'.' | b'+' | b'-') {
        return true;
    }
    if last == b'.' && first.is_ascii_digit() {
        return true;
    }
    // `a.b::c` is one name.
    let prefixed = after.contains("::") && !after.starts_with(['"', '\'', '`', ':']);
    if prefixed && before == "." || word(last) && first == b':' && after.starts_with("::") {
        return true;
    }
    if last == b'`' && first == b':' {
        return true;
    }
    if word(last) || word(first) {
        return false;
    }
    let punctuation = |text: &str| !text.starts_with(['"', '\'', '`', '$']);
    if !punctuation(before) || !punctuation(after) {
        return false;
    }
    let length = before.len();
    let mut joined = String::with_capacity(length + after.len());
    joined.push_str(before);
    joined.push_str(after);
    PUNCTUATORS
        .iter()
        .any(|known| known.len() > length && joined.starts_with(known))
}

/// Whether a blank stands between two tokens of one line; `author` is what the author wrote.
pub fn needs_space(
    before: Role,
    before_text: &str,
    after: Role,
    after_text: &str,
    author: bool,
) -> bool {
    use Role::*;
    if pastes(before_text, after_text) {
        return true;
    }
    match (before, after) {
        (Other, _) | (_, Other) => author,
        (OpenBrace, _) | (_, CloseBrace) => true,
        (_, Semicolon | Comma) => false,
        (_, Close | CloseGroup | CloseHead) | (Open, _) => false,
        (Comma | Semicolon | LabelColon, _) => true,
        (_, LabelColon) => false,
        (CloseGroup, OpenBrace) => false,
        (_, OpenBrace) => true,
        (CloseBrace, Member) => false,
        (CloseBrace, Open) => false,
        (CloseBrace, _) => true,
        (Infix, _) | (_, Infix) => true,
        (Member, _) => false,
        (Keyword, Member) => true,
        (_, Member) => false,
        (Prefix | Pointer, Pointer) => false,
        (Pointer, TypeWord | Operand | Open) => false,
        (Prefix, _) => false,
        (_, Postfix) => false,
        (CloseGroup, Open | Operand | TypeWord | Prefix | Sizeof) => false,
        (CloseHead, _) => true,
        (Close, Open) => false,
        (Operand | Postfix | Sizeof, Open) => false,
        (TypeWord, Open) => after_text == "(",
        _ => true,
    }
}

/// Whether a word is an operator of assignment.
pub fn is_assignment(text: &str) -> bool {
    matches!(
        text,
        "=" | "*=" | "/=" | "%=" | "+=" | "-=" | "<<=" | ">>=" | "&=" | "^=" | "|=" | "<<<"
    )
}

/// Whether a token can only be an infix operator or part of one.
pub fn is_infix(text: &str) -> bool {
    is_assignment(text)
        || matches!(
            text,
            "/" | "%"
                | "<<"
                | ">>"
                | "<"
                | ">"
                | "<="
                | ">="
                | "=="
                | "!="
                | "^"
                | "|"
                | "&&"
                | "||"
                | "?"
                | "!~~"
        )
}
