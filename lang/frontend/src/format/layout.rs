//! What is open at a place in the text: brackets, statements, heads without braces.

/// What an open bracket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// The file itself.
    File,
    /// Statements in braces.
    Block,
    /// Members of a record, or candidates of a layout, in braces.
    Members,
    /// Initializers or enumerators in braces.
    List,
    /// `(` or `[`.
    Bracket,
    /// `(` of the head of `if` and its like.
    Head,
    /// `(` of a call, of a head, of parameters.
    Call,
    /// `(` that an operand could stand for.
    Group,
}

impl Open {
    /// Whether statements or declarations stand in it.
    pub fn has_statements(self) -> bool {
        matches!(self, Open::File | Open::Block | Open::Members)
    }
}

/// The word that a statement hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    If,
    Else,
    Do,
    Try,
    Loop,
}

/// The head of a statement, whose body is still open.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub word: Word,
    /// The indentation of its line.
    pub indent: usize,
}

/// What a statement begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    #[default]
    Plain,
    Probe,
    Layout,
    Case,
}

/// How far the statement at hand has come.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    pub started: bool,
    /// Its first token.
    pub first: usize,
    pub begin: Begin,
    /// The indentation of the line that it begins on.
    pub indent: usize,
    /// The column that its continued lines align with.
    pub align: Option<usize>,
    /// Whether the next token, if on the same line, is what continued lines align with.
    pub align_next: bool,
    /// Whether `=` was seen.
    pub assigned: bool,
    /// The heads whose body it is.
    pub heads: Vec<Head>,
    /// The `if`, `do` or `_try` before it that it may go on with.
    pub after: Option<Head>,
}

/// One level.
#[derive(Clone, Debug)]
pub struct Frame {
    pub open: Open,
    /// The opening token.
    pub token: usize,
    /// The indentation of lines in it.
    pub content: usize,
    /// The indentation of the line that its closing bracket begins.
    pub closing: usize,
    /// Whether the closing brace ends a statement around it.
    pub ends_statement: bool,
    /// Whether it spans lines, so that its braces end lines.
    pub broken: bool,
    /// `?` without their `:`.
    pub questions: u32,
    pub statement: Statement,
}

impl Frame {
    pub fn new(open: Open, token: usize, content: usize, closing: usize) -> Self {
        Self {
            open,
            token,
            content,
            closing,
            ends_statement: false,
            broken: false,
            questions: 0,
            statement: Statement::default(),
        }
    }
}
