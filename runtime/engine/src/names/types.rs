//! Types of the target for the language.

use ytrace_debuginfo::{NameKind, TypeDesc, TypeRef};
use ytrace_lang::target::{
    LookupError, Scope, TargetType, TypeDescription, TypeNameKind, TypeSource,
};

use super::describe::describe;
use super::{Names, lookup_error};

impl TypeSource for Names {
    fn find_type(
        &mut self,
        scope: &Scope,
        kind: TypeNameKind,
        name: &str,
    ) -> Result<Option<TargetType>, LookupError> {
        let kinds: &[NameKind] = match kind {
            // In C++ the tag of a class is a type name by itself.
            TypeNameKind::Plain => &[
                NameKind::Typedef,
                NameKind::Base,
                NameKind::Struct,
                NameKind::Union,
                NameKind::Enum,
            ],
            TypeNameKind::Struct => &[NameKind::Struct],
            TypeNameKind::Union => &[NameKind::Union],
            TypeNameKind::Enum => &[NameKind::Enum],
        };
        let found = self.search(scope, name, |opened, unit| {
            for kind in kinds {
                if let Some(ty) = opened.info.find_type(*kind, name, unit)? {
                    return Ok(Some(ty));
                }
            }
            Ok(None)
        })?;
        Ok(found.map(|(module, ty)| self.number(module, ty)))
    }

    fn describe(&mut self, ty: TargetType) -> Result<TypeDescription, LookupError> {
        let (module, reference) = self.type_of(ty)?;
        if reference == TypeRef::VOID {
            return Ok(TypeDescription::Void);
        }
        let (module, description) = self.complete(module, reference)?;
        Ok(describe(description, |ty| self.number(module, ty)))
    }

    fn find_enumerator(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<(i64, Option<TargetType>)>, LookupError> {
        let found = self.search(scope, name, |opened, unit| {
            opened.info.find_enumerator(name, unit)
        })?;
        Ok(found.map(|(module, (value, ty))| (value as i64, Some(self.number(module, ty)))))
    }
}

impl Names {
    /// The description of a type; an incomplete record is completed from another module if just
    /// one layout of that tag is to be had.
    fn complete(
        &self,
        module: usize,
        reference: TypeRef,
    ) -> Result<(usize, TypeDesc), LookupError> {
        let opened = self
            .open(module)
            .map_err(|reason| LookupError::Broken(reason.to_owned()))?;
        let own = opened
            .info
            .describe(reference)
            .map_err(|error| lookup_error("type", error))?;
        let (kind, aggregate) = match &own {
            TypeDesc::Struct(aggregate) => (NameKind::Struct, aggregate),
            TypeDesc::Union(aggregate) => (NameKind::Union, aggregate),
            _ => return Ok((module, own)),
        };
        let Some(tag) = aggregate.name.clone().filter(|_| !aggregate.complete) else {
            return Ok((module, own));
        };
        let mut found: Option<(usize, TypeDesc)> = None;
        for other in (0..self.modules().len()).filter(|other| *other != module) {
            let Ok(opened) = self.open(other) else {
                continue;
            };
            let Ok(Some(ty)) = opened.info.find_type(kind, &tag, None) else {
                continue;
            };
            let Ok(description) = opened.info.describe(ty) else {
                continue;
            };
            let Some(layout) = layout(&description) else {
                continue;
            };
            match &found {
                Some((_, known)) if self::layout(known).as_ref() != Some(&layout) => {
                    // Two modules disagree: the type stays incomplete.
                    return Ok((module, own));
                }
                Some(_) => {}
                None => found = Some((other, description)),
            }
        }
        Ok(found.unwrap_or((module, own)))
    }
}

/// Size and fields of a complete record, to compare two of one tag.
type Layout = (u64, Vec<(Option<String>, u64)>);

fn layout(description: &TypeDesc) -> Option<Layout> {
    match description {
        TypeDesc::Struct(aggregate) | TypeDesc::Union(aggregate) if aggregate.complete => Some((
            aggregate.size,
            aggregate
                .fields
                .iter()
                .map(|field| (field.name.clone(), field.offset))
                .collect(),
        )),
        _ => None,
    }
}
