//! Debug information that no compiler at hand writes, made with gimli's writer; and the same through a types file.

mod common;

use common::{Build, aggregate, field, find, plain};
use gimli::write::{
    Address, AttributeValue as Value, DebugInfoRef, Dwarf, EndianVec, Expression, LineProgram,
    Location as Place, LocationList, Sections, Unit, UnitEntryId, UnitId,
};
use gimli::{DwAt, DwTag, constants as dw};
use ytrace_debuginfo::{
    BaseEncoding, Bitfield, Error, FieldRole, Loader, Location, Module, NameKind, SharedBytes,
    TypeDesc, TypesFile,
};

/// Writes entries into a unit.
struct Writer<'d> {
    dwarf: &'d mut Dwarf,
    unit: UnitId,
}

impl Writer<'_> {
    fn root(&self) -> UnitEntryId {
        self.dwarf.units.get(self.unit).root()
    }

    fn add(
        &mut self,
        parent: UnitEntryId,
        tag: DwTag,
        attributes: &[(DwAt, Value)],
    ) -> UnitEntryId {
        let unit = self.dwarf.units.get_mut(self.unit);
        let entry = unit.add(parent, tag);
        for (name, value) in attributes {
            unit.get_mut(entry).set(*name, value.clone());
        }
        entry
    }

    fn top(&mut self, tag: DwTag, attributes: &[(DwAt, Value)]) -> UnitEntryId {
        let root = self.root();
        self.add(root, tag, attributes)
    }

    fn set(&mut self, entry: UnitEntryId, name: DwAt, value: Value) {
        self.dwarf
            .units
            .get_mut(self.unit)
            .get_mut(entry)
            .set(name, value);
    }

    fn base(&mut self, name: &str, size: u64, encoding: dw::DwAte) -> UnitEntryId {
        self.top(
            dw::DW_TAG_base_type,
            &[
                text(name),
                (dw::DW_AT_byte_size, Value::Udata(size)),
                (dw::DW_AT_encoding, Value::Encoding(encoding)),
            ],
        )
    }
}

fn text(name: &str) -> (DwAt, Value) {
    (dw::DW_AT_name, Value::String(name.as_bytes().to_vec()))
}

fn ty(entry: UnitEntryId) -> (DwAt, Value) {
    (dw::DW_AT_type, Value::UnitRef(entry))
}

fn udata(name: DwAt, value: u64) -> (DwAt, Value) {
    (name, Value::Udata(value))
}

fn new_unit(dwarf: &mut Dwarf, version: u16, name: Option<&str>, language: dw::DwLang) -> UnitId {
    let encoding = gimli::Encoding {
        format: gimli::Format::Dwarf32,
        version,
        address_size: 8,
    };
    let id = dwarf.units.add(Unit::new(encoding, LineProgram::none()));
    let unit = dwarf.units.get_mut(id);
    let root = unit.root();
    if let Some(name) = name {
        unit.get_mut(root)
            .set(dw::DW_AT_name, Value::String(name.into()));
    }
    unit.get_mut(root)
        .set(dw::DW_AT_language, Value::Language(language));
    id
}

/// A program whose debug information is what `write` wrote, and the types file of that program, for both versions of DWARF.
fn modules(language: dw::DwLang, write: impl Fn(&mut Writer<'_>)) -> Vec<Module> {
    let mut all = Vec::new();
    for version in [4, 5] {
        let mut dwarf = Dwarf::new();
        let unit = new_unit(&mut dwarf, version, Some("/src/odd.c"), language);
        write(&mut Writer {
            dwarf: &mut dwarf,
            unit,
        });
        all.extend(both(dwarf));
    }
    all
}

fn both(mut dwarf: Dwarf) -> [Module; 2] {
    let build = Build::new(&[("prog.c", "int main(void) { return 0; }")]);
    build.run("gcc", &["-g0", "-no-pie", "prog.c", "-o", "prog"]);
    let mut sections = Sections::new(EndianVec::new(gimli::LittleEndian));
    dwarf.write(&mut sections).unwrap();
    let mut arguments = Vec::new();
    sections
        .for_each(|id, data| {
            if !data.slice().is_empty() {
                let file = id.name().trim_start_matches('.').to_owned();
                std::fs::write(build.path(&file), data.slice()).unwrap();
                arguments.push("--add-section".to_owned());
                arguments.push(format!("{}={file}", id.name()));
            }
            Ok::<(), gimli::write::Error>(())
        })
        .unwrap();
    arguments.extend(["prog".to_owned(), "full".to_owned()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    build.run("objcopy", &arguments);
    let bytes = std::fs::read(build.path("full")).unwrap();
    let path = std::path::Path::new("/nonexistent/full");
    let module = Loader::default().open_bytes(path, bytes).unwrap();
    let extracted = module.extract_types("test").unwrap();
    let file = TypesFile::parse(SharedBytes::from_vec(extracted.bytes), path).unwrap();
    let types = Loader::default().open_types(&file).unwrap();
    [module, types]
}

#[test]
fn bit_fields_of_both_forms() {
    let all = modules(dw::DW_LANG_C11, |w| {
        let int = w.base("int", 4, dw::DW_ATE_signed);
        let wide = w.base("long long", 8, dw::DW_ATE_signed);
        let new = w.top(
            dw::DW_TAG_structure_type,
            &[text("new"), udata(dw::DW_AT_byte_size, 16)],
        );
        let old = w.top(
            dw::DW_TAG_structure_type,
            &[text("old"), udata(dw::DW_AT_byte_size, 16)],
        );
        // Name, type, its size, first bit from the start, width.
        for (name, of, size, first, width) in [
            ("a", int, 4, 0, 3),
            ("b", int, 4, 3, 9),
            ("c", wide, 8, 64, 33),
            ("d", int, 4, 97, 7),
        ] {
            w.add(
                new,
                dw::DW_TAG_member,
                &[
                    text(name),
                    ty(of),
                    udata(dw::DW_AT_bit_size, width),
                    udata(dw::DW_AT_data_bit_offset, first),
                ],
            );
            let storage = first / (size * 8) * size;
            w.add(
                old,
                dw::DW_TAG_member,
                &[
                    text(name),
                    ty(of),
                    udata(dw::DW_AT_byte_size, size),
                    udata(dw::DW_AT_data_member_location, storage),
                    udata(dw::DW_AT_bit_size, width),
                    udata(
                        dw::DW_AT_bit_offset,
                        size * 8 - (first - storage * 8) - width,
                    ),
                ],
            );
        }
    });
    for module in all {
        let new = aggregate(&module, find(&module, NameKind::Struct, "new"));
        let old = aggregate(&module, find(&module, NameKind::Struct, "old"));
        let place = |name: &str| {
            let one = field(&new, name);
            let other = field(&old, name);
            assert_eq!(
                (one.offset, one.bitfield),
                (other.offset, other.bitfield),
                "{name}"
            );
            (one.offset, one.bitfield.unwrap())
        };
        let bits = |bit_offset, bit_size| Bitfield {
            bit_offset,
            bit_size,
        };
        assert_eq!(place("a"), (0, bits(0, 3)));
        assert_eq!(place("b"), (0, bits(3, 9)));
        assert_eq!(place("c"), (8, bits(0, 33)));
        assert_eq!(place("d"), (12, bits(1, 7)));
    }
}

#[test]
fn anonymous_members_within_one_another() {
    let all = modules(dw::DW_LANG_C11, |w| {
        let int = w.base("int", 4, dw::DW_ATE_signed);
        let inner = w.top(dw::DW_TAG_structure_type, &[udata(dw::DW_AT_byte_size, 8)]);
        w.add(
            inner,
            dw::DW_TAG_member,
            &[
                text("deep"),
                ty(int),
                udata(dw::DW_AT_data_member_location, 4),
            ],
        );
        let union = w.top(dw::DW_TAG_union_type, &[udata(dw::DW_AT_byte_size, 8)]);
        w.add(union, dw::DW_TAG_member, &[text("flat"), ty(int)]);
        w.add(union, dw::DW_TAG_member, &[ty(inner)]);
        let outer = w.top(
            dw::DW_TAG_structure_type,
            &[text("outer"), udata(dw::DW_AT_byte_size, 16)],
        );
        w.add(
            outer,
            dw::DW_TAG_member,
            &[ty(union), udata(dw::DW_AT_data_member_location, 8)],
        );
    });
    for module in all {
        let ty = find(&module, NameKind::Struct, "outer");
        let outer = aggregate(&module, ty);
        assert_eq!(
            (outer.fields[0].name.as_deref(), outer.fields[0].offset),
            (None, 8)
        );
        let union = aggregate(&module, outer.fields[0].ty);
        let inner = aggregate(&module, union.fields[1].ty);
        assert_eq!((union.name, inner.name), (None, None));
        assert_eq!(inner.fields[0].offset, 4);
        assert_eq!(module.suggest_field(ty, "deap").unwrap(), ["deep"]);
    }
}

#[test]
fn circles_and_counts_beyond_memory() {
    let all = modules(dw::DW_LANG_C11, |w| {
        let long = w.base("long", 8, dw::DW_ATE_signed);
        let first = w.top(dw::DW_TAG_typedef, &[text("first")]);
        let second = w.top(dw::DW_TAG_typedef, &[text("second"), ty(first)]);
        w.set(first, dw::DW_AT_type, Value::UnitRef(second));
        let node = w.top(
            dw::DW_TAG_structure_type,
            &[text("node"), udata(dw::DW_AT_byte_size, 8)],
        );
        let pointer = w.top(dw::DW_TAG_pointer_type, &[ty(node)]);
        w.add(node, dw::DW_TAG_member, &[text("next"), ty(pointer)]);
        for (name, count) in [("huge", u64::MAX), ("large", 1 << 40)] {
            let array = w.top(dw::DW_TAG_array_type, &[ty(long)]);
            w.add(
                array,
                dw::DW_TAG_subrange_type,
                &[udata(dw::DW_AT_count, count)],
            );
            w.top(dw::DW_TAG_typedef, &[text(name), ty(array)]);
        }
    });
    for module in all {
        let first = find(&module, NameKind::Typedef, "first");
        assert!(matches!(
            module.describe(first),
            Ok(TypeDesc::Typedef { .. })
        ));
        assert!(
            module.size_of(first).is_ok_and(|size| size.is_none())
                || module.size_of(first).is_err()
        );
        let node = aggregate(&module, find(&module, NameKind::Struct, "node"));
        let TypeDesc::Pointer { target, size } = module.describe(node.fields[0].ty).unwrap() else {
            panic!("not a pointer");
        };
        assert_eq!((size, aggregate(&module, target)), (8, node));
        let large = find(&module, NameKind::Typedef, "large");
        assert_eq!(module.size_of(large).unwrap(), Some(8 << 40));
        let huge = find(&module, NameKind::Typedef, "huge");
        assert!(
            module
                .size_of(huge)
                .unwrap_err()
                .to_string()
                .contains("larger than memory")
        );
        assert!(matches!(
            plain(&module, huge),
            TypeDesc::Array {
                count: Some(u64::MAX),
                ..
            }
        ));
    }
}

#[test]
fn declarations_apart_from_definitions_and_what_has_no_place() {
    let all = modules(dw::DW_LANG_C11, |w| {
        let int = w.base("int", 4, dw::DW_ATE_signed);
        let place = |address| {
            let mut expression = Expression::new();
            expression.op_addr(Address::Constant(address));
            Value::Exprloc(expression)
        };
        let flag = Value::FlagPresent;
        let declared = w.top(
            dw::DW_TAG_variable,
            &[
                text("split"),
                ty(int),
                (dw::DW_AT_declaration, flag.clone()),
                (dw::DW_AT_external, flag.clone()),
            ],
        );
        w.top(
            dw::DW_TAG_variable,
            &[
                (dw::DW_AT_specification, Value::UnitRef(declared)),
                (dw::DW_AT_location, place(0x4000)),
            ],
        );
        w.top(dw::DW_TAG_variable, &[text("gone"), ty(int)]);
        w.top(
            dw::DW_TAG_variable,
            &[text("constant"), ty(int), udata(dw::DW_AT_const_value, 7)],
        );
        let list = LocationList(vec![Place::StartEnd {
            begin: Address::Constant(0x10),
            end: Address::Constant(0x20),
            data: Expression::new(),
        }]);
        let list = w.dwarf.units.get_mut(w.unit).locations.add(list);
        w.top(
            dw::DW_TAG_variable,
            &[
                text("moving"),
                ty(int),
                (dw::DW_AT_location, Value::LocationListRef(list)),
            ],
        );
        // Inlined somewhere, and once by itself: the abstract instance has the names.
        let abstract_one = w.top(
            dw::DW_TAG_subprogram,
            &[
                text("worker"),
                ty(int),
                (dw::DW_AT_inline, Value::Inline(dw::DW_INL_inlined)),
                (dw::DW_AT_external, flag),
            ],
        );
        let parameter = w.add(
            abstract_one,
            dw::DW_TAG_formal_parameter,
            &[text("amount"), ty(int)],
        );
        let concrete = w.top(
            dw::DW_TAG_subprogram,
            &[
                (dw::DW_AT_abstract_origin, Value::UnitRef(abstract_one)),
                (dw::DW_AT_low_pc, Value::Address(Address::Constant(0x1234))),
                udata(dw::DW_AT_high_pc, 0x20),
            ],
        );
        w.add(
            concrete,
            dw::DW_TAG_formal_parameter,
            &[(dw::DW_AT_abstract_origin, Value::UnitRef(parameter))],
        );
        w.top(
            dw::DW_TAG_subprogram,
            &[
                text("everywhere"),
                (dw::DW_AT_inline, Value::Inline(dw::DW_INL_inlined)),
            ],
        );
    });
    for module in all {
        let variable = |name: &str| module.variable(name, None).unwrap().unwrap();
        let split = variable("split");
        assert_eq!(
            (split.location, split.size, split.external),
            (Location::Address(0x4000), Some(4), true)
        );
        for name in ["gone", "constant", "moving"] {
            assert_eq!(variable(name).location, Location::Unavailable, "{name}");
            assert_eq!(variable(name).size, Some(4), "{name}");
        }
        let worker = module.function("worker", Some("odd.c")).unwrap().unwrap();
        assert_eq!(
            (worker.entry, worker.size, worker.external),
            (Some(0x1234), 0x20, true)
        );
        let parameters = worker.parameters.unwrap();
        assert_eq!(parameters[0].name.as_deref(), Some("amount"));
        assert!(worker.result.is_some());
        assert_eq!(
            module.function("everywhere", None).unwrap().unwrap().entry,
            None
        );
    }
}

#[test]
fn parts_that_units_import() {
    for version in [4, 5] {
        let mut dwarf = Dwarf::new();
        let importer = new_unit(
            &mut dwarf,
            version,
            Some("/src/importer.c"),
            dw::DW_LANG_C11,
        );
        let other = new_unit(&mut dwarf, version, Some("/src/other.c"), dw::DW_LANG_C11);
        let part = new_unit(&mut dwarf, version, None, dw::DW_LANG_C11);
        let mut writer = Writer {
            dwarf: &mut dwarf,
            unit: part,
        };
        let int = writer.base("int", 4, dw::DW_ATE_signed);
        let shared = writer.top(
            dw::DW_TAG_structure_type,
            &[text("shared"), udata(dw::DW_AT_byte_size, 4)],
        );
        writer.add(shared, dw::DW_TAG_member, &[text("x"), ty(int)]);
        let root = writer.root();
        writer.unit = importer;
        writer.top(
            dw::DW_TAG_imported_unit,
            &[(
                dw::DW_AT_import,
                Value::DebugInfoRef(DebugInfoRef::Entry(part, root)),
            )],
        );
        writer.top(
            dw::DW_TAG_typedef,
            &[
                text("shared_t"),
                (
                    dw::DW_AT_type,
                    Value::DebugInfoRef(DebugInfoRef::Entry(part, shared)),
                ),
            ],
        );
        writer.unit = other;
        writer.top(
            dw::DW_TAG_structure_type,
            &[text("alone"), udata(dw::DW_AT_byte_size, 2)],
        );
        for module in both(dwarf) {
            let by = |unit| module.find_type(NameKind::Struct, "shared", unit).unwrap();
            assert!(by(None).is_some() && by(Some("importer.c")).is_some());
            assert!(by(Some("other.c")).is_none());
            assert!(matches!(
                module.find_type(NameKind::Struct, "shared", Some("missing.c")),
                Err(Error::NoSuchUnit { .. })
            ));
            let shared = find(&module, NameKind::Typedef, "shared_t");
            assert_eq!(field(&aggregate(&module, shared), "x").offset, 0);
            assert_eq!(module.units().unwrap(), ["/src/importer.c", "/src/other.c"]);
            assert!(module.has_unit("other.c").unwrap() && !module.has_unit("missing.c").unwrap());
        }
    }
}

#[test]
fn names_of_rust() {
    let all = modules(dw::DW_LANG_Rust, |w| {
        let u32_type = w.base("u32", 4, dw::DW_ATE_unsigned);
        w.base("char", 4, dw::DW_ATE_UTF);
        let krate = w.top(dw::DW_TAG_namespace, &[text("my_crate")]);
        let module = w.add(krate, dw::DW_TAG_namespace, &[text("{impl#0}")]);
        let option = w.add(
            krate,
            dw::DW_TAG_structure_type,
            &[text("Option<u32>"), udata(dw::DW_AT_byte_size, 8)],
        );
        let variants = w.add(option, dw::DW_TAG_variant_part, &[]);
        let variant = w.add(
            variants,
            dw::DW_TAG_variant,
            &[udata(dw::DW_AT_discr_value, 1)],
        );
        w.add(variant, dw::DW_TAG_member, &[text("Some"), ty(u32_type)]);
        let tuple = w.add(
            module,
            dw::DW_TAG_structure_type,
            &[text("(u32, u32)"), udata(dw::DW_AT_byte_size, 8)],
        );
        w.add(
            tuple,
            dw::DW_TAG_member,
            &[
                text("__0"),
                ty(u32_type),
                udata(dw::DW_AT_data_member_location, 4),
            ],
        );
        w.add(
            module,
            dw::DW_TAG_subprogram,
            &[
                text("poll<u32>"),
                (
                    dw::DW_AT_linkage_name,
                    Value::String(b"_ZN8my_crate4pollE".to_vec()),
                ),
                (dw::DW_AT_low_pc, Value::Address(Address::Constant(0x99))),
                udata(dw::DW_AT_high_pc, 3),
            ],
        );
    });
    for module in all {
        let option = aggregate(
            &module,
            find(&module, NameKind::Struct, "my_crate::Option<u32>"),
        );
        assert_eq!(
            (option.name.as_deref(), option.size),
            (Some("Option<u32>"), 8)
        );
        let tuple = aggregate(
            &module,
            find(&module, NameKind::Struct, "my_crate::{impl#0}::(u32, u32)"),
        );
        assert_eq!(tuple.fields[0].offset, 4);
        let TypeDesc::Base { encoding, .. } = plain(&module, find(&module, NameKind::Base, "char"))
        else {
            panic!("not a base type");
        };
        assert_eq!(encoding, BaseEncoding::Utf);
        for name in ["my_crate::{impl#0}::poll<u32>", "_ZN8my_crate4pollE"] {
            let function = module.function(name, None).unwrap().unwrap();
            assert_eq!(function.entry, Some(0x99), "{name}");
            assert_eq!(function.linkage_name.as_deref(), Some("_ZN8my_crate4pollE"));
        }
    }
}

#[test]
fn variants_of_rust() {
    let all = modules(dw::DW_LANG_Rust, |w| {
        let tag = w.base("u8", 1, dw::DW_ATE_unsigned);
        let sized = |size| udata(dw::DW_AT_byte_size, size);
        let option = w.top(dw::DW_TAG_structure_type, &[text("Option"), sized(2)]);
        let part = w.add(option, dw::DW_TAG_variant_part, &[]);
        let discriminant = w.add(
            part,
            dw::DW_TAG_member,
            &[ty(tag), udata(dw::DW_AT_data_member_location, 1)],
        );
        w.set(part, dw::DW_AT_discr, Value::UnitRef(discriminant));
        let some = w.add(part, dw::DW_TAG_variant, &[udata(dw::DW_AT_discr_value, 1)]);
        w.add(some, dw::DW_TAG_member, &[text("Some"), ty(tag)]);
        let rest = w.add(part, dw::DW_TAG_variant, &[]);
        // A variant that holds the type itself, as none can.
        w.add(rest, dw::DW_TAG_member, &[text("Rest"), ty(option)]);
        // A discriminant that is no member of the part.
        let odd = w.top(dw::DW_TAG_structure_type, &[text("Odd"), sized(2)]);
        let part = w.add(odd, dw::DW_TAG_variant_part, &[]);
        w.set(part, dw::DW_AT_discr, Value::UnitRef(tag));
        let some = w.add(part, dw::DW_TAG_variant, &[udata(dw::DW_AT_discr_value, 1)]);
        w.add(some, dw::DW_TAG_member, &[text("Some"), ty(tag)]);
    });
    for module in all {
        let option = aggregate(&module, find(&module, NameKind::Struct, "Option"));
        let roles: Vec<_> = option
            .fields
            .iter()
            .map(|field| (field.name.as_deref(), field.offset, field.role))
            .collect();
        assert_eq!(
            roles,
            [
                (None, 1, FieldRole::Discriminant),
                (Some("Some"), 0, FieldRole::Variant(Some(1))),
                (Some("Rest"), 0, FieldRole::Variant(None)),
            ]
        );
        let odd = aggregate(&module, find(&module, NameKind::Struct, "Odd"));
        let roles: Vec<_> = odd.fields.iter().map(|field| field.role).collect();
        assert_eq!(roles, [FieldRole::Variant(Some(1))]);
    }
}
