//! Patterns with `*` and `?` over plain text, for waivers and for comparing what was granted before and after.
//!
//! Not how IAM matches actions and ARNs: that is evaluation's. Time is the product of both lengths at worst, memory
//! constant.

/// Whether `pattern` covers `text`: `*` stands for any characters, `?` for one.
///
/// `text` may be a pattern itself; then the answer is `true` only if everything it matches is matched by `pattern`.
pub(super) fn covers(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            // One character of the pattern never covers a `*`, which may stand for none or many.
            Some(&wanted) if wanted == byte || (wanted == b'?' && byte != b'*') => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        let Some((at, from)) = star else { return false };
        star = Some((at, from + 1));
        p = at + 1;
        t = from + 1;
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn patterns_cover_texts_and_narrower_patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("", "", true),
            ("", "a", false),
            ("a*c", "abc", true),
            ("a*c", "acc", true),
            ("a*c", "ab", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b", "xaxaxb", true),
            ("arn:aws:iam::*:role/ops-*", "arn:aws:iam::111122223333:role/ops-x", true),
            ("arn:aws:iam::*:role/ops-*", "arn:aws:iam::111122223333:role/dev", false),
            ("s3:*", "s3:Get*", true),
            ("s3:Get*", "s3:*", false),
            ("a?", "a*", false),
            ("a?", "a?", true),
            ("a*", "a?*", true),
        ] {
            assert_eq!(covers(pattern, text), expected, "`{pattern}` over `{text}`");
        }
    }

    #[test]
    fn hostile_patterns_end() {
        let pattern = "*a".repeat(2_000) + "b";
        assert!(!covers(&pattern, &"a".repeat(20_000)));
    }
}
