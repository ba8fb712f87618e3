//! One answer of AWS as the JSON that the AWS CLI prints: the body as it came, pages joined, secrets left out.
//!
//! Keeps what this version does not know. Makes no call itself.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_iam::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_iam::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_iam::error::{BoxError, ProvideErrorMetadata, SdkError};
use iam_model::json::{self, Arena, Limits, Node, NodeKind, Value};

use crate::connect::reason;
use crate::redact;

/// The code of a call that never reached AWS.
pub(crate) const NO_ANSWER: &str = "NoAnswer";

/// Why a call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// AWS's code, or what kind of failure it is on the way there.
    pub(crate) code: String,
    pub(crate) message: String,
    /// Whether trying again, later, may help.
    pub(crate) passing: bool,
}

impl Failure {
    /// What went wrong with a call.
    pub(crate) fn of<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug,
    {
        const PASSING: [&str; 14] = [
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "SlowDown",
            "LimitExceededException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
            "InternalFailure",
            "InternalServerError",
            "InternalError",
        ];
        match error.code() {
            Some(code) => Self {
                code: code.into(),
                message: error.message().unwrap_or("no message").into(),
                passing: PASSING.contains(&code),
            },
            None => {
                let passing = !matches!(error, SdkError::ConstructionFailure(_));
                Self { code: NO_ANSWER.into(), message: reason(error), passing }
            }
        }
    }

    /// An answer that cannot be used.
    pub(crate) fn unusable(message: impl Into<String>) -> Self {
        Self { code: "UnusableAnswer".into(), message: message.into(), passing: false }
    }

    /// Whether nothing more will be answered with these credentials.
    pub(crate) fn ends_all(&self) -> bool {
        const ENDS: [&str; 7] = [
            "ExpiredToken",
            "ExpiredTokenException",
            "RequestExpired",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
        ];
        ENDS.contains(&self.code.as_str()) || (self.code == NO_ANSWER && self.message.contains("credential"))
    }

    /// As the AWS CLI words it, which is how the reader of saved answers knows it.
    pub(crate) fn as_the_cli(&self, operation: &str) -> String {
        let message = self.message.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("An error occurred ({}) when calling the {operation} operation: {message}", self.code)
    }
}

/// The body of the last response, as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body(Arc<Mutex<Vec<u8>>>);

impl Body {
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "body"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let bytes = context.response().body().bytes().unwrap_or_default().to_vec();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
        Ok(())
    }
}

/// Sends a request; gives what the client read, and the body as it came.
macro_rules! sent {
    ($request:expr) => {{
        let body = $crate::live::answer::Body::default();
        match $request.customize().interceptor(body.clone()).send().await {
            Ok(output) => Ok((output, body.take())),
            Err(error) => Err($crate::live::answer::Failure::of(&error)),
        }
    }};
}

/// One answer, whole.
macro_rules! one {
    ($request:expr) => {{
        let (_, body) = $crate::live::answer::sent!($request)?;
        $crate::live::answer::value(&body)
    }};
}

/// All pages of a list: the request is made anew for each, `$mark` tells the next in the output, `$set` asks for it.
macro_rules! pages {
    ($request:expr, $list:literal, $set:ident, $mark:ident) => {{
        let mut pages = $crate::live::answer::Pages::new($list);
        loop {
            let (output, body) = $crate::live::answer::sent!($request.$set(pages.mark()))?;
            pages.add(&body)?;
            if !pages.goes_on(output.$mark().map(ToString::to_string))? {
                break Ok(pages.into_value());
            }
        }
    }};
}
pub(crate) use {one, pages, sent};

/// A body as a value.
pub(crate) fn value(body: &[u8]) -> Result<Value, Failure> {
    with_json(body, |root| Ok(shown("", root)))
}

fn with_json<T>(body: &[u8], read: impl FnOnce(&Node<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure::unusable("the answer is not UTF-8"))?;
    let arena = Arena::for_text(text.len());
    let root = json::parse(&arena, text, Limits::FILE);
    read(&root.map_err(|error| Failure::unusable(format!("the answer is not JSON: {error}")))?)
}

/// Without secrets, and with times as people write them.
fn shown(key: &str, node: &Node<'_>) -> Value {
    redact::member(key, node)
}

/// The pages of a list, joined.
pub(crate) struct Pages {
    list: &'static str,
    items: Vec<Value>,
    mark: Option<String>,
    seen: BTreeSet<String>,
}

impl Pages {
    pub(crate) const fn new(list: &'static str) -> Self {
        Self { list, items: Vec::new(), mark: None, seen: BTreeSet::new() }
    }

    /// The next page's mark.
    pub(crate) fn mark(&self) -> Option<String> {
        self.mark.clone()
    }

    /// Adds a page's entries.
    pub(crate) fn add(&mut self, body: &[u8]) -> Result<(), Failure> {
        let list = self.list;
        let items = with_json(body, |root| {
            // API Gateway writes `item` where its clients say `items`.
            let found = root.get(list).or_else(|| root.get(list.strip_suffix('s')?));
            match found.map(|found| &found.kind) {
                None | Some(NodeKind::Null) => Ok(Vec::new()),
                Some(NodeKind::Array(items)) => Ok(items.iter().map(|item| shown("", item)).collect()),
                Some(NodeKind::Object(_)) => Ok(found.map(|one| shown("", one)).into_iter().collect()),
                Some(_) => Err(Failure::unusable(format!("`{list}` is no list"))),
            }
        })?;
        self.items.extend(items);
        Ok(())
    }

    /// Whether another page follows; a mark that came before would go round for ever.
    pub(crate) fn goes_on(&mut self, mark: Option<String>) -> Result<bool, Failure> {
        self.mark = mark.filter(|mark| !mark.is_empty());
        match &self.mark {
            None => Ok(false),
            Some(mark) if self.seen.insert(mark.clone()) => Ok(true),
            Some(_) => Err(Failure::unusable("the pages go round: a mark came twice")),
        }
    }

    pub(crate) fn into_value(self) -> Value {
        Value::Object(vec![(self.list.to_owned(), Value::Array(self.items))])
    }
}
