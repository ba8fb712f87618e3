//! Laws over random Terraform files: no panic, no byte moved outside the edit, nothing left to do the second time; and
//! what finding a policy through states, modules and names is for.

#![cfg(test)]

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use iam_patch::{Disposition, PatchSet, Project, patch};
use proptest::prelude::*;

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders";

fn document(statements: &[Vec<String>], resource: &str) -> PolicyDocument {
    let statement = |actions: &Vec<String>| {
        let actions = actions.iter().map(|a| ActionPattern::new(a)).collect();
        Statement::allow(actions, vec![ResourcePattern::new(resource)])
    };
    PolicyDocument::new(statements.iter().map(statement).collect())
}

fn at(address: &str) -> Attachment {
    Attachment {
        kind: AttachmentKind::Identity,
        principal_arn: None,
        resource_arn: None,
        logical_id: None,
        address: Some(address.into()),
        policy_name: None,
        index: None,
    }
}

fn change(attachment: Attachment, before: PolicyDocument, after: PolicyDocument) -> Change {
    Change { attachment, before: Some(before), after: Some(after), reasons: Vec::new() }
}

fn run(files: &[(&str, &str)], change: &Change) -> PatchSet {
    let source = |(name, text): &(&str, &str)| SourceText { name: SourceName::new(name), text: (*text).to_owned() };
    let (project, _) = Project::read(files.iter().map(source).collect());
    let snapshot = Snapshot::default();
    let (index, _) = SnapshotIndex::new(&snapshot);
    patch(&project, &index, std::slice::from_ref(change))
}

/// How one random file is written.
#[derive(Debug, Clone)]
struct Look {
    writing: usize,
    comment: String,
    crlf: bool,
    last_newline: bool,
    lines: bool,
    quoted: bool,
}

fn look() -> impl Strategy<Value = Look> {
    (0usize..3, "[a-zäöü配 :'{}()$\"-]{0,12}", any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(writing, comment, crlf, last_newline, lines, quoted)| Look {
            writing,
            comment,
            crlf,
            last_newline,
            lines,
            quoted,
        },
    )
}

fn file(look: &Look, statements: &[Vec<String>]) -> String {
    let comment = &look.comment;
    let list = |actions: &[String], indent: &str, comma: &str| {
        let actions: Vec<String> = actions.iter().map(|a| format!("\"{a}\"")).collect();
        match look.lines {
            true => format!("[\n{indent}  {}{comma}\n{indent}]", actions.join(&format!(",\n{indent}  "))),
            false => format!("[{}]", actions.join(", ")),
        }
    };
    let (key, is) = if look.quoted { ("\"", ": ") } else { ("", " = ") };
    let mut text = format!("# {comment}\nlocals {{\n  x = \"{{ \\\" }}\" # }} {comment}\n}}\n\n");
    let policy = match look.writing {
        0 => {
            let statement = |actions: &Vec<String>| {
                let list = list(actions, "        ", ",");
                format!(
                    "      {{\n        // {comment}\n        {key}Effect{key}{is}\"Allow\"\n        {key}Action{key}{is}{list}\n        {key}Resource{key}{is}\"*\"\n      }},\n"
                )
            };
            let statements: String = statements.iter().map(statement).collect();
            format!("jsonencode({{\n    Statement = [\n{statements}    ]\n  }})")
        }
        1 => {
            let statement = |actions: &Vec<String>| {
                let list = list(actions, "      ", "");
                format!(
                    "    {{\n      \"Effect\": \"Allow\",\n      \"Action\": {list},\n      \"Resource\": \"*\"\n    }}"
                )
            };
            let statements = statements.iter().map(statement).collect::<Vec<_>>().join(",\n");
            format!("<<EOF\n{{\n  \"Statement\": [\n{statements}\n  ]\n}}\nEOF")
        }
        _ => {
            text.push_str("data \"aws_iam_policy_document\" \"p\" {\n");
            for actions in statements {
                let list = list(actions, "    ", ",");
                text.push_str(&format!(
                    "  # {comment}\n  statement {{\n    actions = {list}\n\n    resources = [\"*\"] # {comment}\n  }}\n"
                ));
            }
            text.push_str("}\n\n");
            "data.aws_iam_policy_document.p.json".into()
        }
    };
    text.push_str(&format!("resource \"aws_iam_role_policy\" \"p\" {{\n  role   = \"r\"\n  policy = {policy}\n}}"));
    if look.last_newline {
        text.push('\n');
    }
    if look.crlf { text.replace('\n', "\r\n") } else { text }
}

fn statements() -> impl Strategy<Value = Vec<Vec<String>>> {
    let action = prop_oneof![
        Just("s3:GetObject"),
        Just("s3:*"),
        Just("sqs:SendMessage"),
        Just("dynamodb:PutItem"),
        Just("logs:Get*")
    ];
    let actions = prop::collection::btree_set(action.prop_map(str::to_owned), 1..4);
    prop::collection::vec(actions.prop_map(|set| set.into_iter().collect()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn any_change_of_actions_is_written_and_written_once(look in look(), before in statements(), after in statements()) {
        let text = file(&look, &before);
        let change = change(at("aws_iam_role_policy.p"), document(&before, "*"), document(&after, "*"));
        let set = run(&[("main.tf", &text)], &change);
        prop_assert!(set.refused.is_empty(), "{:?}\n{text}", set.refused);
        let Some(patched) = set.patches.first() else { return Ok(()) };
        prop_assert_eq!(patched.after.contains("\r\n"), look.crlf);
        prop_assert_eq!(patched.after.ends_with('\n'), look.last_newline);
        prop_assert_eq!(patched.after.replace("\r\n", "").contains('\n'), !look.crlf);
        prop_assert_eq!(run(&[("main.tf", &patched.after)], &change).patches, vec![]);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), noise in "[<>=\\-:\\[\\]{}()$%\"#\\n\\t a-zE,]{0,80}") {
        let change = change(at("aws_iam_role_policy.p"), document(&[vec!["s3:*".into()]], "*"), document(&[vec!["s3:GetObject".into()]], "*"));
        for text in [&text, &noise] {
            run(&[("main.tf", text)], &change);
            run(&[("main.tf", &format!("resource \"aws_iam_role_policy\" \"p\" {{\n policy = {text}\n}}"))], &change);
            run(&[("terraform.tfstate", text)], &change);
        }
    }

    #[test]
    fn no_damage_makes_it_panic(
        look in look(), before in statements(), at_byte in any::<prop::sample::Index>(), noise in "[<=\\-:\\[\\]{}()$%\"#\\n a-z]{0,6}",
    ) {
        let mut text = file(&look, &before);
        let mut offset = at_byte.index(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        text.insert_str(offset, &noise);
        let change = change(at("aws_iam_role_policy.p"), document(&before, "*"), document(&[vec!["s3:GetObject".into()]], "*"));
        for patched in &run(&[("main.tf", &text)], &change).patches {
            prop_assert_eq!(&patched.before, &text);
        }
    }
}

const ROLE: &str = r#"
variable "name" {}

resource "aws_iam_role" "r" {
  name               = "${var.name}-role"
  assume_role_policy = "{}"
}

resource "aws_iam_role_policy" "p" {
  name = "p"
  role = aws_iam_role.r.name
  policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:PutItem"], Resource = var.table }]
  })
}

variable "table" {}
"#;

const ROOT: &str = r#"
resource "aws_dynamodb_table" "orders" {
  name = "orders"
}

module "api" {
  source = "./modules/role"
  name   = "api"
  table  = aws_dynamodb_table.orders.arn
}
"#;

fn of_role(arn: &str) -> Change {
    let attachment = Attachment::identity(arn.parse().unwrap(), "p".into());
    let actions = |list: &[&str]| vec![list.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()];
    let (before, after) = (actions(&["dynamodb:GetItem", "dynamodb:PutItem"]), actions(&["dynamodb:GetItem"]));
    change(attachment, document(&before, TABLE), document(&after, TABLE))
}

#[test]
fn a_role_in_a_module_is_found_by_the_name_its_caller_gives() {
    let files = [("main.tf", ROOT), ("modules/role/main.tf", ROLE)];
    let set = run(&files, &of_role("arn:aws:iam::111122223333:role/api-role"));
    assert_eq!(set.refused, []);
    assert_eq!(set.patches.len(), 1);
    assert_eq!(set.patches[0].file.as_str(), "modules/role/main.tf");
    assert_eq!(set.patches[0].disposition, Disposition::Safe);
    let set = run(&files, &of_role("arn:aws:iam::111122223333:role/other"));
    assert_eq!(set.refused[0].refusal.code.as_str(), "not-in-source");
}

#[test]
fn a_module_that_is_called_twice_needs_a_review() {
    let twice = format!(
        "{ROOT}\nmodule \"web\" {{\n  source = \"./modules/role\"\n  name = \"web\"\n  table = \"{TABLE}\"\n}}\n"
    );
    let files = [("main.tf", twice.as_str()), ("modules/role/main.tf", ROLE)];
    let set = run(&files, &of_role("arn:aws:iam::111122223333:role/api-role"));
    let Disposition::NeedsReview(reasons) = &set.patches[0].disposition else { panic!("{:?}", set.patches) };
    assert_eq!(reasons, &["the module is called 2 times: module.api, module.web"]);
}

#[test]
fn a_state_leads_from_a_generated_name_to_the_block() {
    let text = ROLE.replace("  name               = \"${var.name}-role\"\n", "");
    let state = r#"{"version": 4, "resources": [{"mode": "managed", "type": "aws_iam_role", "name": "r", "instances": [
        {"attributes": {"arn": "arn:aws:iam::111122223333:role/terraform-2026", "name": "terraform-2026"}}]}]}"#;
    let other = text.replace("\"r\"", "\"s\"").replace("\"p\"", "\"q\"").replace("aws_iam_role.r", "aws_iam_role.s");
    let files = [("main.tf", text.as_str()), ("other.tf", &other), ("terraform.tfstate", state)];
    let set = run(&files, &of_role("arn:aws:iam::111122223333:role/terraform-2026"));
    assert_eq!(set.patches.len(), 1, "{:?}", set.refused);
    assert_eq!(set.patches[0].file.as_str(), "main.tf");
    let shown = r#"{"format_version": "1.0", "values": {"root_module": {"resources": [{"mode": "managed", "type": "aws_iam_role",
        "name": "s", "values": {"arn": "arn:aws:iam::111122223333:role/terraform-2026"}}]}}}"#;
    let files = [("main.tf", text.as_str()), ("other.tf", &other), ("show.json", shown)];
    let set = run(&files, &of_role("arn:aws:iam::111122223333:role/terraform-2026"));
    // It leads to the other role, and that one has no policy of this name.
    assert!(set.refused[0].refusal.message.contains("`aws_iam_role.s` has no policy `p`"), "{:?}", set.refused);
}

#[test]
fn a_policy_that_the_files_do_not_explain_is_drift() {
    let files = [("main.tf", ROOT), ("modules/role/main.tf", ROLE)];
    let mut change = of_role("arn:aws:iam::111122223333:role/api-role");
    change.before = Some(document(&[vec!["dynamodb:*".into()]], TABLE));
    assert_eq!(run(&files, &change).refused[0].refusal.code.as_str(), "drift");
}

#[test]
fn files_that_name_themselves_end() {
    let deep: String = (0..60).map(|i| format!("l{i} = concat(local.l{}, local.l{})\n", i + 1, i + 1)).collect();
    let text = format!(
        "locals {{\na = local.b\nb = \"${{local.a}}${{local.a}}\"\n{deep}l60 = [\"s3:GetObject\"]\n}}\nresource \"aws_iam_role_policy\" \"p\" {{\n policy = jsonencode({{ Statement = [{{ Effect = \"Allow\", Action = local.l0, Resource = local.a }}] }})\n}}\n"
    );
    let change = change(
        at("aws_iam_role_policy.p"),
        document(&[vec!["s3:*".into()]], "*"),
        document(&[vec!["s3:GetObject".into()]], "*"),
    );
    assert_eq!(run(&[("main.tf", &text)], &change).patches, []);
}

/// Inputs of the module for functions, as its documentation shows them.
const INPUTS: &str = r#"module "orders" {
  source        = "terraform-aws-modules/lambda/aws"
  version       = "~> 7.0"
  function_name = "orders"

  attach_policy_statements = true
  policy_statements = {
    # What the function writes.
    table = {
      effect    = "Allow",
      actions   = ["dynamodb:GetItem", "dynamodb:PutItem"], # both
      resources = ["arn:aws:dynamodb:eu-west-1:111122223333:table/orders"]
    },
    logs = {
      actions   = ["logs:PutLogEvents"]
      resources = ["arn:aws:dynamodb:eu-west-1:111122223333:table/orders"]
    }
  }
}
"#;

fn inputs(after: &[&[&str]]) -> Change {
    let list = |of: &[&[&str]]| of.iter().map(|s| s.iter().map(|a| (*a).to_owned()).collect()).collect::<Vec<_>>();
    let before = list(&[&["dynamodb:GetItem", "dynamodb:PutItem"], &["logs:PutLogEvents"]]);
    let arn = "arn:aws:iam::111122223333:role/orders".parse().unwrap();
    let attachment = Attachment::identity(arn, "orders-inline".into());
    change(attachment, document(&before, TABLE), document(&list(after), TABLE))
}

/// The one patched file; a module's inputs always wait for a person.
fn patched_inputs(text: &str, change: &Change) -> String {
    let set = run(&[("main.tf", text)], change);
    assert!(set.refused.is_empty(), "{:?}", set.refused);
    let Disposition::NeedsReview(reasons) = &set.patches[0].disposition else { panic!("{:?}", set.patches) };
    assert!(reasons.iter().any(|r| r.contains("`module.orders` makes the policy")), "{reasons:?}");
    let mut again = change.clone();
    again.before.clone_from(&change.after);
    assert_eq!(run(&[("main.tf", &set.patches[0].after)], &again).patches, [], "patched twice");
    set.patches[0].after.clone()
}

#[test]
fn the_inputs_of_a_module_are_edited_in_their_own_words() {
    let logs: &[&str] = &["logs:PutLogEvents"];
    let after = patched_inputs(INPUTS, &inputs(&[&["dynamodb:PutItem"], logs]));
    assert_eq!(after, INPUTS.replace("\"dynamodb:GetItem\", ", ""));
    let after = patched_inputs(INPUTS, &inputs(&[&["dynamodb:GetItem", "dynamodb:PutItem"]]));
    assert!(!after.contains("logs") && after.contains("# both"), "{after}");
    let crlf = INPUTS.replace('\n', "\r\n");
    let mut with = inputs(&[&["dynamodb:GetItem", "dynamodb:PutItem"], logs, &["sqs:SendMessage"]]);
    with.after.as_mut().unwrap().statements[2].sid = Some("Queue".into());
    let after = patched_inputs(&crlf, &with);
    let new = "    Queue = {\r\n      sid = \"Queue\"";
    assert!(after.contains(&new.replace("sid =", "sid       =")), "{after}");
    assert!(
        after.contains("actions   = [\"sqs:SendMessage\"]") && !after.replace("\r\n", "").contains('\n'),
        "{after}"
    );
}

#[test]
fn an_input_that_the_module_ignores_is_no_policy() {
    let off = INPUTS.replace("attach_policy_statements = true", "attach_policy_statements = false");
    let set = run(&[("main.tf", &off)], &inputs(&[&["dynamodb:PutItem"]]));
    assert_eq!(set.patches, []);
    assert!(set.refused[0].refusal.message.contains("`attach_policy_statements` is not set"), "{:?}", set.refused);
}

#[test]
fn a_policy_of_a_module_goes_with_the_flag_that_attaches_it() {
    let change = Change { after: None, ..inputs(&[]) };
    let set = run(&[("main.tf", INPUTS)], &change);
    let after = &set.patches[0].after;
    assert!(!after.contains("policy_statements") && after.contains("function_name = \"orders\""), "{after}");
}

#[test]
fn a_heredoc_of_a_module_is_edited_and_its_removal_says_what_to_do() {
    let text = format!(
        "module \"orders\" {{\n  source = \"../..\"\n  function_name = \"orders\"\n  attach_policy_json = true\n  policy_json = <<-EOT\n    {{\"Statement\": [{{\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"{TABLE}\"}}]}}\n  EOT\n}}\n"
    );
    let arn = "arn:aws:iam::111122223333:role/orders".parse().unwrap();
    let before = document(&[vec!["s3:GetObject".into()]], TABLE);
    let gone = Change { after: None, ..change(Attachment::identity(arn, "orders".into()), before, document(&[], "*")) };
    let set = run(&[("main.tf", &text)], &gone);
    assert!(set.refused[0].refusal.hint.as_deref().is_some_and(|hint| hint.contains("flag")), "{:?}", set.refused);
    let less = Change { after: Some(document(&[vec!["s3:GetObjectTagging".into()]], TABLE)), ..gone };
    let set = run(&[("main.tf", &text)], &less);
    assert!(set.patches[0].after.contains("s3:GetObjectTagging"), "{:?}", set.refused);
}

#[test]
fn a_state_leads_to_the_call_of_a_module_from_outside() {
    let text = INPUTS.replace("\"orders\"\n\n", "\"${terraform.workspace}\"\n\n");
    let state = r#"{"version": 4, "resources": [{"module": "module.orders", "mode": "managed", "type": "aws_iam_role", "name": "lambda",
        "instances": [{"index_key": 0, "attributes": {"arn": "arn:aws:iam::111122223333:role/orders"}}]}]}"#;
    let set = run(
        &[("main.tf", &text), ("terraform.tfstate", state)],
        &inputs(&[&["dynamodb:PutItem"], &["logs:PutLogEvents"]]),
    );
    assert_eq!(set.patches.len(), 1, "{:?}", set.refused);
}

#[test]
fn the_seeds_of_the_fuzz_target_reach_the_editor() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/hcl");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let source = SourceText { name: SourceName::new("main.tf"), text: text.clone() };
        let locations: Vec<_> = Project::read(vec![source]).0.policies().collect();
        let patched = locations.iter().any(|location| {
            let after = document(&[vec!["s3:GetObject".into()]], "*");
            let trust = matches!(location.form, iam_patch::Form::Trust);
            let kind = if trust { AttachmentKind::Trust } else { AttachmentKind::Identity };
            let attachment = Attachment { kind, index: location.index, ..at(&location.logical_id) };
            let change = Change { attachment, before: None, after: Some(after), reasons: Vec::new() };
            !run(&[("main.tf", &text)], &change).patches.is_empty()
        });
        assert!(patched, "{text}");
    }
}

#[test]
fn a_managed_policy_of_a_role_with_inline_blocks_gives_way_to_a_managed_one_of_its_own() {
    let text = "resource \"aws_iam_role\" \"r\" {\n  name = \"r\"\n  managed_policy_arns = [\n    \"arn:aws:iam::aws:policy/AmazonSQSFullAccess\",\n    \"arn:aws:iam::aws:policy/AmazonS3FullAccess\", # all\n  ]\n  inline_policy {\n    name   = \"in\"\n    policy = jsonencode({ Statement = [] })\n  }\n}\n";
    let arn = "arn:aws:iam::111122223333:role/r".parse().unwrap();
    let attachment = Attachment::identity(arn, "arn:aws:iam::aws:policy/AmazonS3FullAccess".into());
    let after = Some(document(&[vec!["s3:GetObject".into()]], "arn:aws:s3:::b/*"));
    let set = run(&[("main.tf", text)], &Change { attachment, before: None, after, reasons: Vec::new() });
    assert!(set.refused.is_empty(), "{:?}", set.refused);
    let Disposition::NeedsReview(reasons) = &set.patches[0].disposition else { panic!("{:?}", set.patches) };
    assert!(reasons.iter().any(|r| r.contains("aws_iam_policy.r_amazon_s3_full_access")), "{reasons:?}");
    let (role, policy) = set.patches[0].after.split_once("\n}\n\nresource").expect("a block more");
    let (before, _) = text.rsplit_once("\n}\n").unwrap();
    let named = "aws_iam_policy.r_amazon_s3_full_access.arn";
    assert_eq!(role, before.replace("\"arn:aws:iam::aws:policy/AmazonS3FullAccess\"", named));
    assert!(
        policy.starts_with(" \"aws_iam_policy\" \"r_amazon_s3_full_access\"") && policy.contains("s3:GetObject"),
        "{policy}"
    );
}

#[test]
fn locate_tells_what_is_there_but_cannot_be_written() {
    let text = "resource \"aws_iam_role\" \"r\" {\n  name               = \"r\"\n  assume_role_policy = file(\"gone.json\")\n}\n\nresource \"aws_iam_role\" \"bare\" {\n  name = \"bare\"\n}\n";
    let source = SourceText { name: SourceName::new("main.tf"), text: text.into() };
    let (project, _) = Project::read(vec![source]);
    let snapshot = Snapshot::default();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let codes = |name: &str| {
        let (found, refused) = iam_patch::locate_in_source(&project, &index, name);
        let code = |refusal: &iam_patch::Refusal| (refusal.code.as_str(), refusal.place.is_some());
        (found.len(), refused.iter().map(code).collect::<Vec<_>>())
    };
    assert_eq!(codes("aws_iam_role.r"), (0, vec![("document-is-text", true)]));
    assert_eq!(codes("bare"), (0, vec![("not-in-source", true)]));
    assert_eq!(codes("nobody"), (0, vec![]));
}
