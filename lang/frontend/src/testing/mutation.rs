//! Changes to texts, the same ones for the same seed.
//!
//! For tests that need many wrong programs without a fuzzer: unlike libFuzzer this knows nothing
//! of the code that it tests, but it knows words.

/// The longest text that comes out, in bytes.
const MOST_BYTES: usize = 4 << 10;

/// Makes changes.
#[derive(Clone, Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// One whose choices follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below a bound (0 if that is 0), by splitmix64.
    pub fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        if bound == 0 {
            0
        } else {
            (z % bound as u64) as usize
        }
    }

    /// The text with one to six changes. `words` are put into it, and pieces of `other`.
    pub fn mutate(&mut self, text: &[u8], other: &[u8], words: &[&str]) -> Vec<u8> {
        let mut result = text.to_vec();
        for _ in 0..=self.below(6) {
            self.change(&mut result, other, words);
        }
        result.truncate(MOST_BYTES);
        result
    }

    fn change(&mut self, text: &mut Vec<u8>, other: &[u8], words: &[&str]) {
        let from = self.boundary(text);
        let to = self.boundary(text);
        let (from, to) = (from.min(to), from.max(to));
        let short = to.min(from + 64);
        let word = words.get(self.below(words.len())).copied().unwrap_or("");
        match self.below(9) {
            0 => drop(text.drain(from..short)),
            1 => {
                let piece = text.get(from..short).unwrap_or_default().to_vec();
                text.splice(to..to, piece);
            }
            2 => drop(text.splice(from..from, format!(" {word} ").into_bytes())),
            3 => {
                let end = from + self.word_length(text, from);
                text.splice(from..end, word.bytes());
            }
            4 => {
                let start = self.boundary(other);
                let length = self.below(200);
                let end = (start + length).min(other.len());
                let piece = other.get(start..end).unwrap_or_default().to_vec();
                text.splice(from..from, piece);
            }
            5 => {
                if let Some(byte) = text.get_mut(from) {
                    *byte = self.below(256) as u8;
                }
            }
            6 => {
                let end = from + self.word_length(text, from);
                let number = match self.below(4) {
                    0 => self.below(4).to_string(),
                    1 => (1_u64 << self.below(64)).to_string(),
                    2 => format!("{:#x}", u64::MAX >> self.below(64)),
                    _ => format!("-{}", self.below(1 << 16)),
                };
                text.splice(from..end, number.into_bytes());
            }
            7 => {
                let count = 1 + self.below(20);
                let piece = match self.below(3) {
                    0 => text.get(from..short.min(from + 12)).unwrap_or_default(),
                    _ => word.as_bytes(),
                }
                .repeat(count);
                text.splice(from..from, piece);
            }
            _ => {
                let middle = self.boundary(text).clamp(from, to);
                if let Some(part) = text.get_mut(from..to) {
                    part.rotate_left(middle - from);
                }
            }
        }
    }

    /// A place in the text, often the start of a word.
    fn boundary(&mut self, text: &[u8]) -> usize {
        let place = self.below(text.len() + 1);
        if self.below(4) == 0 {
            return place;
        }
        let rest = text.get(place..).unwrap_or_default();
        let inside = rest.iter().take_while(|byte| is_word(**byte)).count();
        place + inside
    }

    /// How long the word or the mark is that starts at a place.
    fn word_length(&mut self, text: &[u8], place: usize) -> usize {
        let rest = text.get(place..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_word(**byte)).count();
        length.max(1).min(rest.len())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_texts_and_others_differ() {
        let text = b"_probe _oneshot { printf(\"%d\\n\", counter + 1); }";
        let make = |seed| {
            let mut mutator = Mutator::new(seed);
            (0..50)
                .map(|_| mutator.mutate(text, b"int other;", &["_foreach", "("]))
                .collect::<Vec<_>>()
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        assert!(make(3).iter().filter(|made| *made != text).count() > 40);
        for made in make(4) {
            assert!(made.len() <= MOST_BYTES);
        }
        assert!(Mutator::new(5).mutate(b"", b"", &[]).len() <= MOST_BYTES);
    }
}
