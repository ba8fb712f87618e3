//! Names as types of their own, so that a rule's id is never taken for a person's name.
//!
//! Any text is kept as it is: names come from configuration and files, and Cedar receives them as values, never as
//! source text.

use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as given.
            #[must_use]
            pub fn new(text: &str) -> Self {
                Self(text.into())
            }

            /// The name as given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// The `@id` of a rule: words in kebab case.
    RuleId;
    /// A named group of actions, such as `escalation`.
    GroupName;
    /// The id of an organisational unit.
    UnitName;
    /// A service as a caller, such as `apigateway.amazonaws.com`.
    ServicePrincipal;
    /// An identity provider: the ARN or host name under `Federated`.
    ProviderName;
    /// Who reviews and merges.
    PersonName;
    /// A program that merges.
    BotName;
    /// A pull request, such as `shop/42`.
    PullRequestName;
    /// A service or resource control policy.
    GuardrailName;
}
