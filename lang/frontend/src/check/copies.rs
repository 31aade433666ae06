//! Copies that the compiler has made of a function for some callers (`f.constprop.0`, `f.isra.0`): they are probed with the function,
//! and each has parameters in places of its own.
//!
//! A handler asks which of them was hit before it takes a parameter that is not in the same place in all. A copy that has not got what
//! the handler uses is left out, and that is told: the others are worth having.

use super::Checker;
use super::class::Class;
use super::hits::HitValue;
use super::points::Prototype;
use crate::abi::{self, Location, Word};
use crate::hir::{self, ExpressionKind};
use crate::source::Span;
use crate::target::ParameterPlace;
use crate::types::TypeId;
use ytrace_values::Operation;

/// Why an argument of a copy is not to be had.
const NOT_TOLD: &str = "the debug information does not tell where the copy has it";

/// A copy of a function that the compiler has made for some callers, which is probed with it.
#[derive(Clone, Debug)]
pub(super) struct Copied {
    /// Its symbol.
    pub name: String,
    /// Where it begins.
    pub address: u64,
    /// Where it has those of its parameters that are integers or pointers, if that is known.
    pub integers: Option<Vec<Location>>,
    /// What the handler asks for and it lacks: it is not probed.
    pub left_out: Option<String>,
}

impl Checker<'_> {
    /// A value wherever the function, or the copy of it, that was hit has it. Copies that have it nowhere are left out of the hit; where no
    /// function has it, the error says why.
    pub(super) fn located_anywhere(
        &mut self,
        value: &HitValue,
        kept: bool,
    ) -> Result<hir::Expression, String> {
        let (ty, span) = (value.ty, value.span);
        if let Some(hit) = &mut self.hit {
            hit.takes_arguments |= hit.on_functions;
        }
        // Copies by where they have it.
        let mut elsewhere: Vec<(Location, Vec<usize>)> = Vec::new();
        for (index, location) in value.in_copies.iter().enumerate() {
            if *location == value.location && !matches!(location, Location::OutOfReach(_)) {
                continue;
            }
            match elsewhere.iter_mut().find(|(known, _)| known == location) {
                Some((_, copies)) => copies.push(index),
                None => elsewhere.push((location.clone(), vec![index])),
            }
        }
        let mut found = self.located(&value.location, ty, kept, span);
        let mut lacking = Vec::new();
        for (location, copies) in elsewhere {
            let there = match self.located(&location, ty, kept, span) {
                Ok(there) => there,
                Err(why) => {
                    lacking.push((copies, why));
                    continue;
                }
            };
            found = match found {
                Ok(otherwise) => {
                    let condition = self.is_hit(&copies, span);
                    let parts = [condition, there, otherwise].map(Box::new);
                    let [condition, there, otherwise] = parts;
                    Ok(hir::Expression {
                        kind: ExpressionKind::Conditional(condition, there, otherwise),
                        ty,
                        span,
                    })
                }
                Err(why) => {
                    let hit = self.hit.as_mut();
                    // What an ordinary function has out of reach is so for a reason that concerns all.
                    let Some(first) = hit.and_then(|hit| hit.first_copy.as_mut()) else {
                        return Err(why);
                    };
                    let why = || lacks(&value.name, &why);
                    first.left_out.get_or_insert_with(why);
                    Ok(there)
                }
            };
        }
        let found = found?;
        for (copies, why) in lacking {
            for copy in copies {
                let copy = self.hit.as_mut().and_then(|hit| hit.copies.get_mut(copy));
                if let Some(copy) = copy {
                    let why = || lacks(&value.name, &why);
                    copy.left_out.get_or_insert_with(why);
                }
            }
        }
        Ok(found)
    }

    /// Whether one of these copies was hit.
    fn is_hit(&self, copies: &[usize], span: Span) -> hir::Expression {
        let word = self.basics.unsigned_long;
        let int = self.basics.int;
        let known = self.hit.as_ref().map_or(&[][..], |hit| &hit.copies);
        let addresses = copies
            .iter()
            .filter_map(|copy| Some(known.get(*copy)?.address));
        let mut condition = None;
        for address in addresses {
            let function = self.operation(Operation::HitFunction, Vec::new(), word, span);
            let address = self.integer(address, word, span);
            let (function, address) = (Box::new(function), Box::new(address));
            let one = hir::Expression {
                kind: ExpressionKind::Compare(hir::CompareOperator::Equal, function, address),
                ty: int,
                span,
            };
            condition = Some(match condition {
                None => one,
                Some(before) => hir::Expression {
                    kind: ExpressionKind::Logical {
                        and: false,
                        left: Box::new(before),
                        right: Box::new(one),
                    },
                    ty: int,
                    span,
                },
            });
        }
        condition.unwrap_or_else(|| self.integer(0, int, span))
    }

    /// The n-th argument of a function that is an integer or a pointer.
    pub(super) fn passed_argument(&self, number: usize, hidden: usize, span: Span) -> HitValue {
        const FEWER: &str = "a copy of the function that the compiler made for some callers is hit, which has fewer";
        let place = number.saturating_add(hidden);
        let register = match abi::INTEGER_ARGUMENTS.get(place) {
            Some(register) => Word::General(*register),
            None => {
                let beyond = place.saturating_sub(abi::INTEGER_ARGUMENTS.len());
                Word::Stack(8 + 8 * beyond as u64)
            }
        };
        let register = Location::Words(vec![register]);
        let among = |integers: &[Location]| {
            let found = integers.get(number).cloned();
            found.unwrap_or(Location::OutOfReach(FEWER))
        };
        let (mut location, mut in_copies) = (register.clone(), Vec::new());
        if let Some(hit) = &self.hit {
            let first = hit.first_copy.as_ref();
            if let Some(integers) = first.and_then(|first| first.integers.as_deref()) {
                location = among(integers);
            }
            let of_copies = hit.copies.iter().map(|copy| match &copy.integers {
                Some(integers) => among(integers),
                // Nobody knows better than the registers where there are copies alone.
                None if first.is_some() => register.clone(),
                None => Location::OutOfReach(NOT_TOLD),
            });
            in_copies = of_copies.collect();
        }
        HitValue {
            name: format!("_arg({number})"),
            ty: self.basics.unsigned_long,
            location,
            in_copies,
            span,
        }
    }

    /// A copy of a function, and where it has the parameters.
    pub(super) fn copy_of(
        &mut self,
        (name, address): (&str, u64),
        prototype: Option<&Prototype>,
        places: &[ParameterPlace],
        declared: &[(Option<String>, TypeId, Span)],
    ) -> (Copied, Vec<Location>) {
        let known = prototype.map_or(&[][..], |prototype| prototype.parameters.as_slice());
        let more = declared.iter().skip(known.len()).map(|(_, ty, _)| *ty);
        let parameters: Vec<TypeId> = known.iter().map(|(_, ty)| *ty).chain(more).collect();
        let locations = self.locations_at(places, &parameters);
        let copy = Copied {
            name: name.to_owned(),
            address,
            integers: self.integers_of(prototype, places),
            left_out: None,
        };
        (copy, locations)
    }

    /// Where a copy has those of its parameters that are integers or pointers; `None` where that is not known.
    fn integers_of(
        &mut self,
        prototype: Option<&Prototype>,
        places: &[ParameterPlace],
    ) -> Option<Vec<Location>> {
        let prototype = prototype.filter(|_| !places.is_empty())?;
        let mut integers = Vec::new();
        for (index, (_, ty)) in prototype.parameters.iter().enumerate() {
            let class = self.class(*ty);
            if class.is_integer() || matches!(class, Class::Pointer(_)) {
                let location = match places.get(index) {
                    Some(ParameterPlace::Stack(offset)) => {
                        Location::Words(vec![Word::Stack(*offset)])
                    }
                    place => self.location_at(place.copied(), *ty),
                };
                integers.push(location);
            }
        }
        Some(integers)
    }
}

/// Why a copy is not probed.
fn lacks(parameter: &str, why: &str) -> String {
    format!("`{parameter}` cannot be read there: {why}")
}
