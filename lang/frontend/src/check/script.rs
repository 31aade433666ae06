//! The names that a script declares at its top level, collected before anything is checked.

use std::collections::{HashMap, HashSet};

use super::Checker;
use crate::ast;
use crate::diagnostics::Diagnostic;
use crate::hir;
use crate::source::Span;
use crate::types::TypeId;

/// A name of the top level that is no tag.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ordinary<'a> {
    /// A global, by index in [`Script::globals`].
    Global(usize),
    /// A function, by index in [`Script::functions`].
    Function(usize),
    /// A typedef, by index in [`Script::typedefs`].
    Typedef(usize),
    /// An enumerator of this definition.
    Enumerator(&'a ast::EnumSpecifier),
    /// An option.
    Option(hir::GlobalId),
}

/// Whether two specifiers name the same type: the same tag, name or keyword.
fn same_base(first: &ast::TypeSpecifier, second: &ast::TypeSpecifier) -> bool {
    use ast::TypeSpecifier as T;
    let same = |first: &Option<ast::Name>, second: &Option<ast::Name>| match (first, second) {
        (Some(first), Some(second)) => first.text == second.text && first.prefix == second.prefix,
        _ => false,
    };
    match (first, second) {
        (T::Basic(first, _), T::Basic(second, _)) => first == second,
        (T::Named(first), T::Named(second)) => {
            first.text == second.text && first.prefix == second.prefix
        }
        (T::Record(first), T::Record(second)) => {
            first.union == second.union && same(&first.tag, &second.tag)
        }
        (T::Enum(first), T::Enum(second)) => same(&first.tag, &second.tag),
        _ => false,
    }
}

fn only_pointers(derivations: &[ast::Derivation]) -> bool {
    derivations
        .iter()
        .all(|derivation| matches!(derivation, ast::Derivation::Pointer))
}

/// How far something has got that is checked when it is first needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress<T> {
    /// Not looked at.
    Waiting,
    /// Being looked at: a name that needs itself.
    Running,
    /// Settled.
    Done(T),
}

/// A global.
#[derive(Debug)]
pub(super) struct GlobalEntry<'a> {
    pub declaration: &'a ast::Declaration,
    pub declarator: &'a ast::InitDeclarator,
    pub documentation: Option<&'a str>,
    pub progress: Progress<Option<hir::GlobalId>>,
}

/// A function.
#[derive(Debug)]
pub(super) struct FunctionEntry<'a> {
    pub function: &'a ast::Function,
    pub signature: Option<Signature>,
    pub id: Option<hir::FunctionId>,
}

/// What a call of a function has to know.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub parameters: Vec<(TypeId, Option<String>)>,
    pub result: TypeId,
}

/// A typedef.
#[derive(Debug)]
pub(super) struct TypedefEntry<'a> {
    pub declaration: &'a ast::Declaration,
    pub declarator: &'a ast::Declarator,
    pub progress: Progress<TypeId>,
}

/// A definition of a tag.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tag<'a> {
    Record(&'a ast::RecordSpecifier),
    Enum(&'a ast::EnumSpecifier),
}

/// All names of the top level.
#[derive(Debug, Default)]
pub(super) struct Script<'a> {
    pub ordinary: HashMap<&'a str, (Ordinary<'a>, Span)>,
    pub tags: HashMap<&'a str, (Tag<'a>, Span)>,
    pub globals: Vec<GlobalEntry<'a>>,
    pub functions: Vec<FunctionEntry<'a>>,
    pub typedefs: Vec<TypedefEntry<'a>>,
    /// Addresses of the definitions of records and enumerations.
    pub definitions: HashSet<usize>,
    /// Those of them that a candidate of a layout makes.
    pub of_layouts: HashSet<usize>,
    /// Whether what is being collected belongs to a layout.
    in_layout: bool,
}

impl Script<'_> {
    fn add_definition(&mut self, address: usize) {
        self.definitions.insert(address);
        if self.in_layout {
            self.of_layouts.insert(address);
        }
    }
}

impl<'a> Checker<'a> {
    /// Collects the names of the top level.
    pub(super) fn collect(&mut self, unit: &'a ast::Unit) {
        for item in &unit.items {
            let documentation = item.documentation.as_deref();
            match &item.kind {
                ast::ItemKind::Declaration(declaration) => {
                    self.collect_declaration(declaration, documentation);
                }
                ast::ItemKind::View(view) => {
                    self.collect_declaration(&view.declaration, documentation);
                }
                ast::ItemKind::Function(function) => self.collect_function(function),
                ast::ItemKind::Layout(layout) => {
                    let chosen = layout.chosen.and_then(|index| layout.candidates.get(index));
                    self.script.in_layout = true;
                    for declaration in chosen.iter().flat_map(|chosen| &chosen.declarations) {
                        self.collect_declaration(declaration, None);
                    }
                    self.script.in_layout = false;
                }
                ast::ItemKind::Mode(name) => self.collect_mode(name),
                ast::ItemKind::Module(_)
                | ast::ItemKind::Probe(_)
                | ast::ItemKind::Option(_)
                | ast::ItemKind::MaxOverhead(_) => {}
            }
        }
    }

    /// `_mode live;`: what the mode `auto` is to be for this program.
    fn collect_mode(&mut self, name: &ast::Name) {
        if name.text == "live" {
            self.live = true;
            return;
        }
        self.error_help(
            name.span,
            format!("`_mode` does not take `{}`", name.text),
            "the only mode that a program may choose is `live`",
            "all others are for the user to choose: `--mode copy`, `--mode stop`",
        );
    }

    fn collect_declaration(
        &mut self,
        declaration: &'a ast::Declaration,
        documentation: Option<&'a str>,
    ) {
        self.collect_specifier(&declaration.base, 0);
        for init in &declaration.declarators {
            let declarator = &init.declarator;
            let Some(name) = &declarator.name else {
                continue;
            };
            if declaration.typedef {
                if self.repeats_typedef(name, declaration, declarator) {
                    continue;
                }
                let index = self.script.typedefs.len();
                self.script.typedefs.push(TypedefEntry {
                    declaration,
                    declarator,
                    progress: Progress::Waiting,
                });
                self.define(name, Ordinary::Typedef(index));
            } else if matches!(
                declarator.derivations.first(),
                Some(ast::Derivation::Function { .. })
            ) {
                // A prototype among declarators says nothing that the definition does not.
            } else {
                let index = self.script.globals.len();
                self.script.globals.push(GlobalEntry {
                    declaration,
                    declarator: init,
                    documentation,
                    progress: Progress::Waiting,
                });
                self.define(name, Ordinary::Global(index));
            }
        }
    }

    /// Whether a typedef says again what an earlier one has said, as C allows since C11.
    fn repeats_typedef(
        &self,
        name: &ast::Name,
        declaration: &ast::Declaration,
        declarator: &ast::Declarator,
    ) -> bool {
        let Some((Ordinary::Typedef(index), _)) = self.script.ordinary.get(name.text.as_str())
        else {
            return false;
        };
        self.script.typedefs.get(*index).is_some_and(|first| {
            same_base(&first.declaration.base, &declaration.base)
                && only_pointers(&first.declarator.derivations)
                && only_pointers(&declarator.derivations)
                && first.declarator.derivations.len() == declarator.derivations.len()
        })
    }

    fn collect_function(&mut self, function: &'a ast::Function) {
        self.collect_specifier(&function.result.base, 0);
        let known = self.script.ordinary.get(function.name.text.as_str());
        if let Some((Ordinary::Function(index), _)) = known {
            let index = *index;
            let Some(entry) = self.script.functions.get_mut(index) else {
                return;
            };
            if function.body.is_none() {
                return;
            }
            if entry.function.body.is_none() {
                entry.function = function;
                return;
            }
            // As a linker does: a weak definition gives way, and of two the first holds.
            if function.weak {
                return;
            }
            if entry.function.weak {
                entry.function = function;
                let meaning = (Ordinary::Function(index), function.name.span);
                self.script.ordinary.insert(&function.name.text, meaning);
                return;
            }
        }
        let index = self.script.functions.len();
        self.script.functions.push(FunctionEntry {
            function,
            signature: None,
            id: None,
        });
        self.define(&function.name, Ordinary::Function(index));
    }

    /// Collects tags and enumerators that a specifier defines, however deep.
    fn collect_specifier(&mut self, specifier: &'a ast::TypeSpecifier, depth: u32) {
        if depth > super::NESTING {
            return;
        }
        match specifier {
            ast::TypeSpecifier::Record(record) => {
                let Some(members) = &record.members else {
                    return;
                };
                self.script
                    .add_definition(std::ptr::from_ref(record) as usize);
                if let Some(tag) = &record.tag {
                    self.define_tag(tag, Tag::Record(record));
                }
                for member in members {
                    self.collect_specifier(&member.base, depth + 1);
                }
            }
            ast::TypeSpecifier::Enum(specifier) => {
                let Some(enumerators) = &specifier.enumerators else {
                    return;
                };
                self.script
                    .add_definition(std::ptr::from_ref(specifier) as usize);
                if let Some(tag) = &specifier.tag {
                    self.define_tag(tag, Tag::Enum(specifier));
                }
                for (name, _) in enumerators {
                    self.define(name, Ordinary::Enumerator(specifier));
                }
            }
            _ => {}
        }
    }

    /// Enters a name of the top level; a second definition is an error.
    pub(super) fn define(&mut self, name: &'a ast::Name, meaning: Ordinary<'a>) {
        if let Some((_, first)) = self.script.ordinary.get(name.text.as_str()) {
            let diagnostic = Diagnostic::error(
                name.span,
                format!("`{}` is defined twice", name.text),
                "defined again here",
            )
            .with_secondary(*first, "first defined here");
            self.report(diagnostic);
            return;
        }
        self.script
            .ordinary
            .insert(&name.text, (meaning, name.span));
    }

    fn define_tag(&mut self, tag: &'a ast::Name, definition: Tag<'a>) {
        if let Some((_, first)) = self.script.tags.get(tag.text.as_str()) {
            let diagnostic = Diagnostic::error(
                tag.span,
                format!("the tag `{}` is defined twice", tag.text),
                "defined again here",
            )
            .with_secondary(*first, "first defined here");
            self.report(diagnostic);
            return;
        }
        self.script.tags.insert(&tag.text, (definition, tag.span));
    }
}
