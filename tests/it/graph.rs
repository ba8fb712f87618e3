//! `paring graph`: the same graph in four forms, whose names come from somebody else's account.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::browser::which;
use crate::run::Folder;

/// Names made to break out of wherever they are written.
pub(crate) const HOSTILE: &[&str] = &[
    "</script><img src=x onerror=window.pwned=1>",
    "\"];\n} evil [label=\"",
    "back\\slash\\N\\G\\",
    "<b>&amp;]]>&#x3c;",
    "--><!--<script>window.pwned=1</script>",
    "@@SCRIPT@@",
    "javascript:window.pwned=1",
    "right\u{202e}to\u{200b}left",
    "line\u{2028}end\rbell\u{7}",
];

const ADMIN: &str = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
const ASSUME: &str = r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}"#;

/// A role by any name, whose policy has the same name.
pub(crate) fn role(name: &str, trusts: &str, statement: &str) -> String {
    let name = Value::from(name).to_string();
    let inner = &name[1..name.len() - 1];
    format!(
        r#"{{"RoleName": {name}, "Arn": "arn:aws:iam::111122223333:role/{inner}", "AttachedManagedPolicies": [],
  "InstanceProfileList": [], "RolePolicyList": [{{"PolicyName": {name}, "PolicyDocument": {{"Version": "2012-10-17",
    "Statement": [
      {statement}
  ]}}}}],
  "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": [
      {{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {trusts}}}
  ]}}}}"#
    )
}

pub(crate) fn snapshot(roles: &[String], resources: &str) -> String {
    format!(
        r#"{{"schema": "paring-snapshot/1", "accounts": {{"111122223333": {{"authorization_details": {{
"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [
{}]}}, "resources": [{resources}]}}}}}}"#,
        roles.join(",\n")
    )
}

/// `first` becomes `second`, which becomes `boss`, an administrator; `writer` makes itself one, if its address is right.
pub(crate) fn chain() -> String {
    let named = |who: &str| format!(r#"{{"AWS": "arn:aws:iam::111122223333:role/{who}"}}"#);
    let service = r#"{"Service": "lambda.amazonaws.com"}"#;
    let put = r#"{"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}"#;
    let function = |name: &str| {
        format!(
            r#"{{"kind": "lambda.function", "arn": "arn:aws:lambda:us-east-1:111122223333:function:{name}",
            "role_arn": "arn:aws:iam::111122223333:role/writer", "api": {{}}}}"#
        )
    };
    let roles = [
        role("first", service, ASSUME),
        role("second", &named("first"), ASSUME),
        role("boss", &named("second"), ADMIN),
        role("writer", service, put),
    ];
    snapshot(&roles, &[function("one"), function("two")].join(", "))
}

/// A role for each hostile name, that becomes the administrator.
pub(crate) fn hostile() -> String {
    let root = r#"{"AWS": "arn:aws:iam::111122223333:root"}"#;
    let mut roles: Vec<String> = HOSTILE.iter().map(|name| role(name, root, ASSUME)).collect();
    roles.push(role("boss", root, ADMIN));
    snapshot(&roles, "")
}

fn graph(text: &str, format: &str) -> String {
    let folder = Folder::new();
    folder.write("snapshot.json", text);
    let output = folder.paring(&["graph", "--snapshot", "snapshot.json", "--format", format]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{format}");
    let again = folder.paring(&["graph", "--snapshot", "snapshot.json", "--format", format]);
    assert!(again.stdout == output.stdout, "{format}: two runs differ");
    output.stdout
}

#[test]
fn json_names_each_edge_its_statements_and_their_lines() {
    let text = chain();
    let graph: Value = serde_json::from_str(&graph(&text, "json")).unwrap();
    assert_eq!(graph["schema"], "paring-graph/1");
    let by_technique = |id: &str| {
        let edges = graph["edges"].as_array().unwrap().iter();
        edges.filter(|edge| edge["technique"] == id).cloned().collect::<Vec<Value>>()
    };
    let assumed = by_technique("sts-001");
    let first = assumed.iter().find(|edge| edge["from"] == "arn:aws:iam::111122223333:role/first").unwrap();
    assert_eq!(
        (&first["to"], &first["leads_to_admin"]),
        (&"arn:aws:iam::111122223333:role/second".into(), &true.into())
    );
    let written = &by_technique("iam-005")[0];
    assert_eq!((&written["gains_admin"], &written["conditional_on"][0]), (&true.into(), &"aws:SourceIp".into()));
    let ground = &graph["grounds"][written["grounds"][0].as_u64().unwrap() as usize];
    assert_eq!((&ground["action"], &ground["on"]), (&"iam:PutRolePolicy".into(), &"start".into()));
    let statement = &graph["statements"][ground["statements"][0].as_u64().unwrap() as usize];
    assert_eq!((&statement["policy"], &statement["index"]), (&"writer".into(), &0.into()));
    assert_eq!(statement["statement"]["Action"], "iam:PutRolePolicy");
    let line = text.lines().nth(statement["line"].as_u64().unwrap() as usize - 1).unwrap();
    assert!(line.contains("iam:PutRolePolicy"), "{line}");
}

#[test]
fn from_keeps_what_one_principal_can_reach() {
    let folder = Folder::new();
    folder.write("snapshot.json", chain());
    let from =
        |name: &str| folder.paring(&["graph", "--snapshot", "snapshot.json", "--format", "json", "--from", name]);
    let graph: Value = serde_json::from_str(&from("second").stdout).unwrap();
    let starts: Vec<&str> = graph["edges"].as_array().unwrap().iter().map(|e| e["from"].as_str().unwrap()).collect();
    assert_eq!(starts, ["arn:aws:iam::111122223333:role/second"]);
    assert_eq!(from("nobody").code, 2);
}

/// What a reader should see of a name where characters that cannot be shown are replaced.
fn shown(name: &str, replaced: impl Fn(char) -> bool) -> String {
    format!("role/{name}").chars().map(|c| if replaced(c) { '\u{fffd}' } else { c }).collect()
}

#[test]
fn graphml_holds_hostile_names_as_text() {
    let text = graph(&hostile(), "graphml");
    let document = roxmltree::Document::parse(&text).unwrap();
    let datum = |node: roxmltree::Node<'_, '_>, key: &str| {
        node.children().find(|d| d.attribute("key") == Some(key)).and_then(|d| d.text()).unwrap_or_default().to_owned()
    };
    let tag = |name: &'static str| ("http://graphml.graphdrawing.org/xmlns", name);
    let nodes: Vec<_> = document.descendants().filter(|node| node.has_tag_name(tag("node"))).collect();
    let labels: Vec<String> = nodes.iter().map(|node| datum(*node, "label")).collect();
    for name in HOSTILE {
        let expected = shown(name, |c| c.is_control() && !"\n\r\t".contains(c));
        assert!(labels.contains(&expected), "{expected:?} is not in {labels:?}");
    }
    let ids: Vec<_> = nodes.iter().filter_map(|node| node.attribute("id")).collect();
    let edges = document.descendants().filter(|node| node.has_tag_name(tag("edge")));
    let mut count = 0;
    for edge in edges {
        count += 1;
        assert!(ids.contains(&edge.attribute("source").unwrap()) && ids.contains(&edge.attribute("target").unwrap()));
        assert!(datum(edge, "because").contains("sts:AssumeRole on "), "{}", datum(edge, "because"));
    }
    assert!(count >= HOSTILE.len(), "{count} edges");
}

/// The tokens of a DOT file: words and signs as they are, quoted strings by what they say.
fn tokens(text: &str) -> Vec<String> {
    let (mut tokens, mut rest) = (Vec::new(), text.chars().peekable());
    while let Some(c) = rest.next() {
        if c == '"' {
            let mut said = String::from("'");
            loop {
                match (rest.next().expect("a string ends"), rest.peek()) {
                    ('"', _) => break,
                    ('\\', Some('"')) => said.extend(rest.next()),
                    ('\\', Some('\\')) => said.extend(['\\'].into_iter().chain(rest.next()).take(1)),
                    ('\\', Some('n')) => said.extend(rest.next().map(|_| '\n')),
                    ('\\', other) => panic!("an escape of labels: {other:?}"),
                    (c, _) => said.push(c),
                }
            }
            tokens.push(said);
        } else if c.is_alphanumeric() || "_->.".contains(c) {
            let mut word = String::from(c);
            while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || "_->.".contains(*c)) {
                word.push(c);
            }
            tokens.push(word);
        } else if !c.is_whitespace() {
            tokens.push(c.into());
        }
    }
    tokens
}

#[test]
fn dot_holds_hostile_names_as_text() {
    let text = graph(&hostile(), "dot");
    let tokens = tokens(&text);
    for name in HOSTILE {
        let expected = format!("'{}\nrole of 111122223333", shown(name, |c| c.is_control() && c != '\n'));
        assert!(tokens.contains(&expected), "{expected:?} is not in {tokens:?}");
    }
    assert!(!tokens.iter().any(|token| token == "evil"));
    let Some(dot) = which("dot") else {
        eprintln!("SKIPPED: Graphviz does not read the DOT file: it is not installed");
        return;
    };
    let folder = Folder::new();
    folder.write("graph.dot", &text);
    let drawn =
        Command::new(dot).arg("-Tsvg").arg(folder.path().join("graph.dot")).stderr(Stdio::piped()).output().unwrap();
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let svg = String::from_utf8(drawn.stdout).unwrap();
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let svg = roxmltree::Document::parse_with_options(&svg, options).unwrap();
    let texts: Vec<&str> =
        svg.descendants().filter(|n| n.tag_name().name() == "text").filter_map(|n| n.text()).collect();
    for name in ["</script><img src=x onerror=window.pwned=1>", "back\\slash\\N\\G\\", "@@SCRIPT@@"] {
        let label = format!("role/{name}");
        assert!(texts.iter().any(|text| *text == label), "{label} is not in {texts:?}");
    }
}

#[test]
fn an_empty_account_is_an_empty_graph() {
    let empty = snapshot(&[], "");
    assert_eq!(graph(&empty, "dot"), "digraph paring {\n  rankdir=LR;\n  node [shape=box];\n}\n");
    let json: Value = serde_json::from_str(&graph(&empty, "json")).unwrap();
    assert_eq!((json["nodes"].as_array().unwrap().len(), json["edges"].as_array().unwrap().len()), (0, 0));
    assert!(graph(&empty, "html").contains("<main"));
    roxmltree::Document::parse(&graph(&empty, "graphml")).unwrap();
}

#[test]
fn paths_say_what_each_step_rests_on() {
    let folder = Folder::new();
    folder.write("snapshot.json", chain());
    let paths = |arguments: &[&str]| {
        let output = folder.paring(&[&["paths", "--snapshot", "snapshot.json"], arguments].concat());
        assert_eq!(output.code, 0, "{}", output.stderr);
        output.stdout
    };
    insta::assert_snapshot!("paths_from_first", paths(&["first"]));
    insta::assert_snapshot!("paths_from_writer", paths(&["writer"]));
    assert_eq!(paths(&["first", "boss"]), paths(&["first"]));
    let arn = |role: &str| format!("arn:aws:iam::111122223333:role/{role}");
    let told: Value = serde_json::from_str(&paths(&["first", "boss", "--format", "json"])).unwrap();
    let hop = &told["paths"][0]["hops"][0];
    assert_eq!((&told["schema"], &told["to"]), (&"paring-paths/1".into(), &arn("boss").into()));
    assert_eq!((&hop["from"], &told["paths"][0]["reaches_admin"]), (&arn("first").into(), &true.into()), "{told}");
    assert!(!hop["because"].as_array().unwrap().is_empty(), "{told}");
    let boss: Value = serde_json::from_str(&paths(&["boss", "--format", "json"])).unwrap();
    assert_eq!((&boss["administrator"], &boss["paths"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(paths(&["boss"]), format!("{} is an administrator already\n", arn("boss")));
    assert_eq!(paths(&["second", "first"]), format!("{} cannot become {}\n", arn("second"), arn("first")));
}

#[test]
fn an_audit_is_a_table_and_quiet_where_there_is_nothing() {
    let folder = Folder::new();
    folder.write("snapshot.json", chain());
    let audit = folder.paring(&["audit", "--snapshot", "snapshot.json"]);
    assert_eq!(audit.code, 1);
    insta::assert_snapshot!("audit_of_a_chain", audit.stdout);
    folder.write("snapshot.json", snapshot(&[], ""));
    let clean = folder.paring(&["audit", "--snapshot", "snapshot.json"]);
    assert_eq!((clean.code, clean.stdout.as_str(), clean.stderr.as_str()), (0, "", "no findings\n"));
    assert_eq!(folder.paring(&["audit", "--quiet", "--snapshot", "snapshot.json"]).stderr, "");
}
