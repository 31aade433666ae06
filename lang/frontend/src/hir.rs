//! The typed program: what the checker makes of the syntax tree.
//!
//! Every name is resolved, every conversion explicit, every constant folded that the language
//! calls constant. Scalars are integers (`_Bool`, integers, enumerations, pointers), floats, and
//! the handles `_str` and `_path`. Evaluation order is left to right throughout.

use crate::abi::CallLayout;
use crate::source::Span;
use crate::target::{ModuleId, Scope};
use crate::types::{TypeId, Types};
use ytrace_values::{Operation, constants::Scalar};

/// Index of a [`Function`] in [`Program::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(pub u32);

/// Index of a [`Global`] in [`Program::globals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GlobalId(pub u32);

/// Index of a [`Local`] in [`Function::locals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalId(pub u32);

/// A label of a `goto` within one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelId(pub u32);

/// A checked program.
#[derive(Clone, Debug)]
pub struct Program {
    /// The types.
    pub types: Types,
    /// Global variables of the script, options first.
    pub globals: Vec<Global>,
    /// Functions: those of the script, and one for the body of each probe.
    pub functions: Vec<Function>,
    /// Probes in order of declaration.
    pub probes: Vec<Probe>,
    /// Options in order of declaration.
    pub options: Vec<ScriptOption>,
    /// Views in order of declaration.
    pub views: Vec<View>,
    /// Thread-local variables of the target, by the index that [`Operation::ThreadLocal`] takes.
    pub thread_locals: Vec<ThreadLocal>,
    /// Whether the program asks for the stacks of threads.
    pub stacks: bool,
    /// Whether a thread pointer is asked for by its register's name: `_reg("fs_base", tid)` on x86-64, `_reg("tpidr_el0", tid)`
    /// on arm64.
    pub thread_pointers: bool,
    /// Whether the program says (`_mode live;`) that it needs no pause: what it reads may change meanwhile.
    pub live: bool,
    /// By how many per cent the program may slow the target down (`_max_overhead 5;`), where it says so.
    pub max_overhead: Option<u64>,
    /// The groups of `_layout`, each with the candidate that this program was checked with.
    pub layouts: Vec<LayoutUse>,
    /// Checked formats, by the index in [`ExpressionKind::Format`].
    pub formats: Vec<Vec<FormatPiece>>,
    /// Regular expressions, by the index that [`Operation::StrMatch`] takes.
    pub regexes: Vec<String>,
    /// What a program that was typed in shows.
    pub shown: Option<Shown>,
}

/// What a program that was typed in ([`crate::compile::compile_fragment`]) shows when its handler has run.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Where it is.
    pub value: ShownValue,
    /// Its type.
    pub ty: TypeId,
    /// How many bits it has, if it is a bit-field.
    pub bits: Option<u32>,
}

/// Where what is shown is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownValue {
    /// In a global, which the handler sets. The format with this index is one conversion that tells how it looks.
    Value {
        /// The global.
        global: GlobalId,
        /// The index in [`Program::formats`].
        format: u32,
    },
    /// In the target's memory, at the address in a global, which the handler sets. The format is as above.
    Target {
        /// The global.
        global: GlobalId,
        /// The index in [`Program::formats`].
        format: u32,
    },
    /// A container in a global.
    Container(GlobalId),
    /// A text about it, in a global, which the handler sets.
    Text(GlobalId),
}

/// A thread-local variable of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadLocal {
    /// The module.
    pub module: crate::target::ModuleId,
    /// Offset in the module's block.
    pub offset: u64,
    /// The name.
    pub name: String,
}

/// What became of a `_layout`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutUse {
    /// The name of the group.
    pub group: String,
    /// The candidate in use; `None` when debug information supplies the types.
    pub candidate: Option<String>,
    /// All candidates in order.
    pub candidates: Vec<String>,
    /// The validator, which takes nothing and returns an integer.
    pub valid: FunctionId,
    /// Where it stands.
    pub span: Span,
}

/// A global variable of the script.
#[derive(Clone, Debug)]
pub struct Global {
    /// The name.
    pub name: String,
    /// The type; may be a container.
    pub ty: TypeId,
    /// The initializer as statements over the global, run before everything else.
    pub initializer: Vec<Statement>,
    /// Where it is declared.
    pub span: Span,
    /// The `///` text.
    pub documentation: Option<String>,
}

/// An option of the script. Its value lies in a global.
#[derive(Clone, Debug)]
pub struct ScriptOption {
    /// The name, with `_` for the `-` of the command line.
    pub name: String,
    /// The global.
    pub global: GlobalId,
    /// The kind of value.
    pub kind: OptionKind,
    /// The `///` text.
    pub documentation: Option<String>,
    /// The value in force: the default, or what the command line gave.
    pub value: OptionValue,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// `_Bool`: a switch.
    Switch,
    /// A signed or unsigned integer of so many bytes; suffixes K, M, G are allowed.
    Integer {
        /// Size in bytes.
        size: u8,
        /// Whether it is signed.
        signed: bool,
    },
    /// A `double` or `float`.
    Float,
    /// A `_str`.
    Str,
    /// An array of two integers: the ends of a range.
    Range {
        /// Size of each in bytes.
        size: u8,
        /// Whether they are signed.
        signed: bool,
    },
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// An integer or a switch.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A string.
    Str(Vec<u8>),
    /// The least and the greatest of a range, with the bits that their type has.
    Range {
        /// The least.
        least: i64,
        /// The greatest.
        greatest: i64,
        /// Size of each in bytes.
        size: u8,
    },
}

/// A view of a global.
#[derive(Clone, Debug)]
pub struct View {
    /// The kind.
    pub kind: ViewKind,
    /// The title.
    pub title: String,
    /// The unit, or empty.
    pub unit: String,
    /// The rows of a histogram.
    pub rows: HistogramRows,
    /// The global that is shown.
    pub global: GlobalId,
    /// Where it is declared.
    pub span: Span,
}

/// The rows of a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistogramRows {
    /// Powers of two.
    #[default]
    Logarithmic,
    /// `step` values each, from `low` up to `high`. From 1 to 1000 of them.
    Linear {
        /// The least value of the first row.
        low: i64,
        /// Where the last row ends; larger values have a row of their own.
        high: i64,
        /// How many values a row takes.
        step: i64,
    },
}

/// Kinds of views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ViewKind {
    Flamegraph,
    Pie,
    Bars,
    Histogram,
    Table,
    Series,
    Heapmap,
}

/// A probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// When it runs.
    pub point: ProbePoint,
    /// The handler; takes nothing and returns nothing.
    pub function: FunctionId,
    /// Where its head stands.
    pub span: Span,
}

/// A resolved probe point.
#[derive(Clone, Debug, PartialEq)]
pub enum ProbePoint {
    /// Once, on a consistent view of the target.
    Oneshot,
    /// Before the first probe.
    Begin,
    /// After the last probe.
    End,
    /// Every so many nanoseconds.
    Timer(u64),
    /// So many times a second, on each of the target's threads that runs.
    Profile(u64),
    /// At something that the target does.
    Event(Box<EventPoint>),
}

/// Something that the target does.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPoint {
    /// Where.
    pub site: EventSite,
    /// Whether the handler runs when the function returns.
    pub at_return: bool,
    /// Functions without parameters that run when the function is entered, for a handler that runs at its return. Each gives
    /// a word, which [`Operation::EntryValue`] asks for by its index here.
    pub entry_values: Vec<FunctionId>,
    /// The functions that are waited for, besides those that there are already.
    pub awaited: Option<AwaitedFunctions>,
    /// Whether the handler uses parameters of the function, which it finds where the functions of `site` have them.
    pub takes_arguments: bool,
    /// Copies of functions that the point is not on, by name, and why.
    pub left_out: Vec<(String, String)>,
}

/// Functions that a library may have that is not loaded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedFunctions {
    /// Where they are looked up.
    pub scope: Scope,
    /// Their name, or a pattern.
    pub name: String,
    /// The types of the parameters that the head has, in order.
    pub parameters: Vec<TypeId>,
    /// That of the result, if the head names it.
    pub result: Option<TypeId>,
    /// Where the handler looks for them.
    pub layout: CallLayout,
}

/// Where an event is waited for.
#[derive(Clone, Debug, PartialEq)]
pub enum EventSite {
    /// Functions of the target, one or those that a pattern matches, with the copies that the compiler has made of them.
    Functions(Vec<EventFunction>),
    /// The addresses of a line of the source.
    Line {
        /// The file, as written.
        file: String,
        /// The line, from 1.
        line: u64,
    },
    /// An address of code.
    Address(u64),
    /// A static probe.
    Static {
        /// Who provides it.
        provider: String,
        /// Its name.
        name: String,
        /// How many of its arguments the head names.
        named: usize,
    },
    /// Access to memory of the target.
    Watch {
        /// Where.
        address: u64,
        /// How many bytes: 1, 2, 4 or 8.
        length: u64,
        /// Whether reads count, too.
        reads: bool,
    },
    /// What becomes of the process and its threads.
    Process(ProcessEvent),
}

/// A function that a probe is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFunction {
    /// Its name.
    pub name: String,
    /// Its module.
    pub module: ModuleId,
    /// Where it begins.
    pub address: u64,
}

/// An event of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessEvent {
    /// A thread begins.
    ThreadBegin,
    /// A thread ends.
    ThreadEnd,
    /// The process executes another program.
    Exec,
    /// The process ends.
    Exit,
    /// A signal is delivered.
    Signal,
    /// A thread uses a page that is not mapped for it yet.
    PageFault,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name; for a probe, how its head is written.
    pub name: String,
    /// How many of the first locals are parameters. Container parameters are references.
    pub parameters: u32,
    /// The locals.
    pub locals: Vec<Local>,
    /// What it returns; never a container.
    pub result: TypeId,
    /// The body.
    pub body: Vec<Statement>,
    /// Whether what it reads is read when a handler runs, and not captured at the hit.
    pub late: bool,
    /// Where it stands.
    pub span: Span,
}

/// A local variable. It is zero (or empty) where its declaration is reached.
#[derive(Clone, Debug)]
pub struct Local {
    /// The name.
    pub name: String,
    /// The type; may be a container.
    pub ty: TypeId,
    /// Where it is declared.
    pub span: Span,
}

/// A statement with its place.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// An expression for its effects.
    Expression(Expression),
    /// The declaration of a local is reached: it becomes zero, or a fresh container, which is
    /// freed at the end of the innermost enclosing [`StatementKind::Block`].
    Declare(LocalId),
    /// A scope.
    Block(Vec<Statement>),
    /// `if`.
    If(Expression, Vec<Statement>, Vec<Statement>),
    /// All loops of C. `condition` is tested before the body unless `test_last`; `step` runs
    /// after the body, also on `continue`.
    Loop {
        /// The condition, or `None` for an endless loop.
        condition: Option<Expression>,
        /// Whether it is tested after the body (`do … while`).
        test_last: bool,
        /// The step of a `for`.
        step: Option<Expression>,
        /// The body.
        body: Vec<Statement>,
    },
    /// `_foreach`.
    Foreach(Box<Foreach>),
    /// `switch` over an integer; cases refer to positions by label.
    Switch {
        /// The value, converted to the promoted type.
        value: Expression,
        /// Inclusive ranges (as 64-bit words of the promoted type, compared as `signed` says)
        /// with their labels.
        cases: Vec<(u64, u64, LabelId)>,
        /// Whether the promoted type is signed.
        signed: bool,
        /// The label of `default`.
        default: Option<LabelId>,
        /// The body, with [`StatementKind::Label`] at each case. `break` leaves it.
        body: Vec<Statement>,
    },
    /// A place to which `goto` or `switch` can go.
    Label(LabelId),
    /// `goto`.
    Goto(LabelId),
    /// `break` of the innermost loop or switch.
    Break,
    /// `continue` of the innermost loop.
    Continue,
    /// `return`.
    Return(Option<Expression>),
    /// `_try`. A caught fault is stored in `fault` (a record `{ _str kind; void *addr;
    /// _str message; _str span; }`) if it has a name.
    Try {
        /// The guarded statements.
        body: Vec<Statement>,
        /// The local that takes the fault.
        fault: Option<LocalId>,
        /// The handler.
        handler: Vec<Statement>,
    },
    /// `_delete`.
    Delete {
        /// The table.
        container: Container,
        /// Key words, one expression a declared key (records are flattened by the lowering).
        keys: Vec<Expression>,
    },
    /// `_sort` of an array.
    Sort {
        /// The array.
        container: Container,
        /// The local that holds an element while `by` is evaluated.
        element: LocalId,
        /// The key; a scalar.
        by: Expression,
        /// Whether the greatest comes first.
        descending: bool,
    },
}

/// `_foreach`.
#[derive(Clone, Debug)]
pub struct Foreach {
    /// What is iterated.
    pub container: Container,
    /// Locals that take the keys of a table, or the index of an array (at most one).
    pub keys: Vec<LocalId>,
    /// The local that takes the value. If the value is itself a container, the local is a
    /// reference to it.
    pub value: Option<LocalId>,
    /// The sort key, in terms of the locals above; a scalar.
    pub by: Option<Expression>,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// The most elements.
    pub limit: Option<Expression>,
    /// The body.
    pub body: Vec<Statement>,
}

/// A reference to a container.
#[derive(Clone, Debug)]
pub struct Container {
    /// How it is reached.
    pub kind: ContainerKind,
    /// Its type: [`crate::types::Type::Growing`], `Table` or `Aggregate`.
    pub ty: TypeId,
    /// Where it stands.
    pub span: Span,
}

/// How a container is reached.
#[derive(Clone, Debug)]
pub enum ContainerKind {
    /// A global.
    Global(GlobalId),
    /// A local, or a parameter passed by reference.
    Local(LocalId),
    /// The value of another table under these keys. When the key is absent, reading sees an
    /// empty container and writing inserts.
    Row(Box<Container>, Vec<Expression>),
    /// The element of a growing array of containers.
    Element(Box<Container>, Box<Expression>),
    /// A fresh one that a built-in gives (`_maps()`, `_threads()`, `_modules()`): the operation,
    /// which takes the container type, and what else it takes.
    Fresh(Operation, Vec<Expression>),
}

/// An expression of a type.
#[derive(Clone, Debug)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Its type; typedefs are kept for messages.
    pub ty: TypeId,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExpressionKind {
    /// An integer, enumeration or pointer constant, extended to 64 bits by its type.
    Integer(u64),
    /// A float constant.
    Float(f64),
    /// A `_str` constant.
    Str(Vec<u8>),
    /// The empty `_path`.
    EmptyPath,
    /// The value of a place: a scalar, a record or a fixed array.
    Load(Box<Place>),
    /// The address of a place in the target.
    AddressOf(Box<Place>),
    /// `-x`, `~x` on promoted integers, `-x` on floats.
    Unary(UnaryOperator, Box<Expression>),
    /// `!x`: 0 or 1; the operand is any scalar. A `_str` is true when not empty.
    Not(Box<Expression>),
    /// Arithmetic on two operands of the result's type (shifts: of the left operand's type).
    Arithmetic(ArithmeticOperator, Box<Expression>, Box<Expression>),
    /// A comparison of two operands of one type: integers, pointers, floats, strings (by bytes)
    /// or paths (equality only).
    Compare(CompareOperator, Box<Expression>, Box<Expression>),
    /// `&&` (true) or `||` (false) over scalars.
    Logical {
        /// Whether it is `&&`.
        and: bool,
        /// The left operand.
        left: Box<Expression>,
        /// The right operand.
        right: Box<Expression>,
    },
    /// `c ? a : b`.
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    /// GNU's `c ?: b`.
    OrElse(Box<Expression>, Box<Expression>),
    /// `a, b`.
    Comma(Box<Expression>, Box<Expression>),
    /// `pointer + index * scale` (index signed, `scale` may be negative).
    PointerAdd {
        /// The pointer.
        pointer: Box<Expression>,
        /// The index, converted to a 64-bit integer.
        index: Box<Expression>,
        /// The size of an element in bytes.
        scale: i64,
    },
    /// `(p - q) / scale`.
    PointerDifference {
        /// The left pointer.
        left: Box<Expression>,
        /// The right pointer.
        right: Box<Expression>,
        /// The size of an element in bytes, not zero.
        scale: u64,
    },
    /// A conversion to the expression's type.
    Convert(Conversion, Box<Expression>),
    /// `place = value`; the value of the expression is the stored value.
    Assign(Box<Place>, Box<Expression>),
    /// `place op= value`: the place is evaluated once; it is loaded, converted to
    /// `compute`, combined, converted back and stored.
    AssignArithmetic {
        /// The place.
        place: Box<Place>,
        /// The operator.
        operator: ArithmeticOperator,
        /// The type of the computation.
        compute: TypeId,
        /// The right operand, converted to `compute` (shifts: its own promoted type).
        value: Box<Expression>,
    },
    /// `place += value * scale` on pointers.
    AssignPointerAdd {
        /// The place.
        place: Box<Place>,
        /// The index, converted to a 64-bit integer.
        value: Box<Expression>,
        /// The size of an element in bytes, negative for `-=`.
        scale: i64,
    },
    /// `place += value` on `_str`, `place /= value` on `_path`: the stored value is
    /// `operation(place, value)`.
    AssignOperation {
        /// The place.
        place: Box<Place>,
        /// The operation.
        operation: Operation,
        /// The right operand.
        value: Box<Expression>,
    },
    /// `++x`, `x--` and so on, on integers, pointers (by `amount` bytes) and floats.
    Step {
        /// The place.
        place: Box<Place>,
        /// What is added.
        amount: i64,
        /// Whether the value is that before the change.
        postfix: bool,
    },
    /// A call of a function of the script.
    Call(FunctionId, Vec<CallArgument>),
    /// An operation on scalars.
    Operation(Operation, Vec<Expression>),
    /// An operation on a container, then scalars (`_len`, `_count`, `_clear`, `<<<` …).
    ContainerOperation(Operation, Container, Vec<Expression>),
    /// `_push`, `_unshift`.
    ArrayAppend {
        /// Whether at the front.
        front: bool,
        /// The array.
        container: Container,
        /// The element.
        value: Box<Expression>,
    },
    /// `_pop`, `_shift`.
    ArrayTake {
        /// Whether from the front.
        front: bool,
        /// The array.
        container: Container,
    },
    /// `_sum`, `_min`, `_max` of a table of scalars (or of one field of its records).
    TableReduce {
        /// [`Operation::TableSum`], `TableMin` or `TableMax`.
        operation: Operation,
        /// The table.
        container: Container,
        /// Offset of the scalar in the value, in bytes.
        offset: u64,
        /// The scalar.
        scalar: Scalar,
    },
    /// `k in t`.
    In(Container, Vec<Expression>),
    /// `printf` (string `false`) or `sprintf` (true) with a checked format.
    Format {
        /// Whether it gives a `_str`.
        string: bool,
        /// The index in [`Program::formats`].
        format: u32,
        /// The arguments, one each as the format says.
        arguments: Vec<Expression>,
    },
    /// A record or fixed array built from parts: zeros, then each value at its offset.
    Aggregate(Vec<AggregatePart>),
}

/// A part of [`ExpressionKind::Aggregate`]: its offset in bytes, for a bit-field its lowest bit from
/// there and its width, and the value.
pub type AggregatePart = (u64, Option<(u32, u32)>, Expression);

/// An argument of a call.
#[derive(Clone, Debug)]
pub enum CallArgument {
    /// A value, converted to the parameter's type.
    Value(Expression),
    /// A container by reference.
    Container(Container),
}

/// `-` and `~`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum UnaryOperator {
    Negate,
    Complement,
}

/// Arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ArithmeticOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum CompareOperator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Conversions between scalars. The types of source and result say the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Between integers, enumerations and pointers: truncate or extend.
    Integer,
    /// Any scalar to `_Bool`: 0 or 1.
    ToBool,
    /// An integer to a float.
    IntegerToFloat,
    /// A float to an integer; faults when out of range.
    FloatToInteger,
    /// Between floats.
    Float,
}

/// A place: something that can be loaded, and in tracer memory stored.
#[derive(Clone, Debug)]
pub struct Place {
    /// What it is.
    pub kind: PlaceKind,
    /// The type of what lies there.
    pub ty: TypeId,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of places.
#[derive(Clone, Debug)]
pub enum PlaceKind {
    /// A local that is no container.
    Local(LocalId),
    /// A global that is no container.
    Global(GlobalId),
    /// Memory of the target at an address.
    Target(Box<Expression>),
    /// The value of a table under these keys: reading an absent key gives zeros and inserts
    /// nothing, storing inserts.
    Row(Container, Vec<Expression>),
    /// An element of a growing array; faults outside.
    Element(Container, Box<Expression>),
    /// A member of another place.
    Member {
        /// The record.
        base: Box<Place>,
        /// Offset in bytes.
        offset: u64,
        /// For a bit-field: lowest bit counted from `offset`, and width.
        bits: Option<(u32, u32)>,
    },
    /// An element of a fixed array in tracer memory; faults outside `0..count`.
    Index {
        /// The array.
        base: Box<Place>,
        /// The index, converted to a 64-bit integer.
        index: Box<Expression>,
        /// The distance between elements in bytes.
        stride: u64,
        /// The number of elements.
        count: u64,
    },
    /// A value that is no place of its own (the record that a call returns), to take a member.
    Value(Box<Expression>),
}

/// A piece of a checked format: as [`ytrace_values::constants::FormatPiece`], with types in
/// place of shapes; the lowering fills in the shapes.
#[derive(Clone, Debug, PartialEq)]
pub enum FormatPiece {
    /// Text.
    Text(Vec<u8>),
    /// A conversion; `argument` of the inner value is replaced according to `ty`.
    Conversion {
        /// Flags, width, precision and letter.
        conversion: ytrace_values::constants::Conversion,
        /// For `%V`: the type of the value, and whether the argument is its address in the
        /// target (then the expression is that address) rather than the value.
        value: Option<(TypeId, bool)>,
    },
}
