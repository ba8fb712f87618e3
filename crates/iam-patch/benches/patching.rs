//! How long it takes to find and patch a policy in each of many long templates.
//!
//! `cargo bench -p iam-patch`. One round is 500 files of 1,000 lines, each read, located and patched by one change.

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use iam_patch::{Project, patch};

/// The command line's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FILES: usize = 500;
const LINES: usize = 1_000;

fn main() {
    divan::main();
}

/// A template of a thousand lines: functions with policies, and one that the change speaks of.
fn template(number: usize) -> String {
    let mut text =
        String::from("AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\nResources:\n");
    let mut function = 0;
    while text.lines().count() < LINES {
        text.push_str(&format!(
            "  File{number}Function{function}:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: app.handler # the entry\n      \
             Environment:\n        Variables:\n          TABLE_NAME: !Ref Orders\n      Policies:\n        - AWSLambdaBasicExecutionRole\n        \
             - DynamoDBCrudPolicy:\n            TableName: !Ref Orders\n        - Version: '2012-10-17'\n          Statement:\n            \
             - Effect: Allow\n              Action:\n                - s3:GetObject\n                - s3:PutObject\n              \
             Resource: !Sub 'arn:aws:s3:::${{AWS::StackName}}/*'\n"
        ));
        function += 1;
    }
    text
}

fn sources() -> Vec<SourceText> {
    (0..FILES)
        .map(|number| SourceText {
            name: SourceName::new(&format!("stack{number}/template.yaml")),
            text: template(number),
        })
        .collect()
}

/// Roles of one module with inline policies, a thousand lines: functions, tables and what the functions may do.
fn terraform(number: usize) -> String {
    let mut text = String::new();
    let mut block = 0;
    while text.lines().count() < LINES {
        text.push_str(&format!(
            "resource \"aws_iam_role\" \"f{number}_{block}\" {{\n  name = \"f{number}-{block}\"\n  assume_role_policy = data.aws_iam_policy_document.trust.json\n}}\n\n\
             # What the function does.\nresource \"aws_iam_role_policy\" \"f{number}_{block}\" {{\n  role = aws_iam_role.f{number}_{block}.id\n  policy = jsonencode({{\n    \
             Version = \"2012-10-17\"\n    Statement = [\n      {{\n        Effect   = \"Allow\"\n        Action   = [\"s3:GetObject\", \"s3:PutObject\"]\n        \
             Resource = \"arn:aws:s3:::stack/*\" # all of it\n      }}\n    ]\n  }})\n}}\n\n"
        ));
        block += 1;
    }
    text
}

fn terraform_sources() -> Vec<SourceText> {
    let name = |number: usize| SourceName::new(&format!("stack{number}/main.tf"));
    (0..FILES).map(|number| SourceText { name: name(number), text: terraform(number) }).collect()
}

fn terraform_changes(files: impl Iterator<Item = usize>) -> Vec<Change> {
    let mut changes = changes(files.map(|number| format!("aws_iam_role_policy.f{number}_20")));
    for change in &mut changes {
        change.attachment.address = change.attachment.logical_id.take();
        change.attachment.index = None;
    }
    changes
}

fn document(actions: &[&str]) -> PolicyDocument {
    let actions = actions.iter().map(|action| ActionPattern::new(action)).collect();
    PolicyDocument::new(vec![Statement::allow(actions, vec![ResourcePattern::new("arn:aws:s3:::stack/*")])])
}

fn changes(names: impl Iterator<Item = String>) -> Vec<Change> {
    names
        .map(|name| Change {
            attachment: Attachment {
                kind: AttachmentKind::Identity,
                principal_arn: None,
                resource_arn: None,
                logical_id: Some(name),
                address: None,
                policy_name: None,
                index: Some(2),
            },
            before: Some(document(&["s3:GetObject", "s3:PutObject"])),
            after: Some(document(&["s3:GetObject"])),
            reasons: Vec::new(),
        })
        .collect()
}

fn run(sources: Vec<SourceText>, changes: &[Change]) -> usize {
    let (project, _) = Project::read(sources);
    let snapshot = Snapshot::default();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let set = patch(&project, &index, changes);
    assert!(set.refused.is_empty(), "{:?}", set.refused.first());
    set.patches.len()
}

#[divan::bench(sample_count = 3)]
fn read_500_files(bencher: divan::Bencher<'_, '_>) {
    bencher.with_inputs(sources).bench_values(|sources| Project::read(sources).0.files().count());
}

#[divan::bench(sample_count = 3)]
fn patch_one_of_500_files(bencher: divan::Bencher<'_, '_>) {
    let changes = changes(std::iter::once("File250Function20".to_owned()));
    bencher.with_inputs(sources).bench_values(|sources| run(sources, &changes));
}

#[divan::bench(sample_count = 3)]
fn patch_all_of_500_files(bencher: divan::Bencher<'_, '_>) {
    let changes = changes((0..FILES).map(|number| format!("File{number}Function20")));
    bencher.with_inputs(sources).bench_values(|sources| run(sources, &changes));
}

#[divan::bench(sample_count = 3)]
fn read_500_terraform_files(bencher: divan::Bencher<'_, '_>) {
    bencher.with_inputs(terraform_sources).bench_values(|sources| Project::read(sources).0.files().count());
}

#[divan::bench(sample_count = 3)]
fn patch_one_of_500_terraform_files(bencher: divan::Bencher<'_, '_>) {
    let changes = terraform_changes(std::iter::once(250));
    bencher.with_inputs(terraform_sources).bench_values(|sources| run(sources, &changes));
}

#[divan::bench(sample_count = 3)]
fn patch_all_of_500_terraform_files(bencher: divan::Bencher<'_, '_>) {
    let changes = terraform_changes(0..FILES);
    bencher.with_inputs(terraform_sources).bench_values(|sources| run(sources, &changes));
}
