//! Bounds on rule texts, checked before Cedar's parser sees them.
//!
//! The parser works recursively; a hostile text must not cost the process its stack. This scan knows brackets, strings
//! and comments, and nothing else about Cedar.

/// The largest rule file, in bytes.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// The deepest nesting of brackets.
const MAX_DEPTH: usize = 32;

/// The longest chain of operators in one rule; Cedar keeps a chain as a tree as deep as it is long.
const MAX_OPERATORS: usize = 512;

/// What is too much, and at which byte.
pub(super) fn excess(text: &str) -> Option<(usize, &'static str)> {
    if text.len() > MAX_BYTES {
        return Some((MAX_BYTES, "the file is larger than 64 KiB"));
    }
    let (mut depth, mut operators) = (0_usize, 0_usize);
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
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b';' => operators = 0,
            b'|' | b'&' | b'+' | b'-' | b'*' | b'!' | b'.' => operators += 1,
            b'i' if text.get(offset..offset + 3) == Some("if ") => depth_of_conditional(&mut operators),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some((offset, "brackets are nested deeper than 32 levels"));
        }
        if operators > MAX_OPERATORS {
            return Some((offset, "one rule holds more than 512 operators"));
        }
    }
    None
}

/// Conditionals nest to the right without a bracket, and cost more stack than an operator.
const fn depth_of_conditional(operators: &mut usize) {
    *operators += 8;
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
        assert!(excess(&"a||".repeat(300)).is_some());
        assert!(excess(&"if a then b else ".repeat(100)).is_some());
        assert!(excess(&" ".repeat(64 * 1024 + 1)).is_some());
        assert_eq!(excess(&"forbid (principal, action, resource) when { a || b };\n".repeat(900)), None);
    }
}
