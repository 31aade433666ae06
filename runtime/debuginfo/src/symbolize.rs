//! From an address to a name: functions with source lines and inlined callers, and variables.

use std::sync::{Mutex, PoisonError};

use crate::demangle::demangle;
use crate::dwarf::{Purpose, Reader, Sections};
use crate::elf::ElfImage;
use crate::error::{Error, Result};
use crate::symtab::{MAX_NAME, Symbol, SymbolKind, SymbolTable};

/// More inlined frames than this are cut off.
const MAX_FRAMES: usize = 128;

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file as the compiler recorded it.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column, from 1.
    pub column: Option<u32>,
}

/// A function that was inlined, seen from inside out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlinedFrame {
    /// The function's name.
    pub name: String,
    /// Where the address lies within it: for the innermost frame the instruction's own line, else that of the inlined call.
    pub location: Option<SourceLocation>,
}

/// What an address of code means.
#[derive(Debug, Clone)]
pub struct CodeSymbol {
    /// The function whose code this is (not an inlined one), demangled. `None` where nothing names it.
    pub name: Option<String>,
    /// The name that the linker knows it by, where the symbol table has one.
    pub linkage_name: Option<String>,
    /// Offset in bytes of the address from the start of the function; zero where that is unknown.
    pub offset: u64,
    /// Where the address lies in that function's source; for inlined code, where the outermost call was inlined.
    pub location: Option<SourceLocation>,
    /// Functions inlined at the address, innermost first.
    pub inlined: Vec<InlinedFrame>,
    /// Why there are no lines and no inlined functions, where the debug information that should tell is unusable.
    pub problem: Option<Error>,
}

/// What an address of data means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSymbol {
    /// The variable's name, demangled.
    pub name: String,
    /// Offset in bytes of the address from its start.
    pub offset: u64,
    /// Size in bytes of the variable.
    pub size: u64,
}

/// A function's name and a place in it.
pub(crate) type Frame = (Option<String>, Option<SourceLocation>);

type Context = addr2line::Context<Reader>;

/// Line tables, loaded when the first address is looked up.
#[derive(Default)]
pub(crate) struct Lines {
    context: Mutex<Option<Result<Context>>>,
}

impl Lines {
    /// Reads what all addresses need.
    pub fn prepare(&self, main: &ElfImage, sup: Option<&ElfImage>) {
        let mut context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        context.get_or_insert_with(|| load(main, sup));
    }

    /// Frames of an address, innermost first.
    pub fn frames(
        &self,
        main: &ElfImage,
        sup: Option<&ElfImage>,
        address: u64,
    ) -> Result<Vec<Frame>> {
        // The line reader adds one to the address; no code is there.
        if address == u64::MAX {
            return Ok(Vec::new());
        }
        let mut context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        let context = context.get_or_insert_with(|| load(main, sup));
        let context = context.as_ref().map_err(Clone::clone)?;
        let fail = |e| line_error(main, address, e);
        let mut frames = context
            .find_frames(address)
            .skip_all_loads()
            .map_err(fail)?;
        let mut out = Vec::new();
        while let Some(frame) = frames.next().map_err(fail)? {
            let name = frame.function.as_ref().map(|f| {
                let bytes = f.name.bytes();
                let bytes = bytes.get(..bytes.len().min(MAX_NAME)).unwrap_or(bytes);
                demangle(&String::from_utf8_lossy(bytes))
            });
            let location = frame.location.and_then(|l| {
                Some(SourceLocation {
                    file: l.file?.to_owned(),
                    line: l.line.filter(|&n| n != 0),
                    column: l.column.filter(|&n| n != 0),
                })
            });
            out.push((name, location));
            if out.len() >= MAX_FRAMES {
                break;
            }
        }
        Ok(out)
    }
}

/// Reads which unit has which addresses. What a unit has is read when it is first asked for.
fn load(main: &ElfImage, sup: Option<&ElfImage>) -> Result<Context> {
    let mut dwarf = Sections::load(main, sup, Purpose::Lines)?.shared();
    dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
    Context::from_dwarf(dwarf).map_err(|e| line_error(main, 0, e))
}

fn line_error(image: &ElfImage, address: u64, source: gimli::Error) -> Error {
    Error::Lines {
        path: image.path.clone(),
        address,
        source,
    }
}

/// Names an address of code from the symbol tables and the frames that the line tables gave.
pub(crate) fn code(frames: Result<Vec<Frame>>, tables: &[SymbolTable], address: u64) -> CodeSymbol {
    let symbol = code_symbol(tables, address);
    let (mut frames, problem) = match frames {
        Ok(frames) => (frames, None),
        Err(e) => (Vec::new(), Some(e)),
    };
    let (outer_name, location) = frames.pop().unwrap_or((None, None));
    let inlined = frames
        .into_iter()
        .map(|(name, location)| InlinedFrame {
            name: name.unwrap_or_else(|| "(inlined)".into()),
            location,
        })
        .collect();
    CodeSymbol {
        name: symbol.as_ref().map(|s| demangle(&s.name)).or(outer_name),
        offset: symbol.as_ref().map_or(0, |s| address - s.address),
        linkage_name: symbol.map(|s| s.name),
        location,
        inlined,
        problem,
    }
}

/// The name of a function from the symbol tables alone, and the offset into it.
pub(crate) fn function(tables: &[SymbolTable], address: u64) -> Option<(String, u64)> {
    let symbol = code_symbol(tables, address)?;
    Some((demangle(&symbol.name), address - symbol.address))
}

fn code_symbol(tables: &[SymbolTable], address: u64) -> Option<Symbol> {
    let is_code = |kind| {
        matches!(
            kind,
            SymbolKind::Function | SymbolKind::IndirectFunction | SymbolKind::Untyped
        )
    };
    tables.iter().find_map(|t| t.by_address(address, is_code))
}

/// Names an address of data.
pub(crate) fn data(tables: &[SymbolTable], address: u64) -> Option<DataSymbol> {
    let is_data = |kind| matches!(kind, SymbolKind::Object);
    let symbol = tables.iter().find_map(|t| t.by_address(address, is_data))?;
    Some(DataSymbol {
        name: demangle(&symbol.name),
        offset: address - symbol.address,
        size: symbol.size,
    })
}
