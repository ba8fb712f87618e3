//! Routes: the ways in which a function is called over HTTP, and whom they ask who is calling.
//!
//! The words and the shape alone. Templates and descriptions of deployed interfaces are read elsewhere.

use crate::arn::Arn;
use crate::diagnostic::Place;

/// What has to be shown before a route calls its function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authorization {
    /// Nothing: everyone who reaches the address is let through.
    Nothing,
    /// A signature of an AWS identity that is allowed to call.
    Iam,
    /// A token of an Amazon Cognito user pool.
    Cognito,
    /// Whatever a function of the account decides.
    Lambda,
    /// A JSON web token of a known issuer.
    Jwt,
    /// Not known, and why: never taken for a door that is shut.
    Unknown(String),
}

impl Authorization {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Iam => "iam",
            Self::Cognito => "cognito",
            Self::Lambda => "lambda",
            Self::Jwt => "jwt",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// One way to call a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The interface it belongs to, such as `REST API Orders` or `the function's URL`.
    pub interface: String,
    /// Method and path, such as `GET /orders`; empty for a function's URL.
    pub call: String,
    /// What is asked for.
    pub authorization: Authorization,
    /// What else may stand in the way without telling who calls: a resource policy, an API key, a private network.
    pub narrowed_by: Vec<String>,
    /// The function that is called; nothing where the source does not say which.
    pub function: Option<Arn>,
    /// Where it is written.
    pub place: Option<Place>,
}

impl Route {
    /// The route in words.
    ///
    /// ```
    /// use iam_model::route::{Authorization, Route};
    /// let route = Route {
    ///     interface: "REST API Orders".into(),
    ///     call: "GET /orders".into(),
    ///     authorization: Authorization::Nothing,
    ///     narrowed_by: Vec::new(),
    ///     function: None,
    ///     place: None,
    /// };
    /// assert_eq!(route.name(), "GET /orders of REST API Orders");
    /// ```
    #[must_use]
    pub fn name(&self) -> String {
        if self.call.is_empty() { self.interface.clone() } else { format!("{} of {}", self.call, self.interface) }
    }
}
