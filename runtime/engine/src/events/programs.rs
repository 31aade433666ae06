//! The programs that processes execute, some by name and all by number.

/// The most names that are kept: who executes without end shall not fill memory.
const NAMED: usize = 3;

/// The programs that were executed.
#[derive(Clone, Debug, Default)]
pub(super) struct Programs {
    /// The names of the first of them, each once.
    names: Vec<String>,
    executed: u64,
    /// How many executions were of programs without a name here.
    unnamed: u64,
}

impl Programs {
    /// Counts the program that a process runs by now.
    pub(super) fn count(&mut self, pid: i32) {
        let link = std::fs::read_link(format!("/proc/{pid}/exe"));
        let name = link.map_or_else(
            |_| "another program".to_owned(),
            |path| path.display().to_string(),
        );
        self.add(name);
    }

    fn add(&mut self, name: String) {
        self.executed = self.executed.saturating_add(1);
        if self.names.contains(&name) {
            return;
        }
        match self.names.len() < NAMED {
            true => self.names.push(name),
            false => self.unnamed = self.unnamed.saturating_add(1),
        }
    }

    /// How many were executed.
    pub(super) fn executed(&self) -> u64 {
        self.executed
    }

    /// Their names, and how many more there were.
    pub(super) fn shown(&self) -> String {
        let mut shown = self.names.join(", ");
        if self.unnamed > 0 {
            let more = ytrace_values::units::thousands(self.unnamed);
            shown.push_str(&format!(", {more} more"));
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_have_names_and_all_are_counted() {
        let mut programs = Programs::default();
        for number in 0..100_000 {
            programs.add(format!("/bin/{}", number % 50));
        }
        assert_eq!(programs.executed(), 100_000);
        assert_eq!(programs.shown(), "/bin/0, /bin/1, /bin/2, 94,000 more");
        assert_eq!(programs.names.len(), NAMED);
        // No process has such a number.
        let mut gone = Programs::default();
        gone.count(i32::MAX);
        assert_eq!(gone.shown(), "another program");
    }
}
