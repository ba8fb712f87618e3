//! Where `${…}` stands in a text of a policy, and whether it has a form AWS documents.
//!
//! Follows the IAM User Guide topic "IAM policy elements: Variables and tags". What a variable stands for is not known
//! here. A text with another form is one that AWS's text is silent on: a proof does not rest on it.

/// Whether every `${` of a text opens `${key}`, `${key, 'default'}` or one of `${*}`, `${?}`, `${$}`.
///
/// ```
/// use iam_model::variable::are_well_formed;
/// assert!(are_well_formed("home/${aws:username, 'guest'}/${*}"));
/// assert!(!are_well_formed("home/${aws:username"));
/// assert!(!are_well_formed("home/${aws:username, guest}"));
/// ```
#[must_use]
pub fn are_well_formed(text: &str) -> bool {
    text.split("${").skip(1).all(|rest| rest.split_once('}').is_some_and(|(body, _)| is_well_formed(body)))
}

fn is_well_formed(body: &str) -> bool {
    let is_name =
        |text: &str| !text.is_empty() && text.trim() == text && !text.contains(['$', '{', '\'', '*', '?', ',']);
    match body.split_once(", ") {
        _ if matches!(body, "*" | "?" | "$") => true,
        None => is_name(body),
        Some((key, default)) => {
            let inner = default.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            is_name(key) && inner.is_some_and(|text| !text.contains(['\'', '$', '{']))
        }
    }
}

/// The text before each colon that stands outside of `${…}`, and what follows the last.
///
/// ```
/// let segments: Vec<&str> = iam_model::variable::segments("arn:aws:iam::${aws:PrincipalAccount}:role/a").collect();
/// assert_eq!(segments, ["arn", "aws", "iam", "", "${aws:PrincipalAccount}", "role/a"]);
/// ```
pub fn segments(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let Some(at) = first_colon(whole) else {
            rest = None;
            return Some(whole);
        };
        let (segment, tail) = whole.split_at_checked(at)?;
        rest = tail.strip_prefix(':');
        Some(segment)
    })
}

fn first_colon(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let colon = rest.find(':')?;
        match rest.find("${").filter(|open| *open < colon).and_then(|open| Some(open + rest.get(open..)?.find('}')?)) {
            Some(close) => from += close + 1,
            None => return Some(from + colon),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        for text in ["", "a", "${a}", "${aws:PrincipalTag/a b}", "${a, ''}", "x${*}${?}${$}y", "$", "{}", "${aws:x}}"] {
            assert!(are_well_formed(text), "{text}");
        }
        for text in ["${", "${}", "${ a}", "${a,'b'}", "${a, b}", "${a, 'b}", "${a, 'b'c'}", "${${a}}", "${a*}", "${a"]
        {
            assert!(!are_well_formed(text), "{text}");
        }
    }

    #[test]
    fn colons_inside_of_variables_separate_nothing() {
        for (text, expected) in [
            ("", 1),
            (":", 2),
            ("a:b:c", 3),
            ("${a:b}:c", 2),
            ("a${b:c}${d:e}", 1),
            ("${a:b", 2),
            ("a:${b:c}:d${e:f}g:h", 4),
        ] {
            assert_eq!(segments(text).count(), expected, "{text}");
        }
    }
}
