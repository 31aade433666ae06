//! Whether a function that came later is as the head of the probe says that waited for it.

use super::{Found, Prototype, differs};
use crate::abi;
use crate::ast;
use crate::check::basics::Basics;
use crate::check::class::Class;
use crate::check::{Checker, Input, MOST_PROBES};
use crate::hir::AwaitedFunctions;
use crate::source::SourceMap;
use crate::target::{FunctionDescription, Target};
use crate::types::{TypeId, Types};

/// Why the handler of a probe, which was compiled before the function was there, would read something else than the function has;
/// `None` if it fits, or if there is no debug information about the function. The types are those of the program.
pub fn misfit(
    types: &Types,
    awaited: &AwaitedFunctions,
    name: &str,
    function: FunctionDescription,
    target: &mut dyn Target,
) -> Option<String> {
    let (unit, sources) = (ast::Unit::default(), SourceMap::default());
    let input = Input {
        unit: &unit,
        sources: &sources,
        scopes: &[],
        arguments: &[],
        macros: &[],
        most_probes: MOST_PROBES,
        interactive: None,
    };
    let mut checker = Checker::new(&input, Some(target));
    checker.types = types.clone();
    checker.basics = Basics::new(&mut checker.types);
    let found = checker.found(name.to_owned(), function);
    // Where a copy has its parameters is told apart.
    if found.places.is_some() {
        return None;
    }
    checker.misfit_of(&found, awaited)
}

impl Checker<'_> {
    fn misfit_of(&mut self, found: &Found, awaited: &AwaitedFunctions) -> Option<String> {
        let name = &found.function.name;
        let prototype = found.prototype.as_ref()?;
        let it_is = |checker: &Self| {
            let written = checker.written_prototype(name, prototype);
            format!("it is `{written}`")
        };
        if awaited.parameters.len() > prototype.parameters.len() {
            return Some(format!(
                "the head of the probe names {} parameters, and {}",
                awaited.parameters.len(),
                it_is(self)
            ));
        }
        let parameters = awaited.parameters.iter().zip(&prototype.parameters);
        for (declared, (parameter, actual)) in parameters {
            let what = match parameter {
                Some(parameter) => format!("its parameter `{parameter}`"),
                None => "one of its parameters".to_owned(),
            };
            if let Some(why) = self.passed_otherwise(*declared, *actual, &what) {
                return Some(why);
            }
        }
        if let Some(result) = awaited.result {
            if self.class(prototype.result) == Class::Void {
                return Some(format!(
                    "the head of the probe names a result, and it returns nothing: {}",
                    it_is(self)
                ));
            }
            if let Some(why) = self.passed_otherwise(result, prototype.result, "its result") {
                return Some(why);
            }
        }
        self.placed_otherwise(prototype, awaited).then(|| {
            format!(
                "it has its parameters in other places than the head of the probe says: {}",
                it_is(self)
            )
        })
    }

    fn passed_otherwise(&self, declared: TypeId, actual: TypeId, what: &str) -> Option<String> {
        if abi::passed_alike(&self.types, declared, actual) != Some(false) {
            return None;
        }
        Some(format!(
            "{what} is {}, {}, and the head of the probe says {}, {}",
            self.quoted(actual),
            abi::describe(&self.types, actual),
            self.quoted(declared),
            abi::describe(&self.types, declared),
        ))
    }

    /// Whether what the head names lies where the handler does not look for it.
    fn placed_otherwise(&self, prototype: &Prototype, awaited: &AwaitedFunctions) -> bool {
        let parameters: Vec<TypeId> = prototype.parameters.iter().map(|(_, ty)| *ty).collect();
        let layout = abi::call_layout(&self.types, &parameters, Some(prototype.result));
        let result = awaited.result.is_some() && layout.result != awaited.layout.result;
        result || differs(&awaited.layout, &layout, awaited.parameters.len(), None)
    }
}
