//! `x/i`: machine code as text.

use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter};

use super::Interactive;
use crate::error::SessionError;

/// The longest instruction, in bytes (Intel 64 manual, volume 2, 2.3.11).
const LONGEST: usize = 15;

/// The most instructions of one line.
const MOST: usize = 1 << 16;

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Its address.
    pub address: u64,
    /// Its length in bytes.
    pub length: u64,
    /// It as the GNU assembler writes it.
    pub text: String,
}

impl Interactive<'_> {
    /// Instructions from an address on, of the snapshot if there is one; and why there are fewer than were asked for.
    ///
    /// # Errors
    /// The target cannot be read at all.
    pub fn instructions(
        &mut self,
        address: u64,
        count: usize,
    ) -> Result<(Vec<Instruction>, Option<String>), SessionError> {
        let count = count.min(MOST);
        let mut bytes = vec![0; count * LONGEST];
        // What lies behind the last one need not be there.
        let (readable, why) = match self.read_memory(address, &mut bytes)? {
            Ok(()) => (bytes.len(), None),
            Err((why, readable)) => (readable, Some(why)),
        };
        let bytes = bytes.get(..readable).unwrap_or_default();
        let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
        let mut formatter = GasFormatter::new();
        formatter
            .options_mut()
            .set_space_after_operand_separator(false);
        let mut found = Vec::new();
        while found.len() < count && decoder.can_decode() {
            let instruction = decoder.decode();
            if instruction.is_invalid() {
                // At the end of what can be read it is only cut off.
                if decoder.position() >= readable && why.is_some() {
                    break;
                }
                found.push(Instruction {
                    address: instruction.ip(),
                    length: 1,
                    text: "(bad)".to_owned(),
                });
                let next = instruction.ip().wrapping_add(1);
                let at = usize::try_from(next.wrapping_sub(address)).unwrap_or(usize::MAX);
                if decoder.set_position(at).is_err() {
                    break;
                }
                decoder.set_ip(next);
                continue;
            }
            let mut text = String::new();
            formatter.format(&instruction, &mut text);
            text.push_str(&self.mentioned(&instruction));
            found.push(Instruction {
                address: instruction.ip(),
                length: instruction.len() as u64,
                text,
            });
        }
        let why = why.filter(|_| found.len() < count);
        Ok((found, why))
    }

    /// The names of addresses that an instruction mentions, as gdb adds them.
    fn mentioned(&self, instruction: &iced_x86::Instruction) -> String {
        let named = |address: u64| {
            let (name, offset) = self.session.names.symbol_name(address)?;
            Some(match offset {
                0 => format!("<{name}>"),
                offset => format!("<{name}+{offset}>"),
            })
        };
        let target = instruction.near_branch_target();
        if target != 0 {
            return named(target).map_or_else(String::new, |name| format!(" {name}"));
        }
        if !instruction.is_ip_rel_memory_operand() {
            return String::new();
        }
        let address = instruction.ip_rel_memory_address();
        match named(address) {
            Some(name) => format!("  # {address:#x} {name}"),
            None => format!("  # {address:#x}"),
        }
    }
}
