//! Tokens to trees: top-level blocks, and the body of one as a [`Node`] whose spans are bytes of the file.
//!
//! Expressions that are no literals, lists or objects stay texts with the tag [`EXPRESSION`]; templates with holes
//! have the tag [`TEMPLATE`]. Resolves nothing.

use iam_model::text::Span;

use super::heredoc;
use super::lex::{self, Kind as Tok, Lexer, Piece, Stopped, Token};
use crate::intrinsic::CONCAT;
use crate::tree::{Entry, Kind, Node, Quote};

/// A scalar that is an expression: its normal text.
pub(super) const EXPRESSION: &str = "expression";
/// A scalar that is a template with interpolations; literal `${` in it is `$${`.
pub(super) const TEMPLATE: &str = "template";
/// A mapping or list that is the argument of `jsonencode`.
pub(super) const JSONENCODE: &str = "jsonencode";
/// A JSON document in a heredoc.
pub(super) const HEREDOC: &str = "heredoc";
/// A JSON document in a file of its own, without interpolations.
pub(super) const JSON: &str = "json";
/// A heredoc that holds no JSON object.
pub(super) const HEREDOC_TEXT: &str = "heredoc-text";
/// A bare interpolation in JSON, outside of quotes.
pub(super) const RAW: &str = "raw";

/// Levels of nesting that are read.
const DEPTH: usize = 60;

/// A block or attribute of a file's top level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The type and the labels: `resource`, `aws_iam_role`, `lambda`.
    pub(super) head: Vec<String>,
    /// From the type to the closing brace, or the end of the value.
    pub(super) span: Span,
    /// From brace to brace; the value of an attribute.
    pub(super) body: Span,
    /// Whether it is `name = value`, as in variable files.
    pub(super) attribute: bool,
}

impl Block {
    /// Whether it is a block of this kind and type, such as `resource`, `aws_iam_role`.
    pub(super) fn is(&self, kind: &str, of: &str) -> bool {
        self.kind() == kind && self.head.get(1).is_some_and(|t| t == of)
    }

    pub(super) fn kind(&self) -> &str {
        self.head.first().map_or("", String::as_str)
    }

    /// The type label of a resource or data source.
    pub(super) fn of(&self) -> &str {
        self.head.get(1).map_or("", String::as_str)
    }

    /// The last label.
    pub(super) fn name(&self) -> &str {
        self.head.last().map_or("", String::as_str)
    }
}

/// The top-level blocks of a file, without looking into them.
pub(super) fn split(text: &str) -> Result<Vec<Block>, Stopped> {
    let mut lexer = Lexer::new(text, Span::new(0, text.len()));
    let mut blocks = Vec::new();
    while let Some(token) = lexer.next()? {
        if matches!(token.kind, Tok::Newline) {
            continue;
        }
        if token.kind != Tok::Word {
            return Err(Stopped { offset: token.span.start, message: "a block or an attribute is expected here" });
        }
        let mut head = vec![token.span.slice(text).to_owned()];
        loop {
            let Some(next) = lexer.next()? else {
                return Err(Stopped { offset: token.span.start, message: "a block has no body" });
            };
            match next.kind {
                Tok::Word => head.push(next.span.slice(text).to_owned()),
                Tok::Quoted => head.push(next.span.slice(text).trim_matches('"').to_owned()),
                Tok::Mark('{') => {
                    let end = skip(&mut lexer, next.span.start)?;
                    let (span, body) = (Span::new(token.span.start, end), Span::new(next.span.start, end));
                    blocks.push(Block { head, span, body, attribute: false });
                    break;
                }
                Tok::Mark('=') if head.len() == 1 => {
                    let body = value(&mut lexer)?;
                    let span = Span::new(token.span.start, body.end);
                    blocks.push(Block { head, span, body, attribute: true });
                    break;
                }
                _ => return Err(Stopped { offset: next.span.start, message: "a block's body is expected here" }),
            }
        }
    }
    Ok(blocks)
}

/// Steps over a braced body; the offset after it.
fn skip(lexer: &mut Lexer<'_>, start: usize) -> Result<usize, Stopped> {
    let mut open = 1usize;
    while let Some(token) = lexer.next()? {
        match token.kind {
            Tok::Mark('{') => open += 1,
            Tok::Mark('}') => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok(token.span.end);
        }
    }
    Err(Stopped { offset: start, message: "a block has no end" })
}

/// Steps over an attribute's value.
fn value(lexer: &mut Lexer<'_>) -> Result<Span, Stopped> {
    let (mut open, mut span): (usize, Option<Span>) = (0, None);
    while let Some(token) = lexer.next()? {
        match token.kind {
            Tok::Newline if open == 0 => break,
            Tok::Mark('{' | '[' | '(') => open += 1,
            Tok::Mark('}' | ']' | ')') => open = open.saturating_sub(1),
            _ => {}
        }
        if token.kind != Tok::Newline {
            span = Some(Span::new(span.map_or(token.span.start, |s| s.start), token.span.end));
        }
    }
    span.ok_or(Stopped { offset: 0, message: "an attribute has no value" })
}

/// Reads the body of a block, or the value of an attribute.
pub(super) fn read(text: &str, block: &Block) -> Result<Node, Stopped> {
    let tokens = lex::tokens(text, block.body)?;
    let reader = Reader { text };
    if block.attribute {
        return reader.expression(&tokens, 0);
    }
    let inside = tokens.get(1..tokens.len().saturating_sub(1)).unwrap_or_default();
    let entries = reader.body(inside, 0)?;
    Ok(Node { span: block.body, tag: None, anchored: false, kind: Kind::Map { entries, flow: false } })
}

struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn stop<T>(tokens: &[Token], message: &'static str) -> Result<T, Stopped> {
        Err(Stopped { offset: tokens.first().map_or(0, |t| t.span.start), message })
    }

    fn scalar(text: impl Into<String>, tag: Option<&str>, quote: Quote, span: Span) -> Node {
        let kind = Kind::Scalar { text: text.into(), quote };
        Node { span, tag: tag.map(str::to_owned), anchored: false, kind }
    }

    fn body(&self, mut tokens: &[Token], depth: usize) -> Result<Vec<Entry>, Stopped> {
        let mut entries = Vec::new();
        while let [first, rest @ ..] = tokens {
            if first.kind == Tok::Newline {
                tokens = rest;
                continue;
            }
            if first.kind != Tok::Word || depth > DEPTH {
                return Self::stop(tokens, "a block or an attribute is expected here");
            }
            if rest.first().is_some_and(|t| t.is('=')) {
                let rest = rest.get(1..).unwrap_or_default();
                let length = extent(rest, true);
                let value = self.expression(rest.get(..length).unwrap_or_default(), depth + 1)?;
                let key = Self::scalar(first.span.slice(self.text), None, Quote::Plain, first.span);
                entries.push(Entry { key, value });
                tokens = rest.get(length..).unwrap_or_default();
                continue;
            }
            let Some(brace) = tokens.iter().position(|t| !matches!(t.kind, Tok::Word | Tok::Quoted)) else {
                return Self::stop(tokens, "a block's body is expected here");
            };
            let (head, rest) = tokens.split_at_checked(brace).unwrap_or_default();
            let length = if rest.first().is_some_and(|t| t.is('{')) { matching(rest) } else { None };
            let Some(length) = length else { return Self::stop(rest, "a block's body is expected here") };
            let label = |t: &Token| t.span.slice(self.text).trim_matches('"').to_owned();
            let name = head.iter().map(label).collect::<Vec<_>>().join(" ");
            let inside = rest.get(1..length - 1).unwrap_or_default();
            let kind = Kind::Map { entries: self.body(inside, depth + 1)?, flow: false };
            let end = |list: &[Token]| list.last().map_or(0, |t| t.span.end);
            let span = Span::new(rest.first().map_or(0, |t| t.span.start), end(rest.get(..length).unwrap_or_default()));
            let key = Self::scalar(name, None, Quote::Plain, Span::new(first.span.start, end(head)));
            entries.push(Entry { key, value: Node { span, tag: None, anchored: false, kind } });
            tokens = rest.get(length..).unwrap_or_default();
        }
        Ok(entries)
    }

    fn expression(&self, tokens: &[Token], depth: usize) -> Result<Node, Stopped> {
        let tokens = trimmed(tokens);
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            return Self::stop(tokens, "a value is expected here");
        };
        let span = Span::new(first.span.start, last.span.end);
        if depth > DEPTH {
            return Self::stop(tokens, "values are nested too deep");
        }
        match (first.kind, tokens) {
            (Tok::Quoted, [_]) => return self.quoted(span),
            (Tok::Heredoc { body }, [_]) => return heredoc::read(self.text, span, body),
            (Tok::Number, [_]) => return Ok(Self::scalar(span.slice(self.text), None, Quote::Plain, span)),
            (Tok::Word, [_]) => {
                let word = span.slice(self.text);
                return Ok(match word {
                    "null" => Node { span, tag: None, anchored: false, kind: Kind::Null },
                    "true" | "false" => Self::scalar(word, None, Quote::Plain, span),
                    _ => Self::scalar(word, Some(EXPRESSION), Quote::Plain, span),
                });
            }
            _ => {}
        }
        if let [minus, number] = tokens
            && minus.is('-')
            && number.kind == Tok::Number
        {
            let text = format!("-{}", number.span.slice(self.text));
            return Ok(Self::scalar(text, None, Quote::Plain, span));
        }
        let whole = matching(tokens) == Some(tokens.len());
        let made =
            tokens.iter().skip(1).find(|t| t.kind != Tok::Newline).is_some_and(|t| t.span.slice(self.text) == "for");
        if whole && !made && first.is('[') {
            return self.list(tokens, span, depth);
        }
        if whole && !made && first.is('{') {
            return self.object(tokens, span, depth);
        }
        if let Some(argument) = self.arguments(tokens, "jsonencode") {
            let node = self.expression(argument, depth + 1)?;
            if node.tag.is_none() && (node.is_map() || node.is_seq()) {
                return Ok(Node { tag: Some(JSONENCODE.into()), ..node });
            }
        }
        if let Some(arguments) = self.arguments(tokens, "concat") {
            let items = self.items(arguments, depth)?;
            let kind = Kind::Seq { items, dashes: Vec::new(), flow: true };
            return Ok(Node { span, tag: Some(CONCAT.into()), anchored: false, kind });
        }
        Ok(Self::scalar(lex::normal(self.text, tokens), Some(EXPRESSION), Quote::Plain, span))
    }

    /// The arguments of a call that is the whole expression; nothing where the last is expanded.
    fn arguments<'k>(&self, tokens: &'k [Token], function: &str) -> Option<&'k [Token]> {
        let (name, rest) = tokens.split_first()?;
        let whole =
            name.span.slice(self.text) == function && rest.first()?.is('(') && matching(rest) == Some(rest.len());
        let inside = trimmed(rest.get(1..rest.len().checked_sub(1)?)?);
        inside_ends(inside, self.text).filter(|_| whole)
    }

    fn list(&self, tokens: &[Token], span: Span, depth: usize) -> Result<Node, Stopped> {
        let items = self.items(tokens.get(1..tokens.len() - 1).unwrap_or_default(), depth)?;
        Ok(Node { span, tag: None, anchored: false, kind: Kind::Seq { items, dashes: Vec::new(), flow: true } })
    }

    fn items(&self, mut rest: &[Token], depth: usize) -> Result<Vec<Node>, Stopped> {
        let mut items = Vec::new();
        while !trimmed(rest).is_empty() {
            let length = extent(rest, false);
            items.push(self.expression(rest.get(..length).unwrap_or_default(), depth + 1)?);
            rest = rest.get(length..).unwrap_or_default();
            rest = rest.split_first().filter(|(comma, _)| comma.is(',')).map_or(rest, |(_, rest)| rest);
        }
        Ok(items)
    }

    fn object(&self, tokens: &[Token], span: Span, depth: usize) -> Result<Node, Stopped> {
        let mut rest = tokens.get(1..tokens.len() - 1).unwrap_or_default();
        let mut entries = Vec::new();
        while let [first, tail @ ..] = rest {
            if first.kind == Tok::Newline || first.is(',') {
                rest = tail;
                continue;
            }
            let Some(length) = assignment(rest) else { return Self::stop(rest, "a key and a value are expected here") };
            let key = self.key(rest.get(..length).unwrap_or_default(), depth)?;
            rest = rest.get(length + 1..).unwrap_or_default();
            let length = extent(rest, true);
            let value = self.expression(rest.get(..length).unwrap_or_default(), depth + 1)?;
            entries.push(Entry { key, value });
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(Node { span, tag: None, anchored: false, kind: Kind::Map { entries, flow: true } })
    }

    fn key(&self, tokens: &[Token], depth: usize) -> Result<Node, Stopped> {
        match tokens {
            [only] if matches!(only.kind, Tok::Word | Tok::Number) => {
                Ok(Self::scalar(only.span.slice(self.text), None, Quote::Plain, only.span))
            }
            _ => self.expression(tokens, depth + 1),
        }
    }

    fn quoted(&self, span: Span) -> Result<Node, Stopped> {
        let pieces = Lexer::pieces(self.text, Span::new(span.start + 1, span.end - 1), true)?;
        let mut parts = Vec::new();
        for piece in &pieces {
            parts.push(match piece {
                Piece::Literal(literal) => Part::Literal(unescaped(literal.slice(self.text))),
                Piece::Hole { inside, whole } => hole(self.text, *inside, *whole)?,
            });
        }
        Ok(template(parts, Quote::Double, span))
    }
}

/// A piece of a template in its normal form.
pub(super) enum Part {
    Literal(String),
    /// An interpolation: the normal text of the expression.
    Hole(String),
    /// A directive: its text.
    Directive(String),
}

/// An interpolation as a part.
pub(super) fn hole(text: &str, inside: Span, whole: Span) -> Result<Part, Stopped> {
    if whole.slice(text).starts_with('%') {
        return Ok(Part::Directive(whole.slice(text).to_owned()));
    }
    Ok(Part::Hole(lex::normal(text, &lex::tokens(text, inside)?)))
}

/// A template as a node: a plain text, an expression, or a text with holes.
pub(super) fn template(parts: Vec<Part>, quote: Quote, span: Span) -> Node {
    let node = |text: String, tag: Option<&str>| Node {
        span,
        tag: tag.map(str::to_owned),
        anchored: false,
        kind: Kind::Scalar { text, quote },
    };
    if let [Part::Hole(only)] = parts.as_slice() {
        return node(only.clone(), Some(EXPRESSION));
    }
    if parts.iter().all(|part| matches!(part, Part::Literal(_))) {
        let literal = |part| if let Part::Literal(text) = part { text } else { String::new() };
        return node(parts.into_iter().map(literal).collect(), None);
    }
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Literal(text) => out.push_str(&escape_holes(&text)),
            Part::Hole(text) => out.push_str(&format!("${{{text}}}")),
            Part::Directive(text) => out.push_str(&text),
        }
    }
    node(out, Some(TEMPLATE))
}

/// Literal text as it must stand in a template.
pub(super) fn escape_holes(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// What an escaped literal of a quoted template says.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let digits = |rest: &mut std::str::Chars<'_>, count: usize| {
            let code = u32::from_str_radix(&rest.by_ref().take(count).collect::<String>(), 16).ok();
            code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
        };
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => out.push(digits(&mut rest, 4)),
            Some('U') => out.push(digits(&mut rest, 8)),
            Some(other) => out.push(other),
            None => {}
        }
    }
    unescape_holes(&out)
}

/// Literal text of a template without the doubled marks.
pub(super) fn unescape_holes(text: &str) -> String {
    text.replace("$${", "${").replace("%%{", "%{")
}

fn trimmed(mut tokens: &[Token]) -> &[Token] {
    while let [first, rest @ ..] = tokens
        && first.kind == Tok::Newline
    {
        tokens = rest;
    }
    while let [rest @ .., last] = tokens
        && last.kind == Tok::Newline
    {
        tokens = rest;
    }
    tokens
}

/// The arguments of a call; nothing where they end in `...`.
fn inside_ends<'k>(arguments: &'k [Token], text: &str) -> Option<&'k [Token]> {
    let expanded = arguments.last().is_some_and(|token| token.span.slice(text).ends_with('.'));
    (!expanded).then_some(arguments)
}

/// How many tokens belong to the value at the start: up to a comma, or a line break where that ends it.
fn extent(tokens: &[Token], line: bool) -> usize {
    let mut open = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Tok::Newline if open == 0 && line => return at,
            Tok::Mark(',') if open == 0 => return at,
            Tok::Mark('{' | '[' | '(') => open += 1,
            Tok::Mark('}' | ']' | ')') => open = open.saturating_sub(1),
            _ => {}
        }
    }
    tokens.len()
}

/// How many tokens a bracketed value has that starts here.
fn matching(tokens: &[Token]) -> Option<usize> {
    let mut open = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Tok::Mark('{' | '[' | '(') => open += 1,
            Tok::Mark('}' | ']' | ')') => {
                open = open.checked_sub(1)?;
                if open == 0 {
                    return Some(at + 1);
                }
            }
            _ if open == 0 => return None,
            _ => {}
        }
    }
    None
}

/// How many tokens stand before the `=` or `:` of an object's entry.
fn assignment(tokens: &[Token]) -> Option<usize> {
    let mut open = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Tok::Mark('=' | ':') if open == 0 => return Some(at),
            Tok::Mark('{' | '[' | '(') => open += 1,
            Tok::Mark('}' | ']' | ')') => open = open.checked_sub(1)?,
            Tok::Newline if open == 0 => return None,
            _ => {}
        }
    }
    None
}
