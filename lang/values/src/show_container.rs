//! Containers as text: `{1, 2}` for an array, `{["key"] = value}` for a table.

use crate::constants::{ContainerType, Element};
use crate::containers::Content;
use crate::escape;
use crate::fault::Fault;
use crate::reading::Value;
use crate::show::{Place, Show};
use crate::target_bytes;

impl Show<'_, '_> {
    /// Writes a container with the containers in it. Handle 0 is an empty one.
    pub(crate) fn container(&mut self, handle: u64) -> Result<(), Fault> {
        let store = &*self.machine.store;
        let (kind, length) = match store.containers.get(handle) {
            Some(Content::Table(table)) => (Some(table.type_id), table.len()),
            Some(Content::Array(array)) => (Some(array.type_id), array.len()),
            Some(Content::Aggregate(aggregate)) => {
                let text = format!(
                    "{{count = {}, sum = {}, min = {}, max = {}, average = {}}}",
                    aggregate.count(),
                    aggregate.summary().sum,
                    aggregate.min(),
                    aggregate.max(),
                    aggregate.average()
                );
                self.push(text.as_bytes());
                return Ok(());
            }
            _ => (None, 0),
        };
        if length > 0 && !self.enter() {
            return Ok(());
        }
        if length == 0 {
            self.push(b"{}");
            return Ok(());
        }
        let constants = self.machine.store.constants.clone();
        let element = kind.and_then(|kind| match constants.containers.get(kind.0 as usize) {
            Some(ContainerType::Table { element, .. } | ContainerType::Array { element }) => {
                Some(element)
            }
            _ => None,
        });
        self.open();
        let mut next = 0;
        for count in 0..length {
            let Some((keys, bytes, after)) = self.machine.store.raw_element(handle, next) else {
                break;
            };
            next = after;
            if count > 0 {
                self.separate();
            }
            if count >= self.most_elements() || self.full() {
                self.push(target_bytes::CUT);
                break;
            }
            if let Some(keys) = keys {
                self.push(b"[");
                for (index, key) in keys.iter().enumerate() {
                    if index > 0 {
                        self.push(b", ");
                    }
                    self.decoded(key);
                }
                self.push(b"] = ");
            }
            match element {
                Some(Element::Value { shape, .. }) => self.value(*shape, Place::Tracer(&bytes))?,
                Some(Element::Container(_)) => {
                    let handle = crate::reading::load(None, &bytes).unwrap_or(0);
                    self.container(handle)?;
                }
                None => self.push(b"?"),
            }
        }
        self.close();
        self.leave();
        Ok(())
    }

    /// Writes a key, which was decoded from the words of a row.
    fn decoded(&mut self, value: &Value) {
        match value {
            Value::Integer(value) => self.push(value.to_string().as_bytes()),
            Value::Unsigned(value) => self.push(value.to_string().as_bytes()),
            Value::Float(value) => self.push(format!("{value:?}").as_bytes()),
            Value::Bool(value) => self.push(value.to_string().as_bytes()),
            Value::Char(value) => {
                let mut text = vec![b'\''];
                escape::c_into(&mut text, &[*value as u8], b'\'');
                text.push(b'\'');
                self.push(&text);
            }
            Value::Str(text) => self.quoted(text),
            Value::Path(path) => {
                let text = self.machine.path_text(*path);
                self.push(&text);
            }
            Value::Pointer(address) => self.push(format!("{address:#x}").as_bytes()),
            Value::Enum(Some(name), _) => self.push(escape::line(name.as_bytes()).as_bytes()),
            Value::Enum(None, value) => self.push(value.to_string().as_bytes()),
            Value::Record(fields) => {
                self.push(b"{");
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        self.push(b", ");
                    }
                    self.push(format!("{} = ", escape::line(name.as_bytes())).as_bytes());
                    self.decoded(value);
                }
                self.push(b"}");
            }
            Value::Array(values) => {
                self.push(b"{");
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        self.push(b", ");
                    }
                    self.decoded(value);
                }
                self.push(b"}");
            }
            Value::Table(_) | Value::Aggregate(_) | Value::Opaque => self.push(b"?"),
        }
    }
}
