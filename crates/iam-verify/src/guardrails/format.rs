//! Rule texts in Cedar's one way of writing them. Comments stay; meaning does not change.

use cedar_policy::ffi::{self, FormattingAnswer, FormattingCall};
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::text::SourceText;

use super::{GuardrailError, read};

/// Columns of a formatted rule, as `cedar format` has them.
const LINE_WIDTH: usize = 80;

/// Formats the rules of one file, as `cedar format` does.
///
/// # Errors
///
/// [`GuardrailError::Rules`] with file, line and column where the text does not parse.
///
/// ```
/// use iam_model::text::{SourceName, SourceText};
/// let text = "forbid(principal,action,resource)when{context.now<datetime(\"2026-11-22\")};".to_owned();
/// let file = SourceText { name: SourceName::new("mine.cedar"), text };
/// let formatted = iam_verify::guardrails::format_rules(&file).unwrap();
/// assert_eq!(formatted, "forbid (principal, action, resource)\nwhen { context.now < datetime(\"2026-11-22\") };\n");
/// ```
pub fn format_rules(file: &SourceText) -> Result<String, GuardrailError> {
    read::parses(file).map_err(GuardrailError::Rules)?;
    let refuse = |message: String| {
        let diagnostic = Diagnostic::error(Code::GuardrailInvalid, Place::whole(file.name.clone()), message);
        GuardrailError::Rules(vec![diagnostic])
    };
    let call = serde_json::json!({ "policyText": file.text, "lineWidth": LINE_WIDTH, "indentWidth": 2 });
    let call: FormattingCall = serde_json::from_value(call).map_err(|error| refuse(error.to_string()))?;
    match ffi::format(call) {
        FormattingAnswer::Success { formatted_policy } => Ok(formatted_policy),
        FormattingAnswer::Failure { errors } => {
            Err(refuse(errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; ")))
        }
    }
}
