//! What the kernel says of a process's memory, as programs ask for it.

use ytrace_target::{
    CgroupFigure, MappingKind, MappingUsage, Maps, OpenError, PageTable, Process, Residency,
    field_bytes,
};
use ytrace_values::host::PageFigure;

/// What one mapping uses, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    pub(crate) resident: u64,
    pub(crate) unshared: u64,
    pub(crate) anonymous: u64,
    pub(crate) swapped: u64,
    /// In pages of `hugetlbfs`, which are not resident for the kernel.
    pub(crate) hugetlb: u64,
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

    /// What each mapping uses, `None` of one that it cannot be known of. The page table tells without holding the process up; `smaps` is read
    /// for proportional shares, where the page table does not tell exactly, and where the process has pages of `hugetlbfs`: only there they are
    /// told from others.
    pub(crate) fn mappings(
        &mut self,
        process: &Process,
        maps: &Maps,
        proportional: bool,
    ) -> Result<Vec<Option<Used>>, OpenError> {
        let status = process.status_text()?;
        let huge = field_bytes(&status, "HugetlbPages").is_some_and(|bytes| bytes > 0);
        if !proportional
            && !huge
            && let Some(table) =
                page_table(&mut self.table, process).filter(|table| table.is_exact())
        {
            let used = maps.as_slice().iter().map(|mapping| {
                let found = match table.residency(mapping.start, mapping.len()) {
                    // The kernel's own pages, as `[vsyscall]`, are in nobody's page table.
                    None if mapping.kind == MappingKind::Kernel => Residency::default(),
                    found => found?,
                };
                Some(Used {
                    resident: found.resident,
                    unshared: found.unshared,
                    anonymous: found.anonymous,
                    swapped: found.swapped,
                    hugetlb: 0,
                    proportional: None,
                })
            });
            return Ok(used.collect());
        }
        Ok(matched(maps, &process.mapping_usage()?, proportional))
    }
}

/// What `smaps` tells of each mapping: `None` of one that it does not have any more, or not as it was.
fn matched(maps: &Maps, usage: &[MappingUsage], proportional: bool) -> Vec<Option<Used>> {
    let mut usage = usage.iter().peekable();
    let used = maps.as_slice().iter().map(|mapping| {
        while usage.next_if(|usage| usage.start < mapping.start).is_some() {}
        let found = usage.next_if(|usage| usage.start == mapping.start)?;
        (found.end == mapping.end).then_some(Used {
            resident: found.resident,
            unshared: found.private,
            anonymous: found.anonymous,
            swapped: found.swap,
            hugetlb: found.hugetlb,
            proportional: proportional.then_some(found.proportional),
        })
    });
    used.collect()
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

    /// What has been mapped or cut meanwhile is not known; it is not zero.
    #[test]
    fn mappings_that_smaps_has_no_more_are_not_known() {
        let process = Process::open(std::process::id() as i32).unwrap();
        let maps = process.maps().unwrap();
        let mut usage: Vec<MappingUsage> = maps
            .as_slice()
            .iter()
            .map(|mapping| MappingUsage {
                start: mapping.start,
                end: mapping.end,
                resident: mapping.len(),
                hugetlb: 5,
                ..MappingUsage::default()
            })
            .collect();
        let all = matched(&maps, &usage, true);
        assert!(all.iter().zip(maps.as_slice()).all(|(used, mapping)| {
            used.is_some_and(|used| used.resident == mapping.len() && used.hugetlb == 5)
        }));
        usage[1].end -= 1;
        usage.remove(3);
        let some = matched(&maps, &usage, false);
        let unknown: Vec<usize> = (0..some.len()).filter(|&i| some[i].is_none()).collect();
        assert_eq!(unknown, [1, 3]);
    }

    #[test]
    fn the_page_table_and_smaps_agree() {
        let process = Process::open(std::process::id() as i32).unwrap();
        let mut figures = Figures::default();
        // Other threads of the tests map memory meanwhile: what is mapped for good must be alike.
        let maps = process.maps().unwrap();
        let by_table = figures.mappings(&process, &maps, false).unwrap();
        let by_smaps = figures.mappings(&process, &maps, true).unwrap();
        assert!(by_table.iter().all(Option::is_some));
        let mut compared = 0;
        for ((mapping, table), smaps) in maps.as_slice().iter().zip(by_table).zip(by_smaps) {
            let (Some(table), Some(smaps)) = (table, smaps) else {
                continue;
            };
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
