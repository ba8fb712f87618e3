//! Amazon Resource Names and the parts of them that have types of their own.
//!
//! Follows the AWS documentation topic "Identify AWS resources with Amazon Resource Names (ARNs)". Concrete names
//! only: a pattern with wildcards is a [`ResourcePattern`]. Matching lives with evaluation.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A twelve-digit AWS account id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Box<str>);

impl AccountId {
    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AccountId {
    /// Whether a text is an account's number: twelve digits.
    ///
    /// ```
    /// use iam_model::arn::AccountId;
    /// assert!(AccountId::is_number("111122223333"));
    /// assert!(!AccountId::is_number("11112222333") && !AccountId::is_number("1111-2222-333"));
    /// ```
    #[must_use]
    pub fn is_number(text: &str) -> bool {
        text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
    }
}

impl FromStr for AccountId {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        if Self::is_number(text) { Ok(Self(text.into())) } else { Err(ArnError::Account { text: text.into() }) }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A concrete ARN: `arn:partition:service:region:account:resource`.
///
/// ```
/// use iam_model::arn::Arn;
/// let arn: Arn = "arn:aws:dynamodb:us-east-1:111122223333:table/Orders".parse().unwrap();
/// assert_eq!(arn.service(), "dynamodb");
/// assert_eq!(arn.resource(), "table/Orders");
/// assert!("orders".parse::<Arn>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    text: Box<str>,
    /// Where the five colons stand that part the six segments.
    colons: [u16; 5],
}

impl Arn {
    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The service namespace, such as `s3`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region; empty for global services.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The owning account, where the ARN names one; S3 buckets and objects do not.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.account_text().parse().ok()
    }

    /// Whether AWS itself owns the thing, as it does its managed policies: nobody else can change it.
    #[must_use]
    pub fn is_owned_by_aws(&self) -> bool {
        self.account_text() == "aws"
    }

    /// Whether this is one of AWS's own policies for running functions. They are kept as they are: nobody can edit them,
    /// and a smaller copy would fall behind when AWS changes what Lambda needs.
    #[must_use]
    pub fn is_runtime_policy(&self) -> bool {
        const OTHERS: &[&str] =
            &["policy/AWSXRayDaemonWriteAccess", "policy/CloudWatchLambdaInsightsExecutionRolePolicy"];
        self.is_owned_by_aws()
            && (self.resource().starts_with("policy/service-role/AWSLambda") || OTHERS.contains(&self.resource()))
    }

    /// Everything after the fifth colon.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    /// The last segment of the resource part: the name of a role without its path, of a table without its type.
    #[must_use]
    pub fn name(&self) -> &str {
        let resource = self.resource();
        resource.rsplit(['/', ':']).next().unwrap_or(resource)
    }

    /// The six segments: `arn`, partition, service, region, account, resource.
    #[must_use]
    pub fn segments(&self) -> [&str; 6] {
        let [a, b, c, d, e] = self.colons;
        let [a, b, c, d, e] = [usize::from(a), usize::from(b), usize::from(c), usize::from(d), usize::from(e)];
        let text = |start: usize, end: usize| self.text.get(start..end).unwrap_or_default();
        [text(0, a), text(a + 1, b), text(b + 1, c), text(c + 1, d), text(d + 1, e), text(e + 1, self.text.len())]
    }

    /// What stands where the owning account does: twelve digits, `aws`, or nothing.
    #[must_use]
    pub fn account_text(&self) -> &str {
        let [_, _, _, before, after] = self.colons;
        self.text.get(usize::from(before) + 1..usize::from(after)).unwrap_or_default()
    }

    fn part(&self, index: usize) -> &str {
        let colon = |at: usize| self.colons.get(at).map(|colon| usize::from(*colon));
        let start = index.checked_sub(1).and_then(colon).map_or(0, |colon| colon + 1);
        self.text.get(start..colon(index).unwrap_or(self.text.len())).unwrap_or_default()
    }
}

/// The first five colons of a text that is no longer than any ARN.
fn colons(text: &str) -> Option<[u16; 5]> {
    let mut found = [0; 5];
    let mut places = text.bytes().enumerate().filter(|(_, byte)| *byte == b':');
    for slot in &mut found {
        *slot = u16::try_from(places.next()?.0).ok()?;
    }
    Some(found)
}

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let colons = colons(text).ok_or_else(|| ArnError::Form { text: text.into() })?;
        let arn = Self { text: text.into(), colons };
        let well_formed = arn.part(0) == "arn" && [1, 2, 5].iter().all(|index| !arn.part(*index).is_empty());
        if well_formed { Ok(arn) } else { Err(ArnError::Form { text: text.into() }) }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a policy's `Resource` element may hold: an ARN with wildcards and policy variables, or `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourcePattern(Box<str>);

impl ResourcePattern {
    /// The pattern as written. Any text is kept: whether it can match anything is for evaluation to say.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Every resource, `*`.
    #[must_use]
    pub fn everything() -> Self {
        Self::new("*")
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one name that the pattern stands for, as version 2012-10-17 reads it: its escapes are the characters they stand
    /// for. Nothing where it holds a wildcard or a variable.
    ///
    /// ```
    /// use iam_model::arn::ResourcePattern;
    /// let name = |text| ResourcePattern::new(text).name().map(String::from);
    /// assert_eq!(name("arn:aws:s3:::b/a${$}{x}${*}").as_deref(), Some("arn:aws:s3:::b/a${x}*"));
    /// assert_eq!(name("arn:aws:s3:::b/*"), None);
    /// assert_eq!(name("arn:aws:s3:::b/${aws:username}"), None);
    /// ```
    #[must_use]
    pub fn name(&self) -> Option<Cow<'_, str>> {
        let is_plain = |text: &str| !text.contains(['*', '?']);
        let mut pieces = self.0.split("${");
        let first = pieces.next().filter(|text| is_plain(text))?;
        let mut name = Cow::Borrowed(first);
        for piece in pieces {
            let (escaped, rest) = piece.split_once('}')?;
            if !matches!(escaped, "*" | "?" | "$") || !is_plain(rest) {
                return None;
            }
            name.to_mut().push_str(escaped);
            name.to_mut().push_str(rest);
        }
        Some(name)
    }

    /// Whether this is the bare `*`.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        &*self.0 == "*"
    }
}

impl From<&Arn> for ResourcePattern {
    fn from(arn: &Arn) -> Self {
        Self::new(arn.as_str())
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no ARN or account id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// Not of the form `arn:partition:service:region:account:resource`.
    #[error("`{text}` is not an ARN (arn:partition:service:region:account:resource)")]
    Form {
        /// The text.
        text: String,
    },
    /// Not twelve digits.
    #[error("`{text}` is not an account id (twelve digits)")]
    Account {
        /// The text.
        text: String,
    },
}
