//! Prints the findings of a snapshot as `paring-findings/1`: `findings SNAPSHOT`. For measurements; users have `paring audit`.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measuring tool, not the product")]

use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

fn main() {
    let path = std::env::args().skip(1).find(|arg| arg.ends_with(".json")).expect("a snapshot");
    let text = std::fs::read_to_string(&path).expect("readable");
    let source = SourceText { name: SourceName::new(&path), text };
    let (snapshot, _) = snapshot::read(source).expect("a snapshot");
    let (index, _) = SnapshotIndex::new(&snapshot);
    let graph = iam_graph::build(&index, &[]);
    let quote = |text: &str| {
        let mut out = String::new();
        iam_model::json::write_string(&mut out, text);
        out
    };
    let findings: Vec<String> = graph
        .findings()
        .iter()
        .map(|finding| {
            let mut members = vec![format!("\"code\": {}", quote(finding.code.as_str()))];
            members.extend(finding.principal.iter().map(|s| format!("\"principal\": {}", quote(s.as_str()))));
            members.extend(finding.technique.iter().map(|s| format!("\"technique\": {}", quote(s))));
            members.extend(finding.target.iter().map(|s| format!("\"target\": {}", quote(s.as_str()))));
            members.extend(finding.reaches_admin.iter().map(|admin| format!("\"reaches_admin\": {admin}")));
            let functions: Vec<String> = finding.functions.iter().map(|arn| quote(arn.as_str())).collect();
            members.push(format!("\"functions\": [{}]", functions.join(", ")));
            let keys: Vec<String> = finding.conditional_on.iter().map(|key| quote(key.as_str())).collect();
            members.push(format!("\"conditional_on\": [{}]", keys.join(", ")));
            format!("{{{}}}", members.join(", "))
        })
        .collect();
    let not_checked: Vec<String> = graph.not_checked().iter().map(|text| quote(text)).collect();
    println!(
        "{{\"schema\": \"paring-findings/1\", \"findings\": [{}], \"not_checked\": [{}]}}",
        findings.join(",\n"),
        not_checked.join(",\n")
    );
}
