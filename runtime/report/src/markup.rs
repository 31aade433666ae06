//! Text made safe for XML and HTML.

use ytrace_values::escape;

/// Text on one line with control characters escaped, and without the two characters that UTF-8 has and XML has not.
pub(crate) fn line(text: &str) -> String {
    legal(&escape::line(text.as_bytes()))
}

/// Without the two characters that UTF-8 has and XML has not.
pub(crate) fn legal(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// Text on one line, for an element or an attribute in quotes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in line(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        assert_eq!(
            escaped("<a b='\"'>&\x1b]]>\u{ffff}"),
            "&lt;a b=&#39;&quot;&#39;&gt;&amp;\\x1b]]&gt;\u{fffd}"
        );
    }
}
