//! What to say about names that do not exist.

use super::Checker;
use super::builtins;
use super::habits;
use crate::ast;
use crate::diagnostics::Diagnostic;
use crate::hir::EventSite;
use crate::source::Span;
use crate::target::{LookupError, NameKind, Scope};
use crate::types::RecordId;

/// Longer names are like no other one.
const MOST_LETTERS: usize = 256;

/// Shorter names are not taken for slips of the pen where a local variable may be meant.
const SHORTEST_NAME: usize = 4;

/// Most reasons for missing debug information in one message.
const MOST_REASONS: usize = 3;

/// The names most like `name`, best first, at most three.
pub(super) fn similar<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> Vec<String> {
    // Nobody mistypes a name that long.
    if name.len() >= MOST_LETTERS {
        return Vec::new();
    }
    let length = name.chars().count();
    // A name of one letter is like every other one, which helps nobody.
    let most = (length / 3).clamp(usize::from(length > 1), 4);
    let mut found: Vec<(usize, &str)> = candidates
        .filter(|candidate| *candidate != name && candidate.len() < MOST_LETTERS)
        .filter_map(|candidate| {
            let distance = strsim::damerau_levenshtein(name, candidate);
            let contained = length >= 4
                && (candidate.contains(name) || (candidate.len() >= 4 && name.contains(candidate)));
            (distance <= most || contained).then_some((distance, candidate))
        })
        .collect();
    found.sort();
    found.dedup_by(|a, b| a.1 == b.1);
    found
        .into_iter()
        .take(3)
        .map(|(_, candidate)| candidate.to_owned())
        .collect()
}

/// `did you mean a, b or c?`
pub(super) fn did_you_mean(names: &[String]) -> Option<String> {
    let quoted: Vec<String> = names
        .iter()
        .take(3)
        .map(|name| format!("`{name}`"))
        .collect();
    let (last, rest) = quoted.split_last()?;
    Some(if rest.is_empty() {
        format!("did you mean {last}?")
    } else {
        format!("did you mean {} or {last}?", rest.join(", "))
    })
}

/// Whether `known` is `name` in a scope of C++ or Rust, with or without arguments of a template.
fn is_in_scope(known: &str, name: &str) -> bool {
    let bare = known.split_once('<').map_or(known, |(bare, _)| bare);
    bare.rsplit_once("::").is_some_and(|(_, last)| last == name)
}

impl Checker<'_> {
    /// The names most like an unknown one, while its error will be shown: it takes time for each.
    pub(super) fn similar<'n>(
        &self,
        name: &str,
        candidates: impl Iterator<Item = &'n str>,
    ) -> Vec<String> {
        if self.errors >= super::MOST_ERRORS {
            return Vec::new();
        }
        similar(name, candidates)
    }

    /// Reports that a look-up in the target failed.
    pub(super) fn lookup_error(&mut self, name: &ast::Name, error: LookupError) {
        let once = match &error {
            LookupError::NoSuchPrefix { prefix, .. } => ("prefix", prefix.clone()),
            _ => ("lookup", name.text.clone()),
        };
        if !self.reported.insert(once) {
            return;
        }
        let diagnostic = Diagnostic::error(name.span, error.to_string(), "");
        let diagnostic = match error {
            LookupError::Ambiguous { places, .. } => {
                // `one.c::conf (4 bytes)`: what stands before the blank can be pasted.
                let names = places.iter().filter_map(|place| {
                    let (written, _) = place.split_once(" (")?;
                    written.ends_with(&format!("::{}", name.text)).then(|| {
                        match written.contains('`') {
                            true => written.to_owned(),
                            false => format!("`{written}`"),
                        }
                    })
                });
                let names: Vec<String> = names.take(3).collect();
                match names.is_empty() {
                    true => diagnostic,
                    false => diagnostic.with_help(format!("say which: {}", names.join(" or "))),
                }
            }
            LookupError::NoSuchPrefix {
                prefix,
                mut suggestions,
            } => {
                // Without backquotes `ns::counter` reads as a prefix.
                let whole = format!("{prefix}::{}", name.text);
                for kind in [NameKind::Symbol, NameKind::Type] {
                    if let Some(target) = self.target.as_deref_mut() {
                        let found = target.suggest(&Scope::default(), kind, &whole);
                        suggestions.extend(found.into_iter().filter(|name| name.contains("::")));
                    }
                }
                match did_you_mean(&suggestions) {
                    Some(_) if suggestions.contains(&whole) => {
                        diagnostic.with_help(format!("write `{whole}` in backquotes"))
                    }
                    Some(help) => diagnostic.with_help(help),
                    None => diagnostic,
                }
            }
            LookupError::Broken(_) => diagnostic,
        };
        self.report(diagnostic);
    }

    /// Why types are missing: the first sentences that the target has to say.
    pub(super) fn missing_types(&mut self) -> Vec<String> {
        let reasons = self.target.as_deref_mut();
        let reasons = reasons.map_or_else(Vec::new, |target| target.missing_debug_information());
        reasons.into_iter().take(MOST_REASONS).collect()
    }

    /// Notes a name that only a target can settle. Returns whether there is no target.
    fn unresolved_without_target(&mut self, span: Span, name: &str) -> bool {
        if self.target.is_some() {
            return false;
        }
        self.add_unresolved(span, name.to_owned());
        true
    }

    /// Keeps what only a target can settle; beyond a bound it is only counted.
    pub(super) fn add_unresolved(&mut self, span: Span, text: String) {
        if self.unresolved.len() < super::MOST_ERRORS {
            self.unresolved.push((span, text));
        } else {
            self.more_unresolved += 1;
        }
    }

    /// Help for an unknown name of the target: names like it, or why it may be missing.
    fn target_help(
        &mut self,
        name: &ast::Name,
        kind: NameKind,
        mut candidates: Vec<String>,
    ) -> Option<String> {
        if self.errors >= super::MOST_ERRORS {
            return None;
        }
        let scope = self.scope_of(name);
        let Some(target) = self.target.as_deref_mut() else {
            return did_you_mean(&candidates);
        };
        for suggestion in target.suggest(&scope, kind, &name.text).into_iter().take(3) {
            // It is known, but there is no such thing in memory.
            if suggestion == name.text && kind == NameKind::Symbol {
                return Some(format!(
                    "debug information knows `{suggestion}`, but not where it is: the compiler has optimised it out"
                ));
            }
            if suggestion != name.text && !candidates.contains(&suggestion) {
                candidates.push(suggestion);
            }
        }
        // `sizeof(Box)` may be of a type that lies in a scope.
        if kind == NameKind::Symbol {
            let types = target.suggest(&scope, NameKind::Type, &name.text);
            let in_scopes = types
                .into_iter()
                .filter(|known| is_in_scope(known, &name.text));
            candidates.splice(0..0, in_scopes.take(2));
        }
        if let Some(help) = did_you_mean(&candidates) {
            return Some(help);
        }
        let reasons = target.missing_debug_information();
        if reasons.is_empty() {
            return None;
        }
        let mut help = reasons
            .iter()
            .take(MOST_REASONS)
            .map(|reason| reason.trim().to_owned())
            .collect::<Vec<_>>()
            .join("\n");
        if reasons.len() > MOST_REASONS {
            help.push_str(&format!("\nand {} more", reasons.len() - MOST_REASONS));
        }
        Some(help)
    }

    fn report_with_help(&mut self, diagnostic: Diagnostic, help: Option<String>) {
        self.report(match help {
            Some(help) => diagnostic.with_help(help),
            None => diagnostic,
        });
    }

    /// Reports a type name that nothing declares.
    pub(super) fn unknown_type(&mut self, name: &ast::Name) {
        if self.unresolved_without_target(name.span, &name.text)
            || !self.reported.insert(("type", name.text.clone()))
        {
            return;
        }
        let is_local = self.context.scopes.iter();
        let is_local = is_local
            .into_iter()
            .any(|scope| scope.names.contains_key(&name.text));
        let is_global = self.script.ordinary.get(name.text.as_str());
        let is_global = is_global
            .is_some_and(|(meaning, _)| !matches!(meaning, super::script::Ordinary::Typedef(_)));
        if name.prefix.is_none() && (is_local || is_global) {
            self.error_help(
                name.span,
                format!("`{}` is no type here", name.text),
                "the script declares something else of that name, which hides a type of the target",
                "call that otherwise",
            );
            return;
        }
        let own = self.similar(
            &name.text,
            self.script
                .ordinary
                .iter()
                .filter(|(_, (meaning, _))| matches!(meaning, super::script::Ordinary::Typedef(_)))
                .map(|(name, _)| *name),
        );
        let is_tag = name.prefix.is_none() && self.script.tags.contains_key(name.text.as_str());
        let help = if is_tag {
            Some(format!("write `struct {}`", name.text))
        } else {
            let habit = name.prefix.is_none().then(|| habits::ty(&name.text));
            habit
                .flatten()
                .or_else(|| self.target_help(name, NameKind::Type, own))
        };
        let diagnostic = Diagnostic::error(
            name.span,
            format!("unknown type `{}`", name.text),
            "neither the script nor the target has it",
        );
        self.report_with_help(diagnostic, help);
    }

    /// Reports a tag that nothing declares.
    pub(super) fn unknown_tag(&mut self, keyword: &str, tag: &ast::Name) {
        let written = format!("{keyword} {}", tag.text);
        if self.unresolved_without_target(tag.span, &written)
            || !self.reported.insert(("type", written.clone()))
        {
            return;
        }
        let local = self.context.scopes.iter();
        let local = local.flat_map(|scope| scope.tags.keys().map(String::as_str));
        let own = self.similar(&tag.text, local.chain(self.script.tags.keys().copied()));
        let help = self.target_help(tag, NameKind::Type, own);
        let diagnostic = Diagnostic::error(
            tag.span,
            format!("unknown type `{written}`"),
            "neither the script nor the target has it",
        );
        self.report_with_help(diagnostic, help);
    }

    /// Reports a variable that nothing declares.
    pub(super) fn unknown_name(&mut self, name: &ast::Name) {
        if name.prefix.is_none() && builtins::find(&name.text).is_some() {
            self.error_help(
                name.span,
                format!("`{}` is a built-in function", name.text),
                "it can only be called",
                format!("write `{}(…)`", name.text),
            );
            return;
        }
        if self.unresolved_without_target(name.span, &name.text)
            || !self.reported.insert(("name", name.text.clone()))
        {
            return;
        }
        let locals = self
            .context
            .scopes
            .iter()
            .flat_map(|scope| scope.names.keys().map(String::as_str));
        let own = self.similar(
            &name.text,
            locals
                .chain(self.script.ordinary.keys().copied())
                .chain(self.macros.iter().map(String::as_str)),
        );
        let habit = name.prefix.is_none().then(|| habits::value(&name.text));
        let help = habit.flatten().or_else(|| {
            let local = own.is_empty().then(|| self.local_help(name)).flatten();
            // Names as short as those of loops are like too many others.
            let short = name.text.chars().count() < SHORTEST_NAME;
            let like = match (&local, short) {
                (Some(_), true) => None,
                _ => self.target_help(name, NameKind::Symbol, own),
            };
            match (local, like) {
                (Some(local), Some(like)) => Some(format!("{like}; {local}")),
                (local, like) => local.or(like),
            }
        });
        let diagnostic = Diagnostic::error(
            name.span,
            format!("unknown name `{}`", name.text),
            "neither the script nor the target has it",
        );
        self.report_with_help(diagnostic, help);
    }

    /// What to say of a name in the handler of a line or an address: there local variables of the target are in scope for who reads
    /// its source.
    fn local_help(&self, name: &ast::Name) -> Option<String> {
        let site = self.hit.as_ref()?.site.as_ref()?;
        let within = matches!(site, EventSite::Line { .. } | EventSite::Address(_));
        (within && name.prefix.is_none()).then(|| {
            "local variables of the target cannot be read by their names at a line or an address: `_reg(\"rbx\")` is what a register holds there, `ytrace list -v FUNCTION` tells where parameters are at the entry"
                .to_owned()
        })
    }

    /// Reports a called function that nothing declares.
    pub(super) fn unknown_function(&mut self, name: &ast::Name) {
        if self.unresolved_without_target(name.span, &name.text)
            || !self.reported.insert(("name", name.text.clone()))
        {
            return;
        }
        let mut known: Vec<&str> = builtins::names().collect();
        for (name, (meaning, _)) in &self.script.ordinary {
            if matches!(meaning, super::script::Ordinary::Function(_)) {
                known.push(name);
            }
        }
        known.extend(self.macros.iter().map(String::as_str));
        let names = self.similar(&name.text, known.into_iter());
        let diagnostic = Diagnostic::error(
            name.span,
            format!("unknown function `{}`", name.text),
            "neither the script nor the built-ins have it",
        );
        let help = habits::function(&name.text).or_else(|| did_you_mean(&names));
        self.report_with_help(diagnostic, help);
    }

    /// Reports a member that a record lacks.
    pub(super) fn unknown_member(&mut self, record: RecordId, member: &ast::Name) {
        // Without a target nobody knows which candidate of a layout holds.
        if self.layout_records.contains(&record)
            && self.unresolved_without_target(member.span, &member.text)
        {
            return;
        }
        let entry = self.types.intern(crate::types::Type::Record(record));
        let owner = self.types.name_of(entry);
        if !self.complete(record) {
            if self.reported.insert(("incomplete", owner.clone())) {
                let reasons = self.missing_types();
                let help = (!reasons.is_empty()).then(|| reasons.join("\n"));
                let diagnostic = Diagnostic::error(
                    member.span,
                    format!("`{owner}` is incomplete"),
                    "its members are not known",
                );
                self.report_with_help(diagnostic, help);
            }
            return;
        }
        if let Some((derived, base, distance)) = self.virtual_base_with(record, &member.text, 0) {
            let derived = self.types.intern(crate::types::Type::Record(derived));
            let (derived, base) = (self.types.name_of(derived), self.types.name_of(base));
            let diagnostic = Diagnostic::error(
                member.span,
                format!("`{}` is in a virtual base of `{derived}`", member.text),
                "where that lies, only the object tells",
            );
            let help = distance.map(|distance| {
                format!(
                    "with `p` the address of the `{derived}`: `(({base} *) ((char *) p + *(long *) (*(char **) p - {distance})))->{}`",
                    member.text
                )
            });
            self.report_with_help(diagnostic, help);
            return;
        }
        let names = if self.errors < super::MOST_ERRORS {
            self.member_names(record, 0)
        } else {
            Vec::new()
        };
        let close = self.similar(&member.text, names.iter().map(String::as_str));
        let help = did_you_mean(&close).or_else(|| {
            if names.is_empty() {
                if self.errors >= super::MOST_ERRORS {
                    return None;
                }
                return Some(format!("`{owner}` has no members"));
            }
            let some: Vec<&str> = names.iter().take(12).map(String::as_str).collect();
            let more = if names.len() > 12 { ", …" } else { "" };
            Some(format!("it has {}{more}", some.join(", ")))
        });
        let diagnostic = Diagnostic::error(
            member.span,
            format!("no member `{}` in `{owner}`", member.text),
            "no such member",
        );
        self.report_with_help(diagnostic, help);
    }
}
