//! Laws over random documents: no panic, no byte moved outside the edit, and nothing left to do the second time.

#![cfg(test)]

#[expect(unreachable_pub, reason = "the function is public to the fuzz targets, which share this file")]
#[path = "../../../fuzz/src/template.rs"]
mod template;

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use iam_patch::{PatchSet, Project, patch};
use proptest::prelude::*;

fn document(statements: &[Vec<String>]) -> PolicyDocument {
    let statement = |actions: &Vec<String>| {
        let actions = actions.iter().map(|a| ActionPattern::new(a)).collect();
        Statement::allow(actions, vec![ResourcePattern::everything()])
    };
    PolicyDocument::new(statements.iter().map(statement).collect())
}

fn change(before: Option<PolicyDocument>, after: Option<PolicyDocument>) -> Change {
    let attachment = Attachment {
        kind: AttachmentKind::Identity,
        principal_arn: None,
        resource_arn: None,
        logical_id: Some("F".into()),
        address: None,
        policy_name: None,
        index: Some(0),
    };
    Change { attachment, before, after, reasons: Vec::new() }
}

fn run(name: &str, text: &str, change: &Change) -> PatchSet {
    let source = SourceText { name: SourceName::new(name), text: text.to_owned() };
    let (project, _) = Project::read(vec![source]);
    let snapshot = Snapshot::default();
    let (index, _) = SnapshotIndex::new(&snapshot);
    patch(&project, &index, std::slice::from_ref(change))
}

/// How one random file is written.
#[derive(Debug, Clone)]
struct Look {
    dash: usize,
    quote: &'static str,
    comment: String,
    crlf: bool,
    last_newline: bool,
    flow: bool,
}

fn look() -> impl Strategy<Value = Look> {
    let quote = prop_oneof![Just(""), Just("'"), Just("\"")];
    (0usize..5, quote, "[a-zäöü配 #:'\"-]{0,12}", any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(dash, quote, comment, crlf, last_newline, flow)| Look { dash, quote, comment, crlf, last_newline, flow },
    )
}

fn written(look: &Look, statements: &[Vec<String>]) -> String {
    let (pad, quote, comment) = (" ".repeat(look.dash), look.quote, &look.comment);
    let mut out =
        String::from("Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Policies:\n");
    out.push_str(&format!("      {pad}- Version: '2012-10-17' # {comment}\n      {pad}  Statement:\n"));
    for actions in statements {
        let quoted: Vec<String> = actions.iter().map(|a| format!("{quote}{a}{quote}")).collect();
        out.push_str(&format!("#{comment}\n      {pad}  {pad}- Effect: Allow # {comment}\n"));
        if look.flow {
            out.push_str(&format!("      {pad}  {pad}  Action: [{}] # {comment}\n", quoted.join(" , ")));
        } else {
            out.push_str(&format!("      {pad}  {pad}  Action:\n"));
            for action in quoted {
                out.push_str(&format!("      {pad}  {pad}  {pad}- {action} # {comment}\n\n"));
            }
        }
        out.push_str(&format!("      {pad}  {pad}  Resource: \"*\"\n"));
    }
    out.push_str("      Handler: a.b");
    out.push_str(if look.last_newline { "\n" } else { "" });
    if look.crlf { out.replace('\n', "\r\n") } else { out }
}

fn statements() -> impl Strategy<Value = Vec<Vec<String>>> {
    let action = "(s3|sqs|kms|dynamodb):[A-Z][a-z]{1,6}";
    let actions = prop::collection::btree_set(action, 1..5).prop_map(|set| set.into_iter().collect());
    prop::collection::vec(actions, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_change_of_actions_is_written_and_written_once(
        look in look(), before in statements(), after in statements(),
    ) {
        let text = written(&look, &before);
        let change = change(Some(document(&before)), Some(document(&after)));
        let set = run("template.yaml", &text, &change);
        prop_assert!(set.refused.is_empty(), "{:?}\n{text}", set.refused);
        let Some(file) = set.patches.first() else { return Ok(()) };
        prop_assert_eq!(file.after.contains("\r\n"), look.crlf);
        prop_assert_eq!(file.after.ends_with('\n'), look.last_newline);
        let comments = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
        prop_assert_eq!(comments(&file.after), comments(&text));
        prop_assert_eq!(run("template.yaml", &file.after, &change).patches, vec![]);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), json in any::<bool>()) {
        let name = if json { "t.json" } else { "t.yaml" };
        let framed = format!("Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Policies:\n{text}");
        let change = change(None, Some(document(&[vec!["s3:GetObject".into()]])));
        run(name, &text, &change);
        run(name, &framed, &change);
    }

    #[test]
    fn no_damage_makes_it_panic(
        look in look(), before in statements(), at in any::<prop::sample::Index>(), noise in "[\\-:\\[\\]{}&*!|>'\"#\\n\\t a-z]{0,6}",
    ) {
        let mut text = written(&look, &before);
        let mut offset = at.index(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        text.insert_str(offset, &noise);
        let change = change(Some(document(&before)), Some(document(&[vec!["s3:GetObject".into()]])));
        let set = run("template.yaml", &text, &change);
        for file in &set.patches {
            prop_assert_eq!(&file.before, &text);
        }
    }
}

/// The law of the fuzz targets, over their seeds and random damage to them.
#[test]
fn seeds_and_their_mutations_hold_the_law() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    let pieces = [
        "\n", " ", "  ", "- ", ": ", "{", "}", "[", "]", "'", "\"", "#", "!Sub ", "&a ", "*a", "|", ">", "\r\n", "\t",
        "ä", ",", "\\",
    ];
    for kind in ["yaml", "json"] {
        for entry in std::fs::read_dir(folder.join(kind)).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            template::check(&format!("t.{kind}"), &text);
            for _ in 0..400 {
                let mut damaged = text.clone();
                for _ in 0..=random(3) {
                    let mut at = random(damaged.len());
                    while !damaged.is_char_boundary(at) {
                        at -= 1;
                    }
                    match random(3) {
                        0 => drop(damaged.split_off(at)),
                        1 => damaged.insert_str(at, pieces[random(pieces.len())]),
                        _ => {
                            let line =
                                damaged.bytes().skip(at).position(|b| b == b'\n').map_or(damaged.len(), |end| at + end);
                            damaged.replace_range(at..line, "");
                        }
                    }
                }
                template::check(&format!("t.{kind}"), &damaged);
            }
        }
    }
}
