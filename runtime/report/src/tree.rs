//! The tree of a flame graph: own values summed upwards.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::model::Flamegraph;

/// Frames of one path beyond this are drawn as one.
pub(crate) const MAX_DEPTH: usize = 512;
/// What stands for the frames beyond.
pub(crate) const DEEPER: &str = "(deeper)";

/// Nodes that an outline looks at.
const MAX_SHOWN: usize = 2048;

/// The tree. Node 0 is the root, which stands for everything.
pub(crate) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    /// Values of nodes, one a weight: own, then with everything below.
    own: Vec<i128>,
    total: Vec<i128>,
    weights: usize,
    selected: usize,
}

struct Node<'a> {
    name: &'a str,
    parent: u32,
    children: Vec<u32>,
    /// Rows that end here.
    own_rows: u64,
    /// Rows in the subtree.
    rows: u64,
}

/// One line of the tree as text.
pub(crate) struct Line<'a> {
    /// How deep it is indented.
    pub(crate) level: usize,
    /// The frames that the line adds to the one above it.
    pub(crate) frames: Vec<&'a str>,
    /// One value a weight, with everything below.
    pub(crate) values: Vec<i128>,
}

/// A tree cut down to its biggest parts.
pub(crate) struct Outline<'a> {
    pub(crate) lines: Vec<Line<'a>>,
    /// How many rows have no line, nor an ancestor's last line, of their own.
    pub(crate) hidden_rows: u64,
    /// Their values.
    pub(crate) hidden: Vec<i128>,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(graph: &'a Flamegraph) -> Self {
        let weights = graph.weights.len().max(1);
        let mut tree = Self {
            nodes: Vec::new(),
            own: Vec::new(),
            total: Vec::new(),
            weights,
            selected: graph.selected.min(weights - 1),
        };
        tree.add_node("", 0);
        let mut known: HashMap<(u32, &str), u32> = HashMap::new();
        for (frames, values) in &graph.rows {
            let mut at = 0;
            for (depth, frame) in frames.iter().enumerate() {
                let name = if depth < MAX_DEPTH {
                    frame.as_str()
                } else {
                    DEEPER
                };
                at = match known.get(&(at, name)) {
                    Some(&child) => child,
                    None => {
                        let child = tree.add_node(name, at);
                        known.insert((at, name), child);
                        tree.nodes[at as usize].children.push(child);
                        child
                    }
                };
                if depth >= MAX_DEPTH {
                    break;
                }
            }
            let start = at as usize * weights;
            for (place, value) in tree.own[start..start + weights].iter_mut().zip(values) {
                *place += i128::from(*value);
            }
            tree.nodes[at as usize].own_rows += 1;
        }
        tree.sum();
        tree
    }

    fn add_node(&mut self, name: &'a str, parent: u32) -> u32 {
        self.nodes.push(Node {
            name,
            parent,
            children: Vec::new(),
            own_rows: 0,
            rows: 0,
        });
        self.own.resize(self.nodes.len() * self.weights, 0);
        (self.nodes.len() - 1) as u32
    }

    fn sum(&mut self) {
        self.total = self.own.clone();
        for node in &mut self.nodes {
            node.rows = node.own_rows;
        }
        // A child is always made after its parent.
        for node in (1..self.nodes.len()).rev() {
            let parent = self.nodes[node].parent as usize;
            for weight in 0..self.weights {
                let value = self.total[node * self.weights + weight];
                self.total[parent * self.weights + weight] += value;
            }
            self.nodes[parent].rows += self.nodes[node].rows;
        }
        for node in 0..self.nodes.len() {
            let mut children = std::mem::take(&mut self.nodes[node].children);
            children.sort_by_key(|&child| {
                (
                    Reverse(self.width(child).unsigned_abs()),
                    self.nodes[child as usize].name,
                )
            });
            self.nodes[node].children = children;
        }
    }

    /// The value of everything, in the selected weight.
    pub(crate) fn whole(&self) -> i128 {
        self.width(0)
    }

    /// The name of a node.
    pub(crate) fn name(&self, node: u32) -> &'a str {
        self.nodes[node as usize].name
    }

    /// The children of a node, biggest first.
    pub(crate) fn children(&self, node: u32) -> &[u32] {
        &self.nodes[node as usize].children
    }

    /// A node's own value in the selected weight.
    pub(crate) fn own_width(&self, node: u32) -> i128 {
        self.own[node as usize * self.weights + self.selected]
    }

    /// A node's value with everything below, in the selected weight.
    pub(crate) fn width(&self, node: u32) -> i128 {
        self.total[node as usize * self.weights + self.selected]
    }

    /// A node's own value in any weight.
    pub(crate) fn own(&self, node: u32, weight: usize) -> i128 {
        let at = node as usize * self.weights + weight.min(self.weights - 1);
        self.own.get(at).copied().unwrap_or(0)
    }

    /// A node's value with everything below, in any weight.
    pub(crate) fn total(&self, node: u32, weight: usize) -> i128 {
        self.values(node).get(weight).copied().unwrap_or(0)
    }

    fn values(&self, node: u32) -> &[i128] {
        let start = node as usize * self.weights;
        &self.total[start..start + self.weights]
    }

    /// The biggest parts in at most so many lines.
    pub(crate) fn outline(&self, rows: usize) -> Outline<'a> {
        let rows = rows.max(1);
        let least = self.whole().unsigned_abs() / 250;
        // How many children of each node are shown; they are the biggest ones.
        let mut shown = vec![0_u32; self.nodes.len()];
        let mut best = self.lines(&shown);
        // The next child to show of each shown node, the biggest first.
        let mut heap = BinaryHeap::new();
        let push = |heap: &mut BinaryHeap<_>, parent: u32, place: u32| {
            let child = self.children(parent).get(place as usize);
            if let Some(&child) = child.filter(|&&child| self.width(child) != 0) {
                heap.push((self.width(child).unsigned_abs(), Reverse(parent), child));
            }
        };
        push(&mut heap, 0, 0);
        // Chains take no lines of their own, so more nodes than lines may be shown.
        for _ in 0..rows.saturating_mul(64).min(MAX_SHOWN) {
            let Some((width, Reverse(parent), child)) = heap.pop() else {
                break;
            };
            if width < least && best.lines.len() >= rows.min(8) {
                break;
            }
            shown[parent as usize] += 1;
            let outline = self.lines(&shown);
            if outline.lines.len() > rows {
                break;
            }
            best = outline;
            push(&mut heap, parent, shown[parent as usize]);
            push(&mut heap, child, 0);
        }
        best
    }

    /// The lines of the nodes that are shown.
    fn lines(&self, shown: &[u32]) -> Outline<'a> {
        let mut outline = Outline {
            lines: Vec::new(),
            hidden_rows: 0,
            hidden: vec![0; self.weights],
        };
        let mut stack: Vec<(u32, usize)> = Vec::new();
        self.visit(0, 0, shown, &mut stack, &mut outline);
        while let Some((mut node, level)) = stack.pop() {
            let mut frames = vec![self.name(node)];
            while let Some(child) = self.only_child(node, shown) {
                outline.hidden_rows +=
                    self.nodes[node as usize].rows - self.nodes[child as usize].rows;
                let rest = self.values(node).iter().zip(self.values(child));
                for (hidden, (all, part)) in outline.hidden.iter_mut().zip(rest) {
                    *hidden += all - part;
                }
                node = child;
                frames.push(self.name(node));
            }
            outline.lines.push(Line {
                level,
                frames,
                values: self.values(node).to_vec(),
            });
            self.visit(node, level + 1, shown, &mut stack, &mut outline);
        }
        outline
    }

    /// Queues the children of a node that are shown and counts the others.
    fn visit(
        &self,
        node: u32,
        level: usize,
        shown: &[u32],
        stack: &mut Vec<(u32, usize)>,
        outline: &mut Outline<'a>,
    ) {
        let own = node as usize * self.weights;
        outline.hidden_rows += self.nodes[node as usize].rows - self.nodes[node as usize].own_rows;
        for (weight, hidden) in outline.hidden.iter_mut().enumerate() {
            *hidden += self.total[own + weight] - self.own[own + weight];
        }
        let children = self
            .children(node)
            .iter()
            .take(shown[node as usize] as usize);
        for &child in children.rev() {
            stack.push((child, level));
            outline.hidden_rows -= self.nodes[child as usize].rows;
            for (hidden, value) in outline.hidden.iter_mut().zip(self.values(child)) {
                *hidden -= value;
            }
        }
    }

    /// The child that a node is joined with: the only one shown, with next to nothing beside.
    fn only_child(&self, node: u32, shown: &[u32]) -> Option<u32> {
        let child = match shown[node as usize] {
            1 => *self.children(node).first()?,
            _ => return None,
        };
        let rest = (self.width(node) - self.width(child)).unsigned_abs();
        (rest.saturating_mul(20) <= self.width(node).unsigned_abs()).then_some(child)
    }
}
