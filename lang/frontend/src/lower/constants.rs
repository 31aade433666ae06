//! Shapes of values and types of containers.

use super::{LowerError, Lowered, MAX_KEY_WORDS, Unit};
use crate::hir::GlobalId;
use crate::source::Span;
use crate::target::MemberRole;
use crate::types::{Type, TypeId};
use ytrace_values::Steps;
use ytrace_values::constants::{
    ContainerType, ContainerTypeId, Element, Scalar, Shape, ShapeField, ShapeId, Wide,
};

/// The most shapes of one program; a type of a target may nest without end.
const MAX_SHAPES: usize = 1 << 16;

impl Unit<'_> {
    /// How a scalar type lies in memory; `None` for other types.
    pub(crate) fn scalar_kind(&self, ty: TypeId) -> Option<Scalar> {
        let types = &self.program.types;
        Some(match types.resolved(ty) {
            Type::Bool => Scalar::Bool,
            Type::Integer {
                size, signed: true, ..
            } => Scalar::Signed(*size),
            Type::Integer { size, .. } => Scalar::Unsigned(*size),
            Type::Float { size: 4 } => Scalar::Float32,
            Type::Float { .. } => Scalar::Float64,
            Type::Enum(id) => {
                let enumeration = types.enumeration(*id);
                if enumeration.signed {
                    Scalar::Signed(enumeration.size)
                } else {
                    Scalar::Unsigned(enumeration.size)
                }
            }
            Type::Pointer(_) => Scalar::Pointer,
            Type::Str => Scalar::Str,
            Type::Path => Scalar::Path,
            _ => return None,
        })
    }

    /// The shape of a type. A record that is not complete is opaque.
    pub(crate) fn shape(&mut self, ty: TypeId) -> ShapeId {
        if let Some(id) = self.shapes.get(&ty) {
            return *id;
        }
        let id = ShapeId(self.constants.shapes.len() as u32);
        let type_name = self.program.types.name_of(ty);
        // Reserved before its parts, so that a record that holds itself meets itself as opaque.
        self.constants.shapes.push(Shape::Opaque {
            type_name: type_name.clone(),
        });
        if self.constants.shapes.len() >= MAX_SHAPES {
            return id;
        }
        let resolved = self.program.types.resolve(ty);
        self.making.push(resolved);
        let shape = self.make_shape(ty, type_name);
        self.making.pop();
        if let Some(slot) = self.constants.shapes.get_mut(id.0 as usize) {
            *slot = shape;
        }
        self.shapes.insert(ty, id);
        id
    }

    fn make_shape(&mut self, ty: TypeId, type_name: String) -> Shape {
        let program = self.program;
        let types = &program.types;
        match types.resolved(ty) {
            Type::Integer {
                size: 1,
                signed,
                character: true,
                ..
            } if !self.is_byte(ty) => Shape::Char { signed: *signed },
            Type::Enum(id) => match self.scalar_kind(ty) {
                Some(scalar) => Shape::Enum {
                    scalar,
                    names: types.enumeration(*id).enumerators.clone(),
                },
                None => Shape::Opaque { type_name },
            },
            Type::Pointer(target) => {
                let byte = self.is_byte(*target);
                let target = types.resolved(*target);
                Shape::Pointer {
                    type_name,
                    to_char: !byte
                        && matches!(
                            target,
                            Type::Integer {
                                size: 1,
                                character: true,
                                ..
                            }
                        ),
                }
            }
            Type::Record(id) => {
                let Some(body) = types.record(*id).body.as_ref() else {
                    return Shape::Opaque { type_name };
                };
                if body.members.is_empty() && body.size > 0 {
                    let record = types.record(*id);
                    if let Some(kind) = wide(&record.name, body.size) {
                        return Shape::Wide(kind);
                    }
                    if let Some(part) = complex(&record.name, body.size) {
                        return Shape::Complex { part };
                    }
                    if record.origin.is_none() {
                        return Shape::Opaque { type_name };
                    }
                }
                // A complete record cannot hold itself; hostile debug information can say so.
                // The placeholder under the same type then ends the recursion.
                let mut fields = Vec::with_capacity(body.members.len());
                let mut cases = Vec::new();
                let mut discriminant = None;
                for member in &body.members {
                    let role = match member.role {
                        MemberRole::Discriminant => {
                            let size = types.size_of(member.ty).filter(|_| member.bits.is_none());
                            let size = size.filter(|size| matches!(size, 1 | 2 | 4 | 8 | 16));
                            discriminant = size
                                .filter(|size| {
                                    let end = member.offset.checked_add(*size);
                                    end.is_some_and(|end| end <= body.size)
                                })
                                .map(|size| (member.offset, size as u8));
                            continue;
                        }
                        MemberRole::Variant(value) => Some(value),
                        // Where it lies, only the object tells: it is named.
                        MemberRole::Virtual(_) => {
                            let shape = ShapeId(self.constants.shapes.len() as u32);
                            self.constants.shapes.push(Shape::Opaque {
                                type_name: format!("virtual base {}", types.name_of(member.ty)),
                            });
                            fields.push(ShapeField {
                                name: String::new(),
                                offset: 0,
                                bits: None,
                                shape,
                            });
                            continue;
                        }
                        MemberRole::Always => None,
                    };
                    let field = ShapeField {
                        name: member.name.clone().unwrap_or_default(),
                        offset: member.offset,
                        bits: member.bits,
                        shape: self.nested_shape(ty, member.ty),
                    };
                    match role {
                        None => fields.push(field),
                        Some(value) => cases.push((value, field)),
                    }
                }
                if !cases.is_empty() {
                    let variants = Shape::Variants {
                        discriminant,
                        cases,
                    };
                    if fields.is_empty() {
                        return variants;
                    }
                    fields.push(ShapeField {
                        name: String::new(),
                        offset: 0,
                        bits: None,
                        shape: ShapeId(self.constants.shapes.len() as u32),
                    });
                    self.constants.shapes.push(variants);
                }
                Shape::Record {
                    type_name,
                    fields,
                    size: body.size,
                }
            }
            Type::Array(element, count) => {
                let stride = types.size_of(*element).unwrap_or(0);
                Shape::Array {
                    element: self.nested_shape(ty, *element),
                    count: count.unwrap_or(0),
                    stride,
                }
            }
            _ => match self.scalar_kind(ty) {
                Some(scalar) => Shape::Scalar(scalar),
                None => Shape::Opaque { type_name },
            },
        }
    }

    /// Whether a type is written as one of the names that C has for integers of a byte: these are
    /// numbers, whereas `char`, `unsigned char` and typedefs of those are text.
    fn is_byte(&self, mut ty: TypeId) -> bool {
        while let Type::Typedef(name, target) = self.program.types.get(ty) {
            if matches!(
                name.as_str(),
                "int8_t" | "uint8_t" | "u_int8_t" | "__int8_t" | "__uint8_t"
            ) {
                return true;
            }
            ty = *target;
        }
        false
    }

    /// The shape of a part of `outer`. Types that cannot be a part by value are opaque.
    fn nested_shape(&mut self, outer: TypeId, part: TypeId) -> ShapeId {
        let larger = match (
            self.program.types.size_of(outer),
            self.program.types.size_of(part),
        ) {
            (Some(outer), Some(part)) => part > outer,
            _ => true,
        };
        let same = self.program.types.resolve(outer) == self.program.types.resolve(part);
        if larger || same || self.under_way(part) || self.making.len() > 64 {
            let id = ShapeId(self.constants.shapes.len() as u32);
            self.constants.shapes.push(Shape::Opaque {
                type_name: self.program.types.name_of(part),
            });
            return id;
        }
        self.shape(part)
    }

    /// Whether the shape of a type is being made further out.
    fn under_way(&self, ty: TypeId) -> bool {
        let resolved = self.program.types.resolve(ty);
        matches!(self.program.types.get(resolved), Type::Record(_))
            && self.making.contains(&resolved)
    }

    /// The container type of a type, with those that it nests.
    pub(crate) fn container_type(&mut self, ty: TypeId, span: Span) -> Lowered<ContainerTypeId> {
        let resolved = self.program.types.resolve(ty);
        if let Some(id) = self.containers.get(&resolved) {
            return Ok(*id);
        }
        let container = self.make_container(ty, Vec::new(), span)?;
        let id = self.add_container(container);
        self.containers.insert(resolved, id);
        Ok(id)
    }

    /// The container type of a global: that of its type, but that its aggregates count the rows which are asked of them.
    pub(crate) fn global_container_type(
        &mut self,
        global: GlobalId,
        ty: TypeId,
        span: Span,
    ) -> Lowered<ContainerTypeId> {
        if let Some(id) = self.global_containers.get(&global.0) {
            return Ok(*id);
        }
        let id = match self.linear.get(&global.0).cloned() {
            None => self.container_type(ty, span)?,
            Some(linear) => {
                let container = self.make_container(ty, linear, span)?;
                self.add_container(container)
            }
        };
        self.global_containers.insert(global.0, id);
        Ok(id)
    }

    fn add_container(&mut self, container: ContainerType) -> ContainerTypeId {
        let id = ContainerTypeId(self.constants.containers.len() as u32);
        self.constants.containers.push(container);
        id
    }

    /// A container type; `linear` is for the aggregate that it is, or for those that are its values.
    fn make_container(
        &mut self,
        ty: TypeId,
        linear: Vec<Steps>,
        span: Span,
    ) -> Lowered<ContainerType> {
        let program = self.program;
        Ok(match program.types.resolved(ty) {
            Type::Aggregate => ContainerType::Aggregate { linear },
            Type::Growing(element) => ContainerType::Array {
                element: self.element(*element, span)?,
            },
            Type::Table(keys, value) => {
                let mut key = Vec::new();
                let mut key_shapes = Vec::with_capacity(keys.len());
                for declared in keys {
                    let before = key.len();
                    self.key_words(*declared, span, &mut key)?;
                    key_shapes.push((self.shape(*declared), (key.len() - before) as u32));
                }
                let aggregates = matches!(program.types.resolved(*value), Type::Aggregate);
                let element = if aggregates && !linear.is_empty() {
                    Element::Container(self.add_container(ContainerType::Aggregate { linear }))
                } else {
                    self.element(*value, span)?
                };
                ContainerType::Table {
                    key,
                    key_shapes,
                    element,
                }
            }
            _ => return Err(LowerError::malformed(span, "this is no container")),
        })
    }

    fn element(&mut self, ty: TypeId, span: Span) -> Lowered<Element> {
        if self.program.types.is_container(ty) {
            return Ok(Element::Container(self.container_type(ty, span)?));
        }
        Ok(Element::Value {
            size: self.size(ty, span)?,
            shape: self.shape(ty),
        })
    }

    /// The words that the keys of a table take.
    pub(crate) fn table_key_words(&mut self, ty: TypeId, span: Span) -> Lowered<u64> {
        let program = self.program;
        let Type::Table(keys, _) = program.types.resolved(ty) else {
            return Ok(0);
        };
        let mut words = Vec::new();
        for key in keys {
            self.key_words(*key, span, &mut words)?;
        }
        Ok(words.len() as u64)
    }

    /// Adds the words of a key type: one a scalar, records and fixed arrays part by part.
    pub(crate) fn key_words(&self, ty: TypeId, span: Span, words: &mut Vec<Scalar>) -> Lowered<()> {
        self.each_key_part(ty, span, &mut |part| {
            words.push(part.scalar);
        })
    }

    /// Calls `visit` for each scalar part of a key type, in order of its members.
    pub(crate) fn each_key_part(
        &self,
        ty: TypeId,
        span: Span,
        visit: &mut dyn FnMut(KeyPart),
    ) -> Lowered<()> {
        let mut count = 0;
        self.key_parts(ty, 0, None, span, 0, &mut count, visit)
    }

    #[allow(clippy::too_many_arguments)]
    fn key_parts(
        &self,
        ty: TypeId,
        offset: u64,
        bits: Option<(u32, u32)>,
        span: Span,
        level: u32,
        count: &mut usize,
        visit: &mut dyn FnMut(KeyPart),
    ) -> Lowered<()> {
        let unsupported = |message: &str| {
            Err(LowerError::Unsupported {
                message: message.to_owned(),
                span,
            })
        };
        if level > 16 {
            return unsupported("the type of this key is nested too deeply");
        }
        if let Some(scalar) = self.scalar_kind(ty) {
            *count += 1;
            if *count > MAX_KEY_WORDS {
                return unsupported("the key of a table may have at most 64 scalar parts");
            }
            visit(KeyPart {
                ty,
                offset,
                bits,
                scalar,
            });
            return Ok(());
        }
        let types = &self.program.types;
        match types.resolved(ty) {
            Type::Record(id) => {
                let record = types.record(*id);
                let Some(body) = record.body.as_ref() else {
                    return unsupported("an incomplete type cannot be the key of a table");
                };
                if record.union {
                    return unsupported("a union cannot be (part of) the key of a table");
                }
                if body
                    .members
                    .iter()
                    .any(|part| part.role != MemberRole::Always)
                {
                    return unsupported(
                        "a type with variants or virtual bases cannot be (part of) the key of a table",
                    );
                }
                for member in &body.members {
                    self.key_parts(
                        member.ty,
                        offset.saturating_add(member.offset),
                        member.bits,
                        span,
                        level + 1,
                        count,
                        visit,
                    )?;
                }
                Ok(())
            }
            Type::Array(element, Some(length)) => {
                let stride = self.size(*element, span)?;
                if *length > MAX_KEY_WORDS as u64 {
                    return unsupported("the key of a table may have at most 64 scalar parts");
                }
                for index in 0..*length {
                    self.key_parts(
                        *element,
                        offset.saturating_add(index.saturating_mul(stride)),
                        None,
                        span,
                        level + 1,
                        count,
                        visit,
                    )?;
                }
                Ok(())
            }
            _ => unsupported("this type cannot be the key of a table"),
        }
    }
}

/// A scalar part of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyPart {
    /// Its type.
    pub(crate) ty: TypeId,
    /// Its offset in the key, in bytes.
    pub(crate) offset: u64,
    /// For a bit-field, its bits.
    pub(crate) bits: Option<(u32, u32)>,
    /// The scalar.
    pub(crate) scalar: Scalar,
}

/// The wide number of this name, as compilers call it.
fn wide(name: &str, size: u64) -> Option<Wide> {
    match (name, size) {
        ("__int128", 16) => Some(Wide::Signed),
        ("__int128 unsigned" | "unsigned __int128", 16) => Some(Wide::Unsigned),
        ("long double", 16) => Some(Wide::Extended),
        _ => None,
    }
}

/// The size in bytes of a part of the complex number of this name, as the checker calls it.
fn complex(name: &str, size: u64) -> Option<u8> {
    match (name, size) {
        ("complex float", 8) => Some(4),
        ("complex double", 16) => Some(8),
        ("complex long double", 32) => Some(16),
        _ => None,
    }
}
