//! What the grammar sees: words told apart, literals with their values.

use std::rc::Rc;

use crate::ast::{BinaryOperator, IntegerLiteral, Name, UnaryOperator};
use crate::diagnostics::Diagnostic;
use crate::lexer::{Token, TokenKind};
use crate::lexer_literals::{self, Number};
use crate::source::Span;

/// A word of a type specifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TypeWord {
    Void,
    Bool,
    Char,
    Short,
    Int,
    Long,
    Float,
    Double,
    Signed,
    Unsigned,
    Str,
    Path,
    Aggregate,
    Fault,
}

/// A terminal of the grammar.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Terminal {
    Identifier(Name),
    /// A name that look-ahead shows to be a type.
    TypeName(Name),
    /// `(name)` before `* & + - (` or after `sizeof`; the span is that of the whole.
    ParenthesizedName(Name, Span),
    Integer(IntegerLiteral),
    Float(f64, bool),
    Character(i64),
    String(Vec<u8>),
    Regex(String),
    Capture(u32),
    Documentation(String),

    TypeWord(TypeWord),
    /// `const`, `static` and others without meaning here.
    Qualifier,
    /// `__attribute__` and `__asm__`, which a parenthesis follows.
    Attribute,
    Struct {
        union: bool,
        prefix: Option<String>,
        /// Whether `__attribute__((packed))` belongs to it.
        packed: bool,
    },
    Enum {
        prefix: Option<String>,
    },
    Typedef,
    Typeof,
    Sizeof,
    Offsetof,
    ContainerOf,
    If,
    Else,
    While,
    Do,
    For,
    Switch,
    Case,
    Default,
    Break,
    Continue,
    Return,
    Goto,
    Foreach,
    By,
    Descending,
    Limit,
    Try,
    Catch,
    Delete,
    Sort,
    In,
    Probe,
    ProbeIf,
    Option,
    View,
    Module,
    Mode,
    MaxOverhead,
    Layout,
    Valid,
    Exe,
    VoidResult,
    Oneshot,
    Begin,
    End,
    Timer,
    FunctionPoint,
    LinePoint,
    AddressPoint,
    Usdt,
    Watch,
    ProcessPoint(Name),

    LeftParenthesis,
    RightParenthesis,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    Semicolon,
    Comma,
    Dot,
    Arrow,
    Dots,
    Question,
    Colon,
    Equals,
    Assign(BinaryOperator),
    Infix(BinaryOperator),
    Star,
    Ampersand,
    Plus,
    Minus,
    Prefix(UnaryOperator),
    Match,
    NotMatch,
    Step(bool),
    AggregateAdd,
    /// Stands for a statement that could not be parsed.
    ErrorStatement,
    /// An operator that the language does not have.
    Other,
}

/// A terminal with its place.
#[derive(Clone, Debug)]
pub struct Lexeme {
    /// The terminal.
    pub terminal: Terminal,
    /// Where it stands.
    pub span: Span,
    /// As written, for messages.
    pub text: Rc<str>,
    /// Whether it is the first on its line.
    pub first: bool,
    /// Whether `__attribute__((weak))` stands before it.
    pub weak: bool,
}

impl Lexeme {
    /// Whether it is this terminal (for those without a value).
    pub fn is(&self, terminal: &Terminal) -> bool {
        self.terminal == *terminal
    }
}

/// Turns preprocessed tokens into terminals: words are told apart, literals get their values,
/// adjacent strings join.
pub fn terminals(tokens: Vec<Token>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Lexeme> {
    let mut lexemes: Vec<Lexeme> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let terminal = terminal(&token, lexemes.last(), diagnostics);
        if let Terminal::String(bytes) = &terminal {
            // The title and the unit of a view stay apart.
            let length = lexemes.len();
            let titled = length >= 3
                && lexemes
                    .get(length - 3)
                    .is_some_and(|lexeme| lexeme.is(&Terminal::View) || &*lexeme.text == "view");
            if let Some(Lexeme {
                terminal: Terminal::String(before),
                span,
                ..
            }) = lexemes.last_mut()
                && !titled
            {
                before.extend_from_slice(bytes);
                *span = span.to(token.span);
                continue;
            }
        }
        lexemes.push(Lexeme {
            terminal,
            span: token.span,
            text: match token.prefix {
                Some(_) => Rc::from(token.spelling()),
                None => token.text,
            },
            first: token.first,
            weak: false,
        });
    }
    mark_in(&mut lexemes);
    lexemes
}

/// `in` is an operator between the last token of an operand and a name.
fn mark_in(lexemes: &mut [Lexeme]) {
    let mut operand_before = false;
    for index in 0..lexemes.len() {
        let name_follows = lexemes
            .get(index + 1)
            .is_some_and(|next| matches!(next.terminal, Terminal::Identifier(_)));
        let Some(lexeme) = lexemes.get_mut(index) else {
            break;
        };
        if operand_before
            && name_follows
            && &*lexeme.text == "in"
            && matches!(&lexeme.terminal, Terminal::Identifier(_))
        {
            lexeme.terminal = Terminal::In;
        }
        operand_before = matches!(
            &lexeme.terminal,
            Terminal::Identifier(_)
                | Terminal::Integer(_)
                | Terminal::Float(..)
                | Terminal::Character(_)
                | Terminal::String(_)
                | Terminal::Capture(_)
                | Terminal::RightParenthesis
                | Terminal::RightBracket
        );
    }
}

fn terminal(token: &Token, before: Option<&Lexeme>, diagnostics: &mut Vec<Diagnostic>) -> Terminal {
    let text = &*token.text;
    match token.kind {
        TokenKind::Identifier => word(token, before),
        TokenKind::Quoted => Terminal::Identifier(name(token)),
        TokenKind::Number => match lexer_literals::number(text) {
            Ok(Number::Integer(integer)) => Terminal::Integer(integer),
            Ok(Number::Float(value, single)) => Terminal::Float(value, single),
            Err(message) => {
                diagnostics.push(Diagnostic::error(
                    token.span,
                    format!("`{text}` is no number"),
                    message,
                ));
                Terminal::Integer(IntegerLiteral {
                    value: 0,
                    unsigned: false,
                    longs: 0,
                    decimal: true,
                })
            }
        },
        TokenKind::Character => Terminal::Character(match lexer_literals::character(text) {
            Ok(value) => value,
            Err(message) => {
                diagnostics.push(Diagnostic::error(
                    token.span,
                    "wrong character literal",
                    message,
                ));
                0
            }
        }),
        TokenKind::String => Terminal::String(match lexer_literals::string(text) {
            Ok(bytes) => bytes,
            Err((offset, message)) => {
                // Point at the escape where the token stands in the text as written.
                let mut span = token.span;
                if span.end as usize - span.start as usize == text.len() {
                    span.start += offset as u32;
                }
                diagnostics.push(Diagnostic::error(span, "wrong escape in a string", message));
                Vec::new()
            }
        }),
        TokenKind::Regex => Terminal::Regex(text.to_owned()),
        TokenKind::Capture => match text.get(1..).unwrap_or_default().parse() {
            Ok(index) => Terminal::Capture(index),
            Err(_) => {
                diagnostics.push(Diagnostic::error(
                    token.span,
                    format!("`{text}` is no capture"),
                    "captures are numbered from `$0`",
                ));
                Terminal::Capture(0)
            }
        },
        TokenKind::Documentation => Terminal::Documentation(text.to_owned()),
        TokenKind::Punctuator => punctuator(text),
        TokenKind::Placemarker => Terminal::Other,
    }
}

fn name(token: &Token) -> Name {
    Name {
        prefix: token.prefix.as_deref().map(str::to_owned),
        text: token.text.to_string(),
        span: token.span,
    }
}

/// A word, told apart by its text and, for probe points, by the `_probe` before it.
fn word(token: &Token, before: Option<&Lexeme>) -> Terminal {
    let prefix = token.prefix.as_deref().map(str::to_owned);
    match &*token.text {
        "struct" => {
            return Terminal::Struct {
                union: false,
                prefix,
                packed: false,
            };
        }
        "union" => {
            return Terminal::Struct {
                union: true,
                prefix,
                packed: false,
            };
        }
        "enum" => return Terminal::Enum { prefix },
        _ => {}
    }
    if prefix.is_some() {
        return Terminal::Identifier(name(token));
    }
    match before.map(|before| &before.terminal) {
        // A member may have any name.
        Some(Terminal::Dot | Terminal::Arrow) if token.text.starts_with('_') => {
            return match &*token.text {
                "_void" => Terminal::VoidResult,
                // In C no member has it; a result can.
                "_Bool" => Terminal::TypeWord(TypeWord::Bool),
                _ => Terminal::Identifier(name(token)),
            };
        }
        Some(Terminal::Probe) => match &*token.text {
            "_thread_begin" | "_thread_end" | "_exec" | "_exit" | "_signal" | "_page_fault" => {
                return Terminal::ProcessPoint(name(token));
            }
            text => {
                if let Some(point) = point(text) {
                    return point;
                }
            }
        },
        _ => {}
    }
    match &*token.text {
        "void" => Terminal::TypeWord(TypeWord::Void),
        "_Bool" => Terminal::TypeWord(TypeWord::Bool),
        "char" => Terminal::TypeWord(TypeWord::Char),
        "short" => Terminal::TypeWord(TypeWord::Short),
        "int" => Terminal::TypeWord(TypeWord::Int),
        "long" => Terminal::TypeWord(TypeWord::Long),
        "float" => Terminal::TypeWord(TypeWord::Float),
        "double" => Terminal::TypeWord(TypeWord::Double),
        "signed" | "__signed__" => Terminal::TypeWord(TypeWord::Signed),
        "unsigned" => Terminal::TypeWord(TypeWord::Unsigned),
        "_str" => Terminal::TypeWord(TypeWord::Str),
        "_path" => Terminal::TypeWord(TypeWord::Path),
        "_agg" => Terminal::TypeWord(TypeWord::Aggregate),
        "_fault" => Terminal::TypeWord(TypeWord::Fault),
        "const" | "volatile" | "restrict" | "static" | "extern" | "inline" | "register"
        | "auto" | "__const" | "__volatile__" | "__restrict" | "__restrict__" | "__inline"
        | "__inline__" | "__extension__" | "_Noreturn" | "_Atomic" | "_late" => Terminal::Qualifier,
        "__attribute__" | "__attribute" => Terminal::Attribute,
        "typedef" => Terminal::Typedef,
        "typeof" | "__typeof__" | "__typeof" => Terminal::Typeof,
        "sizeof" => Terminal::Sizeof,
        "offsetof" | "__builtin_offsetof" => Terminal::Offsetof,
        "_container_of" => Terminal::ContainerOf,
        "if" => Terminal::If,
        "else" => Terminal::Else,
        "while" => Terminal::While,
        "do" => Terminal::Do,
        "for" => Terminal::For,
        "switch" => Terminal::Switch,
        "case" => Terminal::Case,
        "default" => Terminal::Default,
        "break" => Terminal::Break,
        "continue" => Terminal::Continue,
        "return" => Terminal::Return,
        "goto" => Terminal::Goto,
        "_foreach" => Terminal::Foreach,
        "_by" => Terminal::By,
        "_desc" => Terminal::Descending,
        "_limit" => Terminal::Limit,
        "_try" => Terminal::Try,
        "_catch" => Terminal::Catch,
        "_delete" => Terminal::Delete,
        "_sort" => Terminal::Sort,
        "_probe" => Terminal::Probe,
        "_if" => Terminal::ProbeIf,
        "_option" => Terminal::Option,
        "_view" => Terminal::View,
        "_module" => Terminal::Module,
        "_mode" => Terminal::Mode,
        "_max_overhead" => Terminal::MaxOverhead,
        "_layout" => Terminal::Layout,
        "_valid" => Terminal::Valid,
        "_exe" => Terminal::Exe,
        "_void" => Terminal::VoidResult,
        _ => Terminal::Identifier(name(token)),
    }
}

/// The probe point of a word, where it has no name of its own.
pub(crate) fn point(text: &str) -> Option<Terminal> {
    Some(match text {
        "_oneshot" => Terminal::Oneshot,
        "_begin" => Terminal::Begin,
        "_end" => Terminal::End,
        "_timer" => Terminal::Timer,
        "_func" => Terminal::FunctionPoint,
        "_line" => Terminal::LinePoint,
        "_addr" => Terminal::AddressPoint,
        "_usdt" => Terminal::Usdt,
        "_watch" => Terminal::Watch,
        _ => return None,
    })
}

fn punctuator(text: &str) -> Terminal {
    use BinaryOperator as Binary;
    match text {
        "(" => Terminal::LeftParenthesis,
        ")" => Terminal::RightParenthesis,
        "[" => Terminal::LeftBracket,
        "]" => Terminal::RightBracket,
        "{" => Terminal::LeftBrace,
        "}" => Terminal::RightBrace,
        ";" => Terminal::Semicolon,
        "," => Terminal::Comma,
        "." => Terminal::Dot,
        "->" => Terminal::Arrow,
        "..." => Terminal::Dots,
        "?" => Terminal::Question,
        ":" => Terminal::Colon,
        "=" => Terminal::Equals,
        "*=" => Terminal::Assign(Binary::Multiply),
        "/=" => Terminal::Assign(Binary::Divide),
        "%=" => Terminal::Assign(Binary::Remainder),
        "+=" => Terminal::Assign(Binary::Add),
        "-=" => Terminal::Assign(Binary::Subtract),
        "<<=" => Terminal::Assign(Binary::ShiftLeft),
        ">>=" => Terminal::Assign(Binary::ShiftRight),
        "&=" => Terminal::Assign(Binary::And),
        "^=" => Terminal::Assign(Binary::Xor),
        "|=" => Terminal::Assign(Binary::Or),
        "*" => Terminal::Star,
        "&" => Terminal::Ampersand,
        "+" => Terminal::Plus,
        "-" => Terminal::Minus,
        "/" => Terminal::Infix(Binary::Divide),
        "%" => Terminal::Infix(Binary::Remainder),
        "<<" => Terminal::Infix(Binary::ShiftLeft),
        ">>" => Terminal::Infix(Binary::ShiftRight),
        "<" => Terminal::Infix(Binary::Less),
        "<=" => Terminal::Infix(Binary::LessEqual),
        ">" => Terminal::Infix(Binary::Greater),
        ">=" => Terminal::Infix(Binary::GreaterEqual),
        "==" => Terminal::Infix(Binary::Equal),
        "!=" => Terminal::Infix(Binary::NotEqual),
        "^" => Terminal::Infix(Binary::Xor),
        "|" => Terminal::Infix(Binary::Or),
        "&&" => Terminal::Infix(Binary::LogicalAnd),
        "||" => Terminal::Infix(Binary::LogicalOr),
        "!" => Terminal::Prefix(UnaryOperator::Not),
        "~" => Terminal::Prefix(UnaryOperator::Complement),
        "~~" => Terminal::Match,
        "!~~" => Terminal::NotMatch,
        "++" => Terminal::Step(true),
        "--" => Terminal::Step(false),
        "<<<" => Terminal::AggregateAdd,
        _ => Terminal::Other,
    }
}
