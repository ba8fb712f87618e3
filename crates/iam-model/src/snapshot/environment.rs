//! What functions are told by environment variables: names and ARNs of what they work on, among much else.
//!
//! Collected snapshots hold no values, since people put secrets there; templates do, and snapshots made by hand.

use super::Resource;
use crate::json::Value;

/// An environment variable of a function, with its value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvironmentVariable {
    /// The function, by name.
    pub function: String,
    /// The variable.
    pub name: String,
    /// Its value, which may be anything, a secret too: for comparing, not for showing.
    pub value: String,
}

impl std::fmt::Debug for EnvironmentVariable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.name, self.function)
    }
}

/// The variables of a function whose values the snapshot holds.
#[must_use]
pub fn environment(function: &Resource) -> Vec<EnvironmentVariable> {
    let variables = function.api.get("Environment").and_then(|environment| environment.get("Variables"));
    let Some(Value::Object(members)) = variables else { return Vec::new() };
    let one = |(name, value): &(String, Value)| {
        let (function, value) = (function.arn.name().to_owned(), value.as_str()?.to_owned());
        Some(EnvironmentVariable { function, name: name.clone(), value })
    };
    members.iter().filter_map(one).collect()
}
