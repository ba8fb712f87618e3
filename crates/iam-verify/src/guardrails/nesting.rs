//! Bounds on rule texts, checked before Cedar's parser sees them.
//!
//! The parser works recursively; a hostile text must not cost the process its stack. This scan knows brackets, strings
//! and comments, and nothing else about Cedar.

/// The largest rule file, in bytes.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// The deepest nesting of brackets.
const MAX_DEPTH: usize = 32;

/// The most operators in one rule; Cedar keeps a chain of them as a tree as deep as it is long.
const MAX_OPERATORS: usize = 128;

/// What is too much, and at which byte.
pub(super) fn excess(text: &str) -> Option<(usize, &'static str)> {
    if text.len() > MAX_BYTES {
        return Some((MAX_BYTES, "the file is larger than 64 KiB"));
    }
    // `||` and `&&` are two bytes, the others one: a half each, and a whole.
    let (mut depth, mut halves) = (0_usize, 0_usize);
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((offset, byte)) = bytes.next() {
        match byte {
            b'"' => {
                while let Some((_, inner)) = bytes.next() {
                    match inner {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            b'/' if bytes.peek().is_some_and(|(_, next)| *next == b'/') => {
                while bytes.next().is_some_and(|(_, inner)| inner != b'\n') {}
            }
            b'(' | b'[' => depth += 1,
            // A condition in braces joins a chain too.
            b'{' => (depth, halves) = (depth + 1, halves + 2),
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b';' => halves = 0,
            b'|' | b'&' => halves += 1,
            b'+' | b'-' | b'*' | b'!' | b'.' | b'<' => halves += 2,
            // Conditionals nest to the right without a bracket, and cost more stack than an operator.
            b'i' if opens_conditional(text, offset) => halves += 8,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some((offset, "brackets are nested deeper than 32 levels"));
        }
        if halves > 2 * MAX_OPERATORS {
            return Some((offset, "one rule holds more than 128 operators"));
        }
    }
    None
}

/// Whether the word `if`, and not the beginning of a longer one, stands at `offset`.
fn opens_conditional(text: &str, offset: usize) -> bool {
    let rest = text.get(offset..).unwrap_or_default();
    rest.strip_prefix("if").is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::excess;

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let text = format!("// {}\nforbid (principal) when {{ \"{}\\\"(\" == x }};", "(".repeat(99), "(".repeat(99));
        assert_eq!(excess(&text), None);
    }

    #[test]
    fn depth_chains_and_size_are_bounded() {
        assert!(excess(&"(".repeat(33)).is_some());
        assert!(excess(&"a||".repeat(130)).is_some());
        assert!(excess(&"if a then b else ".repeat(100)).is_some());
        assert!(excess(&"when {a} ".repeat(200)).is_some());
        assert!(excess(&" ".repeat(64 * 1024 + 1)).is_some());
        assert_eq!(excess(&"forbid (principal, action, resource) when { a || b };\n".repeat(900)), None);
    }
}
