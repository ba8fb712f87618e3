//! The curated tables: how actions are logged, when an operation's further actions are really checked, and on what together.

use std::cell::Cell;

use super::input::{Facts, Pair};

/// How an action is logged.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Logged {
    Never,
    Data(Vec<String>),
}

/// `logging.txt`.
pub(crate) struct Logging {
    rows: Vec<(String, Logged, Cell<bool>)>,
}

impl Logging {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut rows = Vec::new();
        for line in lines(text) {
            let (head, patterns) = line.split_once(": ").ok_or_else(|| format!("logging.txt: no `: ` in `{line}`"))?;
            let logged = match head {
                "never" => Logged::Never,
                types => Logged::Data(types.split(", ").map(str::to_owned).collect()),
            };
            for pattern in patterns.split_whitespace() {
                if !pattern.contains(':') {
                    return Err(format!("logging.txt: `{pattern}` is no action pattern"));
                }
                rows.push((pattern.to_owned(), logged.clone(), Cell::new(false)));
            }
        }
        Ok(Self { rows })
    }

    /// What the table says about an action, if anything.
    pub(crate) fn of(&self, action: &str) -> Option<&Logged> {
        let (_, logged, used) = self.rows.iter().find(|(pattern, ..)| glob(pattern, action))?;
        used.set(true);
        Some(logged)
    }

    /// Patterns that fitted nothing so far: misspelt, or of actions the reference no longer has.
    pub(crate) fn unused(&self) -> Vec<&str> {
        self.rows.iter().filter(|(.., used)| !used.get()).map(|(pattern, ..)| pattern.as_str()).collect()
    }
}

/// When an action is checked; the numbers are those of the catalogue's format.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Trigger {
    Always,
    Has(Vec<String>),
    Resolves,
    /// Where the request names a role; also, where the call may pass one that it does not name.
    Role {
        unnamed: bool,
    },
    Sql(String),
    Hidden,
}

impl Trigger {
    pub(crate) const fn kind(&self) -> u32 {
        match self {
            Self::Always => 0,
            Self::Has(_) => 1,
            Self::Resolves => 2,
            Self::Role { .. } => 3,
            Self::Sql(_) => 4,
            Self::Hidden => 5,
        }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        match self {
            Self::Has(paths) => paths.clone(),
            Self::Sql(verb) => vec![verb.clone()],
            Self::Role { unnamed: true } => vec!["unnamed".to_owned()],
            _ => Vec::new(),
        }
    }
}

/// Request parameters that carry tags.
const TAG_PARAMETERS: &[&str] =
    &["tags", "Tags", "tag", "tagList", "tagSet", "tagSpecificationSet", "tagSpecifications", "jobTags", "tagsToAdd"];

/// `triggers.txt`.
pub(crate) struct Triggers {
    rows: Vec<(String, String, Trigger, Cell<bool>)>,
}

impl Triggers {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut rows = Vec::new();
        for line in lines(text) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [operation, action, kind, rest @ ..] = words.as_slice() else {
                return Err(format!("triggers.txt: `{line}` is too short"));
            };
            let trigger = match (*kind, rest) {
                ("always", []) => Trigger::Always,
                ("has", paths) if !paths.is_empty() => Trigger::Has(paths.iter().map(|p| (*p).to_owned()).collect()),
                ("resolves", []) => Trigger::Resolves,
                ("role", []) => Trigger::Role { unnamed: false },
                ("role-or-unnamed", []) => Trigger::Role { unnamed: true },
                ("sql", [verb]) => Trigger::Sql((*verb).to_owned()),
                ("hidden", []) => Trigger::Hidden,
                _ => return Err(format!("triggers.txt: `{line}` has no known trigger")),
            };
            rows.push(((*operation).to_owned(), (*action).to_owned(), trigger, Cell::new(false)));
        }
        Ok(Self { rows })
    }

    /// When the pair's action is checked.
    pub(crate) fn of(&self, operation: &str, pair: &Pair, tagging: bool) -> Trigger {
        let action = format!("{}:{}", pair.service, pair.name);
        let row = self.rows.iter().find(|(op, act, ..)| glob(op, operation) && glob(act, &action));
        if let Some((.., trigger, used)) = row {
            used.set(true);
            // What an operation stands for is checked for every call, unless the call chooses among several.
            if !pair.primary || matches!(trigger, Trigger::Resolves | Trigger::Sql(_)) {
                return trigger.clone();
            }
        }
        if pair.primary {
            Trigger::Always
        } else if action.eq_ignore_ascii_case("iam:PassRole") {
            Trigger::Role { unnamed: false }
        } else if tagging {
            Trigger::Has(TAG_PARAMETERS.iter().map(|p| (*p).to_owned()).collect())
        } else {
            Trigger::Hidden
        }
    }

    /// Lines that fitted nothing so far.
    pub(crate) fn unused(&self) -> Vec<String> {
        let unused = self.rows.iter().filter(|(.., used)| !used.get());
        unused.map(|(operation, action, ..)| format!("{operation} {action}")).collect()
    }
}

/// `together.txt`.
pub(crate) struct Together {
    /// Actions in the reference's spelling, with the groups of resource types that each call is checked on.
    pub(crate) rows: Vec<(String, Vec<String>)>,
    /// Lines that fit nothing: of actions or resource types that the reference no longer has.
    pub(crate) unused: Vec<String>,
}

impl Together {
    pub(crate) fn parse(text: &str, facts: &Facts) -> Result<Self, String> {
        let (mut rows, mut unused) = (Vec::new(), Vec::new());
        for line in lines(text) {
            let mut words = line.split_whitespace();
            let action = words.next().and_then(|action| action.split_once(':'));
            let (prefix, name) = action.ok_or_else(|| format!("together.txt: `{line}` begins with no action"))?;
            let groups: Vec<String> = words.map(str::to_owned).collect();
            if groups.len() < 2 {
                return Err(format!("together.txt: `{line}` has less than two groups"));
            }
            let kinds = facts.resource_types(prefix, name);
            if groups.iter().flat_map(|group| group.split('|')).all(|kind| kinds.contains(&kind)) {
                rows.push((format!("{prefix}:{name}"), groups));
            } else {
                unused.push(line.to_owned());
            }
        }
        rows.sort_by_cached_key(|(action, _)| action.to_ascii_lowercase());
        Ok(Self { rows, unused })
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Whether `text` fits a pattern with `*`, without regard to case.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_written() {
        let check =
            |pattern: &str, text: &str, expected: bool| assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        check("s3:Get*", "s3:GetObject", true);
        check("s3:Get*", "s3:PutObject", false);
        check("s3:*Object*", "s3:GetObjectAcl", true);
        check("s3:GetObject", "s3:GetObjectAcl", false);
        check("s3:getobject", "s3:GetObject", true);
        check("s3:*", "s3:ListBucket", true);
    }

    #[test]
    fn a_line_that_is_no_rule_is_refused() {
        assert!(Triggers::parse("s3:CopyObject s3:PutObject sometimes").is_err());
        assert!(Triggers::parse("s3:CopyObject").is_err());
        assert!(Logging::parse("never s3:GetObject").is_err());
    }
}
