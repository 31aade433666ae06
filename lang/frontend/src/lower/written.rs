//! Which container parameters a function may write to, directly or through the functions that it
//! calls. Only an argument that may be written needs its absent row inserted.

use crate::hir::{
    CallArgument, Container, ContainerKind, Expression, ExpressionKind, Function, LocalId, Place,
    PlaceKind, Program, Statement, StatementKind,
};
use ytrace_values::Operation;

/// For each function and parameter whether a container passed there may be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    functions: Vec<Vec<bool>>,
}

impl Written {
    /// Looks through all functions, until nothing new is found.
    pub(crate) fn of(program: &Program) -> Self {
        let mut functions: Vec<Vec<bool>> = Vec::with_capacity(program.functions.len());
        // A call that passes a parameter on: caller, its parameter, callee, its parameter.
        let mut passed: Vec<(usize, usize, usize, usize)> = Vec::new();
        for (index, function) in program.functions.iter().enumerate() {
            let mut walk = Walk {
                written: vec![false; function.parameters as usize],
                passed: Vec::new(),
            };
            walk.function(function);
            functions.push(walk.written);
            passed.extend(
                walk.passed
                    .into_iter()
                    .map(|(own, callee, position)| (index, own, callee, position)),
            );
        }
        // Each round that goes on marks at least one parameter.
        loop {
            let mut changed = false;
            for (caller, own, callee, position) in &passed {
                let writes = functions
                    .get(*callee)
                    .and_then(|parameters| parameters.get(*position))
                    .copied()
                    .unwrap_or(true);
                if writes
                    && let Some(mark) = functions
                        .get_mut(*caller)
                        .and_then(|own_| own_.get_mut(*own))
                    && !*mark
                {
                    *mark = true;
                    changed = true;
                }
            }
            if !changed {
                return Self { functions };
            }
        }
    }

    /// Whether a container passed as this argument may be written.
    pub(crate) fn writes(&self, function: crate::hir::FunctionId, position: usize) -> bool {
        self.functions
            .get(function.0 as usize)
            .and_then(|parameters| parameters.get(position))
            .copied()
            .unwrap_or(true)
    }
}

struct Walk {
    written: Vec<bool>,
    /// Own parameter, callee, its parameter.
    passed: Vec<(usize, usize, usize)>,
}

impl Walk {
    fn function(&mut self, function: &Function) {
        if !self.written.is_empty() {
            self.statements(&function.body);
        }
    }

    /// The container that a reference starts from, if it is a local.
    fn root(container: &Container) -> Option<LocalId> {
        let mut container = container;
        loop {
            match &container.kind {
                ContainerKind::Local(local) => return Some(*local),
                ContainerKind::Row(base, _) | ContainerKind::Element(base, _) => container = base,
                ContainerKind::Global(_) | ContainerKind::Fresh(..) => return None,
            }
        }
    }

    fn write_container(&mut self, container: &Container) {
        if let Some(local) = Self::root(container)
            && let Some(mark) = self.written.get_mut(local.0 as usize)
        {
            *mark = true;
        }
    }

    fn write_place(&mut self, place: &Place) {
        let mut place = place;
        loop {
            match &place.kind {
                PlaceKind::Row(container, _) | PlaceKind::Element(container, _) => {
                    return self.write_container(container);
                }
                PlaceKind::Member { base, .. } | PlaceKind::Index { base, .. } => place = base,
                _ => return,
            }
        }
    }

    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Expression(expression) => self.expression(expression),
            StatementKind::Block(body) => self.statements(body),
            StatementKind::If(condition, then, otherwise) => {
                self.expression(condition);
                self.statements(then);
                self.statements(otherwise);
            }
            StatementKind::Loop {
                condition,
                step,
                body,
                ..
            } => {
                self.optional(condition.as_ref());
                self.optional(step.as_ref());
                self.statements(body);
            }
            StatementKind::Foreach(foreach) => {
                self.container(&foreach.container);
                self.optional(foreach.by.as_ref());
                self.optional(foreach.limit.as_ref());
                self.statements(&foreach.body);
            }
            StatementKind::Switch { value, body, .. } => {
                self.expression(value);
                self.statements(body);
            }
            StatementKind::Return(value) => self.optional(value.as_ref()),
            StatementKind::Try { body, handler, .. } => {
                self.statements(body);
                self.statements(handler);
            }
            // Neither makes a row.
            StatementKind::Delete { container, keys } => {
                self.container(container);
                self.expressions(keys);
            }
            StatementKind::Sort { container, by, .. } => {
                self.container(container);
                self.expression(by);
            }
            StatementKind::Declare(_)
            | StatementKind::Label(_)
            | StatementKind::Goto(_)
            | StatementKind::Break
            | StatementKind::Continue => {}
        }
    }

    fn optional(&mut self, expression: Option<&Expression>) {
        if let Some(expression) = expression {
            self.expression(expression);
        }
    }

    fn expressions(&mut self, expressions: &[Expression]) {
        for expression in expressions {
            self.expression(expression);
        }
    }

    /// The expressions inside a reference.
    fn container(&mut self, container: &Container) {
        match &container.kind {
            ContainerKind::Row(base, keys) => {
                self.container(base);
                self.expressions(keys);
            }
            ContainerKind::Element(base, index) => {
                self.container(base);
                self.expression(index);
            }
            ContainerKind::Fresh(_, wanted) => self.expressions(wanted),
            ContainerKind::Global(_) | ContainerKind::Local(_) => {}
        }
    }

    fn place(&mut self, place: &Place) {
        match &place.kind {
            PlaceKind::Local(_) | PlaceKind::Global(_) => {}
            PlaceKind::Target(address) => self.expression(address),
            PlaceKind::Row(container, keys) => {
                self.container(container);
                self.expressions(keys);
            }
            PlaceKind::Element(container, index) => {
                self.container(container);
                self.expression(index);
            }
            PlaceKind::Member { base, .. } => self.place(base),
            PlaceKind::Index { base, index, .. } => {
                self.place(base);
                self.expression(index);
            }
            PlaceKind::Value(value) => self.expression(value),
        }
    }

    fn expression(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Integer(_)
            | ExpressionKind::Float(_)
            | ExpressionKind::Str(_)
            | ExpressionKind::EmptyPath => {}
            ExpressionKind::Load(place) | ExpressionKind::AddressOf(place) => self.place(place),
            ExpressionKind::Unary(_, inner)
            | ExpressionKind::Not(inner)
            | ExpressionKind::Convert(_, inner) => self.expression(inner),
            ExpressionKind::Arithmetic(_, left, right)
            | ExpressionKind::Compare(_, left, right)
            | ExpressionKind::Logical { left, right, .. }
            | ExpressionKind::OrElse(left, right)
            | ExpressionKind::Comma(left, right)
            | ExpressionKind::PointerDifference { left, right, .. } => {
                self.expression(left);
                self.expression(right);
            }
            ExpressionKind::Conditional(condition, then, otherwise) => {
                self.expression(condition);
                self.expression(then);
                self.expression(otherwise);
            }
            ExpressionKind::PointerAdd { pointer, index, .. } => {
                self.expression(pointer);
                self.expression(index);
            }
            ExpressionKind::Assign(place, value)
            | ExpressionKind::AssignArithmetic { place, value, .. }
            | ExpressionKind::AssignPointerAdd { place, value, .. }
            | ExpressionKind::AssignOperation { place, value, .. } => {
                self.write_place(place);
                self.place(place);
                self.expression(value);
            }
            ExpressionKind::Step { place, .. } => {
                self.write_place(place);
                self.place(place);
            }
            ExpressionKind::Call(function, arguments) => {
                for (position, argument) in arguments.iter().enumerate() {
                    match argument {
                        CallArgument::Value(value) => self.expression(value),
                        CallArgument::Container(container) => {
                            self.container(container);
                            if let Some(local) = Self::root(container)
                                && (local.0 as usize) < self.written.len()
                            {
                                self.passed
                                    .push((local.0 as usize, function.0 as usize, position));
                            }
                        }
                    }
                }
            }
            ExpressionKind::Operation(_, arguments) | ExpressionKind::Format { arguments, .. } => {
                self.expressions(arguments)
            }
            ExpressionKind::ContainerOperation(operation, container, arguments) => {
                if *operation == Operation::AggregateAdd {
                    self.write_container(container);
                }
                self.container(container);
                self.expressions(arguments);
            }
            ExpressionKind::ArrayAppend {
                container, value, ..
            } => {
                self.write_container(container);
                self.container(container);
                self.expression(value);
            }
            // An absent array is as empty as one that was just made.
            ExpressionKind::ArrayTake { container, .. }
            | ExpressionKind::TableReduce { container, .. } => self.container(container),
            ExpressionKind::In(container, keys) => {
                self.container(container);
                self.expressions(keys);
            }
            ExpressionKind::Aggregate(parts) => {
                for (_, _, value) in parts {
                    self.expression(value);
                }
            }
        }
    }
}
