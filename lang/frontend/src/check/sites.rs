//! Points of events that are no function's: lines, addresses, static probes, watchpoints, samples, processes.

use super::Checker;
use super::class::Class;
use super::hits::{Arguments, Hit, HitValue};
use crate::abi::{Location, Word};
use crate::ast;
use crate::hir::{EventSite, ExpressionKind, ProcessEvent};
use crate::source::Span;

/// The fastest that samples are taken, in samples a second.
const FASTEST_PROFILE: i128 = 10_000;

impl<'a> Checker<'a> {
    /// A string that is known before anything runs; `None` after an error.
    pub(super) fn constant_text(
        &mut self,
        expression: &'a ast::Expression,
        what: &str,
    ) -> Option<String> {
        let value = self.value(expression);
        if self.is_unknown(value.ty) {
            return None;
        }
        let value = self.with_option_values(value);
        if let ExpressionKind::Str(bytes) = &value.kind {
            return Some(String::from_utf8_lossy(bytes).into_owned());
        }
        let found = self.quoted(value.ty);
        self.error_help(
            expression.span,
            format!("{what} is a string that is known before anything runs"),
            format!("this is {found}"),
            "write a string, or an option: `_option _str alloc = \"malloc\";`",
        );
        None
    }

    /// `_timer.profile(hz)`.
    pub(super) fn profile_event(&mut self, rate: &'a ast::Expression) -> Hit {
        let mut hit = Hit::at(None);
        match self.constant_integer(rate) {
            Some(number) if (1..=FASTEST_PROFILE).contains(&number) => {
                hit.profile = u64::try_from(number).ok();
            }
            Some(number) => self.error(
                rate.span,
                format!("samples are taken 1 to {FASTEST_PROFILE} times a second"),
                format!("this is {number}"),
            ),
            None => {}
        }
        hit
    }

    /// `_line("file.c", n)`.
    pub(super) fn line_event(&mut self, arguments: &'a [ast::Expression], span: Span) -> Hit {
        let [file, line] = arguments else {
            self.error_help(
                span,
                "`_line` takes a file and a line",
                format!("{} given", arguments.len()),
                "it is `_probe _line(\"server.c\", 231) { … }`",
            );
            return Hit::at(None);
        };
        let file_text = self.constant_text(file, "the name of a source file");
        let number = self.constant_integer(line);
        let (Some(file_text), Some(number)) = (file_text, number) else {
            return Hit::at(None);
        };
        match u64::try_from(number) {
            Ok(line) if line > 0 => Hit::at(Some(EventSite::Line {
                file: file_text,
                line,
            })),
            _ => {
                let found = format!("this is {number}");
                self.error(line.span, "lines are counted from 1", found);
                Hit::at(None)
            }
        }
    }

    /// `_addr(expression)`.
    pub(super) fn address_event(&mut self, expression: &'a ast::Expression) -> Hit {
        let address = self.known_address(expression, "the address of a probe");
        Hit::at(address.map(EventSite::Address))
    }

    /// An address that is known before anything runs; `None` after an error, or without a target.
    fn known_address(&mut self, expression: &'a ast::Expression, what: &str) -> Option<u64> {
        let value = self.value(expression);
        if self.is_unknown(value.ty) {
            return None;
        }
        let value = self.with_option_values(value);
        let class = self.class(value.ty);
        match value.kind {
            ExpressionKind::Integer(address)
                if class.is_integer() || matches!(class, Class::Pointer(_)) =>
            {
                Some(address)
            }
            _ => {
                let found = self.quoted(value.ty);
                self.error_help(
                    expression.span,
                    format!("{what} is known before anything runs"),
                    format!("this {found} is not"),
                    "write a number, `&variable`, `&function`, or one of these and an offset",
                );
                None
            }
        }
    }

    /// `_usdt("provider:name") (a, b)`.
    pub(super) fn static_event(
        &mut self,
        name: &'a ast::Expression,
        arguments: &'a [ast::Name],
    ) -> Hit {
        let mut hit = Hit::at(None);
        hit.arguments = Arguments::Event;
        if let Some(text) = self.constant_text(name, "the name of a static probe") {
            match text.split_once(':') {
                Some(_) if text.contains(['*', '?']) => self.error_help(
                    name.span,
                    "a static probe is named in full",
                    format!("`{text}` is a pattern"),
                    format!("`ytrace list -p PID '{text}'` shows those that it matches: write a probe for each"),
                ),
                Some((provider, probe)) if !provider.is_empty() && !probe.is_empty() => {
                    hit.site = Some(EventSite::Static {
                        provider: provider.to_owned(),
                        name: probe.to_owned(),
                        named: arguments.len(),
                    });
                }
                _ => self.error_help(
                    name.span,
                    "a static probe is called `provider:name`",
                    format!("this is `{text}`"),
                    "`readelf -n FILE` lists those of a file",
                ),
            }
        }
        let long = self.basics.long;
        for (name, number) in arguments.iter().zip(0..) {
            hit.parameters.push(HitValue {
                name: name.text.clone(),
                ty: long,
                location: Location::Words(vec![Word::Argument(number)]),
                in_copies: Vec::new(),
                span: name.span,
            });
        }
        hit
    }

    /// `_watch(&variable, length, "w")`.
    pub(super) fn watch_event(&mut self, arguments: &'a [ast::Expression], span: Span) -> Hit {
        let nowhere = Hit::at(None);
        let [address, length, mode] = arguments else {
            self.error_help(
                span,
                "`_watch` takes an address, a length and a mode",
                format!("{} given", arguments.len()),
                "it is `_probe _watch(&variable, 8, \"w\") { … }`",
            );
            return nowhere;
        };
        let at = self.known_address(address, "the address of a watchpoint");
        let bytes = self.constant_integer(length);
        let text = self.constant_text(mode, "the mode of a watchpoint");
        let (Some(at), Some(bytes), Some(text)) = (at, bytes, text) else {
            return nowhere;
        };
        let reads = match text.as_str() {
            "w" => false,
            "rw" => true,
            _ => {
                self.error_help(
                    mode.span,
                    format!("no mode `{text}` of a watchpoint"),
                    "the processor has no other",
                    "`\"w\"` is for writes, `\"rw\"` for reads, too",
                );
                return nowhere;
            }
        };
        if !matches!(bytes, 1 | 2 | 4 | 8) {
            self.error_help(
                length.span,
                "the processor watches 1, 2, 4 or 8 bytes",
                format!("this is {bytes}"),
                "what is larger takes several probes",
            );
            return nowhere;
        }
        let bytes = bytes as u64;
        if at == 0 {
            self.error_help(
                address.span,
                "there is nothing to be watched at address 0",
                "this is NULL",
                "write `&variable`, or the address as `ytrace list` and `printf(\"%p\")` show it",
            );
            return nowhere;
        }
        if at % bytes != 0 {
            self.error_help(
                address.span,
                format!("the processor watches {bytes} bytes at a multiple of {bytes}"),
                format!("this is {at:#x}"),
                "watch fewer bytes",
            );
            return nowhere;
        }
        Hit::at(Some(EventSite::Watch {
            address: at,
            length: bytes,
            reads,
        }))
    }

    /// `_thread_begin` and the others.
    pub(super) fn process_event(&mut self, name: &ast::Name) -> Hit {
        let event = match name.text.as_str() {
            "_thread_begin" => ProcessEvent::ThreadBegin,
            "_thread_end" => ProcessEvent::ThreadEnd,
            "_exec" => ProcessEvent::Exec,
            "_exit" => ProcessEvent::Exit,
            "_signal" => ProcessEvent::Signal,
            "_page_fault" => ProcessEvent::PageFault,
            other => {
                let message = format!("no event `{other}`");
                self.error(name.span, message, "no such event");
                return Hit::at(None);
            }
        };
        let mut hit = Hit::at(Some(EventSite::Process(event)));
        // The signal, the address, or what the process or thread ends with.
        if event != ProcessEvent::ThreadBegin && event != ProcessEvent::Exec {
            hit.arguments = Arguments::Event;
        }
        hit
    }
}
