//! Finds the types that are the same in many units, so that each is written once.
//!
//! Two types are the same if they cannot be told apart by following references, however far. That is found by refinement: types
//! start in classes by what they are themselves, and classes are split by the classes that their members refer to until nothing
//! changes any more. Circles need no special care.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::collect::{Node, own_name};
use crate::types::TypeDesc;

/// Refinement that takes more rounds than this is given up; types are then not merged. Real programs need a few dozen.
const MAX_ROUNDS: usize = 512;

/// Types that are the same.
pub(super) struct Class {
    /// One of them: all others look alike.
    pub node: u32,
    /// Units that have any of them, ascending.
    pub units: Vec<u32>,
}

/// The classes, and the class of each node. Class 0 is that of node 0, `void`.
pub(super) fn classes(nodes: &[Node]) -> (Vec<Class>, Vec<u32>) {
    let own: Vec<u64> = nodes.iter().map(own_hash).collect();
    let mut hashes = own.clone();
    let mut distinct = count(&hashes);
    let mut settled = false;
    for _ in 0..MAX_ROUNDS {
        let next: Vec<u64> = nodes
            .iter()
            .zip(&own)
            .map(|(node, own)| {
                let mut hasher = DefaultHasher::new();
                own.hash(&mut hasher);
                for reference in &node.references {
                    hashes.get(*reference as usize).hash(&mut hasher);
                }
                hasher.finish()
            })
            .collect();
        let now = count(&next);
        hashes = next;
        if now == distinct {
            settled = true;
            break;
        }
        distinct = now;
    }
    let mut numbers: HashMap<(u64, u32), u32> = HashMap::with_capacity(distinct);
    let mut classes: Vec<Class> = Vec::with_capacity(distinct);
    let mut of_node = Vec::with_capacity(nodes.len());
    for (at, (node, hash)) in (0u32..).zip(nodes.iter().zip(&hashes)) {
        let key = (*hash, if settled { 0 } else { at });
        let number = *numbers.entry(key).or_insert_with(|| {
            classes.push(Class {
                node: at,
                units: Vec::new(),
            });
            classes.len() as u32 - 1
        });
        if let Some(class) = classes.get_mut(number as usize) {
            class.units.extend(&node.units);
        }
        of_node.push(number);
    }
    for class in &mut classes {
        class.units.sort_unstable();
        class.units.dedup();
    }
    (classes, of_node)
}

fn count(hashes: &[u64]) -> usize {
    let mut sorted = hashes.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len()
}

/// The hash of a type without what it refers to.
fn own_hash(node: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    let to = &mut hasher;
    std::mem::discriminant(&node.description).hash(to);
    (&node.scope, node.scoped, own_name(&node.description)).hash(to);
    match &node.description {
        TypeDesc::Void | TypeDesc::Typedef { .. } => {}
        TypeDesc::Base { size, encoding, .. } => (size, encoding).hash(to),
        TypeDesc::Pointer { size, .. } => size.hash(to),
        TypeDesc::Array { count, .. } => count.hash(to),
        TypeDesc::Struct(aggregate) | TypeDesc::Union(aggregate) => {
            (aggregate.size, aggregate.complete, aggregate.omitted).hash(to);
            aggregate.by_reference.hash(to);
            for field in &aggregate.fields {
                (&field.name, field.offset, field.bitfield).hash(to);
                (field.is_base, field.role).hash(to);
            }
        }
        TypeDesc::Enum(enumeration) => {
            (enumeration.size, enumeration.signed, enumeration.complete).hash(to);
            for constant in &enumeration.enumerators {
                (&constant.name, constant.value).hash(to);
            }
        }
        TypeDesc::Function {
            parameters,
            variadic,
            ..
        } => (parameters.len(), variadic).hash(to),
        TypeDesc::Other { tag, size, .. } => (tag, size).hash(to),
    }
    hasher.finish()
}
