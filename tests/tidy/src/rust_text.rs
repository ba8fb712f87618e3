//! Rust source as text, with comments, literals and tests blanked out, so that a plain search finds only code.
//!
//! A scanner, not a parser: it knows where comments, strings and `#[cfg(test)]` items begin and end, and nothing else.

/// A source text in the three forms the rules look at. All have the same number of lines.
pub(crate) struct RustText {
    /// Code without comments, literals and tests.
    pub(crate) code: String,
    /// Code and its literals, without comments and tests.
    pub(crate) with_literals: String,
    /// Lines inside `#[cfg(test)]` items.
    pub(crate) test_lines: usize,
    /// Lines of the longest `#[cfg(test)]` item.
    pub(crate) longest_test: usize,
    /// Names of the modules declared as `#[cfg(test)] mod name;`.
    pub(crate) test_modules: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl RustText {
    pub(crate) fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let kinds = classify(&chars);
        let bare = keep(&chars, &kinds, |kind| kind == Kind::Code);
        let mut code: Vec<char> = bare.clone();
        let mut with_literals = keep(&chars, &kinds, |kind| kind != Kind::Comment);
        let (mut test_lines, mut longest_test, mut test_modules) = (0, 0, Vec::new());
        for (start, end) in test_items(&bare) {
            let item: String = bare[start..end].iter().collect();
            test_modules.extend(declared_module(&item));
            let lines = bare[start..end].iter().filter(|c| **c == '\n').count() + 1;
            test_lines += lines;
            longest_test = longest_test.max(lines);
            for at in start..end {
                if bare[at] != '\n' {
                    code[at] = ' ';
                    with_literals[at] = ' ';
                }
            }
        }
        let (code, with_literals) = (code.iter().collect(), with_literals.iter().collect());
        Self { code, with_literals, test_lines, longest_test, test_modules }
    }
}

/// Every occurrence of a word in a text, as what stands before it and what stands after it.
pub(crate) fn occurrences<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.match_indices(word).map(move |(at, _)| {
        let (before, rest) = text.split_at(at);
        (before, rest.split_at(word.len()).1)
    })
}

fn keep(chars: &[char], kinds: &[Kind], wanted: impl Fn(Kind) -> bool) -> Vec<char> {
    chars.iter().zip(kinds).map(|(c, kind)| if *c == '\n' || wanted(*kind) { *c } else { ' ' }).collect()
}

fn classify(chars: &[char]) -> Vec<Kind> {
    let mut kinds = vec![Kind::Code; chars.len()];
    let mut at = 0;
    while at < chars.len() {
        let (kind, end) = token(chars, at);
        kinds[at..end].fill(kind);
        at = end;
    }
    kinds
}

/// The kind of what starts at a place, and where it ends.
fn token(chars: &[char], at: usize) -> (Kind, usize) {
    let next = |ahead: usize| chars.get(at + ahead).copied().unwrap_or(' ');
    match chars[at] {
        '/' if next(1) == '/' => (Kind::Comment, find(chars, at, |c| c == '\n')),
        '/' if next(1) == '*' => (Kind::Comment, block_comment_end(chars, at)),
        '"' => (Kind::Literal, string_end(chars, at + 1)),
        'r' if !follows_word(chars, at) => raw_string(chars, at),
        'b' if !follows_word(chars, at) && next(1) == 'r' => raw_string(chars, at + 1),
        '\'' if next(1) == '\\' => (Kind::Literal, find(chars, at + 3, |c| c == '\'').min(chars.len() - 1) + 1),
        '\'' if next(2) == '\'' => (Kind::Literal, at + 3),
        _ => (Kind::Code, at + 1),
    }
}

fn follows_word(chars: &[char], at: usize) -> bool {
    at > 0 && is_word(chars[at - 1])
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn find(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|at| wanted(chars[*at])).unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], from: usize) -> usize {
    let (mut depth, mut at) = (0_usize, from);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], from: usize) -> usize {
    let mut at = from;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn raw_string(chars: &[char], r: usize) -> (Kind, usize) {
    let quote = find(chars, r + 1, |c| c != '#');
    if chars.get(quote) != Some(&'"') {
        return (Kind::Code, r + 1);
    }
    let hashes = quote - r - 1;
    let mut at = quote + 1;
    while at < chars.len() {
        let closes = chars[at] == '"' && chars.get(at + 1..=at + hashes).is_some_and(|h| h.iter().all(|c| *c == '#'));
        if closes {
            return (Kind::Literal, at + 1 + hashes);
        }
        at += 1;
    }
    (Kind::Literal, chars.len())
}

/// The name in `#[cfg(test)] mod name;`.
fn declared_module(item: &str) -> Option<String> {
    let declaration = item.strip_prefix("#[cfg(test)]")?.trim().strip_suffix(';')?;
    Some(declaration.rsplit_once("mod ")?.1.trim().to_owned())
}

/// Where `#[cfg(test)]` items start and end.
fn test_items(code: &[char]) -> Vec<(usize, usize)> {
    let marker: Vec<char> = "#[cfg(test)]".chars().collect();
    let mut items = Vec::new();
    let mut at = 0;
    while at + marker.len() <= code.len() {
        if code[at..at + marker.len()] == marker[..] {
            let end = item_end(code, at + marker.len());
            items.push((at, end));
            at = end;
        } else {
            at += 1;
        }
    }
    items
}

/// The end of the item: its semicolon, or its closing brace.
fn item_end(code: &[char], from: usize) -> usize {
    let is_use = code[from..].iter().collect::<String>().trim_start().starts_with("use ");
    let mut depth = 0_usize;
    for (at, c) in code.iter().enumerate().skip(from) {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && !is_use {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn comments_literals_and_tests_are_blanked() {
    let text = "//! doc\nfn a<'x>() { let b = \"// no\"; let c = 'c'; let d = r#\"\"todo!\"#; } /* x /* y */ */ fn e() {}\n\
                #[cfg(test)]\nmod tests {\n    fn f() {}\n}\nfn g() {}\n#[cfg(test)]\nmod more;\nfn h() {}\n";
    let source = RustText::of(text);
    for kept in ["fn a<'x>", "fn e() {}", "fn g() {}", "fn h() {}"] {
        assert!(source.code.contains(kept), "`{kept}` is code");
    }
    for cut in ["doc", "no", "todo", "y", "fn f", "mod more"] {
        assert!(!source.code.contains(cut), "`{cut}` is not code");
    }
    assert!(source.with_literals.contains("// no"), "literals stay when asked for");
    assert_eq!((source.test_lines, source.longest_test), (6, 4));
    assert_eq!(source.test_modules, ["more"]);
    assert_eq!(source.code.lines().count(), text.lines().count(), "lines keep their numbers");
}
