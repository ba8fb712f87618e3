//! Why a change is not written: a closed set of codes, each with words for a person.
//!
//! Decides nothing; the modules that find, plan and guard do.

use std::fmt;

use iam_model::diagnostic::Place;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// The closed set of refusal codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RefusalCode {
            $($(#[$doc])* $name,)*
        }

        impl RefusalCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as written in reports: words in kebab case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// No source file holds the policy.
    NotInSource => "not-in-source",
    /// Several places could be meant and nothing tells them apart.
    Ambiguous => "ambiguous-source",
    /// The source does not explain what is deployed: somebody changed the account, or another version is deployed.
    Drift => "drift",
    /// SAM writes the policy itself; no source text stands for it.
    WrittenBySam => "written-by-sam",
    /// The function has a `Role`, so its `Policies` list has no effect.
    DeadList => "dead-policy-list",
    /// The text is shared through an anchor, an alias or a merge key.
    Shared => "shared-by-anchor",
    /// The policy is inside a condition, a macro or an include.
    Conditional => "conditional-source",
    /// The document is written as a text, not as a mapping.
    DocumentIsText => "document-is-text",
    /// The source is made by a program, the CDK or Pulumi; an edit of what it made would be lost.
    Generated => "generated-source",
    /// The change is of a kind this version does not write for this form.
    Unsupported => "form-unsupported",
    /// The lines are laid out in a way no edit fits without touching others.
    Layout => "layout-unsupported",
    /// The edit failed its own check; nothing was written.
    GuardFailed => "guard-failed",
    /// The text is deployed several times, and the edit is not what every deployment needs.
    SeveralDeployments => "several-deployments",
    /// Another change of the same run edits the same place.
    Overlap => "overlapping-changes",
    /// A claim about the change is refuted or undecided; nobody writes what is not proved.
    NotProved => "not-proved",
    /// The change has nothing to say: neither before nor after.
    Empty => "empty-change",
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a change is not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which kind of reason.
    pub code: RefusalCode,
    /// One line, lower case, no full stop.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
    /// The place in the source, where one was found.
    pub place: Option<Place>,
}

impl Refusal {
    pub(crate) fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, place: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }
}
