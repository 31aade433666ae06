//! The intermediate representation as text, for tests and for people.

use std::fmt::{self, Display, Write};

use crate::ir::{
    Base, Class, Comparison, FloatOperator, Function, InstructionKind, IntegerOperator,
    IntegerType, MemoryType, Place, Program, Register, Terminator,
};

/// A whole program. Equal programs give equal text.
pub fn program(program: &Program) -> String {
    let mut text = String::new();
    for (index, one) in program.functions.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&function(program, one));
    }
    text
}

/// One function of a program.
pub fn function(program: &Program, function: &Function) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_function(&mut text, program, function);
    text
}

fn write_function(text: &mut String, program: &Program, function: &Function) -> fmt::Result {
    write!(text, "function {}(", function.name)?;
    for index in 0..function.parameters {
        let separator = if index > 0 { ", " } else { "" };
        let class = function.registers.get(index as usize);
        write!(
            text,
            "{separator}r{index}{}",
            class.map_or("", |class| class_suffix(*class))
        )?;
    }
    write!(text, ")")?;
    if let Some(class) = function.result {
        write!(text, " -> {}", class_name(class))?;
    }
    writeln!(text)?;
    for (index, size) in function.slots.iter().enumerate() {
        writeln!(text, "  slot s{index}: {size} bytes")?;
    }
    for (index, block) in function.blocks.iter().enumerate() {
        match block.on_fault {
            Some(handler) => writeln!(text, "b{index}: on fault b{}", handler.0)?,
            None => writeln!(text, "b{index}:")?,
        }
        for instruction in &block.instructions {
            write!(text, "  ")?;
            write_instruction(text, program, function, &instruction.kind)?;
            writeln!(text)?;
        }
        write!(text, "  ")?;
        write_terminator(text, &block.terminator)?;
        writeln!(text)?;
    }
    Ok(())
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::Word => "word",
        Class::Float32 => "f32",
        Class::Float64 => "f64",
    }
}

fn class_suffix(class: Class) -> &'static str {
    match class {
        Class::Word => "",
        Class::Float32 => ": f32",
        Class::Float64 => ": f64",
    }
}

impl Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

impl Display for IntegerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = if self.signed { 'i' } else { 'u' };
        write!(f, "{letter}{}", u32::from(self.size) * 8)
    }
}

impl Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MemoryType::I8 => "i8",
            MemoryType::U8 => "u8",
            MemoryType::I16 => "i16",
            MemoryType::U16 => "u16",
            MemoryType::I32 => "i32",
            MemoryType::U32 => "u32",
            MemoryType::W64 => "w64",
            MemoryType::F32 => "f32",
            MemoryType::F64 => "f64",
        })
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base {
            Base::Target(register) => write!(f, "target[{register}")?,
            Base::Globals => write!(f, "globals[")?,
            Base::Slot(slot) => write!(f, "s{}[", slot.0)?,
            Base::Frame(register) => write!(f, "frame[{register}")?,
            Base::Row { container, row } => write!(f, "row[{container}, {row}")?,
        }
        write!(f, " + {}", self.offset)?;
        if let Some(index) = self.index {
            write!(f, " + {index}")?;
        }
        write!(f, "]")
    }
}

pub(crate) fn comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
    }
}

pub(crate) fn integer_operator(operator: IntegerOperator) -> &'static str {
    match operator {
        IntegerOperator::Add => "+",
        IntegerOperator::Subtract => "-",
        IntegerOperator::Multiply => "*",
        IntegerOperator::Divide => "/",
        IntegerOperator::Remainder => "%",
        IntegerOperator::And => "&",
        IntegerOperator::Or => "|",
        IntegerOperator::Xor => "^",
        IntegerOperator::ShiftLeft => "<<",
        IntegerOperator::ShiftRight => ">>",
    }
}

fn float_operator(operator: FloatOperator) -> &'static str {
    match operator {
        FloatOperator::Add => "+",
        FloatOperator::Subtract => "-",
        FloatOperator::Multiply => "*",
        FloatOperator::Divide => "/",
    }
}

fn write_arguments(text: &mut String, arguments: &[Register]) -> fmt::Result {
    for (index, argument) in arguments.iter().enumerate() {
        let separator = if index > 0 { ", " } else { "" };
        write!(text, "{separator}{argument}")?;
    }
    Ok(())
}

fn write_constant(text: &mut String, function: &Function, to: Register, value: u64) -> fmt::Result {
    match function.registers.get(to.0 as usize) {
        Some(Class::Float32) => write!(text, "{to} = {:?}f32", f32::from_bits(value as u32)),
        Some(Class::Float64) => write!(text, "{to} = {:?}f64", f64::from_bits(value)),
        _ => write!(text, "{to} = {}", value as i64),
    }
}

fn write_instruction(
    text: &mut String,
    program: &Program,
    function: &Function,
    kind: &InstructionKind,
) -> fmt::Result {
    match kind {
        InstructionKind::Constant { to, value } => write_constant(text, function, *to, *value),
        InstructionKind::Literal { to, index } => {
            let bytes = program.constants.strings.get(*index as usize);
            let bytes = bytes.map(Vec::as_slice).unwrap_or_default();
            write!(text, "{to} = \"{}\"", bytes.escape_ascii())
        }
        InstructionKind::Copy { to, from } => write!(text, "{to} = {from}"),
        InstructionKind::Integer {
            operator,
            ty,
            to,
            left,
            right,
        } => write!(
            text,
            "{to} = {left} {} {right} as {ty}",
            integer_operator(*operator)
        ),
        InstructionKind::Extend { ty, to, from } => write!(text, "{to} = {from} as {ty}"),
        InstructionKind::CompareIntegers {
            comparison: operator,
            signed,
            to,
            left,
            right,
        } => {
            let sign = if *signed { "signed" } else { "unsigned" };
            write!(
                text,
                "{to} = {left} {} {right} {sign}",
                comparison(*operator)
            )
        }
        InstructionKind::Float {
            operator,
            to,
            left,
            right,
        } => write!(
            text,
            "{to} = {left} {} {right} float",
            float_operator(*operator)
        ),
        InstructionKind::FloatNegate { to, from } => write!(text, "{to} = -{from} float"),
        InstructionKind::CompareFloats {
            comparison: operator,
            to,
            left,
            right,
        } => write!(
            text,
            "{to} = {left} {} {right} float",
            comparison(*operator)
        ),
        InstructionKind::IntegerToFloat { signed, to, from } => {
            let sign = if *signed { "signed" } else { "unsigned" };
            write!(text, "{to} = float of {sign} {from}")
        }
        InstructionKind::FloatToInteger { ty, to, from } => {
            write!(text, "{to} = {ty} of float {from}")
        }
        InstructionKind::FloatToFloat { to, from } => write!(text, "{to} = float of float {from}"),
        InstructionKind::FloatToBits { to, from } => write!(text, "{to} = bits of {from}"),
        InstructionKind::BitsToFloat { to, from } => write!(text, "{to} = float of bits {from}"),
        InstructionKind::Load { to, place, ty } => write!(text, "{to} = load {ty} {place}"),
        InstructionKind::Store { place, from, ty } => write!(text, "store {ty} {place} = {from}"),
        InstructionKind::CopyBytes { to, from, length } => {
            write!(text, "copy {length} bytes {to} = {from}")
        }
        InstructionKind::Zero { place, length } => write!(text, "zero {length} bytes {place}"),
        InstructionKind::SlotAddress { to, slot } => write!(text, "{to} = address of s{}", slot.0),
        InstructionKind::BoundsCheck { index, length } => {
            write!(text, "check {index} below {length}")
        }
        InstructionKind::Call {
            function,
            arguments,
            to,
        } => {
            if let Some(to) = to {
                write!(text, "{to} = ")?;
            }
            let name = program
                .functions
                .get(function.0 as usize)
                .map_or("?", |function| function.name.as_str());
            write!(text, "call {name}(")?;
            write_arguments(text, arguments)?;
            write!(text, ")")
        }
        InstructionKind::Operation {
            operation,
            arguments,
            to,
        } => {
            if let Some(to) = to {
                write!(text, "{to} = ")?;
            }
            write!(text, "{operation:?}(")?;
            write_arguments(text, arguments)?;
            write!(text, ")")
        }
        InstructionKind::Step => write!(text, "step"),
    }
}

fn write_terminator(text: &mut String, terminator: &Terminator) -> fmt::Result {
    match terminator {
        Terminator::Jump(block) => write!(text, "jump b{}", block.0),
        Terminator::Branch {
            condition,
            then,
            otherwise,
        } => write!(
            text,
            "if {condition} jump b{} else b{}",
            then.0, otherwise.0
        ),
        Terminator::Switch {
            value,
            cases,
            otherwise,
        } => {
            write!(text, "switch {value} {{")?;
            for (word, block) in cases {
                write!(text, " {}: b{},", *word as i64, block.0)?;
            }
            write!(text, " else b{} }}", otherwise.0)
        }
        Terminator::Return(Some(register)) => write!(text, "return {register}"),
        Terminator::Return(None) => write!(text, "return"),
    }
}
