//! Calls of built-ins.

use super::Checker;
use super::builtins::{Builtin, Kind, Meaning, Special};
use super::class::{Class, Operand};
use super::suggest::did_you_mean;
use crate::ast::{self, Argument};
use crate::hir::{self, ContainerKind, ExpressionKind};
use crate::source::Span;
use crate::types::{Type, TypeId};
use ytrace_values::Operation;
use ytrace_values::constants::Scalar;
use ytrace_values::host::PROCESS_FIELDS;

impl Checker<'_> {
    /// The type of a kind in the table of built-ins.
    pub(super) fn builtin_type(&self, kind: Kind) -> TypeId {
        match kind {
            Kind::Void => self.basics.void,
            Kind::Int => self.basics.int,
            Kind::Long => self.basics.long,
            Kind::UnsignedLong => self.basics.unsigned_long,
            Kind::Float => self.basics.float,
            Kind::Double => self.basics.double,
            Kind::Str | Kind::StrVariable => self.basics.string,
            Kind::Path => self.basics.path,
            Kind::Pointer => self.basics.void_pointer,
            _ => self.basics.unknown,
        }
    }

    /// A call of a built-in.
    pub(super) fn builtin_call(
        &mut self,
        builtin: &'static Builtin,
        arguments: &[Argument],
        span: Span,
    ) -> Operand {
        let Some(expressions) = self.builtin_arguments(builtin, arguments, span) else {
            return self.unknown_operand(span);
        };
        self.stacks |= wants_stack(builtin, &expressions);
        let value = match builtin.meaning {
            Meaning::Operation(operation) => {
                self.simple_call(builtin, operation, &expressions, span)
            }
            Meaning::FloatOperation(operation) => {
                let mut value = self.simple_call(builtin, operation, &expressions, span);
                if self.is_unknown(value.ty) {
                    return Operand::Value(value);
                }
                value.ty = self.basics.double;
                self.convert(value, self.basics.float)
            }
            Meaning::Time(unit) => {
                let now = self.operation(Operation::NowNs, Vec::new(), self.basics.long, span);
                if unit == 1 {
                    now
                } else {
                    let unit = self.integer(unit, self.basics.long, span);
                    self.fold_arithmetic(
                        hir::ArithmeticOperator::Divide,
                        now,
                        unit,
                        self.basics.long,
                        span,
                    )
                }
            }
            Meaning::Register(name) => {
                let of_hit = match expressions.first() {
                    None => self.hit_register(name, span, span),
                    Some(_) => None,
                };
                let value = match of_hit {
                    Some(value) => value,
                    None => {
                        let name = self.str_constant(name, span);
                        let tid = self.thread_argument(builtin, expressions.first(), span);
                        let Some(tid) = tid else {
                            return self.unknown_operand(span);
                        };
                        let ty = self.basics.unsigned_long;
                        self.operation(Operation::Register, vec![name, tid], ty, span)
                    }
                };
                self.convert(value, self.basics.void_pointer)
            }
            Meaning::OnContainer(operation) => {
                let Some(container) = expressions
                    .first()
                    .and_then(|argument| self.container(argument, "the argument"))
                else {
                    return self.unknown_operand(span);
                };
                hir::Expression {
                    kind: ExpressionKind::ContainerOperation(operation, container, Vec::new()),
                    ty: self.builtin_type(builtin.result),
                    span,
                }
            }
            Meaning::OnAggregate(operation) => {
                self.on_aggregate(builtin, operation, &expressions, span)
            }
            Meaning::Reduce(aggregate, table) => {
                self.reduce(builtin, aggregate, table, &expressions, span)
            }
            Meaning::Listing(operation, record) => {
                // What is left out is 0.
                let mut wanted = Vec::with_capacity(builtin.parameters.len());
                for index in 0..builtin.parameters.len() {
                    let value = match expressions.get(index) {
                        Some(argument) => self.kind_argument(builtin, index, argument),
                        None => self.int(0, span),
                    };
                    if self.is_unknown(value.ty) {
                        return self.unknown_operand(span);
                    }
                    wanted.push(value);
                }
                let record = self.builtin_record(record);
                let ty = self.types.intern(Type::Growing(record));
                return Operand::Container(hir::Container {
                    kind: ContainerKind::Fresh(operation, wanted),
                    ty,
                    span,
                });
            }
            Meaning::Append(front) => self.append(front, &expressions, span),
            Meaning::Take(front) => self.take(front, &expressions, span),
            Meaning::Message(operation) => self.message(builtin, operation, &expressions, span),
            Meaning::Special(Special::ThreadLocal) => {
                return self.thread_local(&expressions, span);
            }
            Meaning::Special(special) => self.special_call(special, builtin, &expressions, span),
        };
        Operand::Value(value)
    }

    /// The arguments as expressions, if their number is right.
    fn builtin_arguments<'e>(
        &mut self,
        builtin: &Builtin,
        arguments: &'e [Argument],
        span: Span,
    ) -> Option<Vec<&'e ast::Expression>> {
        let mut expressions = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument {
                Argument::Expression(expression) => expressions.push(expression),
                Argument::Type(name) => {
                    self.error(
                        name.span,
                        format!("`{}` takes values", builtin.name),
                        "this is a type",
                    );
                    return None;
                }
            }
        }
        let variadic = builtin
            .parameters
            .iter()
            .any(|(_, kind)| *kind == Kind::Format)
            || builtin.meaning == Meaning::Special(Special::Print);
        let most = if variadic {
            usize::MAX
        } else {
            builtin.parameters.len()
        };
        if expressions.len() < builtin.required || expressions.len() > most {
            self.check_arguments(arguments);
            let parameters: Vec<String> = builtin
                .parameters
                .iter()
                .enumerate()
                .map(|(index, (name, kind))| {
                    let parameter = format!("{} {name}", kind.written());
                    if index >= builtin.required {
                        format!("[{parameter}]")
                    } else {
                        parameter
                    }
                })
                .collect();
            self.error_help(
                span,
                format!("wrong number of arguments for `{}`", builtin.name),
                format!("{} given", expressions.len()),
                format!("it is `{}({})`", builtin.name, parameters.join(", ")),
            );
            return None;
        }
        Some(expressions)
    }

    /// An argument converted to its kind; unknown after an error.
    pub(super) fn kind_argument(
        &mut self,
        builtin: &Builtin,
        position: usize,
        expression: &ast::Expression,
    ) -> hir::Expression {
        let value = self.value(expression);
        let Some((name, kind)) = builtin.parameters.get(position) else {
            return value;
        };
        let what = format!("the argument `{name}` of `{}`", builtin.name);
        if *kind == Kind::Pointer {
            return self.pointer_argument(value, &what);
        }
        let ty = self.builtin_type(*kind);
        self.assign_to(value, ty, &what)
    }

    /// Any pointer, or an integer of pointer size.
    pub(super) fn pointer_argument(
        &mut self,
        value: hir::Expression,
        what: &str,
    ) -> hir::Expression {
        let pointer = self.basics.void_pointer;
        match self.class(value.ty) {
            Class::Pointer(_) => self.convert(value, pointer),
            Class::Integer { size: 8, .. } => self.convert(value, pointer),
            _ => self.assign_to(value, pointer, what),
        }
    }

    fn simple_call(
        &mut self,
        builtin: &Builtin,
        operation: Operation,
        expressions: &[&ast::Expression],
        span: Span,
    ) -> hir::Expression {
        let mut values: Vec<hir::Expression> = expressions
            .iter()
            .enumerate()
            .map(|(position, expression)| self.kind_argument(builtin, position, expression))
            .collect();
        for (name, _) in builtin.parameters.iter().skip(values.len()) {
            values.push(if *name == "tid" {
                self.current_tid(span)
            } else {
                self.integer(10, self.basics.long, span)
            });
        }
        if values.iter().any(|value| self.is_unknown(value.ty)) {
            return self.unknown(span);
        }
        if operation == Operation::ProcessBytes
            && let Some(field) = values.first()
            && let ExpressionKind::Str(bytes) = &field.kind
        {
            let name = String::from_utf8_lossy(bytes).into_owned();
            if !PROCESS_FIELDS.contains(&&*name) {
                let near = did_you_mean(&self.similar(&name, PROCESS_FIELDS.iter().copied()));
                self.error_help(
                    field.span,
                    format!("no figure of a process is called `{name}`"),
                    "neither `/proc/PID/status` nor `smaps_rollup` has it",
                    near.unwrap_or_else(|| {
                        "there are `VmRSS`, `VmSwap`, `Pss` and others".to_owned()
                    }),
                );
                return self.unknown(span);
            }
        }
        let ty = self.builtin_type(builtin.result);
        self.operation(operation, values, ty, span)
    }

    /// A thread id, that of the handler if none is given; `None` after an error.
    pub(super) fn thread_argument(
        &mut self,
        builtin: &Builtin,
        expression: Option<&&ast::Expression>,
        span: Span,
    ) -> Option<hir::Expression> {
        let Some(expression) = expression else {
            return Some(self.current_tid(span));
        };
        let value = self.value(expression);
        let what = format!("the argument `tid` of `{}`", builtin.name);
        let long = self.basics.long;
        let value = self.assign_to(value, long, &what);
        (!self.is_unknown(value.ty)).then_some(value)
    }

    /// An operation on an aggregate with further arguments.
    fn on_aggregate(
        &mut self,
        builtin: &Builtin,
        operation: Operation,
        expressions: &[&ast::Expression],
        span: Span,
    ) -> hir::Expression {
        let [first, rest @ ..] = expressions else {
            return self.unknown(span);
        };
        let container = self.container(first, "the argument");
        let values: Vec<hir::Expression> = rest
            .iter()
            .enumerate()
            .map(|(position, expression)| self.kind_argument(builtin, position + 1, expression))
            .collect();
        let Some(container) = container else {
            return self.unknown(span);
        };
        if !matches!(self.types.resolved(container.ty), Type::Aggregate) {
            let found = self.quoted(container.ty);
            self.error_help(
                first.span,
                format!("`{}` takes an aggregate", builtin.name),
                format!("this is {found}"),
                "declare it as `_agg a;` or `_agg a[K];`",
            );
            return self.unknown(span);
        }
        if values.iter().any(|value| self.is_unknown(value.ty)) {
            return self.unknown(span);
        }
        hir::Expression {
            kind: ExpressionKind::ContainerOperation(operation, container, values),
            ty: self.builtin_type(builtin.result),
            span,
        }
    }

    /// `_sum(t)`, `_sum(t.member)`, `_count(a)` and so on.
    fn reduce(
        &mut self,
        builtin: &Builtin,
        aggregate: Operation,
        table: Option<Operation>,
        expressions: &[&ast::Expression],
        span: Span,
    ) -> hir::Expression {
        let Some(expression) = expressions.first() else {
            return self.unknown(span);
        };
        // `t.member` on a table of structs names one member of all of them.
        let (container, member) = match &expression.kind {
            ast::ExpressionKind::Member {
                object,
                arrow: false,
                member,
            } => match self.operand(object) {
                Operand::Container(container) => (container, Some(member)),
                _ => {
                    self.container(expression, "the argument");
                    return self.unknown(span);
                }
            },
            _ => match self.container(expression, "the argument") {
                Some(container) => (container, None),
                None => return self.unknown(span),
            },
        };
        let long = self.basics.long;
        if matches!(self.types.resolved(container.ty), Type::Aggregate) {
            return hir::Expression {
                kind: ExpressionKind::ContainerOperation(aggregate, container, Vec::new()),
                ty: long,
                span,
            };
        }
        if table == Some(Operation::ContainerLength) {
            return hir::Expression {
                kind: ExpressionKind::ContainerOperation(
                    Operation::ContainerLength,
                    container,
                    Vec::new(),
                ),
                ty: long,
                span,
            };
        }
        let value = match self.table_types(container.ty) {
            Some((_, value)) => Some(value),
            None => self.growing_type(container.ty),
        };
        let (Some(operation), Some(value)) = (table, value) else {
            let found = self.quoted(container.ty);
            let wanted = if table.is_some() {
                "an aggregate, a table or an array"
            } else {
                "an aggregate"
            };
            self.error(
                expression.span,
                format!("`{}` takes {wanted}", builtin.name),
                format!("this is {found}"),
            );
            return self.unknown(span);
        };
        let (offset, scalar_type) = match (member, self.class(value)) {
            (Some(member), Class::Record(record)) => {
                match self.find_member(record, &member.text, 0) {
                    Some(found) if found.bits.is_none() => (found.offset, found.ty),
                    Some(_) => {
                        self.error(member.span, "a bit-field cannot be summed here", "");
                        return self.unknown(span);
                    }
                    None => {
                        self.unknown_member(record, member);
                        return self.unknown(span);
                    }
                }
            }
            (None, _) => (0, value),
            (Some(member), _) => {
                self.error(
                    member.span,
                    format!("{} has no members", self.quoted(value)),
                    "the values are no structs",
                );
                return self.unknown(span);
            }
        };
        let Some(scalar) = self.number_scalar(scalar_type) else {
            if !self.is_unknown(scalar_type) {
                let found = self.quoted(scalar_type);
                let help = match self.class(scalar_type) {
                    Class::Record(_) => format!("name a member: `{}(t.member)`", builtin.name),
                    _ => "only numbers can be summed and compared here".to_owned(),
                };
                self.error_help(
                    expression.span,
                    format!("`{}` needs numbers", builtin.name),
                    format!("the values are {found}"),
                    help,
                );
            }
            return self.unknown(span);
        };
        let ty = match scalar {
            Scalar::Float32 | Scalar::Float64 => self.basics.double,
            Scalar::Unsigned(_) | Scalar::Bool => self.basics.unsigned_long,
            _ => long,
        };
        hir::Expression {
            kind: ExpressionKind::TableReduce {
                operation,
                container,
                offset,
                scalar,
            },
            ty,
            span,
        }
    }

    /// How a number lies in memory; `None` for what is no number.
    pub(super) fn number_scalar(&self, ty: TypeId) -> Option<Scalar> {
        match self.class(ty) {
            Class::Bool => Some(Scalar::Bool),
            Class::Float(4) => Some(Scalar::Float32),
            Class::Float(_) => Some(Scalar::Float64),
            Class::Integer { .. } | Class::Enum(_) => {
                let (size, signed) = self.integer_shape(ty)?;
                Some(if signed {
                    Scalar::Signed(size)
                } else {
                    Scalar::Unsigned(size)
                })
            }
            _ => None,
        }
    }

    /// The array that a built-in takes first, with its element type.
    fn array_argument(
        &mut self,
        expression: &ast::Expression,
        name: &str,
    ) -> Option<(hir::Container, TypeId)> {
        let container = self.container(expression, "the argument")?;
        match self.growing_type(container.ty) {
            Some(element) => Some((container, element)),
            None => {
                let found = self.quoted(container.ty);
                self.error_help(
                    expression.span,
                    format!("`{name}` takes a growing array"),
                    format!("this is {found}"),
                    "a growing array is declared `T a[];`",
                );
                None
            }
        }
    }

    fn append(
        &mut self,
        front: bool,
        expressions: &[&ast::Expression],
        span: Span,
    ) -> hir::Expression {
        let [array, value] = expressions else {
            return self.unknown(span);
        };
        let name = if front { "_unshift" } else { "_push" };
        let array = self.array_argument(array, name);
        let operand = self.operand(value);
        let Some((container, element)) = array else {
            return self.unknown(span);
        };
        if self.types.is_container(element) {
            self.error_help(
                value.span,
                "containers are not copied",
                format!("the elements are {}", self.quoted(element)),
                "push into an element: `_push(a[i], v)`, or use a table of arrays `T a[K][]`",
            );
            return self.unknown(span);
        }
        let value = self.rvalue(operand);
        let value = self.assign_to(value, element, "the element");
        if self.is_unknown(value.ty) {
            return self.unknown(span);
        }
        hir::Expression {
            kind: ExpressionKind::ArrayAppend {
                front,
                container,
                value: Box::new(value),
            },
            ty: self.basics.void,
            span,
        }
    }

    fn take(
        &mut self,
        front: bool,
        expressions: &[&ast::Expression],
        span: Span,
    ) -> hir::Expression {
        let name = if front { "_shift" } else { "_pop" };
        let Some((container, element)) = expressions
            .first()
            .and_then(|array| self.array_argument(array, name))
        else {
            return self.unknown(span);
        };
        if self.types.is_container(element) {
            let found = self.quoted(element);
            self.error(
                span,
                "containers are not copied",
                format!("the elements are {found}"),
            );
            return self.unknown(span);
        }
        hir::Expression {
            kind: ExpressionKind::ArrayTake { front, container },
            ty: element,
            span,
        }
    }

    /// `_tls(tid, variable)`.
    fn thread_local(&mut self, expressions: &[&ast::Expression], span: Span) -> Operand {
        let [tid, variable] = expressions else {
            return self.unknown_operand(span);
        };
        let long = self.basics.long;
        let tid = self.value(tid);
        let tid = self.assign_to(tid, long, "the argument `tid` of `_tls`");
        let ast::ExpressionKind::Name(name) = &variable.kind else {
            self.error(
                variable.span,
                "`_tls` takes the name of a variable",
                "this is none",
            );
            return self.unknown_operand(span);
        };
        let scope = self.scope_of(name);
        let found = match self.target.as_deref_mut() {
            Some(target) => target.find_variable(&scope, &name.text),
            None => Ok(None),
        };
        match found {
            Ok(Some(found)) if found.thread_local => {
                if self.is_unknown(tid.ty) {
                    return self.unknown_operand(span);
                }
                self.variable_operand(&name.text, found, tid, span)
            }
            Ok(Some(_)) => {
                self.error_help(
                    name.span,
                    format!("`{}` is not thread-local", name.text),
                    "all threads share it",
                    format!("write `{}`", name.text),
                );
                self.unknown_operand(span)
            }
            Ok(None) => {
                self.unknown_name(name);
                self.unknown_operand(span)
            }
            Err(error) => {
                self.lookup_error(name, error);
                self.unknown_operand(span)
            }
        }
    }
}

/// Whether a call takes the stack of a thread.
fn wants_stack(builtin: &Builtin, arguments: &[&ast::Expression]) -> bool {
    // Of a path that is given, `_sym_ubt` only wants the names.
    builtin.name == "_ubt" || (builtin.name == "_sym_ubt" && arguments.is_empty())
}
