//! What the kernel says of a process's memory, as programs ask for it.

use ytrace_target::{CgroupFigure, Maps, OpenError, PageTable, Process, Residency, field_bytes};
use ytrace_values::host::PageFigure;

/// What one mapping uses, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    pub(crate) resident: u64,
    pub(crate) unshared: u64,
    pub(crate) anonymous: u64,
    pub(crate) swapped: u64,
    /// Only if it was asked for.
    pub(crate) proportional: Option<u64>,
}

/// The figures of one process, and the looks at it that have not been used up: a program that asks for several figures gets them of one moment.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// The page table, once something has asked for it.
    table: Option<PageTable>,
    range: Option<Look<(u64, u64), Option<Residency>, PageFigure>>,
    status: Option<Look<(), String, String>>,
    rollup: Option<Look<(), String, String>>,
}

/// A look at something, and what has been asked of it.
#[derive(Debug)]
struct Look<Of, Found, Asked> {
    of: Of,
    found: Found,
    asked: Vec<Asked>,
}

impl<Of: PartialEq, Found, Asked: PartialEq> Look<Of, Found, Asked> {
    /// The look in `slot` if it is of the same thing and nothing is asked twice of it, else a new one.
    fn at(slot: &mut Option<Self>, of: Of, asked: Asked, look: impl FnOnce() -> Found) -> &Found {
        let known = slot
            .take()
            .filter(|known| known.of == of && !known.asked.contains(&asked));
        let known = slot.insert(known.unwrap_or_else(|| Look {
            of,
            found: look(),
            asked: Vec::new(),
        }));
        known.asked.push(asked);
        &known.found
    }
}

impl Figures {
    /// A figure of the pages that lie in a range as a whole.
    pub(crate) fn pages(
        &mut self,
        process: &Process,
        address: u64,
        length: u64,
        figure: PageFigure,
    ) -> Option<u64> {
        let table = &mut self.table;
        let found = Look::at(&mut self.range, (address, length), figure, || {
            page_table(table, process)?.residency(address, length)
        });
        found.map(|found| match figure {
            PageFigure::Resident => found.resident,
            PageFigure::Unshared => found.unshared,
            PageFigure::Swapped => found.swapped,
        })
    }

    /// A field of `status`, else of `smaps_rollup`.
    pub(crate) fn field(&mut self, process: &Process, field: &str) -> Option<u64> {
        let status = Look::at(&mut self.status, (), field.to_owned(), || {
            process.status_text().unwrap_or_default()
        });
        if let Some(bytes) = field_bytes(status, field) {
            return Some(bytes);
        }
        let rollup = Look::at(&mut self.rollup, (), field.to_owned(), || {
            process.rollup_text().unwrap_or_default()
        });
        field_bytes(rollup, field)
    }

    /// A figure of the control group; an error for a name that means none.
    pub(crate) fn cgroup(process: &Process, figure: &str) -> Result<Option<u64>, String> {
        let figure = match figure {
            "usage" => CgroupFigure::Usage,
            "limit" => CgroupFigure::Limit,
            "peak" => CgroupFigure::Peak,
            "swap" => CgroupFigure::Swap,
            _ => {
                return Err(format!(
                    "no figure of a control group is called `{figure}`: there are usage, limit, peak and swap"
                ));
            }
        };
        Ok(process.cgroup_bytes(figure))
    }

    /// What each mapping uses. The page table tells without holding the process up; `smaps` is read for proportional shares, and where
    /// the page table does not tell exactly.
    pub(crate) fn mappings(
        &mut self,
        process: &Process,
        maps: &Maps,
        proportional: bool,
    ) -> Result<Vec<Used>, OpenError> {
        if !proportional
            && let Some(table) =
                page_table(&mut self.table, process).filter(|table| table.is_exact())
        {
            let mut used = Vec::with_capacity(maps.as_slice().len());
            for mapping in maps.as_slice() {
                let found = table.residency(mapping.start, mapping.end - mapping.start);
                let found = found.unwrap_or_default();
                used.push(Used {
                    resident: found.resident,
                    unshared: found.unshared,
                    anonymous: found.anonymous,
                    swapped: found.swapped,
                    proportional: None,
                });
            }
            return Ok(used);
        }
        let usage = process.mapping_usage()?;
        let mut usage = usage.iter().peekable();
        let mut used = Vec::with_capacity(maps.as_slice().len());
        for mapping in maps.as_slice() {
            while usage.next_if(|usage| usage.start < mapping.start).is_some() {}
            let found = usage
                .next_if(|usage| usage.start == mapping.start)
                .copied()
                .unwrap_or_default();
            used.push(Used {
                resident: found.resident,
                unshared: found.private,
                anonymous: found.anonymous,
                swapped: found.swap,
                proportional: proportional.then_some(found.proportional),
            });
        }
        Ok(used)
    }
}

/// The page table, opened when it is first asked for.
fn page_table<'t>(
    table: &'t mut Option<PageTable>,
    process: &Process,
) -> Option<&'t mut PageTable> {
    if table.is_none() {
        *table = PageTable::open(process).ok();
    }
    table.as_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_figures_are_of_one_look() {
        let mut looks = 0;
        let mut slot: Option<Look<u8, i32, char>> = None;
        let mut ask = |of, asked| {
            *Look::at(&mut slot, of, asked, || {
                looks += 1;
                looks
            })
        };
        assert_eq!([ask(1, 'a'), ask(1, 'b'), ask(1, 'a')], [1, 1, 2]);
        assert_eq!([ask(1, 'b'), ask(2, 'a'), ask(1, 'a')], [2, 3, 4]);
    }

    #[test]
    fn the_page_table_and_smaps_agree() {
        let process = Process::open(std::process::id() as i32).unwrap();
        let mut figures = Figures::default();
        // Other threads of the tests map memory meanwhile: what is mapped for good must be alike.
        let maps = process.maps().unwrap();
        let by_table = figures.mappings(&process, &maps, false).unwrap();
        let by_smaps = figures.mappings(&process, &maps, true).unwrap();
        let mut compared = 0;
        for ((mapping, table), smaps) in maps.as_slice().iter().zip(by_table).zip(by_smaps) {
            assert!(table.proportional.is_none() && smaps.proportional.is_some());
            if mapping.permissions.execute && mapping.path.is_some() && mapping.inode != 0 {
                assert_eq!(table.swapped, smaps.swapped);
                assert!(table.resident > 0 && table.unshared <= table.resident);
                compared += 1;
            }
        }
        assert!(compared > 0);
        assert!(figures.field(&process, "VmRSS").unwrap() > 0);
        assert!(figures.field(&process, "Pss").unwrap() > 0);
        assert_eq!(figures.field(&process, "VmNothing"), None);
        assert!(Figures::cgroup(&process, "usage").is_ok());
        assert!(Figures::cgroup(&process, "use").is_err());
    }
}
