//! Bytes made safe to show: for terminals, and as C writes them.

/// Appends bytes so that a terminal shows them and obeys none.
///
/// Control characters other than newline and tab, characters that reorder text, and bytes that
/// are not UTF-8 appear as `\xNN`, byte by byte. All else is copied.
pub fn terminal_into(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut buffer = [0; 4];
            let encoded = character.encode_utf8(&mut buffer).as_bytes();
            if matches!(character, '\n' | '\t') || !obeyed(character) {
                out.extend_from_slice(encoded);
            } else {
                hexadecimal_into(out, encoded);
            }
        }
        hexadecimal_into(out, chunk.invalid());
    }
}

/// The same as a string, with newlines and tabs escaped too: what fits on one line.
pub fn line(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                _ if obeyed(character) => {
                    let mut buffer = [0; 4];
                    for byte in character.encode_utf8(&mut buffer).bytes() {
                        out.push_str(&format!("\\x{byte:02x}"));
                    }
                }
                _ => out.push(character),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Whether a terminal acts on a character instead of showing it.
pub fn obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends bytes as they stand between C's quotes: `"` and `\` escaped, control characters by
/// their letters or in octal, UTF-8 kept.
pub fn c_into(out: &mut Vec<u8>, bytes: &[u8], quote: u8) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let simple = match character {
                '\n' => Some(b'n'),
                '\t' => Some(b't'),
                '\r' => Some(b'r'),
                '\u{7}' => Some(b'a'),
                '\u{8}' => Some(b'b'),
                '\u{b}' => Some(b'v'),
                '\u{c}' => Some(b'f'),
                '\\' => Some(b'\\'),
                _ if character == char::from(quote) => Some(quote),
                _ => None,
            };
            let mut buffer = [0; 4];
            let encoded = character.encode_utf8(&mut buffer).as_bytes();
            match simple {
                Some(letter) => out.extend_from_slice(&[b'\\', letter]),
                None if obeyed(character) => octal_into(out, encoded),
                None => out.extend_from_slice(encoded),
            }
        }
        octal_into(out, chunk.invalid());
    }
}

// Octal escapes end after three digits; hexadecimal ones would swallow a digit that follows.
fn octal_into(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.extend_from_slice(format!("\\{byte:03o}").as_bytes());
    }
}

fn hexadecimal_into(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        terminal_into(&mut out, bytes);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn terminals_are_not_commanded() {
        assert_eq!(terminal(b"a\x1b[31mb\r\n\tc"), "a\\x1b[31mb\\x0d\n\tc");
        assert_eq!(terminal("日本 é".as_bytes()), "日本 é");
        // U+009B is a control sequence introducer in one character.
        assert_eq!(terminal("\u{9b}1m".as_bytes()), "\\xc2\\x9b1m");
        assert_eq!(terminal(b"\x80\xffx\x7f\0"), "\\x80\\xffx\\x7f\\x00");
        assert_eq!(terminal("\u{202e}".as_bytes()), "\\xe2\\x80\\xae");
        assert_eq!(line(b"a\nb\t\x1b"), "a\\nb\\t\\x1b");
    }

    #[test]
    fn c_strings() {
        let mut out = Vec::new();
        c_into(&mut out, b"a\"b\\\n\x011\xff'", b'"');
        assert_eq!(out, b"a\\\"b\\\\\\n\\0011\\377'");
    }
}
