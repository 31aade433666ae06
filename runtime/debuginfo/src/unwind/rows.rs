//! Rows of unwind tables in a form that takes some nanoseconds to apply, by the address of the code.
//!
//! Nearly all rows of compiled code have one: the canonical frame address is a register and an offset, or the word there; what is
//! saved lies at an offset from it, or from one register of the frame. Others, such as those of signal trampolines, are left to the full tables.

use std::collections::HashMap;

use gimli::{CfaRule, Encoding, Expression, Operation, Register, RegisterRule, UnwindExpression};

use super::frame::{Frame, REGISTERS, STACK_POINTER, Unknown};
use super::seen::Needs;
use super::{Next, WORD, Words};
use crate::dwarf::Reader;

/// The most rows that are kept: two dozen addresses of each of some thousand functions.
const MAX_ROWS: usize = 1 << 16;

/// The most registers that a row restores. Those that functions preserve are six on x86-64, twelve on AArch64 with the return
/// address, eight floating-point ones apart.
const MAX_SAVED: usize = 12;

/// Offsets from the canonical frame address are kept in words of this many bytes.
const UNIT: i64 = WORD as i64;

/// What is known of the code at an address.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row {
    /// The row of its table.
    Compact(Compact),
    /// A table covers it, whose row has no compact form.
    Full,
    /// No table covers it.
    Uncovered,
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compact {
    /// The canonical frame address is that register plus the offset, or the word of memory there, plus the other offset.
    offset: i32,
    register: u8,
    indirect: bool,
    /// Whether the caller's address follows a call.
    returned_to: bool,
    caller: Caller,
    /// The registers that were saved, and where: words from the canonical frame address, or from the base.
    saved: [(u8, Place); MAX_SAVED],
    /// The register that is the base of some places.
    base: u8,
    count: u8,
    /// What is added to the word of memory.
    after: i32,
}

/// Where a register was saved.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// So many words from the canonical frame address.
    Top(i8),
    /// So many words from what the base holds.
    Base(i8),
}

/// Where the caller's address is.
#[derive(Clone, Copy, Debug)]
enum Caller {
    /// So many words from the canonical frame address.
    Saved(i8),
    /// In this register.
    Register(u8),
    /// There is none.
    None,
}

/// An expression that was read, and how it is encoded.
type Readable = (Expression<Reader>, Encoding);

impl Compact {
    /// The compact form of a row whose return address is in `column`. `expression` gives the bytes of one.
    pub(super) fn of(
        row: &gimli::UnwindTableRow<usize>,
        column: Register,
        returned_to: bool,
        expression: &dyn Fn(&UnwindExpression<usize>) -> Option<Readable>,
    ) -> Option<Self> {
        let general = |register: Register| {
            let number = u8::try_from(register.0).ok()?;
            (usize::from(number) < REGISTERS).then_some(number)
        };
        let (register, offset, indirect, after) = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => (*register, *offset, false, 0),
            CfaRule::Expression(unread) => {
                let (register, offset, after) = word_at_register(expression(unread)?)?;
                (register, offset, true, after)
            }
        };
        let mut caller = Caller::Register(general(column).unwrap_or(u8::MAX));
        let mut saved = [(0, Place::Top(0)); MAX_SAVED];
        let mut count = 0u8;
        let mut base = None;
        for (register, rule) in row.registers() {
            let words = |offset: i64| {
                let whole = offset % UNIT == 0;
                i8::try_from(offset / UNIT).ok().filter(|_| whole)
            };
            let place = match rule {
                RegisterRule::SameValue => continue,
                RegisterRule::Offset(offset) => Some(Place::Top(words(*offset)?)),
                RegisterRule::Expression(unread) => {
                    let (from, offset) = address_at_register(expression(unread)?)?;
                    if *base.get_or_insert(from) != from {
                        return None;
                    }
                    Some(Place::Base(words(offset)?))
                }
                RegisterRule::Undefined => None,
                _ => return None,
            };
            if *register == column {
                caller = match place {
                    Some(Place::Top(words)) => Caller::Saved(words),
                    Some(Place::Base(_)) => return None,
                    None => Caller::None,
                };
            }
            let Some(number) = general(*register) else {
                // What is not followed is not restored.
                continue;
            };
            if *register == STACK_POINTER {
                return None;
            }
            *saved.get_mut(usize::from(count))? = (number, place?);
            count += 1;
        }
        if matches!(caller, Caller::Register(number) if usize::from(number) >= REGISTERS) {
            return None;
        }
        Some(Self {
            offset: i32::try_from(offset).ok()?,
            register: general(register)?,
            indirect,
            returned_to,
            caller,
            saved,
            base: general(base.unwrap_or(register))?,
            count,
            after: i32::try_from(after).ok()?,
        })
    }

    /// Notes what the step from a frame to its caller depends on; `None` if that cannot be told.
    pub(super) fn note(
        &self,
        frame: &Frame,
        memory: &mut impl Words,
        needs: &mut Needs<'_>,
    ) -> Option<()> {
        needs.register(self.register)?;
        let mut top = frame
            .register(Register(self.register.into()))?
            .wrapping_add_signed(self.offset.into());
        if self.indirect {
            needs.word(top)?;
            top = memory.word(top)?.wrapping_add_signed(self.after.into());
        }
        if let Caller::Register(number) = self.caller {
            needs.register(number)?;
        }
        let saved = self.saved.get(..usize::from(self.count))?;
        let based = |(_, place): &(u8, Place)| matches!(place, Place::Base(_));
        if saved.iter().any(based) {
            needs.register(self.base)?;
        }
        let base = frame.register(Register(self.base.into()));
        for (number, place) in saved {
            let (from, words) = match place {
                Place::Top(words) => (top, *words),
                Place::Base(words) => (base?, *words),
            };
            let address = from.wrapping_add_signed(i64::from(words) * UNIT);
            needs.restored(*number, address)?;
        }
        needs.follows(STACK_POINTER)?;
        if let Caller::Saved(words) = self.caller {
            needs.word(top.wrapping_add_signed(i64::from(words) * UNIT))?;
        }
        Some(())
    }

    /// Goes from a frame to its caller.
    #[inline]
    pub(super) fn apply(&self, frame: &mut Frame, memory: &mut impl Words) -> Next {
        let cut = |unknown: Unknown| Next::Cut(unknown.into());
        let Some(base) = frame.register(Register(self.register.into())) else {
            return cut(frame.unknown());
        };
        let mut top = base.wrapping_add_signed(self.offset.into());
        if self.indirect {
            let Some(word) = memory.word(top) else {
                return cut(Unknown::Memory(top));
            };
            top = word.wrapping_add_signed(self.after.into());
        }
        let place = |words: i8| top.wrapping_add_signed(i64::from(words) * UNIT);
        // As it is before anything is restored.
        let base = frame.register(Register(self.base.into()));
        // A register that holds the return address is asked for before others are restored.
        let in_register = match self.caller {
            Caller::Register(number) => {
                Some((frame.register(Register(number.into())), frame.unknown()))
            }
            _ => None,
        };
        let mut unreadable = None;
        let saved = self.saved.get(..usize::from(self.count));
        for (number, saved) in saved.unwrap_or_default() {
            let address = match saved {
                Place::Top(words) => Some(place(*words)),
                Place::Base(words) => {
                    base.map(|base| base.wrapping_add_signed(i64::from(*words) * UNIT))
                }
            };
            let value = address.and_then(|address| memory.word(address));
            if value.is_none() {
                unreadable = unreadable.or(address);
            }
            frame.set(Register((*number).into()), value);
        }
        frame.unreadable = frame.unreadable.or(unreadable);
        frame.set(STACK_POINTER, Some(top));
        let address = match (self.caller, in_register) {
            (Caller::Saved(words), _) => match memory.word(place(words)) {
                Some(address) => address,
                None => return cut(Unknown::Memory(place(words))),
            },
            (Caller::Register(_), Some((Some(address), _))) => address,
            (Caller::Register(_), Some((None, unknown))) => return cut(unknown),
            (Caller::None, _) | (Caller::Register(_), None) => return Next::End,
        };
        if address == 0 {
            return Next::End;
        }
        frame.address = address;
        frame.returned_to = self.returned_to;
        Next::Caller
    }
}

/// What an expression of the form "the word at a register and an offset, plus a constant" says. Compilers write it for functions
/// that align their stack, and programmers of assembly for those that replace it.
fn word_at_register((bytes, encoding): Readable) -> Option<(Register, i64, i64)> {
    let mut operations = bytes.operations(encoding);
    let mut next = || operations.next().ok();
    let Some(Operation::RegisterOffset {
        register, offset, ..
    }) = next()?
    else {
        return None;
    };
    let Some(Operation::Deref { size, .. }) = next()? else {
        return None;
    };
    if u64::from(size) != WORD {
        return None;
    }
    let after = match next()? {
        None => 0,
        Some(Operation::PlusConstant { value }) => {
            next()?.is_none().then_some(i64::try_from(value).ok()?)?
        }
        Some(_) => return None,
    };
    Some((register, offset, after))
}

/// What an expression of the form "a register and an offset" says: where compilers save registers in functions that align their
/// stack.
fn address_at_register((bytes, encoding): Readable) -> Option<(Register, i64)> {
    let mut operations = bytes.operations(encoding);
    let mut next = || operations.next().ok();
    let Some(Operation::RegisterOffset {
        register, offset, ..
    }) = next()?
    else {
        return None;
    };
    next()?.is_none().then_some((register, offset))
}

/// Rows by the address of the code.
#[derive(Default)]
pub(super) struct Rows {
    places: HashMap<u64, usize, foldhash::fast::RandomState>,
    kept: Vec<Kept>,
    /// The place of the row that was given last.
    last: usize,
}

/// A row, and where the row is that was asked for after it: callers are mostly the same ones, one stack after another.
struct Kept {
    row: Row,
    next_address: u64,
    next: usize,
}

impl Rows {
    /// The row for an address, which `make` gives if it is not kept.
    #[inline]
    pub(super) fn get(&mut self, address: u64, make: impl FnOnce() -> Row) -> &Row {
        let last = self.kept.get(self.last);
        let foreseen = last.filter(|last| last.next_address == address);
        let place = match foreseen.map(|last| last.next) {
            Some(place) => place,
            None => match self.look_up(address, make) {
                Some(place) => place,
                None => return &Row::Uncovered,
            },
        };
        self.last = place;
        self.kept
            .get(place)
            .map_or(&Row::Uncovered, |kept| &kept.row)
    }

    /// The place of the row for an address; `None` if no table covers it.
    fn look_up(&mut self, address: u64, make: impl FnOnce() -> Row) -> Option<usize> {
        let place = match self.places.get(&address) {
            Some(place) => *place,
            None => {
                let row = make();
                // Addresses that are no code are all different.
                if matches!(row, Row::Uncovered) {
                    return None;
                }
                if self.kept.len() >= MAX_ROWS {
                    self.clear();
                }
                let place = self.kept.len();
                self.places.insert(address, place);
                // What is foreseen at first is itself: a function that calls itself there.
                self.kept.push(Kept {
                    row,
                    next_address: address,
                    next: place,
                });
                place
            }
        };
        if let Some(last) = self.kept.get_mut(self.last) {
            (last.next_address, last.next) = (address, place);
        }
        Some(place)
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.kept.clear();
        self.last = 0;
    }
}
