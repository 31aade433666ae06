//! Whether a function can be translated: it keeps the rules of the intermediate representation, and is not too large.
//!
//! Translation relies on what is checked here: a broken rule becomes a typed error instead of a
//! panic of the code generator or code that touches memory that is not the program's.

use ytrace_lang::ir::{Block, Function, FunctionId, InstructionKind, Program};
use ytrace_lang::verify::{VerifyError, verify_structure};

use crate::error::CompileError;

/// The greatest size of all slots of a function together, in bytes.
pub const SLOTS_LIMIT: u64 = 1 << 30;

/// The most arguments of one operation or call.
pub const ARGUMENTS_LIMIT: usize = 4096;

/// How slots and other parts of a frame are aligned, in bytes.
pub const SLOT_ALIGNMENT: u64 = 16;

/// The size of all slots of a function, each aligned, or `None` if it is beyond the limit.
pub fn slots_size(function: &Function) -> Option<u64> {
    function
        .slots
        .iter()
        .try_fold(0_u64, |sum, &size| {
            sum.checked_add(size.checked_next_multiple_of(SLOT_ALIGNMENT)?)
        })
        .filter(|&sum| sum <= SLOTS_LIMIT)
}

/// Checks one function of a program.
pub fn verify(program: &Program, id: FunctionId) -> Result<(), CompileError> {
    let Some(function) = program.functions.get(id.0 as usize) else {
        return Err(CompileError::Invalid(VerifyError {
            function: format!("#{}", id.0),
            block: 0,
            instruction: 0,
            message: "there is no such function".to_owned(),
        }));
    };
    verify_structure(program, function)?;
    let large = |block, instruction, what: &str| {
        CompileError::Invalid(VerifyError {
            function: function.name.clone(),
            block,
            instruction,
            message: format!("too many {what}"),
        })
    };
    if function.parameters as usize > ARGUMENTS_LIMIT {
        return Err(large(0, 0, "parameters"));
    }
    if slots_size(function).is_none() {
        return Err(large(0, 0, "bytes of slots"));
    }
    for (index, block) in function.blocks.iter().enumerate() {
        if let Some((instruction, what)) = too_large(block) {
            return Err(large(index, instruction, what));
        }
    }
    Ok(())
}

/// The first instruction of a block that does too much at once, and of what.
fn too_large(block: &Block) -> Option<(usize, &'static str)> {
    let instructions = block.instructions.iter().enumerate();
    { instructions }.find_map(|(index, instruction)| match &instruction.kind {
        InstructionKind::CopyBytes { length, .. } | InstructionKind::Zero { length, .. } => {
            (*length > SLOTS_LIMIT).then_some((index, "bytes"))
        }
        InstructionKind::Operation { arguments, .. } => {
            (arguments.len() > ARGUMENTS_LIMIT).then_some((index, "arguments"))
        }
        _ => None,
    })
}
