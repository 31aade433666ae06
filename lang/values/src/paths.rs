//! Interned paths: chains of frames that share their beginnings.

use std::cmp::Ordering;

use crate::account::Account;
use crate::fault::{Fault, FaultKind};
use crate::index::{Index, MAX_ENTRIES, Probe, hash_words};

/// One link of a path as the store keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameWord {
    /// The handle of a string.
    Name(u64),
    /// An address of code in the target.
    Code(u64),
}

/// The high bit of [`Node::depth`]: the frame is a code address.
const CODE: u32 = 1 << 31;

#[derive(Clone, Copy, Debug)]
struct Node {
    frame: u64,
    parent: u32,
    /// Frames from the root, and the kind of the frame in the high bit.
    depth: u32,
}

/// All paths of a program, each once. Node 0 is the empty path.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    nodes: Vec<Node>,
    index: Index,
    seed: u64,
    /// Nodes of a path that is being appended to another; kept for its capacity.
    scratch: Vec<u32>,
    /// Stacks that came lately, by their hashes: most come again, and to compare the frames of one is less work than to find each of them.
    /// Empty until the first one comes.
    stacks: Vec<u32>,
}

/// How many stacks are kept. A power of two.
const STACKS: usize = 1 << 11;

impl Paths {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            nodes: vec![Node {
                frame: 0,
                parent: 0,
                depth: 0,
            }],
            index: Index::default(),
            seed,
            scratch: Vec::new(),
            stacks: Vec::new(),
        }
    }

    /// `path / frame`: one probe of the index.
    #[inline]
    pub(crate) fn append(
        &mut self,
        path: u64,
        frame: FrameWord,
        account: &mut Account,
    ) -> Result<u64, Fault> {
        let (frame, kind) = match frame {
            FrameWord::Name(name) => (name, 0),
            FrameWord::Code(address) => (address, CODE),
        };
        self.append_raw(path, frame, kind, account)
    }

    /// `path / frame / …`: code addresses, the innermost, which comes last, first.
    pub(crate) fn append_stack(
        &mut self,
        path: u64,
        frames: &[u64],
        account: &mut Account,
    ) -> Result<u64, Fault> {
        if self.stacks.is_empty() {
            account.reserve(&mut self.stacks, STACKS)?;
            self.stacks.resize(STACKS, 0);
        }
        let place = hash_words(frames, self.seed) as usize % STACKS;
        let before = u64::from(self.stacks.get(place).copied().unwrap_or(0));
        if self.is_stack(before, path, frames) {
            return Ok(before);
        }
        let mut whole = path;
        for frame in frames.iter().rev() {
            whole = self.append_raw(whole, *frame, CODE, account)?;
        }
        if let (Some(slot), Ok(whole)) = (self.stacks.get_mut(place), u32::try_from(whole)) {
            *slot = whole;
        }
        Ok(whole)
    }

    /// Whether a path is another one with these frames, the innermost first, behind it.
    fn is_stack(&self, whole: u64, path: u64, frames: &[u64]) -> bool {
        let mut at = whole;
        for frame in frames {
            match self.node(at) {
                Some(node) if node.frame == *frame && node.depth & CODE != 0 => {
                    at = u64::from(node.parent);
                }
                _ => return false,
            }
        }
        at == path
    }

    #[inline]
    fn append_raw(
        &mut self,
        path: u64,
        frame: u64,
        kind: u32,
        account: &mut Account,
    ) -> Result<u64, Fault> {
        let Some(parent) = self.node(path) else {
            return Err(stale());
        };
        let depth = (parent.depth & !CODE) + 1;
        let parent = path as u32;
        let hash = hash_words(&[path | u64::from(kind) << 32, frame], self.seed);
        let nodes = &self.nodes;
        let probe = self.index.probe(hash, |entry| {
            nodes.get(entry as usize).is_some_and(|node| {
                node.frame == frame && node.parent == parent && node.depth & CODE == kind
            })
        });
        match probe {
            Probe::Found(entry) => Ok(u64::from(entry)),
            Probe::Vacant(slot) => {
                let entry = self.nodes.len() as u32;
                if entry >= MAX_ENTRIES || depth >= CODE {
                    return Err(Fault::new(FaultKind::MemoryExhausted)
                        .with_message("there are too many paths"));
                }
                account.reserve(&mut self.nodes, 1)?;
                if self.index.full() {
                    self.index.insert(hash, entry, account)?;
                } else {
                    self.index.fill(slot, hash, entry);
                }
                self.nodes.push(Node {
                    frame,
                    parent,
                    depth: depth | kind,
                });
                Ok(u64::from(entry))
            }
        }
    }

    /// `path / other`: every frame of the other, root first.
    pub(crate) fn append_path(
        &mut self,
        path: u64,
        other: u64,
        account: &mut Account,
    ) -> Result<u64, Fault> {
        let depth = self.depth(other).ok_or_else(stale)?;
        if path == 0 {
            return Ok(other);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let reserved = account.reserve(&mut scratch, depth as usize);
        let mut result = reserved.map(|()| path);
        if result.is_ok() {
            let mut at = other as u32;
            while at != 0 {
                scratch.push(at);
                at = self.nodes.get(at as usize).map_or(0, |node| node.parent);
            }
            for &entry in scratch.iter().rev() {
                let Some(node) = self.node(u64::from(entry)) else {
                    result = Err(stale());
                    break;
                };
                match result {
                    Ok(so_far) => {
                        result = self.append_raw(so_far, node.frame, node.depth & CODE, account);
                    }
                    Err(_) => break,
                }
            }
        }
        self.scratch = scratch;
        result
    }

    /// The path without its leaf.
    pub(crate) fn parent(&self, path: u64) -> Option<u64> {
        self.node(path).map(|node| u64::from(node.parent))
    }

    /// The leaf, or `None` within for the empty path.
    pub(crate) fn leaf(&self, path: u64) -> Option<Option<FrameWord>> {
        let node = self.node(path)?;
        Some((path != 0).then(|| frame_of(&node)))
    }

    /// The number of frames.
    pub(crate) fn depth(&self, path: u64) -> Option<u64> {
        self.node(path).map(|node| u64::from(node.depth & !CODE))
    }

    /// The frames, leaf first. Ends early on a handle that is no path.
    pub(crate) fn frames(&self, path: u64) -> impl Iterator<Item = FrameWord> + '_ {
        let mut at = path;
        std::iter::from_fn(move || {
            if at == 0 {
                return None;
            }
            let node = self.node(at)?;
            at = u64::from(node.parent);
            Some(frame_of(&node))
        })
    }

    /// Compares two paths frame by frame from the root: names before code, names by `names`.
    pub(crate) fn compare(
        &self,
        left: u64,
        right: u64,
        names: impl Fn(u64, u64) -> Ordering,
    ) -> Ordering {
        if left == right {
            return Ordering::Equal;
        }
        let (Some(left_depth), Some(right_depth)) = (self.depth(left), self.depth(right)) else {
            return left.cmp(&right);
        };
        let common = left_depth.min(right_depth);
        let mut left_at = self.ancestor(left, left_depth - common);
        let mut right_at = self.ancestor(right, right_depth - common);
        if left_at == right_at {
            return left_depth.cmp(&right_depth);
        }
        // The first difference is below the deepest common ancestor.
        loop {
            let (Some(left_node), Some(right_node)) = (self.node(left_at), self.node(right_at))
            else {
                return left.cmp(&right);
            };
            if left_node.parent == right_node.parent {
                return match (frame_of(&left_node), frame_of(&right_node)) {
                    (FrameWord::Name(a), FrameWord::Name(b)) => names(a, b),
                    (FrameWord::Code(a), FrameWord::Code(b)) => a.cmp(&b),
                    (FrameWord::Name(_), FrameWord::Code(_)) => Ordering::Less,
                    (FrameWord::Code(_), FrameWord::Name(_)) => Ordering::Greater,
                };
            }
            left_at = u64::from(left_node.parent);
            right_at = u64::from(right_node.parent);
        }
    }

    fn ancestor(&self, path: u64, levels: u64) -> u64 {
        let mut at = path;
        for _ in 0..levels {
            at = self.parent(at).unwrap_or(0);
        }
        at
    }

    #[inline]
    fn node(&self, path: u64) -> Option<Node> {
        self.nodes.get(usize::try_from(path).ok()?).copied()
    }
}

fn frame_of(node: &Node) -> FrameWord {
    if node.depth & CODE == 0 {
        FrameWord::Name(node.frame)
    } else {
        FrameWord::Code(node.frame)
    }
}

fn stale() -> Fault {
    Fault::new(FaultKind::Internal).with_message("no such path")
}
