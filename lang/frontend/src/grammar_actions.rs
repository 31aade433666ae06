//! What the grammar's rules build where that takes more than a line.

use std::cell::RefCell;

use crate::ast::*;
use crate::diagnostics::Diagnostic;
use crate::flat;
use crate::parse::POINTS;
use crate::source::Span;
use crate::terminal::TypeWord;

/// What the rules need: the spans of the terminals, and where errors go that do not stop the
/// parser.
#[derive(Debug)]
pub struct Context<'c> {
    /// The span of each terminal.
    pub spans: &'c [Span],
    /// Errors found by rules.
    pub diagnostics: RefCell<Vec<Diagnostic>>,
}

/// One word of a list of specifiers.
#[derive(Clone, Debug)]
pub enum Specifier {
    /// `typedef`.
    Typedef,
    /// `unsigned`, `int`, …
    Word(TypeWord, Span),
    /// Anything else.
    Type(TypeSpecifier),
}

/// A list of specifiers, normalized.
#[derive(Clone, Debug)]
pub struct Specifiers {
    /// `typedef`.
    pub typedef: bool,
    /// The type.
    pub base: TypeSpecifier,
    /// Where they stand.
    pub span: Span,
}

impl Context<'_> {
    /// The span of the terminals from `left` up to, not including, `right`.
    pub fn span(&self, left: usize, right: usize) -> Span {
        let first = self.spans.get(left).or(self.spans.last()).copied();
        let last = self.spans.get(right.wrapping_sub(1)).copied();
        match (first, last) {
            (Some(first), Some(last)) if right > left => first.to(last),
            (Some(first), _) => Span {
                end: first.start,
                ..first
            },
            _ => Span::default(),
        }
    }

    fn error(&self, span: Span, message: &str, label: &str) {
        self.diagnostics
            .borrow_mut()
            .push(Diagnostic::error(span, message, label));
    }

    /// Normalizes specifiers.
    pub fn specifiers(&self, list: Vec<Specifier>, left: usize, right: usize) -> Specifiers {
        let span = self.span(left, right);
        let mut typedef = false;
        let mut words: Vec<(TypeWord, Span)> = Vec::new();
        let mut base = None;
        for specifier in list {
            match specifier {
                Specifier::Typedef => typedef = true,
                Specifier::Word(word, at) => words.push((word, at)),
                Specifier::Type(ty) => {
                    if base.is_some() || !words.is_empty() {
                        self.error(span, "two types in one declaration", "one type is meant");
                    }
                    base.get_or_insert(ty);
                }
            }
        }
        let base = match base {
            Some(base) => {
                if let Some((_, at)) = words.last() {
                    self.error(
                        *at,
                        "two types in one declaration",
                        "a type stands before this",
                    );
                }
                base
            }
            None => {
                let basic = match basic_type(&words) {
                    Some(basic) => basic,
                    None => {
                        if words.is_empty() {
                            self.error(span, "a type is missing", "this names no type");
                        } else {
                            self.error(span, "this is no type", "these words do not go together");
                        }
                        BasicType::Int
                    }
                };
                TypeSpecifier::Basic(basic, span)
            }
        };
        Specifiers {
            typedef,
            base,
            span,
        }
    }

    /// `struct tag { … }`.
    pub fn record(
        &self,
        (union, prefix, packed): (bool, Option<String>, bool),
        tag: Option<Name>,
        members: Option<Vec<Declaration>>,
        left: usize,
        right: usize,
    ) -> Specifier {
        let span = self.span(left, right);
        if tag.is_none() && members.is_none() {
            self.error(
                span,
                "a tag or members must follow",
                "nothing is named here",
            );
        }
        Specifier::Type(TypeSpecifier::Record(RecordSpecifier {
            union,
            packed,
            tag: with_prefix(tag, prefix),
            members,
            span,
        }))
    }

    /// `enum tag { … }`.
    pub fn enumeration(
        &self,
        prefix: Option<String>,
        tag: Option<Name>,
        enumerators: Option<Vec<(Name, Option<Expression>)>>,
        left: usize,
        right: usize,
    ) -> Specifier {
        let span = self.span(left, right);
        if tag.is_none() && enumerators.is_none() {
            self.error(span, "a tag or names must follow", "nothing is named here");
        }
        Specifier::Type(TypeSpecifier::Enum(EnumSpecifier {
            tag: with_prefix(tag, prefix),
            enumerators,
            span,
        }))
    }

    /// A declaration.
    pub fn declaration(
        &self,
        specifiers: Specifiers,
        declarators: Vec<InitDeclarator>,
        left: usize,
        right: usize,
    ) -> Declaration {
        Declaration {
            typedef: specifiers.typedef,
            base: specifiers.base,
            declarators,
            span: self.span(left, right),
        }
    }

    /// A declaration at the top level: a lone function declarator is a prototype.
    pub fn declaration_item(&self, mut declaration: Declaration) -> ItemKind {
        let prototype = !declaration.typedef
            && declaration.declarators.len() == 1
            && declaration.declarators.first().is_some_and(|only| {
                only.initializer.is_none()
                    && matches!(
                        only.declarator.derivations.first(),
                        Some(Derivation::Function { .. })
                    )
            });
        if prototype && let Some(only) = declaration.declarators.pop() {
            return self.function_item(declaration.base, only.declarator, None);
        }
        ItemKind::Declaration(declaration)
    }

    /// A function with its body.
    pub fn function(
        &self,
        specifiers: Specifiers,
        declarator: Declarator,
        body: Block,
    ) -> ItemKind {
        if specifiers.typedef {
            self.error(specifiers.span, "a `typedef` has no body", "of a function");
        }
        self.function_item(specifiers.base, declarator, Some(body))
    }

    fn function_item(
        &self,
        base: TypeSpecifier,
        declarator: Declarator,
        body: Option<Block>,
    ) -> ItemKind {
        let span = declarator.span;
        let name = declarator.name.unwrap_or(Name {
            prefix: None,
            text: String::new(),
            span,
        });
        let mut derivations = declarator.derivations.into_iter();
        let parameters = match derivations.next() {
            Some(Derivation::Function {
                parameters,
                variadic,
            }) => {
                if variadic {
                    self.error(
                        span,
                        "a function of the script takes a fixed number of parameters",
                        "`...` is for macros and probes",
                    );
                }
                parameters
            }
            _ => {
                let point = format!("_{}", name.text.trim_start_matches('_'));
                if POINTS.contains(&point.as_str()) {
                    self.error(
                        name.span,
                        "this is no probe",
                        format!("did you mean `_probe {point} {{ … }}`?").as_str(),
                    );
                } else {
                    self.error(
                        name.span,
                        "parameters must stand before a body",
                        format!("write `{}(…)`", name.text).as_str(),
                    );
                }
                Vec::new()
            }
        };
        ItemKind::Function(Function {
            result: TypeName {
                span: specifier_span(&base).unwrap_or(span),
                base,
                derivations: derivations.collect(),
            },
            name,
            parameters,
            body,
            weak: false,
            late: false,
        })
    }

    /// `_option T name = default;`.
    pub fn option(
        &self,
        specifiers: Specifiers,
        declarator: Declarator,
        default: Option<Expression>,
    ) -> ItemKind {
        let span = specifiers.span.to(declarator.span);
        ItemKind::Option(OptionItem {
            ty: TypeName {
                base: specifiers.base,
                derivations: declarator.derivations,
                span,
            },
            name: declarator.name.unwrap_or(Name {
                prefix: None,
                text: String::new(),
                span,
            }),
            default,
        })
    }

    /// `_view kind "title" "unit" declaration`.
    pub fn view(
        &self,
        kind: Name,
        title: Vec<u8>,
        unit: Option<Vec<u8>>,
        form: Option<ViewForm>,
        declaration: Declaration,
    ) -> ItemKind {
        if declaration.declarators.len() != 1 {
            self.error(
                declaration.span,
                "a view shows one global",
                "exactly one name must be declared here",
            );
        }
        ItemKind::View(View {
            kind,
            title: text(title),
            unit: unit.map(text),
            form,
            declaration,
        })
    }

    /// A parameter.
    pub fn parameter(
        &self,
        specifiers: Specifiers,
        declarator: Option<Declarator>,
        left: usize,
        right: usize,
    ) -> Parameter {
        let (name, derivations) = match declarator {
            Some(declarator) => (declarator.name, declarator.derivations),
            None => (None, Vec::new()),
        };
        Parameter {
            ty: self.type_name(specifiers, derivations, left, right),
            name,
        }
    }

    /// A type name.
    pub fn type_name(
        &self,
        specifiers: Specifiers,
        derivations: Vec<Derivation>,
        left: usize,
        right: usize,
    ) -> TypeName {
        if specifiers.typedef {
            self.error(
                specifiers.span,
                "`typedef` has no meaning here",
                "a type is wanted",
            );
        }
        TypeName {
            base: specifiers.base,
            derivations,
            span: self.span(left, right),
        }
    }
}

fn specifier_span(base: &TypeSpecifier) -> Option<Span> {
    Some(match base {
        TypeSpecifier::Basic(_, span)
        | TypeSpecifier::TypeofExpression(_, span)
        | TypeSpecifier::TypeofType(_, span) => *span,
        TypeSpecifier::Named(name) => name.span,
        TypeSpecifier::Record(record) => record.span,
        TypeSpecifier::Enum(specifier) => specifier.span,
    })
}

fn with_prefix(tag: Option<Name>, prefix: Option<String>) -> Option<Name> {
    tag.map(|name| Name {
        prefix: prefix.or(name.prefix),
        ..name
    })
}

/// The type that C's words name in any order.
fn basic_type(words: &[(TypeWord, Span)]) -> Option<BasicType> {
    let count = |word| words.iter().filter(|(other, _)| *other == word).count();
    let (signed, unsigned) = (count(TypeWord::Signed), count(TypeWord::Unsigned));
    let (short, long, int) = (
        count(TypeWord::Short),
        count(TypeWord::Long),
        count(TypeWord::Int),
    );
    let integer_words = signed + unsigned + short + long + int;
    if let [(word, _)] = words {
        match word {
            TypeWord::Void => return Some(BasicType::Void),
            TypeWord::Bool => return Some(BasicType::Bool),
            TypeWord::Char => return Some(BasicType::Char),
            TypeWord::Float => return Some(BasicType::Float),
            TypeWord::Double => return Some(BasicType::Double),
            TypeWord::Str => return Some(BasicType::Str),
            TypeWord::Path => return Some(BasicType::Path),
            TypeWord::Aggregate => return Some(BasicType::Aggregate),
            TypeWord::Fault => return Some(BasicType::Fault),
            _ => {}
        }
    }
    if signed + unsigned > 1 || int > 1 {
        return None;
    }
    if count(TypeWord::Char) == 1 && words.len() == 2 {
        return match (signed, unsigned) {
            (1, _) => Some(BasicType::SignedChar),
            (_, 1) => Some(BasicType::UnsignedChar),
            _ => None,
        };
    }
    if count(TypeWord::Double) == 1 && words.len() == 2 && long == 1 {
        return Some(BasicType::LongDouble);
    }
    if words.is_empty() || integer_words != words.len() {
        return None;
    }
    Some(match (short, long, unsigned == 1) {
        (0, 0, false) => BasicType::Int,
        (0, 0, true) => BasicType::UnsignedInt,
        (1, 0, false) => BasicType::Short,
        (1, 0, true) => BasicType::UnsignedShort,
        (0, 1, false) => BasicType::Long,
        (0, 1, true) => BasicType::UnsignedLong,
        (0, 2, false) => BasicType::LongLong,
        (0, 2, true) => BasicType::UnsignedLongLong,
        _ => return None,
    })
}

/// The text of a string literal where text is wanted.
pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `(void)` declares no parameters.
pub fn without_void(mut parameters: Vec<Parameter>) -> Vec<Parameter> {
    let void = matches!(
        parameters.as_slice(),
        [Parameter {
            ty: TypeName {
                base: TypeSpecifier::Basic(BasicType::Void, _),
                derivations,
                ..
            },
            name: None,
        }] if derivations.is_empty()
    );
    if void {
        parameters.clear();
    }
    parameters
}

/// The parameters of a probe.
pub fn probe_parameters(parameters: Option<(Vec<Parameter>, bool)>) -> ProbeParameters {
    match parameters {
        None => ProbeParameters::None,
        Some((parameters, true)) if parameters.is_empty() => ProbeParameters::Dots,
        Some((parameters, _)) => ProbeParameters::Declared(parameters),
    }
}

/// `[expression]`, where a lone name may be a key type.
pub fn array_length(length: Expression) -> ArraySuffix {
    match length.kind {
        ExpressionKind::Name(name) => ArraySuffix::Name(name),
        _ => ArraySuffix::Length(length),
    }
}

/// The operators before an operand, as a list with a static lifetime.
pub fn single(operator: UnaryOperator) -> &'static [UnaryOperator] {
    match operator {
        UnaryOperator::Plus => &[UnaryOperator::Plus],
        UnaryOperator::Negate => &[UnaryOperator::Negate],
        UnaryOperator::Complement => &[UnaryOperator::Complement],
        UnaryOperator::Not => &[UnaryOperator::Not],
        UnaryOperator::Dereference => &[UnaryOperator::Dereference],
        UnaryOperator::AddressOf => &[UnaryOperator::AddressOf],
    }
}

/// An operand with prefix operators; a tree already if nothing is open.
pub fn prefixed(operators: &[UnaryOperator], span: Span, operand: Vec<FlatPart>) -> Vec<FlatPart> {
    let mut parts = operand;
    for operator in operators.iter().rev() {
        parts = match single_operand(parts) {
            Ok(operand) => vec![FlatPart::Operand(Expression {
                span: span.to(operand.span),
                kind: ExpressionKind::Unary(*operator, Box::new(operand)),
            })],
            Err(mut parts) => {
                parts.insert(0, FlatPart::Operator(FlatOperator::Prefix(*operator), span));
                parts
            }
        };
    }
    parts
}

/// A certain cast, with the span of its parentheses.
pub fn cast(ty: TypeName, span: Span, operand: Vec<FlatPart>) -> Vec<FlatPart> {
    match single_operand(operand) {
        Ok(operand) => vec![FlatPart::Operand(Expression {
            span: span.to(operand.span),
            kind: ExpressionKind::Cast(Box::new(ty), Box::new(operand)),
        })],
        Err(mut parts) => {
            parts.insert(0, FlatPart::Cast(ty, span));
            parts
        }
    }
}

fn single_operand(mut parts: Vec<FlatPart>) -> Result<Expression, Vec<FlatPart>> {
    if parts.len() == 1 {
        match parts.pop() {
            Some(FlatPart::Operand(operand)) => return Ok(operand),
            Some(other) => parts.push(other),
            None => {}
        }
    }
    Err(parts)
}

/// The expression of a chain: its tree, or [`ExpressionKind::Flat`] while names are open.
pub fn finish(chain: Vec<FlatPart>) -> Expression {
    let parts = match single_operand(chain) {
        Ok(operand) => return operand,
        Err(parts) => parts,
    };
    let open = |part: &FlatPart| matches!(part, FlatPart::Parenthesized(..));
    if parts.iter().any(open) {
        let span = match (parts.first(), parts.last()) {
            (Some(first), Some(last)) => part_span(first).to(part_span(last)),
            _ => Span::default(),
        };
        // A lone `(name)` is a name in parentheses.
        if let [FlatPart::Parenthesized(name, span)] = parts.as_slice() {
            return Expression {
                kind: ExpressionKind::Name(name.clone()),
                span: *span,
            };
        }
        return Expression {
            kind: ExpressionKind::Flat(parts),
            span,
        };
    }
    flat::resolve(&parts, &mut |_| false)
}

fn part_span(part: &FlatPart) -> Span {
    match part {
        FlatPart::Operand(operand) => operand.span,
        FlatPart::Parenthesized(_, span)
        | FlatPart::Group(_, span)
        | FlatPart::Operator(_, span)
        | FlatPart::Suffix(_, span)
        | FlatPart::Cast(_, span) => *span,
    }
}
