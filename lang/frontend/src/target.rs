//! The seam to a target's names: "what is `ngx_pool_t`, where is `ngx_cycle`".
//!
//! The engine joins these traits to debug information; tests give a handful of hand-made types.

/// A type of the target, as its source numbers it. Opaque to the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetType(pub u64);

/// A module of the target, as the sources number it. Opaque to the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub u32);

/// Where a name is looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The prefix of the name, if it has one: a module (`libc.so.6`) or a source file
    /// (`ngx_cycle.c`).
    pub prefix: Option<String>,
    /// The module that the file's `_module` chose; it is searched before the executable.
    pub preferred: Option<ModuleId>,
}

/// Which name space a type name lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypeNameKind {
    /// `typedef`s, base types and (in C++) class names: a bare name.
    Plain,
    /// `struct name`.
    Struct,
    /// `union name`.
    Union,
    /// `enum name`.
    Enum,
}

/// What a type is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeDescription {
    /// `void`, or a type that debug information gives no meaning.
    Void,
    /// `_Bool`.
    Bool,
    /// An integer of 1, 2, 4, 8 or 16 bytes.
    Integer {
        /// As C writes it.
        name: String,
        /// Size in bytes.
        size: u64,
        /// Whether it is signed.
        signed: bool,
        /// Whether it is a character type.
        character: bool,
    },
    /// A floating-point number of 4, 8 or 16 bytes.
    Float {
        /// As C writes it.
        name: String,
        /// Size in bytes.
        size: u64,
    },
    /// A complex number: two floating-point numbers of 4, 8 or 16 bytes each.
    Complex {
        /// The size of both in bytes.
        size: u64,
    },
    /// A pointer (or a C++ reference).
    Pointer {
        /// What it points to.
        target: TargetType,
    },
    /// An array.
    Array {
        /// The element.
        element: TargetType,
        /// The number of elements, if known.
        count: Option<u64>,
    },
    /// A struct, class or union.
    Record {
        /// The tag, if it has one.
        name: Option<String>,
        /// Whether it is a union.
        union: bool,
        /// Size in bytes; `None` if the type is incomplete everywhere.
        size: Option<u64>,
        /// Members in order; empty if incomplete.
        members: Vec<MemberDescription>,
        /// Whether arguments and results of it are passed by reference, as some classes of C++ are; `None` where its members tell.
        by_reference: Option<bool>,
    },
    /// An enumeration.
    Enum {
        /// The tag, if it has one.
        name: Option<String>,
        /// Size in bytes.
        size: u64,
        /// Whether its values are signed.
        signed: bool,
        /// Enumerators in order of declaration.
        enumerators: Vec<(String, i64)>,
    },
    /// A `typedef`.
    Typedef {
        /// Its name.
        name: String,
        /// What it names.
        target: TargetType,
    },
    /// A function.
    Function {
        /// What it returns.
        result: TargetType,
        /// Its parameters' types.
        parameters: Vec<TargetType>,
        /// Whether it ends in `...`.
        variadic: bool,
    },
}

/// What a member is to its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberRole {
    /// It is always there.
    #[default]
    Always,
    /// It tells which of the variants is there (an `enum` of Rust).
    Discriminant,
    /// It is there where the discriminant has this value in its bytes; `None` is for all other values.
    Variant(Option<u128>),
    /// A virtual base of C++: its distance from the start of an object stands so many bytes below where the object's first word
    /// points; `None` where that is found otherwise.
    Virtual(Option<u64>),
}

/// One member of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberDescription {
    /// The name; `None` for an anonymous struct or union.
    pub name: Option<String>,
    /// Its type.
    pub ty: TargetType,
    /// Offset in bytes. For a bit-field, of the storage that `bits` counts from.
    pub offset: u64,
    /// For a bit-field: the lowest bit counted from `offset` (little-endian), and the width.
    pub bits: Option<(u32, u32)>,
    /// Whether it is there always, or is a variant.
    pub role: MemberRole,
}

/// A variable of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableDescription {
    /// Its module.
    pub module: ModuleId,
    /// Its address in the running target; for a thread-local one, the offset in its module's
    /// block of thread-local storage.
    pub address: u64,
    /// Whether it is thread-local.
    pub thread_local: bool,
    /// Its type; `None` when only a symbol table knows the name.
    pub ty: Option<TargetType>,
}

/// Where a function that does not follow the calling convention has a parameter when it is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterPlace {
    /// In a general register, by its DWARF number.
    General(u8),
    /// In the low half of a vector register, counted from 0.
    Vector(u8),
    /// On the stack, so many bytes above where the stack pointer points.
    Stack(u64),
    /// It is always this number.
    Constant(u64),
    /// Nowhere that is known. The sentence says why.
    Nowhere(&'static str),
}

/// A function of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDescription {
    /// Its module.
    pub module: ModuleId,
    /// Its address in the running target.
    pub address: u64,
    /// Its parameters' names and types, if debug information has them.
    pub parameters: Option<Vec<(Option<String>, TargetType)>>,
    /// What it returns; `None` for `void` or when unknown.
    pub result: Option<TargetType>,
    /// Whether it ends in `...`.
    pub variadic: bool,
    /// Where it has its parameters, for a copy that the compiler has made for some callers; `None` where it follows the calling
    /// convention.
    pub places: Option<Vec<ParameterPlace>>,
    /// The other code that its calls may enter: copies that the compiler has made of it for some callers, or other implementations of
    /// one that is indirect.
    pub copies: Vec<CopyDescription>,
    /// Copies of which it is not known whether they are of this function, by name.
    pub unclear_copies: Vec<String>,
}

/// Other code that calls of a function may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyDescription {
    /// Its symbol: `f.constprop.0`, `__strlen_avx2`.
    pub name: String,
    /// Its address in the running target.
    pub address: u64,
    /// Where it has the parameters of the function, in order, if it is a copy that the compiler has made for some callers; what is beyond
    /// these is not known. `None` where it follows the calling convention.
    pub places: Option<Vec<ParameterPlace>>,
}

/// The functions of the target that match a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchingFunctions {
    /// Their names, and what is known of them. Empty if there are more than were asked for.
    pub functions: Vec<(String, FunctionDescription)>,
    /// How many there are.
    pub total: usize,
}

/// A macro of the target, as its debug information (`.debug_macro`) has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroDescription {
    /// The parameters of a function-like macro; a variadic one's last is `...` or ends in it.
    pub parameters: Option<Vec<String>>,
    /// What it stands for, as written.
    pub replacement: String,
    /// File and line of the definition, as shown to the user, where known.
    pub place: Option<String>,
}

/// Why a name could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// One module gives the name twice, with different meanings.
    #[error("`{name}` is ambiguous: {}", places.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// Prefixes with which it would be unique.
        places: Vec<String>,
    },
    /// The prefix names no module and no source file of the target.
    #[error("no module or source file `{prefix}` in the target")]
    NoSuchPrefix {
        /// The prefix.
        prefix: String,
        /// Names like it.
        suggestions: Vec<String>,
    },
    /// Debug information is broken.
    #[error("{0}")]
    Broken(String),
}

/// What kind of name suggestions are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// Type names.
    Type,
    /// Variables and functions.
    Symbol,
}

/// Types of the target.
pub trait TypeSource {
    /// Finds a type by name. `Ok(None)` if there is none.
    fn find_type(
        &mut self,
        scope: &Scope,
        kind: TypeNameKind,
        name: &str,
    ) -> Result<Option<TargetType>, LookupError>;

    /// What a type is made of. An incomplete record is completed here: first in its own module,
    /// then anywhere if unique.
    fn describe(&mut self, ty: TargetType) -> Result<TypeDescription, LookupError>;

    /// The value of an enumerator, with its enumeration if known.
    fn find_enumerator(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<(i64, Option<TargetType>)>, LookupError>;
}

/// A place where the compiler has put the body of a function into another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlinedPlace {
    /// The function that it is in, by the symbol tables.
    pub within: Option<String>,
    /// The source file of the first line of the body that has code there.
    pub file: String,
    /// That line.
    pub line: u32,
}

impl InlinedPlace {
    /// Where it is, in words.
    pub fn shown(&self) -> String {
        match &self.within {
            Some(within) => format!("`{within}`"),
            None => format!("{}:{}", self.file, self.line),
        }
    }
}

/// Variables, functions and modules of the target.
pub trait SymbolSource {
    /// Finds a variable.
    fn find_variable(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<VariableDescription>, LookupError>;

    /// Finds a function.
    fn find_function(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<FunctionDescription>, LookupError>;

    /// Finds the functions that have code and whose names match a pattern, in which `*` stands for any text and `?` for one
    /// character: in the modules of the scope, each name in the first that has it. Without either all functions of the name are found,
    /// as there may be in C++. Sources that cannot list functions need not say so.
    ///
    /// # Errors
    /// As [`SymbolSource::find_function`].
    fn find_functions(
        &mut self,
        scope: &Scope,
        pattern: &str,
        limit: usize,
    ) -> Result<MatchingFunctions, LookupError> {
        let _ = (scope, pattern, limit);
        Ok(MatchingFunctions::default())
    }

    /// Where a function has been inlined into others, in the order of addresses. Sources that do not know need not say so.
    fn inlined_at(&mut self, scope: &Scope, name: &str) -> Vec<InlinedPlace> {
        let _ = (scope, name);
        Vec::new()
    }

    /// Whether functions that are not there yet are waited for: a library may be loaded that has them.
    fn awaits_functions(&self) -> bool {
        false
    }

    /// Finds a macro. Sources that know of none need not say so.
    ///
    /// # Errors
    /// Its definitions differ, or debug information is broken.
    fn find_macro(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<MacroDescription>, LookupError> {
        let _ = (scope, name);
        Ok(None)
    }

    /// The first loaded module that a pattern of `_module` matches (soname or file name, with
    /// wildcards; `_exe` is passed as `"_exe"`).
    fn find_module(&mut self, pattern: &str) -> Option<ModuleId>;

    /// The address of these bytes, NUL-terminated, in the target's read-only data.
    fn find_string(&mut self, scope: &Scope, bytes: &[u8]) -> Option<u64>;

    /// Names like `name`, best first, for a did-you-mean.
    fn suggest(&mut self, scope: &Scope, kind: NameKind, name: &str) -> Vec<String>;

    /// Whether a thread's copy of a thread-local variable of this module can be found.
    ///
    /// # Errors
    /// Why not: a program that reads one does not compile.
    fn thread_locals_of(&self, module: ModuleId) -> Result<(), String> {
        let _ = module;
        Ok(())
    }

    /// Why names may be missing: the modules without debug information, one sentence each.
    fn missing_debug_information(&mut self) -> Vec<String>;
}

/// Whether a name matches a pattern in which `*` stands for any text and `?` for one character.
///
/// Takes time in proportion to the product of the lengths at most.
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    // The bytes of the character that begins at a place.
    let width = |at: usize| {
        let rest = name.iter().skip(at + 1);
        1 + rest.take_while(|byte| **byte & 0xc0 == 0x80).count()
    };
    let (mut at, mut here) = (0, 0);
    // Where to go on if a `*` must take one more character.
    let mut again: Option<(usize, usize)> = None;
    while here < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                again = Some((at + 1, here));
                at += 1;
            }
            Some(b'?') => {
                at += 1;
                here += width(here);
            }
            Some(byte) if Some(byte) == name.get(here) => {
                at += 1;
                here += 1;
            }
            _ => match again {
                Some((star, from)) => {
                    let from = from + width(from);
                    again = Some((star, from));
                    at = star;
                    here = from;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

/// Both seams in one.
pub trait Target: TypeSource + SymbolSource {}

impl<T: TypeSource + SymbolSource> Target for T {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        assert!(matches_pattern("libc.so.6", "libc.so.6"));
        assert!(!matches_pattern("libc.so.6", "libc.so.60"));
        assert!(matches_pattern("libx*.so*", "libx-5.1.so.2.1.0"));
        assert!(matches_pattern("*", ""));
        assert!(matches_pattern("a?c*", "abcdef"));
        assert!(!matches_pattern("a?c", "ac"));
        assert!(matches_pattern("a?c*", "aéc") && !matches_pattern("a??c", "aéc"));
        assert!(matches_pattern("*a*b*c", "xxaybzc"));
        assert!(!matches_pattern("*a*b*c", "xxaybz"));
    }

    #[test]
    fn many_stars_end() {
        let pattern = "*a".repeat(40);
        assert!(!matches_pattern(&pattern, &"a".repeat(39)));
        assert!(matches_pattern(&pattern, &"a".repeat(400)));
    }
}
