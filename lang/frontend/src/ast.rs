//! The syntax tree of a probe file after preprocessing.
//!
//! Parsing needs no target, so the tree keeps open what only names can settle:
//! [`ExpressionKind::Flat`] (is `(a) * b` a cast or a product?), [`SizeofArgument::Name`]
//! (a type or an expression?) and [`ArraySuffix::Name`] (a length or a key type?).

use crate::source::Span;

/// A name with its place. `prefix` is the module or source file of `prefix::name`.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// `libc.so.6` in `libc.so.6::main_arena`.
    pub prefix: Option<String>,
    /// The name, without backquotes.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A whole program: the items of the main file and of everything it includes, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unit {
    /// The items.
    pub items: Vec<Item>,
}

/// A top-level item with the `///` text before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The documentation, lines joined by `\n`.
    pub documentation: Option<String>,
    /// What it is.
    pub kind: ItemKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of top-level items.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `_module "libluajit-5.1.so*", _exe;`: patterns in order (`_exe` as `"_exe"`).
    Module(Vec<(String, Span)>),
    /// `_max_overhead 5;`
    MaxOverhead(Expression),
    /// `_mode live;`
    Mode(Name),
    /// Variables, typedefs, and struct, union and enum definitions.
    Declaration(Declaration),
    /// A function with its body, or a prototype (body `None`).
    Function(Function),
    /// A probe.
    Probe(Probe),
    /// `_option int depth = 64;`
    Option(OptionItem),
    /// `_layout lj { "a" { types… } … } _valid f;`
    Layout(Layout),
    /// `_view kind "title" "unit"` and the declaration that follows.
    View(View),
}

/// A function.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// What it returns.
    pub result: TypeName,
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The body; `None` for a prototype.
    pub body: Option<Block>,
    /// Whether it gives way to another definition: `__attribute__((weak))`.
    pub weak: bool,
    /// Whether what it reads is read when a handler runs, and not captured at the hit: `_late`.
    pub late: bool,
}

/// A parameter of a function or a probe. Containers are passed by reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its type with array suffixes (`struct held held[_path]`).
    pub ty: TypeName,
    /// Its name, if given.
    pub name: Option<Name>,
}

/// A probe: its points, condition and body.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// The point.
    pub point: ProbePoint,
    /// The expression of `_if (…)`.
    pub condition: Option<Expression>,
    /// The body.
    pub body: Block,
}

/// A probe point.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)]
pub enum ProbePoint {
    /// `_oneshot`.
    Oneshot,
    /// `_begin`.
    Begin,
    /// `_end`.
    End,
    /// `_timer.s(n)`, `.ms(n)`, `.profile(hz)`.
    Timer {
        /// `s`, `ms`, `profile` … as written.
        unit: Name,
        /// The number.
        amount: Box<Expression>,
    },
    /// A function of the target, its entry or its return.
    Function {
        /// The function, or a pattern.
        function: FunctionReference,
        /// Its parameters.
        parameters: ProbeParameters,
        /// `-> R r`, `-> r`, `-> _void`.
        result: Option<ProbeResult>,
    },
    /// `_line("file.c", 231)`.
    Line(Vec<Expression>),
    /// `_addr(0x401136)`.
    Address(Box<Expression>),
    /// `_usdt("provider:name") (a, b)`.
    Usdt {
        /// `provider:name`.
        name: Box<Expression>,
        /// Names given to the arguments.
        arguments: Vec<Name>,
    },
    /// `_watch(&var, 8, "w")`.
    Watch(Vec<Expression>),
    /// `_thread_begin`, `_thread_end`, `_exec`, `_exit`, `_signal`, `_page_fault`.
    Process(Name),
}

/// How a probe names its function.
#[derive(Clone, Debug, PartialEq)]
pub enum FunctionReference {
    /// A name; in backquotes it may hold `*` and `?`.
    Named(Name),
    /// `_func(expression)`: named by a constant or an option.
    Computed(Box<Expression>),
}

/// The parameters of a probe on a function.
#[derive(Clone, Debug, PartialEq)]
pub enum ProbeParameters {
    /// None written: `_probe f { }`.
    None,
    /// `(...)`: as the debug information has them.
    Dots,
    /// Declared ones.
    Declared(Vec<Parameter>),
}

/// The result of a return probe.
#[derive(Clone, Debug, PartialEq)]
pub enum ProbeResult {
    /// `-> _void`.
    Void,
    /// `-> r`, with the type of the debug information.
    Named(Name),
    /// `-> R r`.
    Typed(Parameter),
}

/// An option of the script.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionItem {
    /// Its type: an integer, a float, `_Bool` or `_str`.
    pub ty: TypeName,
    /// Its name; `show_keys` is `--show-keys` on the command line.
    pub name: Name,
    /// The default.
    pub default: Option<Expression>,
}

/// Candidate types for a target without type information.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The name of the group.
    pub name: Name,
    /// Candidates in order of preference: a name and its declarations.
    pub candidates: Vec<LayoutCandidate>,
    /// The function that says whether a candidate fits.
    pub valid: Name,
    /// The index of the candidate in use; `None` when the target's debug information has every
    /// type complete. The preprocessor settles it, because `##if…` directives depend on it.
    pub chosen: Option<usize>,
}

/// One candidate of a [`Layout`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayoutCandidate {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Type declarations (and enumerators).
    pub declarations: Vec<Declaration>,
}

/// A view of a global.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// `flamegraph`, `pie`, … as written.
    pub kind: Name,
    /// The title.
    pub title: String,
    /// The unit, if given.
    pub unit: Option<String>,
    /// How it is drawn, if that is given.
    pub form: Option<ViewForm>,
    /// The declaration of the global that is shown.
    pub declaration: Declaration,
}

/// How a view is drawn: `_hist_linear(low, high, step)` or `_hist_log()`.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewForm {
    /// The word.
    pub name: Name,
    /// What stands in the parentheses.
    pub arguments: Vec<Expression>,
}

/// A declaration: specifiers and declarators, as in C.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// `typedef`.
    pub typedef: bool,
    /// The type specifier that all declarators share.
    pub base: TypeSpecifier,
    /// What is declared; empty for `struct s { … };`.
    pub declarators: Vec<InitDeclarator>,
    /// Where it stands.
    pub span: Span,
}

/// One declarator with its initializer.
#[derive(Clone, Debug, PartialEq)]
pub struct InitDeclarator {
    /// The declarator.
    pub declarator: Declarator,
    /// The initializer.
    pub initializer: Option<Initializer>,
}

/// An initializer.
#[derive(Clone, Debug, PartialEq)]
pub enum Initializer {
    /// `= e`.
    Expression(Expression),
    /// `= { … }`, with designators.
    List(Vec<(Vec<Designator>, Initializer)>, Span),
}

/// `.field` or `[index]` in an initializer or `offsetof`.
#[derive(Clone, Debug, PartialEq)]
pub enum Designator {
    /// `.name`.
    Field(Name),
    /// `[index]`.
    Index(Expression),
}

/// A declarator: a name wrapped in derivations, from the name outwards.
///
/// `int *(*f[3])(void)` is the name `f` with `[Array(3), Pointer, Function(void), Pointer]`:
/// read from the name, "array of 3 of pointer to function returning pointer to" the base.
#[derive(Clone, Debug, PartialEq)]
pub struct Declarator {
    /// The name; `None` in an abstract declarator.
    pub name: Option<Name>,
    /// Derivations, the one nearest to the name first.
    pub derivations: Vec<Derivation>,
    /// The width of a bit-field.
    pub bits: Option<Box<Expression>>,
    /// Where it stands.
    pub span: Span,
}

/// One derivation of a declarator.
#[derive(Clone, Debug, PartialEq)]
pub enum Derivation {
    /// `*`.
    Pointer,
    /// `[…]`.
    Array(ArraySuffix),
    /// `(parameters)`.
    Function {
        /// The parameters.
        parameters: Vec<Parameter>,
        /// Whether it ends in `...`.
        variadic: bool,
    },
}

/// What stands between the brackets of a declarator.
#[derive(Clone, Debug, PartialEq)]
pub enum ArraySuffix {
    /// `[]`: a growing array; in a type of the target a flexible one.
    Empty(Span),
    /// `[expression]`: a length.
    Length(Expression),
    /// `[name]`: a key type or a constant; the checker settles which.
    Name(Name),
    /// `[K]`, `[K1, K2]`: key types.
    Keys(Vec<TypeName>, Span),
}

/// A specifier with an abstract (or a parameter's) declarator: `struct s *[4]`.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeName {
    /// The specifier.
    pub base: TypeSpecifier,
    /// Derivations as in [`Declarator`].
    pub derivations: Vec<Derivation>,
    /// Where it stands.
    pub span: Span,
}

/// A type specifier. Qualifiers and storage classes other than `typedef` are accepted and dropped.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeSpecifier {
    /// Keywords of C's own types, normalized: `unsigned long int` is `UnsignedLong`.
    Basic(BasicType, Span),
    /// A name: a typedef of the script, of the target, or `size_t` and its like.
    Named(Name),
    /// `struct`, `union`.
    Record(RecordSpecifier),
    /// `enum`.
    Enum(EnumSpecifier),
    /// `typeof(e)`.
    TypeofExpression(Box<Expression>, Span),
    /// `typeof(T)`.
    TypeofType(Box<TypeName>, Span),
}

/// C's own types and the tracer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BasicType {
    Void,
    Bool,
    Char,
    SignedChar,
    UnsignedChar,
    Short,
    UnsignedShort,
    Int,
    UnsignedInt,
    Long,
    UnsignedLong,
    LongLong,
    UnsignedLongLong,
    Float,
    Double,
    LongDouble,
    /// `_str`.
    Str,
    /// `_path`.
    Path,
    /// `_agg`.
    Aggregate,
    /// `_fault`.
    Fault,
}

/// `struct tag { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordSpecifier {
    /// Whether it is a union.
    pub union: bool,
    /// Whether it is packed: members at the next byte, bit-fields at the next bit.
    pub packed: bool,
    /// The tag.
    pub tag: Option<Name>,
    /// The members; `None` for a mere reference.
    pub members: Option<Vec<Declaration>>,
    /// Where it stands.
    pub span: Span,
}

/// `enum tag { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumSpecifier {
    /// The tag.
    pub tag: Option<Name>,
    /// The enumerators; `None` for a mere reference.
    pub enumerators: Option<Vec<(Name, Option<Expression>)>>,
    /// Where it stands.
    pub span: Span,
}

/// `{ … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The statements.
    pub statements: Vec<Statement>,
    /// Where it stands.
    pub span: Span,
}

/// A statement with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `;`
    Empty,
    /// `e;`
    Expression(Expression),
    /// A declaration of locals (or of types).
    Declaration(Declaration),
    /// `{ … }`
    Block(Block),
    /// `if (c) a else b`
    If(Expression, Box<Statement>, Option<Box<Statement>>),
    /// `while (c) s`
    While(Expression, Box<Statement>),
    /// `do s while (c);`
    DoWhile(Box<Statement>, Expression),
    /// `for (init; c; step) s`; `init` is a declaration, an expression or empty.
    For {
        /// The first part.
        init: Option<Box<Statement>>,
        /// The condition.
        condition: Option<Expression>,
        /// The last part.
        step: Option<Expression>,
        /// The body.
        body: Box<Statement>,
    },
    /// `_foreach (k, v in t _by e _desc _limit n) s`
    Foreach(Box<Foreach>),
    /// `switch (e) s`
    Switch(Expression, Box<Statement>),
    /// `case e:` (or GNU's `case a ... b:`) and the statement that follows.
    Case(Expression, Option<Expression>, Box<Statement>),
    /// `default:` and the statement that follows.
    Default(Box<Statement>),
    /// `label:` and the statement that follows.
    Label(Name, Box<Statement>),
    /// `goto label;`
    Goto(Name),
    /// `break;`
    Break,
    /// `continue;`
    Continue,
    /// `return e;`
    Return(Option<Expression>),
    /// `_try { } _catch (_fault f) { }`
    Try {
        /// The guarded block.
        body: Block,
        /// The name of the fault, if given.
        fault: Option<Name>,
        /// The handler.
        handler: Block,
    },
    /// `_delete a[k];`
    Delete(Expression),
    /// `_sort(a _by e _desc);`
    Sort {
        /// The array.
        container: Expression,
        /// The key; the element itself is named `_` … if absent, the element's own value.
        by: Option<Expression>,
        /// `_desc`.
        descending: bool,
    },
    /// A place that could not be parsed; an error has been reported.
    Error,
}

/// `_foreach`.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreach {
    /// The names before `in` that are certainly keys: `k` of `k, v`; `a`, `b` of `(a, b), v` and
    /// of `(a, b)` (which has no value); none where a single name stands.
    pub keys: Vec<Name>,
    /// The last name: the value of a table or the element of an array. With a single name over
    /// a table that name is the key, over an array the element.
    pub value: Option<Name>,
    /// What is iterated.
    pub container: Expression,
    /// `_by e`.
    pub by: Option<Expression>,
    /// `_desc`.
    pub descending: bool,
    /// `_limit n`.
    pub limit: Option<Expression>,
    /// The body.
    pub body: Statement,
}

/// An expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    /// An integer literal.
    Integer(IntegerLiteral),
    /// A floating-point literal; the flag is the suffix `f`.
    Float(f64, bool),
    /// A character literal's value.
    Character(i64),
    /// A string literal, adjacent ones joined, escapes resolved.
    String(Vec<u8>),
    /// `rx/…/`.
    Regex(String),
    /// A name.
    Name(Name),
    /// `$0`, `$1`.
    Capture(u32),
    /// A prefix operator.
    Unary(UnaryOperator, Box<Expression>),
    /// `++x`, `--x`, `x++`, `x--`.
    Step {
        /// `+1` or `-1`.
        increment: bool,
        /// Whether it stands before the operand.
        prefix: bool,
        /// The operand.
        operand: Box<Expression>,
    },
    /// An infix operator.
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    /// A chain in which `(name)` stands before `* & + - (`: operands and operators as written,
    /// to which the checker gives precedence once it knows what the names are, by
    /// [`crate::flat::resolve`].
    Flat(Vec<FlatPart>),
    /// `c ? a : b`; GNU's `c ?: b` has no middle.
    Conditional(Box<Expression>, Option<Box<Expression>>, Box<Expression>),
    /// `=` or `op=`.
    Assign(Option<BinaryOperator>, Box<Expression>, Box<Expression>),
    /// `a <<< v`.
    AggregateAdd(Box<Expression>, Box<Expression>),
    /// `a, b`.
    Comma(Box<Expression>, Box<Expression>),
    /// `(T) e`.
    Cast(Box<TypeName>, Box<Expression>),
    /// `(T) { … }`.
    CompoundLiteral(Box<TypeName>, Vec<(Vec<Designator>, Initializer)>),
    /// `f(a, b)`.
    Call(Box<Expression>, Vec<Argument>),
    /// `a[i]`, `n[i, s]`.
    Index(Box<Expression>, Vec<Expression>),
    /// `e.name` or (arrow) `e->name`.
    Member {
        /// The left side.
        object: Box<Expression>,
        /// Whether it is `->`.
        arrow: bool,
        /// The member.
        member: Name,
    },
    /// `sizeof …`.
    Sizeof(SizeofArgument),
    /// `offsetof(T, a.b[2])`.
    Offsetof(Box<TypeName>, Vec<Designator>),
    /// `_container_of(p, T, member)`.
    ContainerOf(Box<Expression>, Box<TypeName>, Vec<Designator>),
    /// `k in t`, `(a, b) in t`.
    In(Vec<Expression>, Box<Expression>),
    /// `s ~~ rx/…/` and (negated) `s !~~ rx/…/`.
    Match {
        /// The string.
        subject: Box<Expression>,
        /// The regex: a literal or a constant string.
        pattern: Box<Expression>,
        /// `!~~`.
        negated: bool,
    },
    /// A place that could not be parsed; an error has been reported.
    Error,
}

/// An argument of a call: some built-ins take types.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// An expression.
    Expression(Expression),
    /// A type.
    Type(TypeName),
}

/// The argument of `sizeof`.
#[derive(Clone, Debug, PartialEq)]
pub enum SizeofArgument {
    /// `sizeof(struct s)`.
    Type(Box<TypeName>),
    /// `sizeof e`.
    Expression(Box<Expression>),
    /// `sizeof(name)`: a type or an expression.
    Name(Name),
}

/// A part of [`ExpressionKind::Flat`]. Prefix operators stand as parts of their own.
#[derive(Clone, Debug, PartialEq)]
pub enum FlatPart {
    /// An operand without ambiguity.
    Operand(Expression),
    /// `(name)`: a cast or a parenthesized operand.
    Parenthesized(Name, Span),
    /// `(…)` that follows `(name)`: the operand of a cast, or the arguments of a call.
    Group(Vec<Argument>, Span),
    /// A certain cast `(T)`.
    Cast(TypeName, Span),
    /// What follows a [`FlatPart::Group`]: it belongs to the call `name(…)`, or, where `(name)`
    /// is a cast, to the parenthesized operand.
    Suffix(FlatSuffix, Span),
    /// `+ - * & ~ ! …` between or before operands.
    Operator(FlatOperator, Span),
}

/// A postfix operator in a [`FlatPart`].
#[derive(Clone, Debug, PartialEq)]
pub enum FlatSuffix {
    /// `[i]`, `[i, s]`.
    Index(Vec<Expression>),
    /// `(a, b)`.
    Call(Vec<Argument>),
    /// `.name` or (arrow) `->name`.
    Member {
        /// Whether it is `->`.
        arrow: bool,
        /// The member.
        member: Name,
    },
    /// `++` (or `--` when `increment` is false).
    Step {
        /// Whether it is `++`.
        increment: bool,
    },
}

/// An operator in a [`FlatPart`]; `Star`, `Ampersand`, `Plus`, `Minus` may be prefix or infix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlatOperator {
    /// `*`.
    Star,
    /// `&`.
    Ampersand,
    /// `+`.
    Plus,
    /// `-`.
    Minus,
    /// A certain infix operator.
    Infix(BinaryOperator),
    /// A certain prefix operator.
    Prefix(UnaryOperator),
    /// `in`, with the precedence of `<`.
    In,
    /// `~~` or (negated) `!~~`, with the precedence of `==`.
    Match {
        /// Whether it is `!~~`.
        negated: bool,
    },
}

/// An integer literal with what its suffix and base say of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegerLiteral {
    /// The value.
    pub value: u64,
    /// Suffix `u`.
    pub unsigned: bool,
    /// Number of `l` in the suffix, 0 to 2.
    pub longs: u8,
    /// Whether it is decimal (others may become unsigned without a suffix).
    pub decimal: bool,
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum UnaryOperator {
    Plus,
    Negate,
    Complement,
    Not,
    Dereference,
    AddressOf,
}

/// Infix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOperator {
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Xor,
    Or,
    LogicalAnd,
    LogicalOr,
}
