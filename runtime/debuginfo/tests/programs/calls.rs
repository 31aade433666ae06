//! Calls of every kind that Rust has, for stacks to be captured of.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

trait Shape {
    fn area(&self, depth: u64) -> u64;
}

struct Square(u64);
struct Nested(Box<dyn Shape>);

impl Shape for Square {
    fn area(&self, depth: u64) -> u64 {
        if depth > 0 { self.area(depth - 1) + 1 } else { self.0 * self.0 }
    }
}

impl Shape for Nested {
    fn area(&self, depth: u64) -> u64 {
        self.0.area(depth) + 1
    }
}

struct Guard(u64);

impl Drop for Guard {
    fn drop(&mut self) {
        black_box(containers(self.0));
    }
}

#[inline(never)]
fn closures(depth: u64, inner: &dyn Fn(u64) -> u64) -> u64 {
    match depth {
        0 => inner(1),
        _ => closures(depth - 1, &|x| inner(x + depth) + 1),
    }
}

#[inline(never)]
fn panics(depth: u64) -> u64 {
    let _guard = Guard(depth);
    assert!(depth > 0, "at the end of {depth}");
    panics(depth - 1) + 1
}

#[inline(never)]
fn containers(round: u64) -> u64 {
    let map: HashMap<String, u64> = (0..12).map(|i| (format!("key {}", i * round % 7), i)).collect();
    let tree: BTreeMap<u64, &str> = map.iter().map(|(key, value)| (*value, key.as_str())).collect();
    let mut keys: Vec<&str> = tree.values().copied().collect();
    keys.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    let mut numbers: Vec<u64> = (0..50).map(|i| i * 31 % 41).collect();
    numbers.sort_unstable_by_key(|n| n ^ round);
    keys.iter().map(|key| key.len() as u64).sum::<u64>() + numbers.iter().filter(|n| **n % 3 == 0).sum::<u64>()
}

#[inline(never)]
fn text(round: u64) -> u64 {
    let mut text = String::new();
    let _ = write!(text, "{round:>8} {:.3} {:?}", round as f64 / 7.0, [Some("a"), None]);
    text.split(' ').filter_map(|part| part.parse::<f64>().ok()).map(|f| f as u64).sum()
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut sum = 0;
    for round in 0..rounds {
        let shape = Nested(Box::new(Nested(Box::new(Square(round)))));
        sum += black_box(&shape as &dyn Shape).area(round % 20);
        sum += closures(round % 10, &|x| black_box(containers(x)));
        sum += catch_unwind(AssertUnwindSafe(|| panics(round % 6))).unwrap_or(1);
        sum += text(round);
        if round % 10 == 0 {
            sum += std::thread::spawn(move || closures(4, &|x| x + text(round))).join().unwrap_or(0);
        }
    }
    println!("{}", sum != 0);
}
