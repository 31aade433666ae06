//! Base classes of C++ that do not lie at the start of what is derived from them.

use std::collections::HashSet;

use super::Checker;
use super::class::Class;
use crate::diagnostics::Diagnostic;
use crate::source::Span;
use crate::target::MemberRole;
use crate::types::{RecordId, TypeId};

/// Among so many classes a base is looked for.
const MOST_BASES: usize = 64;

/// Where a base lies in what is derived from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Distance {
    /// So many bytes behind its start.
    Fixed(u64),
    /// Each object says.
    Virtual,
}

impl Checker<'_> {
    /// Refuses pointers to a class and to a base of it, where these are not the same address: C++ moves such a pointer, and here a pointer is
    /// an address. Gives whether it did. `what` is done with them: "a cast".
    pub(super) fn refuse_moved(
        &mut self,
        from: TypeId,
        to: TypeId,
        what: &str,
        span: Span,
    ) -> bool {
        let (Class::Record(from_record), Class::Record(to_record)) =
            (self.class(from), self.class(to))
        else {
            return false;
        };
        if self.same_type(from, to) {
            return false;
        }
        let named = |checker: &Self, id| {
            let record = checker.types.record(id);
            record.origin.is_some() && !record.name.is_empty()
        };
        if !named(self, from_record) || !named(self, to_record) {
            return false;
        }
        let (sign, derived, base, distance) = if let Some(distance) =
            self.distance_of_base(from_record, to, &mut HashSet::new())
        {
            ('+', from, to, distance)
        } else if let Some(distance) = self.distance_of_base(to_record, from, &mut HashSet::new()) {
            ('-', to, from, distance)
        } else {
            return false;
        };
        if distance == Distance::Fixed(0) {
            return false;
        }
        let (derived, base) = (self.quoted(derived), self.quoted(base));
        let (label, help) = match distance {
            Distance::Fixed(bytes) => (
                format!("it lies {bytes} bytes behind the start of that"),
                format!(
                    "with `p` the pointer: `(T *) ((char *) p {sign} {bytes})`, if it is not NULL; `(T *) (void *) p` leaves the address as it is"
                ),
            ),
            Distance::Virtual => (
                "it is a virtual base: where it lies, only the object tells".to_owned(),
                "`(T *) (void *) p` leaves the address as it is".to_owned(),
            ),
        };
        self.report(
            Diagnostic::error(
                span,
                format!("{what} does not move the pointer between {derived} and its base {base}"),
                label,
            )
            .with_help(help),
        );
        true
    }

    /// Where a base lies in a class, through its other bases, too.
    fn distance_of_base(
        &mut self,
        derived: RecordId,
        base: TypeId,
        seen: &mut HashSet<RecordId>,
    ) -> Option<Distance> {
        // One that has been looked at does not lead to the base, however many ways lead to it; and their chain is no longer than that.
        if seen.len() >= MOST_BASES || !seen.insert(derived) || !self.complete(derived) {
            return None;
        }
        let body = self.types.record(derived).body.as_ref()?;
        let bases = body.members.iter().filter(|member| member.name.is_none());
        let bases: Vec<(MemberRole, u64, TypeId)> = bases
            .map(|member| (member.role, member.offset, member.ty))
            .collect();
        bases.into_iter().find_map(|(role, offset, ty)| {
            let inner = match self.same_type(ty, base) {
                true => Distance::Fixed(0),
                false => match self.class(ty) {
                    Class::Record(record) => self.distance_of_base(record, base, seen)?,
                    _ => return None,
                },
            };
            Some(match (role, inner) {
                (MemberRole::Virtual(_), _) | (_, Distance::Virtual) => Distance::Virtual,
                (_, Distance::Fixed(bytes)) => Distance::Fixed(offset.checked_add(bytes)?),
            })
        })
    }
}
