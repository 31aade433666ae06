//! Target pages as stable local bytes.
//!
//! A miss reads ahead: single reads cost half a microsecond whichever way they are made, large ones run at gigabytes a
//! second. A window starts small and doubles where its neighbours have been wanted too, so scattered walks read little and
//! dense ones read in large pieces.

use std::collections::HashMap;
use std::ops::Range;

use crate::buffer::{Page, Region};
use crate::error::ReadError;
use crate::memory::{AddressSpace, Counters, PageOutcome};

/// Pages are kept in groups of this many bytes (a group is one page where pages are as large).
const GROUP_BYTES: u64 = 64 << 10;
/// Buffers are made in pieces of this many bytes.
const ARENA_BYTES: usize = 4 << 20;

/// How a [`PageCache`] behaves.
#[derive(Clone, Copy, Debug)]
pub struct CacheOptions {
    /// The most bytes that may be held.
    pub limit: u64,
    /// The most bytes that are read at a miss: at least 64 KiB are, where the mapping has them. 0 reads single pages, which
    /// suits an address space that must be as fresh as can be.
    pub read_ahead: u64,
}

impl Default for CacheOptions {
    fn default() -> CacheOptions {
        CacheOptions {
            limit: 1 << 30,
            read_ahead: 1 << 20,
        }
    }
}

/// A cache of the pages of an address space, each kept as it was when it was first wanted or read ahead.
///
/// It also records which pages were asked for, so that a learning run tells what a copy must hold.
#[derive(Debug)]
pub struct PageCache<S> {
    space: S,
    options: CacheOptions,
    page_size: u64,
    group_bytes: u64,
    groups: HashMap<u64, Group>,
    arena: Option<Region>,
    zero: Page,
    held_bytes: u64,
    hits: u64,
    misses: u64,
    not_dumped: u64,
    outcomes: Vec<PageOutcome>,
}

/// Up to 64 pages that lie side by side.
#[derive(Debug, Default)]
struct Group {
    /// The bytes of the group's pages from the first one on, where any were read.
    bytes: Option<Page>,
    /// Which page of the group the bytes start with.
    first: u32,
    /// Which pages have bytes.
    valid: u64,
    /// Which pages are zeros.
    zero: u64,
    /// Which pages were asked for.
    touched: u64,
    /// Which pages were asked for and are not in the core file.
    not_dumped: u64,
    /// Pages of the group that were read one by one after the others.
    late: Vec<(u32, Page)>,
    /// How many groups the window had that read this one.
    window: u32,
}

impl<S: AddressSpace> PageCache<S> {
    /// Puts a cache before an address space.
    ///
    /// # Errors
    /// No memory for a page.
    pub fn new(space: S, options: CacheOptions) -> Result<PageCache<S>, ReadError> {
        let page_size = space.page_size();
        let zero =
            Page::zeros(page_size as usize).map_err(|errno| ReadError::NoMemory { errno })?;
        Ok(PageCache {
            group_bytes: GROUP_BYTES.max(page_size).min(page_size.saturating_mul(64)),
            space,
            options,
            page_size,
            groups: HashMap::new(),
            arena: None,
            zero,
            held_bytes: 0,
            hits: 0,
            misses: 0,
            not_dumped: 0,
            outcomes: Vec::new(),
        })
    }

    /// The page that holds `address`: exactly a page's bytes.
    ///
    /// # Errors
    /// The page cannot be read; it is tried again when it is next asked for. [`ReadError::Limit`] when the cache is full.
    pub fn page(&mut self, address: u64) -> Result<Page, ReadError> {
        let page = self.ask(address);
        if let Err(ReadError::NotDumped { address }) = page {
            let (key, index) = self.place(address & !(self.page_size - 1));
            let group = self.groups.entry(key).or_default();
            self.not_dumped += u64::from(group.not_dumped & 1 << index == 0);
            group.not_dumped |= 1 << index;
        }
        page
    }

    /// The same, but a page that a core file lacks is not counted: it was only asked whether it can be read.
    ///
    /// # Errors
    /// As those of [`PageCache::page`].
    pub fn ask(&mut self, address: u64) -> Result<Page, ReadError> {
        let start = address & !(self.page_size - 1);
        if let Some(page) = self.lookup(start) {
            self.hits += 1;
            return Ok(page);
        }
        self.misses += 1;
        if let Some(page) = self.space.held_page(start)? {
            self.touch(start);
            return Ok(page);
        }
        let error = self.load(start)?;
        match self.lookup(start) {
            Some(page) => Ok(page),
            None => Err(error.unwrap_or(ReadError::Unmapped { address: start })),
        }
    }

    /// Fills `buffer` with the bytes at `address`, through the cache.
    ///
    /// # Errors
    /// The first page that cannot be read.
    pub fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut done = 0usize;
        while done < buffer.len() {
            let here = address
                .checked_add(done as u64)
                .ok_or(ReadError::Unmapped { address })?;
            let page = self.page(here)?;
            let offset = (here & (self.page_size - 1)) as usize;
            let source = page.bytes().get(offset..).unwrap_or(&[]);
            let target = buffer.get_mut(done..).unwrap_or(&mut []);
            let length = source.len().min(target.len());
            if length == 0 {
                return Err(ReadError::Unmapped { address: here });
            }
            for (to, from) in target.iter_mut().zip(source) {
                *to = *from;
            }
            done += length;
        }
        Ok(())
    }

    /// The pages that were asked for, as ascending ranges that do not touch.
    pub fn touched(&self) -> Vec<Range<u64>> {
        let mut keys: Vec<&u64> = self.groups.keys().collect();
        keys.sort_unstable();
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for key in keys {
            let Some(group) = self.groups.get(key) else {
                continue;
            };
            for index in (0..64u64).filter(|index| group.touched >> index & 1 == 1) {
                let start = key * self.group_bytes + index * self.page_size;
                match ranges.last_mut() {
                    Some(last) if last.end == start => last.end = start + self.page_size,
                    _ => ranges.push(start..start + self.page_size),
                }
            }
        }
        ranges
    }

    /// Forgets all bytes, so that pages are read afresh. What was touched stays known. Handles given out stay valid.
    pub fn forget(&mut self) {
        for group in self.groups.values_mut() {
            *group = Group {
                touched: group.touched,
                not_dumped: group.not_dumped,
                ..Group::default()
            };
        }
        self.arena = None;
        self.held_bytes = 0;
    }

    /// The address space behind.
    pub fn space(&self) -> &S {
        &self.space
    }

    /// The address space behind, to be changed.
    pub fn space_mut(&mut self) -> &mut S {
        &mut self.space
    }

    /// The address space behind, without the cache.
    pub fn into_space(self) -> S {
        self.space
    }

    /// Bytes held now.
    pub fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// Pages asked for that were there, and that were not.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits, self.misses)
    }

    /// The counters of the address space, and what was asked for here in vain.
    pub fn counters(&self) -> Counters {
        let mut counters = self.space.counters();
        counters.not_dumped += self.not_dumped;
        counters
    }

    fn place(&self, start: u64) -> (u64, u32) {
        (
            start / self.group_bytes,
            (start % self.group_bytes / self.page_size) as u32,
        )
    }

    fn touch(&mut self, start: u64) {
        let (key, index) = self.place(start);
        self.groups.entry(key).or_default().touched |= 1 << index;
    }

    fn lookup(&mut self, start: u64) -> Option<Page> {
        let (key, index) = self.place(start);
        let group = self.groups.get_mut(&key)?;
        let bit = 1u64 << index;
        if group.valid & bit != 0 {
            group.touched |= bit;
            if let Some((_, page)) = group.late.iter().find(|(late, _)| *late == index) {
                return Some(page.clone());
            }
            let offset = (index - group.first) as usize * self.page_size as usize;
            return group
                .bytes
                .as_ref()?
                .slice(offset..offset + self.page_size as usize);
        }
        if group.zero & bit != 0 {
            group.touched |= bit;
            return Some(self.zero.clone());
        }
        None
    }

    /// Reads a window around a page, and returns the page's error if it has one.
    fn load(&mut self, start: u64) -> Result<Option<ReadError>, ReadError> {
        let (key, index) = self.place(start);
        let loaded = |group: &Group| group.valid | group.zero != 0;
        let single = self.options.read_ahead == 0
            || !self.space.reads_ahead()
            || self.groups.get(&key).is_some_and(loaded);
        if single {
            return self.load_single(start, key, index);
        }
        let Some(mapping) = self.space.mapping_at(start) else {
            return Ok(Some(ReadError::Unmapped { address: start }));
        };
        let neighbour = |key: Option<u64>| {
            key.and_then(|key| self.groups.get(&key))
                .filter(|group| loaded(group))
                .map_or(0, |group| group.window)
        };
        let before = neighbour(key.checked_sub(1));
        let after = neighbour(key.checked_add(1));
        let most = (self.options.read_ahead / self.group_bytes).clamp(1, 1 << 16);
        let wanted = u64::from(before.max(after))
            .saturating_mul(2)
            .clamp(1, most);
        // A walk that comes from above reads downwards.
        let downwards = after > before;
        let free = |key: u64| !self.groups.get(&key).is_some_and(loaded);
        let (mut first, mut last) = (key, key);
        while last - first + 1 < wanted {
            let next = if downwards {
                first.checked_sub(1)
            } else {
                last.checked_add(1)
            };
            let Some(next) = next else { break };
            let inside = if downwards {
                (next + 1) * self.group_bytes > mapping.start
            } else {
                next.checked_mul(self.group_bytes)
                    .is_some_and(|address| address < mapping.end)
            };
            if !inside || !free(next) {
                break;
            }
            if downwards { first = next } else { last = next }
        }
        let window_start = (first * self.group_bytes).max(mapping.start);
        let window_end = (last + 1).saturating_mul(self.group_bytes).min(mapping.end);
        let length = window_end.saturating_sub(window_start);
        if self.held_bytes.saturating_add(length) > self.options.limit {
            return self.load_single(start, key, index);
        }
        let mut region = self.allocate(length as usize)?;
        let mut outcomes = std::mem::take(&mut self.outcomes);
        let read = self
            .space
            .read_window(window_start, region.bytes_mut(), &mut outcomes);
        let error = read.map(|()| {
            self.keep(
                window_start,
                region,
                &outcomes,
                (last - first + 1) as u32,
                start,
            )
        });
        self.outcomes = outcomes;
        error
    }

    /// Records a window that was read into `region`; returns the error of the page at `wanted`.
    fn keep(
        &mut self,
        start: u64,
        region: Region,
        outcomes: &[PageOutcome],
        window: u32,
        wanted: u64,
    ) -> Option<ReadError> {
        let length = region.len();
        let used = outcomes.contains(&PageOutcome::Bytes);
        let whole = if used {
            self.held_bytes += length as u64;
            Some(region.freeze())
        } else {
            if let Some(arena) = self.arena.as_mut() {
                arena.give_back(region);
            }
            None
        };
        let mut error = None;
        let mut position = start;
        let mut previous = None;
        for outcome in outcomes {
            let (key, index) = self.place(position);
            let group = self.groups.entry(key).or_default();
            if previous != Some(key) {
                previous = Some(key);
                group.window = window;
                group.first = index;
                let offset = (position - start) as usize;
                let end = ((key + 1).saturating_mul(self.group_bytes) - start).min(length as u64)
                    as usize;
                group.bytes = whole.as_ref().and_then(|whole| whole.slice(offset..end));
            }
            match outcome {
                PageOutcome::Bytes => group.valid |= 1 << index,
                PageOutcome::Zero => group.zero |= 1 << index,
                PageOutcome::Failed(failure) if position == wanted => error = Some(*failure),
                PageOutcome::Failed(_) => {}
            }
            position += self.page_size;
        }
        error
    }

    fn load_single(
        &mut self,
        start: u64,
        key: u64,
        index: u32,
    ) -> Result<Option<ReadError>, ReadError> {
        if self.held_bytes.saturating_add(self.page_size) > self.options.limit {
            return Err(ReadError::Limit {
                limit: self.options.limit,
            });
        }
        let mut region = self.allocate(self.page_size as usize)?;
        let mut outcomes = std::mem::take(&mut self.outcomes);
        let read = self
            .space
            .read_window(start, region.bytes_mut(), &mut outcomes);
        let outcome = outcomes.first().copied();
        self.outcomes = outcomes;
        read?;
        let group = self.groups.entry(key).or_default();
        match outcome {
            Some(PageOutcome::Bytes) => {
                group.valid |= 1 << index;
                group.late.push((index, region.freeze()));
                self.held_bytes += self.page_size;
                return Ok(None);
            }
            Some(PageOutcome::Zero) => group.zero |= 1 << index,
            Some(PageOutcome::Failed(_)) | None => {}
        }
        if let Some(arena) = self.arena.as_mut() {
            arena.give_back(region);
        }
        Ok(match outcome {
            Some(PageOutcome::Failed(error)) => Some(error),
            _ => None,
        })
    }

    fn allocate(&mut self, length: usize) -> Result<Region, ReadError> {
        if let Some(front) = self
            .arena
            .as_mut()
            .and_then(|arena| arena.take_front(length))
        {
            return Ok(front);
        }
        let room = ARENA_BYTES.max(length);
        let mut arena = Region::new(room).map_err(|errno| ReadError::NoMemory { errno })?;
        let front = arena.take_front(length).ok_or(ReadError::NoMemory {
            errno: nix::errno::Errno::ENOMEM,
        });
        self.arena = Some(arena);
        front
    }
}
