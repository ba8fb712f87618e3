//! Colours for a unified diff.

use crate::terminal::Paint;

/// The diff with removed lines red, added lines green and places cyan, each line after `indent`.
pub(crate) fn paint(diff: &str, indent: &str, paint: Paint) -> String {
    let mut out = String::with_capacity(diff.len() * 2);
    for line in diff.split_inclusive('\n') {
        let text = line.trim_end_matches(['\n', '\r']);
        let painted = match text.as_bytes().first() {
            _ if text.starts_with("+++") || text.starts_with("---") => paint.bold(text),
            Some(b'+') => paint.green(text),
            Some(b'-') => paint.red(text),
            Some(b'@') => paint.cyan(text),
            _ => text.to_owned(),
        };
        out.push_str(indent);
        out.push_str(&painted);
        out.push('\n');
    }
    out
}
