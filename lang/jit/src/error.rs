//! Why a program could not be compiled.

use cranelift_module::ModuleError;
use ytrace_lang::verify::VerifyError;

/// Why a program could not be compiled. None of these is the fault of a probe's author: the
/// checker has accepted the program, so they tell of a defect or of a host that is not supported.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The processor or its settings are not supported by the code generator.
    #[error("this machine is not supported by the code generator: {reason}")]
    Host {
        /// What the code generator says.
        reason: String,
    },
    /// An option is out of its range.
    #[error("{name} must be {expected}, not {value}")]
    Option {
        /// The option.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        value: u64,
    },
    /// The program breaks a rule of the intermediate representation.
    #[error(transparent)]
    Invalid(#[from] VerifyError),
    /// The code generator refused a function.
    #[error("no code could be generated for function `{function}`: {reason}")]
    Codegen {
        /// The function.
        function: String,
        /// What the code generator says.
        reason: String,
    },
    /// The code could not be linked or placed in memory.
    #[error("the code could not be placed in memory")]
    Module(#[source] Box<ModuleError>),
    /// Memory for the code could not be had.
    #[error("no memory for {bytes} bytes of code: {reason}")]
    CodeMemory {
        /// How much was wanted.
        bytes: usize,
        /// What the system says.
        reason: String,
    },
}

impl From<ModuleError> for CompileError {
    fn from(error: ModuleError) -> Self {
        CompileError::Module(Box::new(error))
    }
}
