//! Choices that a generator makes: drawn from a seed and noted, or replayed from a list, which
//! can be shrunk without knowing what is generated. Zero is the simplest answer to everything.

/// Integers about the limits of C's types.
const INTEGERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "7",
    "8",
    "-1",
    "10",
    "31",
    "63",
    "64",
    "100",
    "127",
    "128",
    "255",
    "256",
    "-128",
    "32767",
    "65535",
    "65536",
    "2147483647",
    "(-2147483647 - 1)",
    "4294967295u",
    "0x80000000",
    "0x7fu",
    "4294967296",
    "1ul",
    "-1l",
    "100000ll",
    "9223372036854775807",
    "(-9223372036854775807 - 1)",
    "18446744073709551615ul",
    "0xffffffffffffffff",
    "017",
    "'a'",
    "'\\n'",
    "'\\xff'",
];

/// A source of choices.
pub struct Choices {
    words: Vec<u32>,
    at: usize,
    /// The state of the generator of new words; `None` replays, and gives zeros at the end.
    state: Option<u64>,
}

impl Choices {
    /// Choices of a seed.
    pub fn of_seed(seed: u64) -> Self {
        Self {
            words: Vec::new(),
            at: 0,
            state: Some(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d),
        }
    }

    /// Choices made before.
    pub fn replay(words: Vec<u32>) -> Self {
        Self {
            words,
            at: 0,
            state: None,
        }
    }

    /// What was chosen so far.
    pub fn into_words(mut self) -> Vec<u32> {
        self.words.truncate(self.at);
        self.words
    }

    /// Any word.
    pub fn word(&mut self) -> u32 {
        if let Some(state) = &mut self.state {
            // splitmix64
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = *state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            self.words.push(((word ^ (word >> 31)) >> 20) as u32);
        }
        let word = self.words.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        word
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.word() as usize % limit.max(1)
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) + percent >= 100
    }

    /// One of some values.
    pub fn one<'v, T: ?Sized>(&mut self, values: &[&'v T]) -> &'v T {
        values[self.below(values.len())]
    }

    /// An integer as C spells it, or one of some names.
    pub fn integer(&mut self, names: &[&'static str]) -> &'static str {
        let at = self.below(INTEGERS.len() + names.len());
        let literal = INTEGERS.get(at).copied();
        literal.unwrap_or_else(|| names[at - INTEGERS.len()])
    }

    /// An index, as often as its weight says.
    pub fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut at = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if at < *weight {
                return index;
            }
            at -= weight;
        }
        0
    }
}

/// A list of choices that is no longer than `words` and for which `fails` still holds: parts are
/// left out, then numbers made smaller, for at most `tries` trials.
pub fn shrink(
    mut words: Vec<u32>,
    mut tries: u32,
    fails: &mut dyn FnMut(Vec<u32>) -> bool,
) -> Vec<u32> {
    let mut attempt = |candidate: Vec<u32>| {
        tries = tries.saturating_sub(1);
        (tries > 0).then(|| fails(candidate))
    };
    let mut length = words.len() / 2;
    while length > 0 {
        let mut start = 0;
        while start < words.len() {
            let end = (start + length).min(words.len());
            let mut candidate = words.clone();
            candidate.drain(start..end);
            let mut zeros = words.clone();
            zeros[start..end].fill(0);
            match attempt(candidate.clone()) {
                None => return words,
                Some(true) => words = candidate,
                Some(false) if zeros != words && length < 9 => match attempt(zeros.clone()) {
                    None => return words,
                    Some(true) => {
                        words = zeros;
                        start = end;
                    }
                    Some(false) => start = end,
                },
                Some(false) => start = end,
            }
        }
        length /= 2;
    }
    words
}

/// The lines of a text of which as many as possible are left out while `fails` still holds.
pub fn shrink_lines(text: &str, fails: &mut dyn FnMut(&str) -> bool) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    loop {
        let before = lines.len();
        let mut length = (lines.len() / 2).max(1);
        loop {
            let mut start = 0;
            while start < lines.len() {
                let end = (start + length).min(lines.len());
                let mut candidate = lines.clone();
                candidate.drain(start..end);
                if fails(&candidate.join("\n")) {
                    lines = candidate;
                } else {
                    start += 1;
                }
            }
            if length == 1 {
                break;
            }
            length /= 2;
        }
        // A statement may span an opening line and a closing one.
        let mut open = 0;
        while open < lines.len() {
            let closes = (open + 1..lines.len()).find(|&close| {
                let mut candidate = lines.clone();
                candidate.remove(close);
                candidate.remove(open);
                fails(&candidate.join("\n"))
            });
            match closes {
                Some(close) => {
                    lines.remove(close);
                    lines.remove(open);
                }
                None => open += 1,
            }
        }
        if lines.len() == before {
            return lines.join("\n");
        }
    }
}
