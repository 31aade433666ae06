//! Lowering: from the typed program to the intermediate representation.
//!
//! What is decided here: where variables live (scalars in registers, records and fixed arrays in
//! frame slots, containers by handle), in which order the parts of an expression are evaluated
//! (left to right; the row of a container is looked up last, just before its one use), where
//! local containers are freed, where faults go, and where steps are taken.

mod assign;
mod bits;
mod builder;
mod call;
mod constants;
mod container;
mod control;
mod expression;
mod foreach;
mod format;
mod key;
mod labels;
mod place;
mod record;
mod statement;
#[cfg(test)]
mod tests;
mod written;

use std::collections::HashMap;
use std::sync::Arc;

use crate::hir;
use crate::ir;
use crate::source::Span;
use crate::types::TypeId;
use builder::Builder;
use ytrace_values::Constants;
use ytrace_values::Operation;
use ytrace_values::Steps;
use ytrace_values::constants::{ContainerTypeId, ShapeId};

/// The most bytes that the globals of a program may take.
pub const MAX_GLOBALS: u64 = 64 << 20;
/// The most bytes that the frame slots of one function may take.
pub const MAX_FRAME: u64 = 16 << 20;
/// How deep expressions and statements may be nested.
pub const MAX_DEPTH: u32 = 400;
/// The most words that a key of a table may take.
pub const MAX_KEY_WORDS: usize = 64;

/// Why a typed program could not be lowered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LowerError {
    /// Something takes more memory than is allowed.
    #[error("{what} takes {size} bytes, but at most {limit} are allowed")]
    TooLarge {
        /// What it is.
        what: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
        /// Where it stands.
        span: Span,
    },
    /// Expressions or statements are nested deeper than [`MAX_DEPTH`].
    #[error("this is nested more than {MAX_DEPTH} levels deep")]
    TooDeep {
        /// Where the limit was reached.
        span: Span,
    },
    /// A jump would enter the scope of a container without passing its declaration.
    #[error("this jumps past the declaration of the container `{name}`")]
    JumpIntoScope {
        /// The container.
        name: String,
        /// The jump.
        span: Span,
    },
    /// The language has no meaning for this.
    #[error("{message}")]
    Unsupported {
        /// What and why.
        message: String,
        /// Where it stands.
        span: Span,
    },
    /// The typed program breaks its own rules: a defect of the checker.
    #[error("the typed program is malformed: {message}")]
    Malformed {
        /// Which rule.
        message: String,
        /// Where.
        span: Span,
    },
}

impl LowerError {
    /// The place in the source that the error is about.
    pub fn span(&self) -> Span {
        match self {
            LowerError::TooLarge { span, .. }
            | LowerError::TooDeep { span }
            | LowerError::JumpIntoScope { span, .. }
            | LowerError::Unsupported { span, .. }
            | LowerError::Malformed { span, .. } => *span,
        }
    }

    pub(crate) fn malformed(span: Span, message: impl Into<String>) -> Self {
        LowerError::Malformed {
            message: message.into(),
            span,
        }
    }
}

/// The result of a step of the lowering.
pub(crate) type Lowered<T> = Result<T, LowerError>;

/// Lowers a typed program.
///
/// The function with index `n` of the typed program is the function with index `n` of the
/// result; `initialize` comes after them. [`ir::Program::sources`] is left empty.
pub fn lower(program: &hir::Program) -> Result<ir::Program, LowerError> {
    let mut unit = Unit {
        program,
        written: written::Written::of(program),
        constants: Constants::default(),
        strings: HashMap::new(),
        shapes: HashMap::new(),
        making: Vec::new(),
        containers: HashMap::new(),
        linear: linear_views(program),
        global_containers: HashMap::new(),
        empties: HashMap::new(),
        globals_size: 0,
        global_offsets: Vec::new(),
        spans: vec![Span::default()],
        span_ids: HashMap::from([(Span::default(), ir::SpanId(0))]),
    };
    unit.constants.regexes = program.regexes.clone();
    unit.lay_out_globals()?;
    unit.lower_formats()?;
    let mut functions = Vec::with_capacity(program.functions.len() + 1);
    for function in &program.functions {
        functions.push(Builder::lower_function(&mut unit, function)?);
    }
    let view_shapes = unit.view_shapes()?;
    let initialize = ir::FunctionId(functions.len() as u32);
    functions.push(unit.initialize()?);
    unit.constants.globals_size = unit.globals_size;
    let lowered = ir::Program {
        functions,
        initialize,
        probes: program
            .probes
            .iter()
            .map(|probe| ir::FunctionId(probe.function.0))
            .collect(),
        validators: program
            .layouts
            .iter()
            .map(|layout| ir::FunctionId(layout.valid.0))
            .collect(),
        entry_values: program
            .probes
            .iter()
            .filter_map(|probe| match &probe.point {
                hir::ProbePoint::Event(event) => Some(&event.entry_values),
                _ => None,
            })
            .flatten()
            .map(|value| ir::FunctionId(value.0))
            .collect(),
        global_offsets: unit.global_offsets,
        view_shapes,
        constants: Arc::new(unit.constants),
        spans: unit.spans,
        sources: Arc::default(),
    };
    #[cfg(debug_assertions)]
    if let Err(error) = crate::verify::verify(&lowered) {
        return Err(LowerError::malformed(
            Span::default(),
            format!("the lowered program fails verification: {error}"),
        ));
    }
    Ok(lowered)
}

/// What is shared by all functions of the program under way.
pub(crate) struct Unit<'p> {
    pub(crate) program: &'p hir::Program,
    /// Which container parameters may be written.
    pub(crate) written: written::Written,
    pub(crate) constants: Constants,
    strings: HashMap<Vec<u8>, u32>,
    pub(crate) shapes: HashMap<TypeId, ShapeId>,
    /// Types whose shapes are being made, outermost first.
    pub(crate) making: Vec<TypeId>,
    pub(crate) containers: HashMap<TypeId, ContainerTypeId>,
    /// By the number of a global: the rows of equal steps that are asked of its aggregates, at most [`MAX_LINEAR`].
    pub(crate) linear: HashMap<u32, Vec<Steps>>,
    /// By the number of a global: its container type.
    pub(crate) global_containers: HashMap<u32, ContainerTypeId>,
    /// For each container type that is the value of a table, the offset of a global that holds
    /// the handle of a container that stays empty: what reading an absent row sees.
    empties: HashMap<u32, u64>,
    globals_size: u64,
    global_offsets: Vec<u64>,
    spans: Vec<Span>,
    span_ids: HashMap<Span, ir::SpanId>,
}

/// The most different rows of equal steps that one aggregate counts.
const MAX_LINEAR: usize = 4;

/// The rows of equal steps that views show, by the number of their global.
fn linear_views(program: &hir::Program) -> HashMap<u32, Vec<Steps>> {
    let views = program.views.iter().filter_map(|view| match view.rows {
        hir::HistogramRows::Linear { low, high, step } => {
            Some((view.global.0, vec![Steps { low, high, step }]))
        }
        hir::HistogramRows::Logarithmic => None,
    });
    views.collect()
}

impl Unit<'_> {
    /// Notes that the aggregate of a global, or those in its table, are asked for these rows.
    pub(crate) fn note_linear(&mut self, global: hir::GlobalId, steps: Steps) {
        let sensible = ytrace_values::rows_of_steps(steps.low, steps.high, steps.step).is_ok();
        let known = self.linear.entry(global.0).or_default();
        if sensible && known.len() < MAX_LINEAR && !known.contains(&steps) {
            known.push(steps);
        }
    }

    /// The id of a span.
    pub(crate) fn span(&mut self, span: Span) -> ir::SpanId {
        let next = ir::SpanId(self.spans.len() as u32);
        let id = *self.span_ids.entry(span).or_insert(next);
        if id == next {
            self.spans.push(span);
        }
        id
    }

    /// The index of a string literal.
    pub(crate) fn string(&mut self, bytes: &[u8]) -> u32 {
        if let Some(index) = self.strings.get(bytes) {
            return *index;
        }
        let index = self.constants.strings.len() as u32;
        self.constants.strings.push(bytes.to_vec());
        self.strings.insert(bytes.to_vec(), index);
        index
    }

    /// The offset of the global that holds the empty container of a type.
    pub(crate) fn empty_container(&mut self, ty: ContainerTypeId) -> u64 {
        if let Some(offset) = self.empties.get(&ty.0) {
            return *offset;
        }
        let offset = self.globals_size.next_multiple_of(8);
        self.globals_size = offset + 8;
        self.empties.insert(ty.0, offset);
        offset
    }

    /// The offset of a global.
    pub(crate) fn global_offset(&self, id: hir::GlobalId, span: Span) -> Lowered<u64> {
        self.global_offsets
            .get(id.0 as usize)
            .copied()
            .ok_or_else(|| LowerError::malformed(span, "no such global"))
    }

    /// The size of a value of a type.
    pub(crate) fn size(&self, ty: TypeId, span: Span) -> Lowered<u64> {
        self.program.types.size_of(ty).ok_or_else(|| {
            LowerError::malformed(
                span,
                format!("`{}` has no size", self.program.types.name_of(ty)),
            )
        })
    }

    fn lay_out_globals(&mut self) -> Lowered<()> {
        let program = self.program;
        for global in &program.globals {
            let size = if program.types.is_container(global.ty) {
                8
            } else {
                self.size(global.ty, global.span)?
            };
            let offset = self.globals_size.next_multiple_of(8);
            let end = offset.saturating_add(size);
            if end > MAX_GLOBALS {
                return Err(LowerError::TooLarge {
                    what: format!("with `{}`, the global variables", global.name),
                    size: end,
                    limit: MAX_GLOBALS,
                    span: global.span,
                });
            }
            self.global_offsets.push(offset);
            self.globals_size = end;
        }
        self.globals_size = self.globals_size.next_multiple_of(8);
        Ok(())
    }

    fn view_shapes(&mut self) -> Lowered<Vec<ir::ViewShape>> {
        let program = self.program;
        let mut shapes = Vec::with_capacity(program.views.len());
        for view in &program.views {
            let global = program
                .globals
                .get(view.global.0 as usize)
                .ok_or_else(|| LowerError::malformed(view.span, "no such global"))?;
            shapes.push(if program.types.is_container(global.ty) {
                ir::ViewShape::Container(self.global_container_type(
                    view.global,
                    global.ty,
                    view.span,
                )?)
            } else {
                ir::ViewShape::Value(self.shape(global.ty))
            });
        }
        Ok(shapes)
    }

    /// Makes the function that makes the containers and runs the initializers.
    ///
    /// It comes last, when every container type that needs an empty one is known, except for
    /// those of the initializers: the loop takes what these add.
    fn initialize(&mut self) -> Lowered<ir::Function> {
        let program = self.program;
        let function = hir::Function {
            name: "global variables".to_owned(),
            parameters: 0,
            locals: Vec::new(),
            result: TypeId(u32::MAX),
            body: Vec::new(),
            late: false,
            span: Span::default(),
        };
        let mut builder = Builder::new(self, &function, None);
        // The block of initializers is lowered first and entered last.
        let entry = builder.current;
        let initializers = builder.block();
        builder.switch_to(initializers);
        for (index, global) in program.globals.iter().enumerate() {
            let option = program
                .options
                .iter()
                .find(|option| option.global.0 as usize == index);
            match option {
                Some(option) => builder.store_option(option, global)?,
                None => builder.statements(&global.initializer)?,
            }
        }
        builder.finish(ir::Terminator::Return(None));
        builder.switch_to(entry);
        builder.emit(ir::InstructionKind::Step);
        for (index, global) in program.globals.iter().enumerate() {
            if program.types.is_container(global.ty) {
                let id = hir::GlobalId(index as u32);
                let ty = builder
                    .unit
                    .global_container_type(id, global.ty, global.span)?;
                let offset = builder.unit.global_offset(id, global.span)?;
                builder.set_span(global.span);
                builder.new_global_container(ty, offset);
            }
        }
        let mut empties: Vec<(u32, u64)> = builder
            .unit
            .empties
            .iter()
            .map(|(ty, offset)| (*ty, *offset))
            .collect();
        empties.sort_unstable();
        for (ty, offset) in empties {
            builder.new_global_container(ContainerTypeId(ty), offset);
        }
        builder.finish(ir::Terminator::Jump(initializers));
        builder.build()
    }
}

impl Builder<'_, '_> {
    fn new_global_container(&mut self, ty: ContainerTypeId, offset: u64) {
        let ty = self.constant(u64::from(ty.0));
        let handle = self.word();
        self.operation(Operation::ContainerNew, vec![ty], Some(handle));
        self.emit(ir::InstructionKind::Store {
            place: ir::Place {
                base: ir::Base::Globals,
                offset: offset as i64,
                index: None,
            },
            from: handle,
            ty: ir::MemoryType::W64,
        });
    }

    /// Stores the value in force of an option in its global.
    fn store_option(&mut self, option: &hir::ScriptOption, global: &hir::Global) -> Lowered<()> {
        self.set_span(global.span);
        let offset = self.unit.global_offset(option.global, global.span)?;
        let store = |from, ty, offset: u64| ir::InstructionKind::Store {
            place: ir::Place {
                base: ir::Base::Globals,
                offset: offset as i64,
                index: None,
            },
            from,
            ty,
        };
        let (from, ty) = match &option.value {
            hir::OptionValue::Range {
                least,
                greatest,
                size,
            } => {
                for (end, offset) in [(*least, offset), (*greatest, offset + u64::from(*size))] {
                    let from = self.constant(end as u64);
                    let ty = match size {
                        1 => ir::MemoryType::U8,
                        2 => ir::MemoryType::U16,
                        4 => ir::MemoryType::U32,
                        _ => ir::MemoryType::W64,
                    };
                    self.emit(store(from, ty, offset));
                }
                return Ok(());
            }
            hir::OptionValue::Integer(value) => {
                (self.constant(*value as u64), self.memory_type(global.ty))
            }
            hir::OptionValue::Float(value) => (
                self.float_constant(*value, global.ty),
                self.memory_type(global.ty),
            ),
            hir::OptionValue::Str(bytes) => (self.literal(bytes), ir::MemoryType::W64),
        };
        let ty = match (&option.value, ty) {
            (hir::OptionValue::Integer(_), ir::MemoryType::F32 | ir::MemoryType::F64)
            | (hir::OptionValue::Float(_), ir::MemoryType::W64) => {
                return Err(LowerError::malformed(
                    global.span,
                    "the value of an option is of another type than its global",
                ));
            }
            (_, ty) => ty,
        };
        self.emit(store(from, ty, offset));
        Ok(())
    }
}
