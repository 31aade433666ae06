//! The loops of a function, so that its blocks can be followed in order.

use std::collections::BTreeSet;

use crate::ir::{BlockId, Function};

/// Loops nested deeper are followed as a whole.
const MAX_NESTING: u32 = 32;

/// Blocks and loops, each after all that lead to it.
#[derive(Debug, Default)]
pub(super) struct Region {
    pub(super) items: Vec<Item>,
}

/// A part of a region.
#[derive(Debug)]
pub(super) enum Item {
    Block(BlockId),
    Loop(Loop),
}

/// Blocks that lead to each other.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) blocks: BTreeSet<BlockId>,
    /// The one block by which it is entered, and what is in it without the ways back to that block.
    pub(super) body: Option<(BlockId, Region)>,
}

/// Calls `visit` with each block that a block may go to, by a fault too.
pub(super) fn successors(function: &Function, block: BlockId, visit: &mut dyn FnMut(BlockId)) {
    if let Some(block) = function.blocks.get(block.0 as usize) {
        block.terminator.successors(visit);
        if let Some(handler) = block.on_fault {
            visit(handler);
        }
    }
}

/// The region of all blocks of a function that can be reached.
pub(super) fn of(function: &Function) -> Region {
    let mut reached = BTreeSet::new();
    let mut left = vec![BlockId(0)];
    while let Some(block) = left.pop() {
        if reached.insert(block) {
            successors(function, block, &mut |next| left.push(next));
        }
    }
    region(function, &reached, None, 0)
}

/// The region of some blocks, without the ways to one of them.
fn region(
    function: &Function,
    blocks: &BTreeSet<BlockId>,
    without: Option<BlockId>,
    depth: u32,
) -> Region {
    let edges = |block: BlockId| {
        let mut edges = Vec::new();
        successors(function, block, &mut |next| {
            if blocks.contains(&next) && Some(next) != without {
                edges.push(next);
            }
        });
        edges
    };
    let mut items = Vec::new();
    for component in components(blocks, &edges) {
        let single = match component.as_slice() {
            [block] => (!edges(*block).contains(block)).then_some(*block),
            _ => None,
        };
        items.push(match single {
            Some(block) => Item::Block(block),
            None => Item::Loop(loop_of(function, component, blocks, without, depth)),
        });
    }
    Region { items }
}

fn loop_of(
    function: &Function,
    component: Vec<BlockId>,
    around: &BTreeSet<BlockId>,
    without: Option<BlockId>,
    depth: u32,
) -> Loop {
    let blocks: BTreeSet<BlockId> = component.into_iter().collect();
    let mut entries: BTreeSet<BlockId> = BTreeSet::new();
    // The region is entered at its excluded block, or at the function's entry.
    let entry = without.unwrap_or(BlockId(0));
    if blocks.contains(&entry) {
        entries.insert(entry);
    }
    for block in around.difference(&blocks) {
        successors(function, *block, &mut |next| {
            if blocks.contains(&next) && Some(next) != without {
                entries.insert(next);
            }
        });
    }
    let body = match entries.iter().next() {
        Some(header) if entries.len() == 1 && depth < MAX_NESTING => {
            let inner = region(function, &blocks, Some(*header), depth + 1);
            Some((*header, inner))
        }
        _ => None,
    };
    Loop { blocks, body }
}

/// Strongly connected components, each after all that lead to it (Tarjan 1972, without recursion).
fn components(
    blocks: &BTreeSet<BlockId>,
    edges: &dyn Fn(BlockId) -> Vec<BlockId>,
) -> Vec<Vec<BlockId>> {
    use std::collections::HashMap;
    struct Node {
        index: usize,
        low: usize,
        on_stack: bool,
    }
    let mut nodes: HashMap<BlockId, Node> = HashMap::new();
    let mut stack = Vec::new();
    let mut found = Vec::new();
    for root in blocks {
        if nodes.contains_key(root) {
            continue;
        }
        let mut open = vec![(*root, edges(*root))];
        let index = nodes.len();
        nodes.insert(
            *root,
            Node {
                index,
                low: index,
                on_stack: true,
            },
        );
        stack.push(*root);
        while let Some((block, left)) = open.last_mut() {
            let block = *block;
            if let Some(next) = left.pop() {
                match nodes.get(&next) {
                    None => {
                        let index = nodes.len();
                        nodes.insert(
                            next,
                            Node {
                                index,
                                low: index,
                                on_stack: true,
                            },
                        );
                        stack.push(next);
                        open.push((next, edges(next)));
                    }
                    Some(other) if other.on_stack => {
                        let index = other.index;
                        if let Some(node) = nodes.get_mut(&block) {
                            node.low = node.low.min(index);
                        }
                    }
                    Some(_) => {}
                }
                continue;
            }
            open.pop();
            let Some((index, low)) = nodes.get(&block).map(|node| (node.index, node.low)) else {
                continue;
            };
            if let Some((parent, _)) = open.last()
                && let Some(parent) = nodes.get_mut(parent)
            {
                parent.low = parent.low.min(low);
            }
            if low == index {
                let mut component = Vec::new();
                while let Some(member) = stack.pop() {
                    if let Some(node) = nodes.get_mut(&member) {
                        node.on_stack = false;
                    }
                    component.push(member);
                    if member == block {
                        break;
                    }
                }
                found.push(component);
            }
        }
    }
    found.reverse();
    found
}
