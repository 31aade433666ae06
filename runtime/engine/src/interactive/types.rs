//! `whatis` and `ptype`: types as C writes them.

use std::fmt::Write as _;

use ytrace_lang::fragment::{HANDLER, HANDLER_END};
use ytrace_lang::hir::Program;
use ytrace_lang::types::{RecordId, Type, TypeId, Types};

use super::Interactive;
use crate::error::SessionError;
use crate::host::Sink;

/// The most members of one type that are written.
const MOST_MEMBERS: usize = 10_000;

/// How deep structs without a name are written within one another.
const DEEPEST: usize = 16;

/// The variables that carry the type that is asked for.
const POINTER: &str = "asked type*";
const VALUE: &str = "asked type";

/// One of what that leads to, if it is a pointer, so that its members are known, too.
const POINTED: &str = "pointed type";

/// A type in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeText {
    /// Its name.
    pub name: String,
    /// What it is made of, with typedefs looked through; several lines for structs and enumerations.
    pub whole: String,
    /// Its size in bytes, if it has one.
    pub size: Option<u64>,
}

impl Interactive<'_> {
    /// The type of an expression, or a type.
    ///
    /// # Errors
    /// It is neither.
    pub fn type_of(&mut self, text: &str, sink: &mut dyn Sink) -> Result<TypeText, SessionError> {
        let (program, ty) = self.asked_type(text, sink)?;
        let types = &program.types;
        Ok(TypeText {
            name: types.name_of(ty),
            whole: whole(types, ty),
            size: types.size_of(ty),
        })
    }

    /// The members of an expression that are pointers to what has a size, as `.name`; or an empty text, if it is one itself.
    ///
    /// # Errors
    /// It is not right.
    pub fn pointers_in(
        &mut self,
        text: &str,
        sink: &mut dyn Sink,
    ) -> Result<Vec<String>, SessionError> {
        let (program, ty) = self.asked_type(text, sink)?;
        let types = &program.types;
        let leads_on = |ty: TypeId| match types.resolved(ty) {
            // Strings are shown where they are.
            Type::Pointer(target) => !matches!(
                types.resolved(*target),
                Type::Void
                    | Type::Function { .. }
                    | Type::Integer {
                        character: true,
                        ..
                    }
            ),
            _ => false,
        };
        if leads_on(ty) {
            return Ok(vec![String::new()]);
        }
        let Type::Record(id) = types.resolved(ty) else {
            return Ok(Vec::new());
        };
        let members = types.record(*id).body.iter().flat_map(|body| &body.members);
        let members = members.filter(|member| leads_on(member.ty));
        Ok(members
            .filter_map(|member| Some(format!(".{}", member.name.as_ref()?)))
            .collect())
    }

    /// The program that has the type of an expression, or a type, complete if it can be.
    pub(super) fn asked_type(
        &mut self,
        text: &str,
        sink: &mut dyn Sink,
    ) -> Result<(Program, TypeId), SessionError> {
        // A pointer leads to something, more often than not.
        let (program, ty) = self.asked_through(text, 1, sink)?;
        match levels_to_unknown(&program.types, ty) {
            // What is behind so many pointers and arrays is there or not: what is known without it is an answer as well.
            levels if levels > 1 => {
                let found = self.asked_through(text, levels, sink);
                Ok(found.unwrap_or((program, ty)))
            }
            _ => Ok((program, ty)),
        }
    }

    /// The same, complete to what it leads to through so many pointers and arrays, if it does.
    fn asked_through(
        &mut self,
        text: &str,
        levels: usize,
        sink: &mut dyn Sink,
    ) -> Result<(Program, TypeId), SessionError> {
        let prelude = format!("{}{}", self.declared.text(), self.earlier_text(text));
        let pointer = format!("typeof(\n{text}\n) *`{POINTER}`;\n");
        let value = format!("typeof(\n{text}\n) `{VALUE}`;\n");
        let stars = "*".repeat(levels + 1);
        let pointed = format!("typeof({stars}`{POINTER}`) `{POINTED}`;\n");
        // A variable's type is completed, but not all types can be a variable's; a pointer can be one to any type but
        // containers. The last error is the plainest.
        let tries = [
            format!("{pointer}{value}{pointed}"),
            format!("{pointer}{value}"),
            value,
            pointer,
        ];
        let mut found = None;
        for tried in tries {
            let text = format!("{prelude}{tried}{HANDLER}{HANDLER_END}");
            let part = self.compile_text(text, false, sink);
            let done = part.is_ok();
            found = Some(part);
            if done {
                break;
            }
        }
        let Some(found) = found else {
            return Err(SessionError::NoProbe);
        };
        let typed = found?.compiled.typed;
        let global = |name: &str| typed.globals.iter().find(|global| global.name == name);
        let ty = global(VALUE).map(|global| global.ty).or_else(|| {
            match typed.types.resolved(global(POINTER)?.ty) {
                Type::Pointer(target) => Some(*target),
                _ => None,
            }
        });
        match ty {
            Some(ty) => Ok((typed, ty)),
            None => Err(SessionError::Arguments {
                message: format!("`{text}` has no type"),
                hint: None,
            }),
        }
    }
}

/// Through how many pointers and arrays a type leads to a struct whose members are not known; 0 if it does not.
fn levels_to_unknown(types: &Types, ty: TypeId) -> usize {
    let mut inner = ty;
    for levels in 0..=DEEPEST {
        inner = match types.resolved(inner) {
            Type::Pointer(target) => *target,
            Type::Array(element, _) => *element,
            Type::Record(id) if types.record(*id).body.is_none() => return levels,
            _ => return 0,
        };
    }
    0
}

/// A type with typedefs looked through, and the members of what it leads to.
fn whole(types: &Types, ty: TypeId) -> String {
    // As gdb: of a pointer to a struct, the struct, then how it is derived from that, as a declarator without a name.
    let mut derived = String::new();
    let mut inner = ty;
    let mut depth = 0;
    loop {
        match types.resolved(inner) {
            Type::Pointer(target) if depth < DEEPEST => {
                derived.insert(0, '*');
                inner = *target;
            }
            Type::Array(element, count) if depth < DEEPEST => {
                let count = count.map(|count| count.to_string()).unwrap_or_default();
                if derived.starts_with('*') {
                    derived = format!("({derived})");
                }
                derived.push_str(&format!("[{count}]"));
                inner = *element;
            }
            _ => break,
        }
        depth += 1;
    }
    let resolved = types.resolve(inner);
    let mut text = String::new();
    match types.get(resolved) {
        Type::Record(id) => {
            record(types, *id, 0, &mut text);
        }
        Type::Enum(id) => {
            let enumeration = types.enumeration(*id);
            let _ = write!(text, "{} {{", types.name_of(resolved));
            let mut next = Some(0_i64);
            for (index, (name, value)) in enumeration
                .enumerators
                .iter()
                .take(MOST_MEMBERS)
                .enumerate()
            {
                let separator = if index > 0 { ", " } else { "" };
                let _ = write!(text, "{separator}{name}");
                if next != Some(*value) {
                    let _ = write!(text, " = {value}");
                }
                next = value.checked_add(1);
            }
            text.push('}');
        }
        _ => return types.name_of(types.resolve(ty)),
    }
    if !derived.is_empty() {
        let _ = write!(text, " {derived}");
    }
    text
}

fn record(types: &Types, id: RecordId, depth: usize, text: &mut String) {
    let indent = "    ".repeat(depth + 1);
    let record_ = types.record(id);
    let keyword = if record_.union { "union" } else { "struct" };
    match record_.name.as_str() {
        "" => text.push_str(keyword),
        name => {
            let _ = write!(text, "{keyword} {name}");
        }
    }
    let Some(body) = &record_.body else {
        text.push_str(" {\n");
        let _ = writeln!(text, "{indent}/* its members are not known */");
        text.push_str(&"    ".repeat(depth));
        text.push('}');
        return;
    };
    text.push_str(" {\n");
    for member in body.members.iter().take(MOST_MEMBERS) {
        text.push_str(&indent);
        let offset = member.offset;
        let nested = match types.get(member.ty) {
            // What has no name can only be written where it is.
            Type::Record(id) if types.record(*id).name.is_empty() && depth < DEEPEST => Some(*id),
            _ => None,
        };
        let name = member.name.as_deref().unwrap_or_default();
        match nested {
            Some(nested) => {
                record(types, nested, depth + 1, text);
                if !name.is_empty() {
                    let _ = write!(text, " {name}");
                }
            }
            None => text.push_str(&types.declaration(member.ty, name)),
        }
        match member.bits {
            Some((low, width)) => {
                let byte = offset + u64::from(low / 8);
                let _ = writeln!(text, " : {width};  // {byte}, bit {}", low % 8);
            }
            None => {
                let size = types
                    .size_of(member.ty)
                    .map(|size| format!(", {size} bytes"));
                let _ = writeln!(text, ";  // {offset}{}", size.unwrap_or_default());
            }
        }
    }
    if let Some(more) = body.members.len().checked_sub(MOST_MEMBERS)
        && more > 0
    {
        let _ = writeln!(text, "{indent}/* {more} more */");
    }
    text.push_str(&"    ".repeat(depth));
    text.push('}');
}
