//! The memory of a running program.

use std::hash::BuildHasher;
use std::sync::Arc;

use crate::account::Account;
use crate::constants::{Constants, ContainerTypeId};
use crate::containers::{Containers, Content};
use crate::fault::{Fault, FaultKind};
use crate::paths::{FrameWord, Paths};
use crate::regexes::Regexes;
use crate::strings::Strings;

/// Limits on what a program may use. [`Store::new`] takes note of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tracer memory for strings, paths, tables and arrays, in bytes.
    pub memory: u64,
    /// Output of `printf` and its like, in bytes.
    pub output: u64,
    /// The longest string taken from the target, in bytes (`--max-string`).
    pub string: u64,
}

/// The fault that a `_catch` caught last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caught {
    /// What happened.
    pub fault: Fault,
    /// File, line and column of the instruction.
    pub location: String,
}

/// One frame of a path, for reading results.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Frame {
    /// A name that the program gave.
    Name(Vec<u8>),
    /// An address of code in the target, to be symbolized.
    Code(u64),
}

/// Globals, strings, paths and containers of one program.
#[derive(Clone, Debug)]
pub struct Store {
    /// The program's tables.
    pub constants: Arc<Constants>,
    /// The bytes of the global variables, laid out by the compiler. Starts as zeros.
    pub globals: Vec<u8>,
    /// What it may use.
    pub limits: Limits,
    pub(crate) account: Account,
    pub(crate) strings: Strings,
    pub(crate) paths: Paths,
    pub(crate) containers: Containers,
    pub(crate) regexes: Regexes,
    pub(crate) output_used: u64,
    pub(crate) random: u64,
    literals: Vec<u64>,
    caught: Option<Caught>,
    caught_count: u64,
}

/// What a program has of its own in a store that it shares with others ([`Store::exchange`]).
#[derive(Clone, Debug)]
pub struct OwnPart {
    constants: Arc<Constants>,
    globals: Vec<u8>,
    regexes: Regexes,
    literals: Vec<u64>,
    caught: Option<Caught>,
    caught_count: u64,
}

impl Store {
    /// A fresh store: zeroed globals, no containers.
    ///
    /// The program's own literals are not held against the memory limit.
    pub fn new(constants: Arc<Constants>, limits: Limits) -> Self {
        let globals = vec![0; constants.globals_size as usize];
        let seed = foldhash::fast::RandomState::default().hash_one(0x7974_7261_6365_u64);
        let mut strings = Strings::new();
        let mut unlimited = Account::new(u64::MAX);
        let literals = constants
            .strings
            .iter()
            // Interning fails only at 2³² strings; the empty string stands in.
            .map(|text| strings.intern(text, &mut unlimited).unwrap_or(0))
            .collect();
        Self {
            regexes: Regexes::new(constants.regexes.len()),
            constants,
            globals,
            limits,
            account: Account::new(limits.memory),
            strings,
            paths: Paths::new(seed.rotate_left(17)),
            containers: Containers::new(seed),
            output_used: 0,
            random: 0x9e37_79b9_7f4a_7c15,
            literals,
            caught: None,
            caught_count: 0,
        }
    }

    /// The store of a program that goes on where this one's has ended: strings, paths and containers stay, global variables are zeros,
    /// and so is the count of output. What is to become of the containers is for [`Store::keep_containers`] to say.
    ///
    /// The program's own literals are not held against the memory limit.
    pub fn succeed(mut self, constants: Arc<Constants>) -> Self {
        let mut unlimited = Account::new(u64::MAX);
        self.literals = constants
            .strings
            .iter()
            // As in `new`.
            .map(|text| self.strings.intern(text, &mut unlimited).unwrap_or(0))
            .collect();
        self.regexes = Regexes::new(constants.regexes.len());
        self.globals = vec![0; constants.globals_size as usize];
        self.constants = constants;
        self.output_used = 0;
        self.caught = None;
        self
    }

    /// What the present program has of its own.
    pub fn own_part(&self) -> OwnPart {
        OwnPart {
            constants: Arc::clone(&self.constants),
            globals: self.globals.clone(),
            regexes: self.regexes.clone(),
            literals: self.literals.clone(),
            caught: self.caught.clone(),
            caught_count: self.caught_count,
        }
    }

    /// Puts another program in the place of the present one, whose own part is then in `part`. It must have been the present one of this
    /// store before, for its literals are strings of the store. Strings, paths and containers are common to both; what type
    /// containers have for the program is for [`Store::retype`] to say. The count of output begins anew.
    pub fn exchange(&mut self, part: &mut OwnPart) {
        std::mem::swap(&mut self.constants, &mut part.constants);
        std::mem::swap(&mut self.globals, &mut part.globals);
        std::mem::swap(&mut self.regexes, &mut part.regexes);
        std::mem::swap(&mut self.literals, &mut part.literals);
        std::mem::swap(&mut self.caught, &mut part.caught);
        std::mem::swap(&mut self.caught_count, &mut part.caught_count);
        self.output_used = 0;
    }

    /// The type of a table or an array among those of the program that it was last used by.
    pub fn container_type(&self, handle: u64) -> Option<ContainerTypeId> {
        self.containers.type_of(handle)
    }

    /// Gives a table or an array the type that it has for the present program, and what lies within it.
    pub fn retype(&mut self, handle: u64, to: ContainerTypeId) {
        self.containers
            .retype(vec![(handle, to)], &self.constants.containers);
    }

    /// Settles which containers outlive the program that made them. Those made before `mark` ([`Store::mark`]) are of a program with
    /// the constants `before`, later ones of this one. Of each pair in `kept`, an earlier container and a later one, the earlier stays
    /// and takes the later one's type, if keys and elements lie alike, and the later one is freed; else it is the other way round.
    /// Earlier ones that are in no pair are freed. Says for each pair whether the earlier one stays.
    pub fn keep_containers(
        &mut self,
        before: &Constants,
        mark: u64,
        kept: &[(u64, u64)],
    ) -> Vec<bool> {
        self.containers
            .keep(kept, mark, before, &self.constants, &mut self.account)
    }

    /// The handles of all string literals, in order. They stay where they are for as long as the store does.
    pub fn literals(&self) -> &[u64] {
        &self.literals
    }

    /// The handle of string literal `index`.
    pub fn literal(&self, index: u32) -> Option<u64> {
        self.literals.get(index as usize).copied()
    }

    /// The bytes of a row that an operation gave: key words, then the value.
    ///
    /// A row is opaque; it stays valid until the next operation on any container.
    #[inline]
    pub fn row(&self, container: u64, row: u64) -> Option<&[u8]> {
        match self.containers.get(container)? {
            Content::Table(table) => {
                let words = table.row(u32::try_from(row).ok()?)?;
                Some(bytemuck::cast_slice(words))
            }
            Content::Array(array) => array.row(row),
            _ => None,
        }
    }

    /// The same, for writing.
    #[inline]
    pub fn row_mut(&mut self, container: u64, row: u64) -> Option<&mut [u8]> {
        match self.containers.get_mut(container)? {
            Content::Table(table) => {
                let words = table.row_mut(u32::try_from(row).ok()?)?;
                Some(bytemuck::cast_slice_mut(words))
            }
            Content::Array(array) => array.row_mut(row),
            _ => None,
        }
    }

    /// Bytes of tracer memory in use.
    pub fn memory_used(&self) -> u64 {
        self.account.used()
    }

    /// Takes so many bytes of tracer memory, for what is kept beside the store.
    ///
    /// # Errors
    /// There is not so much left; then none is taken.
    pub fn charge(&mut self, bytes: u64) -> Result<(), Fault> {
        self.account.charge(bytes)
    }

    /// Gives so many bytes back that [`Store::charge`] has taken.
    pub fn refund(&mut self, bytes: u64) {
        self.account.refund(bytes);
    }

    /// Bytes of output so far.
    pub fn output_used(&self) -> u64 {
        self.output_used
    }

    /// The handle of a string, interned.
    pub fn intern(&mut self, text: &[u8]) -> Result<u64, Fault> {
        self.strings.intern(text, &mut self.account)
    }

    /// The bytes of a string; empty for a handle that is none.
    pub fn string(&self, handle: u64) -> &[u8] {
        self.strings.get(handle).unwrap_or_default()
    }

    /// The bytes of a string, or [`FaultKind::Internal`].
    pub(crate) fn text(&self, handle: u64) -> Result<&[u8], Fault> {
        self.strings
            .get(handle)
            .ok_or_else(|| internal("no such string"))
    }

    /// `path / frame`. Costs one probe of a hash index.
    #[inline]
    pub fn path_append(&mut self, path: u64, frame: FrameWord) -> Result<u64, Fault> {
        self.paths.append(path, frame, &mut self.account)
    }

    /// `path / frame / …` of a stack: addresses of code, the innermost, which comes last, first.
    pub fn path_append_stack(&mut self, path: u64, frames: &[u64]) -> Result<u64, Fault> {
        self.paths.append_stack(path, frames, &mut self.account)
    }

    /// The path of these frames, root first.
    pub fn path_from(&mut self, frames: &[Frame]) -> Result<u64, Fault> {
        let mut path = 0;
        for frame in frames {
            let word = match frame {
                Frame::Name(name) => FrameWord::Name(self.intern(name)?),
                Frame::Code(address) => FrameWord::Code(*address),
            };
            path = self.path_append(path, word)?;
        }
        Ok(path)
    }

    /// The path without its leaf.
    pub fn path_parent(&self, path: u64) -> Result<u64, Fault> {
        self.paths
            .parent(path)
            .ok_or_else(|| internal("no such path"))
    }

    /// The number of frames of a path.
    pub fn path_depth(&self, path: u64) -> Result<u64, Fault> {
        self.paths
            .depth(path)
            .ok_or_else(|| internal("no such path"))
    }

    /// The frames of a path, root first; empty for a handle that is none.
    pub fn path_frames(&self, path: u64) -> Vec<Frame> {
        let mut frames: Vec<Frame> = self
            .paths
            .frames(path)
            .map(|frame| match frame {
                FrameWord::Name(name) => Frame::Name(self.string(name).to_vec()),
                FrameWord::Code(address) => Frame::Code(address),
            })
            .collect();
        frames.reverse();
        frames
    }

    /// The last frame of a path, or `None` for the empty path.
    pub fn path_leaf(&self, path: u64) -> Result<Option<FrameWord>, Fault> {
        self.paths
            .leaf(path)
            .ok_or_else(|| internal("no such path"))
    }

    /// Notes and counts the fault that a `_catch` just caught, for `f.kind` and the rest.
    pub fn set_caught(&mut self, fault: Fault, location: String) {
        self.caught = Some(Caught { fault, location });
        self.caught_count = self.caught_count.saturating_add(1);
    }

    /// The fault caught last.
    pub fn caught(&self) -> Option<&Caught> {
        self.caught.as_ref()
    }

    /// How many faults were caught.
    pub fn caught_count(&self) -> u64 {
        self.caught_count
    }

    /// What [`Store::release`] will free down to: everything that exists now stays.
    pub fn mark(&self) -> u64 {
        self.containers.mark()
    }

    /// Frees containers and iterators made since a mark, elements of living ones excepted.
    pub fn release(&mut self, mark: u64) {
        self.containers.release(mark, &mut self.account);
    }

    /// Seeds `_random`. Without this, every run gives the same numbers.
    pub fn seed_random(&mut self, seed: u64) {
        self.random = seed | 1;
    }

    /// The next random number in `0..limit` (splitmix64; 0 if the limit is 0).
    pub(crate) fn random_below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.random;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        ((u128::from(word) * u128::from(limit)) >> 64) as u64
    }
}

/// A defect: something was called with what it does not take.
#[cold]
pub(crate) fn internal(message: &str) -> Fault {
    Fault::new(FaultKind::Internal).with_message(message)
}
