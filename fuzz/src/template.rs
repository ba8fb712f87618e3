//! A source file: whatever it holds, a patch of it moves no byte outside its edits and is whole when it is read again.

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use iam_patch::{FilePatch, Form, Location, Project};

/// The policies of a file that are patched, so that a file full of them takes no longer than others.
const POLICIES: usize = 8;

/// The law, for a file of this name.
pub fn check(name: &str, text: &str) {
    let project = read(name, text);
    let drawn = project.drawn();
    assert!(drawn.snapshot.accounts.len() <= 1, "a drawing is of one account");
    let snapshot = Snapshot::default();
    let (index, _) = SnapshotIndex::new(&snapshot);
    for location in project.policies().take(POLICIES) {
        assert!(location.span.end <= text.len() && text.is_char_boundary(location.span.start));
        let change = change(&location, name.ends_with(".tf"));
        let set = iam_patch::patch(&project, &index, std::slice::from_ref(&change));
        for patch in &set.patches {
            outside_is_untouched(text, patch);
            // Once it is deployed, nothing is left to do. An item of a list goes from it, and its number then means the next.
            let deployed = Change { before: change.after.clone(), ..change.clone() };
            let again = iam_patch::patch(&read(name, &patch.after), &index, std::slice::from_ref(&deployed));
            let moved = location.form == Form::ManagedItem && change.attachment.address.is_some();
            assert!(moved || again.patches.is_empty(), "patched twice:\n{}", patch.diff);
        }
    }
}

fn read(name: &str, text: &str) -> Project {
    Project::read(vec![SourceText { name: SourceName::new(name), text: text.to_owned() }]).0
}

/// Blocks of Terraform are found by their address, resources of a template by their logical id.
fn change(location: &Location, terraform: bool) -> Change {
    let named = |wanted: bool| wanted.then(|| location.logical_id.clone());
    let kind = match location.form {
        Form::Trust => AttachmentKind::Trust,
        Form::ResourcePolicy => AttachmentKind::Resource,
        Form::Organization => AttachmentKind::ServiceControl,
        _ => AttachmentKind::Identity,
    };
    let statement = Statement::allow(vec![ActionPattern::new("s3:GetObject")], vec![ResourcePattern::everything()]);
    Change {
        attachment: Attachment {
            kind,
            principal_arn: None,
            resource_arn: None,
            logical_id: named(!terraform),
            address: named(terraform),
            policy_name: None,
            index: location.index,
        },
        before: None,
        after: Some(PolicyDocument::new(vec![statement])),
        reasons: Vec::new(),
    }
}

/// The pieces between the edits stand in the new text in their order, first and last at its ends.
fn outside_is_untouched(text: &str, patch: &FilePatch) {
    assert_eq!(patch.before, text);
    let (mut old, mut rest) = (0, patch.after.as_str());
    for (number, edit) in patch.edits.iter().enumerate() {
        let kept = text.get(old..edit.start).expect("edits are in order, at letters");
        let at = if number == 0 { Some(0).filter(|_| rest.starts_with(kept)) } else { rest.find(kept) };
        let Some(at) = at else { panic!("bytes before an edit moved:\n{}", patch.diff) };
        rest = rest.get(at + kept.len()..).expect("just found");
        old = edit.end;
    }
    assert!(
        text.get(old..).is_some_and(|tail| rest.ends_with(tail)),
        "bytes after the last edit moved:\n{}",
        patch.diff
    );
}
