//! Errors and warnings about source text.

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The program cannot run.
    Error,
    /// The program can run but probably does not do what is meant.
    Warning,
}

/// What a message is about, where that matters to more than its reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Anything.
    #[default]
    General,
    /// The program has no probe: right for a file that others include.
    NoProbe,
    /// Text is missing: a file that is not read, the end of a string, or what `#error` says. Whatever else is wrong may come from it.
    Missing,
}

/// One message with its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub topic: Topic,
    /// What is wrong, in one line.
    pub message: String,
    /// The place it is about, with what was found there.
    pub primary: (Span, String),
    /// Other places that matter (the definition, the macro), with why.
    pub secondary: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            topic: Topic::General,
            message: message.into(),
            primary: (span, label.into()),
            secondary: Vec::new(),
            help: None,
        }
    }

    /// A warning at a place.
    pub fn warning(span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(span, message, label)
        }
    }

    /// The same about a topic.
    pub fn about(mut self, topic: Topic) -> Self {
        self.topic = topic;
        self
    }

    /// The same with another place.
    pub fn with_secondary(mut self, span: Span, label: impl Into<String>) -> Self {
        self.secondary.push((span, label.into()));
        self
    }

    /// The same with what to do.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
