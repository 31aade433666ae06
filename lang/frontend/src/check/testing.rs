//! A target made from C declarations, for tests of this crate and of others.

use std::collections::BTreeMap;

use super::types::Place;
use super::{Checker, Input, suggest};
use crate::ast;
use crate::compile::LayoutChoices;
use crate::source::{LoadError, Loader, SourceFile, SourceMap};
use crate::target::{
    CopyDescription, FunctionDescription, LookupError, MatchingFunctions, MemberDescription,
    ModuleId, NameKind, ParameterPlace, Scope, SymbolSource, TargetType, TypeDescription,
    TypeNameKind, TypeSource, VariableDescription, matches_pattern,
};
use crate::types::{Type, TypeId, Types};

/// The declarations of [`TestTarget::sample`].
pub const SAMPLE: &str = r#"
typedef unsigned char u_char;
typedef long ngx_int_t;
typedef unsigned long ngx_uint_t;
typedef struct ngx_pool_s ngx_pool_t;
typedef struct { size_t len; u_char *data; } ngx_str_t;
typedef struct { u_char *last; u_char *end; ngx_pool_t *next; ngx_uint_t failed; } ngx_pool_data_t;
struct ngx_pool_s { ngx_pool_data_t d; size_t max; ngx_pool_t *current; void *log; };
struct list { struct list *next; int value; };
enum color { RED, GREEN = 5, BLUE };
enum level { LOW = -1, HIGH = 1 };
struct flags {
    unsigned a : 3; unsigned b : 5; int c : 4; unsigned long wide : 40; unsigned char tail;
    enum color color;
};
struct variant {
    int kind;
    union { long number; char *text; struct { short x; short y; }; };
    char name[16];
    int (*handler)(struct list *, int);
    struct opaque *hidden;
    double ratio; float small; _Bool on;
};
typedef struct { ngx_str_t name; struct variant v[2]; void (*done)(void); } module_t;

ngx_pool_t *main_pool;
struct list *head;
struct list nodes[4];
struct flags flags;
struct variant variant;
module_t module;
ngx_str_t title;
int counter;
unsigned int ucounter;
long total;
char *message;
char banner[32];
enum color paint;
struct opaque *hidden;
int tcache;
double ratio;
int work(struct list *l, int n);
void finish(void);
"#;

/// A loader that has no files.
pub struct NoFiles;

impl Loader for NoFiles {
    fn load(&mut self, name: &str, _quoted: bool, _from: &str) -> Result<SourceFile, LoadError> {
        Err(LoadError::NotFound {
            name: name.to_owned(),
            tried: Vec::new(),
        })
    }
}

/// A target whose types, variables and functions are those of a piece of C.
///
/// Variables lie at 0x10000, 0x11000 … in order of declaration, functions at 0x400000, 0x400100
/// …; both can be moved. There is one module, number 0, called `app`.
#[derive(Clone, Debug, Default)]
pub struct TestTarget {
    types: Types,
    typedefs: BTreeMap<String, TypeId>,
    tags: BTreeMap<String, TypeId>,
    enumerators: BTreeMap<String, (i64, Option<TypeId>)>,
    variables: BTreeMap<String, VariableDescription>,
    functions: BTreeMap<String, FunctionDescription>,
    strings: Vec<(Vec<u8>, u64)>,
    /// What [`SymbolSource::missing_debug_information`] gives.
    pub missing: Vec<String>,
}

impl TestTarget {
    /// A target of these declarations.
    ///
    /// # Panics
    ///
    /// If the text has errors.
    pub fn new(c: &str) -> Self {
        match Self::of(c) {
            Ok(target) => target,
            Err(errors) => panic!("the target's declarations are wrong: {errors:#?}"),
        }
    }

    /// A target of these declarations, or what is wrong with them.
    pub fn of(c: &str) -> Result<Self, Vec<String>> {
        let main = SourceFile {
            name: "target.c".to_owned(),
            text: c.into(),
            library: false,
        };
        let parsed = crate::parse::parse(main, &mut NoFiles, None, &LayoutChoices::new(), &[]);
        if parsed.has_errors() {
            let show = |diagnostic| format!("{diagnostic:?}");
            return Err(parsed.diagnostics.iter().map(show).collect());
        }
        Self::from_unit(&parsed.unit, &parsed.sources)
    }

    /// The target that filetests know: an nginx in miniature, see [`SAMPLE`].
    pub fn sample() -> Self {
        Self::new(SAMPLE)
            .at("main_pool", 0x1000)
            .thread_local("tcache", 0x18)
            .untyped("stripped", 0x7000)
            .string(b"http", 0x8000)
    }

    fn from_unit(unit: &ast::Unit, sources: &SourceMap) -> Result<Self, Vec<String>> {
        let input = Input {
            unit,
            sources,
            scopes: &[],
            arguments: &[],
            macros: &[],
            most_probes: super::MOST_PROBES,
            interactive: None,
        };
        let mut checker = Checker::new(&input, None);
        checker.collect(unit);
        let mut target = Self::default();
        let mut variables: Vec<(String, TypeId)> = Vec::new();
        let mut functions: Vec<(String, TypeId)> = Vec::new();
        let mut parameter_names: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        for item in &unit.items {
            match &item.kind {
                ast::ItemKind::Declaration(declaration) => {
                    let base = checker.specifier(&declaration.base, Place::Typedef);
                    for init in &declaration.declarators {
                        let Some(name) = &init.declarator.name else {
                            continue;
                        };
                        let ty = checker.declarator_type(base, &init.declarator, Place::Typedef);
                        if declaration.typedef {
                            if let Some(ty) = checker.find_named_type(name) {
                                target.typedefs.insert(name.text.clone(), ty);
                            }
                        } else if matches!(checker.types.get(ty), Type::Function { .. }) {
                            functions.push((name.text.clone(), ty));
                        } else {
                            variables.push((name.text.clone(), ty));
                        }
                    }
                }
                ast::ItemKind::Function(function) => {
                    let names = function.parameters.iter();
                    let names = names
                        .map(|parameter| parameter.name.as_ref().map(|name| name.text.clone()))
                        .collect();
                    parameter_names.insert(function.name.text.clone(), names);
                    let result = checker.type_name_in(&function.result, Place::Typedef);
                    let void = checker.basics.void;
                    let parameters = function
                        .parameters
                        .iter()
                        .map(|parameter| checker.type_name_in(&parameter.ty, Place::Member))
                        .filter(|ty| *ty != void)
                        .collect();
                    let ty = checker.types.intern(Type::Function {
                        result,
                        parameters,
                        variadic: false,
                    });
                    functions.push((function.name.text.clone(), ty));
                }
                _ => {}
            }
        }
        let tags: Vec<&str> = checker.script.tags.keys().copied().collect();
        for tag in tags {
            if let Some((definition, _)) = checker.script.tags.get(tag) {
                let ty = match *definition {
                    super::script::Tag::Record(record) => {
                        checker.record_specifier(record, Place::Typedef)
                    }
                    super::script::Tag::Enum(specifier) => checker.enum_specifier(specifier),
                };
                target.tags.insert(tag.to_owned(), ty);
            }
        }
        for (tag, ty) in &checker.incomplete {
            target.tags.entry(tag.clone()).or_insert(*ty);
        }
        let enumerators: Vec<_> = checker.enumerators.keys().cloned().collect();
        for name in enumerators {
            if let Some((value, _)) = checker.enumerators.get(&name) {
                target.enumerators.insert(name, (*value, None));
            }
        }
        if !checker.diagnostics.is_empty() || !checker.unresolved.is_empty() {
            let diagnostics = checker.diagnostics.iter().map(|d| format!("{d:?}"));
            let unresolved = checker.unresolved.iter().map(|u| format!("{u:?}"));
            return Err(diagnostics.chain(unresolved).collect());
        }
        target.types = checker.types;
        for ((name, ty), address) in variables.into_iter().zip((0x10000_u64..).step_by(0x1000)) {
            target.variables.insert(
                name,
                VariableDescription {
                    module: ModuleId(0),
                    address,
                    thread_local: false,
                    ty: Some(target_type(ty)),
                },
            );
        }
        for ((name, ty), address) in functions.into_iter().zip((0x400_000_u64..).step_by(0x100)) {
            let Type::Function {
                result,
                parameters,
                variadic,
            } = target.types.get(ty).clone()
            else {
                continue;
            };
            let names = parameter_names.remove(&name).unwrap_or_default();
            let names = names.into_iter().chain(std::iter::repeat(None));
            target.functions.insert(
                name,
                FunctionDescription {
                    module: ModuleId(0),
                    address,
                    parameters: Some(
                        parameters
                            .into_iter()
                            .zip(names)
                            .map(|(parameter, name)| (name, target_type(parameter)))
                            .collect(),
                    ),
                    result: Some(target_type(result)),
                    variadic,
                    places: None,
                    copies: Vec::new(),
                    unclear_copies: Vec::new(),
                },
            );
        }
        Ok(target)
    }

    /// The same with a variable or a function at an address.
    pub fn at(mut self, name: &str, address: u64) -> Self {
        if let Some(variable) = self.variables.get_mut(name) {
            variable.address = address;
        }
        if let Some(function) = self.functions.get_mut(name) {
            function.address = address;
        }
        self
    }

    /// The same with a variable made thread-local, at an offset.
    pub fn thread_local(mut self, name: &str, offset: u64) -> Self {
        if let Some(variable) = self.variables.get_mut(name) {
            variable.thread_local = true;
            variable.address = offset;
        }
        self
    }

    /// The same with a symbol that has no type.
    pub fn untyped(mut self, name: &str, address: u64) -> Self {
        self.variables.insert(
            name.to_owned(),
            VariableDescription {
                module: ModuleId(0),
                address,
                thread_local: false,
                ty: None,
            },
        );
        self
    }

    /// The same with a function that debug information knows nothing of.
    pub fn stripped(mut self, name: &str) -> Self {
        if let Some(function) = self.functions.get_mut(name) {
            function.parameters = None;
            function.result = None;
        }
        self
    }

    /// The same with a function whose parameters end in `...`.
    pub fn variadic(mut self, name: &str) -> Self {
        if let Some(function) = self.functions.get_mut(name) {
            function.variadic = true;
        }
        self
    }

    /// The same with a function that the compiler has made for some callers, which has its parameters in these places.
    pub fn copied(mut self, name: &str, places: &[ParameterPlace]) -> Self {
        if let Some(function) = self.functions.get_mut(name) {
            function.places = Some(places.to_vec());
        }
        self
    }

    /// The same with a further copy of a function, at an address.
    pub fn with_copy(mut self, of: &str, copy: CopyDescription) -> Self {
        if let Some(function) = self.functions.get_mut(of) {
            function.copies.push(copy);
        }
        self
    }

    /// Where a function begins.
    pub fn function_address(&self, name: &str) -> Option<u64> {
        self.functions.get(name).map(|function| function.address)
    }

    /// The same with bytes (NUL-terminated) in its read-only data.
    pub fn string(mut self, bytes: &[u8], address: u64) -> Self {
        self.strings.push((bytes.to_vec(), address));
        self
    }

    fn reachable(scope: &Scope) -> Result<(), LookupError> {
        match scope.prefix.as_deref() {
            None | Some("app" | "target.c") => Ok(()),
            Some(prefix) => Err(LookupError::NoSuchPrefix {
                prefix: prefix.to_owned(),
                suggestions: suggest::similar(prefix, ["app", "target.c"].into_iter()),
            }),
        }
    }
}

fn target_type(ty: TypeId) -> TargetType {
    TargetType(u64::from(ty.0))
}

impl TypeSource for TestTarget {
    fn find_type(
        &mut self,
        scope: &Scope,
        kind: TypeNameKind,
        name: &str,
    ) -> Result<Option<TargetType>, LookupError> {
        Self::reachable(scope)?;
        let found = match kind {
            TypeNameKind::Plain => self.typedefs.get(name).copied(),
            _ => self
                .tags
                .get(name)
                .copied()
                .filter(|ty| match (self.types.get(*ty), kind) {
                    (Type::Record(id), TypeNameKind::Struct) => !self.types.record(*id).union,
                    (Type::Record(id), TypeNameKind::Union) => self.types.record(*id).union,
                    (Type::Enum(_), TypeNameKind::Enum) => true,
                    _ => false,
                }),
        };
        Ok(found.map(target_type))
    }

    fn describe(&mut self, ty: TargetType) -> Result<TypeDescription, LookupError> {
        let id = TypeId(u32::try_from(ty.0).map_err(|_| LookupError::Broken("type".to_owned()))?);
        let name = self.types.name_of(id);
        let tag = |name: &str, tags: &BTreeMap<String, TypeId>| {
            (!name.is_empty() && tags.get(name) == Some(&id)).then(|| name.to_owned())
        };
        Ok(match self.types.get(id) {
            Type::Void => TypeDescription::Void,
            Type::Bool => TypeDescription::Bool,
            Type::Integer {
                size,
                signed,
                character,
                ..
            } => TypeDescription::Integer {
                name,
                size: u64::from(*size),
                signed: *signed,
                character: *character,
            },
            Type::Float { size } => TypeDescription::Float {
                name,
                size: u64::from(*size),
            },
            Type::Pointer(target) => TypeDescription::Pointer {
                target: target_type(*target),
            },
            Type::Array(element, count) => TypeDescription::Array {
                element: target_type(*element),
                count: *count,
            },
            // The parser of these declarations has no other number that it cannot compute with.
            Type::Record(_) if name == "long double" => TypeDescription::Float { name, size: 16 },
            Type::Record(record) => {
                let record = self.types.record(*record);
                TypeDescription::Record {
                    name: tag(&record.name, &self.tags),
                    union: record.union,
                    size: record.body.as_ref().map(|body| body.size),
                    members: record
                        .body
                        .iter()
                        .flat_map(|body| &body.members)
                        .map(|member| MemberDescription {
                            name: member.name.clone(),
                            ty: target_type(member.ty),
                            offset: member.offset,
                            bits: member.bits,
                            role: member.role,
                        })
                        .collect(),
                    by_reference: record.body.as_ref().and_then(|body| body.by_reference),
                }
            }
            Type::Enum(enumeration) => {
                let enumeration = self.types.enumeration(*enumeration);
                TypeDescription::Enum {
                    name: tag(&enumeration.name, &self.tags),
                    size: u64::from(enumeration.size),
                    signed: enumeration.signed,
                    enumerators: enumeration.enumerators.clone(),
                }
            }
            Type::Typedef(name, target) => TypeDescription::Typedef {
                name: name.clone(),
                target: target_type(*target),
            },
            Type::Function {
                result,
                parameters,
                variadic,
            } => TypeDescription::Function {
                result: target_type(*result),
                parameters: parameters.iter().map(|ty| target_type(*ty)).collect(),
                variadic: *variadic,
            },
            other => return Err(LookupError::Broken(format!("{other:?} is no type of C"))),
        })
    }

    fn find_enumerator(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<(i64, Option<TargetType>)>, LookupError> {
        Self::reachable(scope)?;
        Ok(self
            .enumerators
            .get(name)
            .map(|(value, ty)| (*value, ty.map(target_type))))
    }
}

impl SymbolSource for TestTarget {
    fn find_variable(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<VariableDescription>, LookupError> {
        Self::reachable(scope)?;
        Ok(self.variables.get(name).cloned())
    }

    fn find_function(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<FunctionDescription>, LookupError> {
        Self::reachable(scope)?;
        Ok(self.functions.get(name).cloned())
    }

    fn find_functions(
        &mut self,
        scope: &Scope,
        pattern: &str,
        limit: usize,
    ) -> Result<MatchingFunctions, LookupError> {
        Self::reachable(scope)?;
        let mut functions: Vec<(String, FunctionDescription)> = self
            .functions
            .iter()
            .filter(|(name, _)| matches_pattern(pattern, name))
            .map(|(name, function)| (name.clone(), function.clone()))
            .collect();
        functions.sort_by_key(|(_, function)| function.address);
        let total = functions.len();
        if total > limit {
            functions.clear();
        }
        Ok(MatchingFunctions { functions, total })
    }

    fn find_module(&mut self, pattern: &str) -> Option<ModuleId> {
        matches!(pattern, "app" | "_exe").then_some(ModuleId(0))
    }

    fn find_string(&mut self, _scope: &Scope, bytes: &[u8]) -> Option<u64> {
        self.strings
            .iter()
            .find(|(known, _)| known == bytes)
            .map(|(_, address)| *address)
    }

    fn suggest(&mut self, _scope: &Scope, kind: NameKind, name: &str) -> Vec<String> {
        match kind {
            NameKind::Type => suggest::similar(
                name,
                self.typedefs
                    .keys()
                    .chain(self.tags.keys())
                    .map(String::as_str),
            ),
            NameKind::Symbol => suggest::similar(
                name,
                self.variables
                    .keys()
                    .chain(self.functions.keys())
                    .map(String::as_str),
            ),
        }
    }

    fn missing_debug_information(&mut self) -> Vec<String> {
        self.missing.clone()
    }
}
