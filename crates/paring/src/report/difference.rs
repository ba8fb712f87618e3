//! A semantic difference: for people, and as `paring-difference/1`.
//!
//! Renders; decides nothing.

use iam_model::action::Action;
use iam_model::json::Value;
use iam_verify::semantic_diff::{Difference, Side};

use super::verdict::counterexample;
use crate::terminal::Paint;

/// The schema name of the difference.
const SCHEMA: &str = "paring-difference/1";
/// Actions of one group that are shown.
const SHOWN: usize = 6;

/// The differences for people: what each principal or policy gains and loses, by service and access level.
pub(crate) fn render_text(found: &[(String, Difference)], not_compared: &[String], paint: Paint) -> String {
    let mut out = String::new();
    for (name, difference) in found {
        out.push_str(&format!("{}\n", paint.bold(name)));
        push_side(&mut out, &paint.red("gained"), &difference.gained);
        push_side(&mut out, &paint.green("lost"), &difference.lost);
    }
    if !not_compared.is_empty() {
        out.push_str(&format!("{}\n", paint.bold("not compared")));
        not_compared.iter().for_each(|what| out.push_str(&format!("  {what}\n")));
    }
    if found.is_empty() && not_compared.is_empty() {
        out.push_str("both allow the same requests\n");
    } else if found.is_empty() {
        out.push_str("what could be compared allows the same requests\n");
    } else {
        let count = |side: fn(&Difference) -> &Side| found.iter().map(|(_, d)| side(d).count()).sum::<usize>();
        let (gained, lost) = (count(|d| &d.gained), count(|d| &d.lost));
        out.push_str(&format!(
            "{} differ: {} gained, {lost} lost\n",
            found.len(),
            iam_model::text::counted(gained as u64, "action")
        ));
    }
    paint.clean(&out)
}

fn push_side(out: &mut String, word: &str, side: &Side) {
    if side.nothing {
        return;
    }
    out.push_str(&format!("  {word}\n"));
    for (group, actions) in &side.actions {
        let names: Vec<String> = actions.iter().take(SHOWN).map(|action| label(action, side)).collect();
        let more = actions.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (prefix, level) = (&group.prefix, group.level.as_str());
        out.push_str(&format!("    {prefix} {level}: {}{more}\n", names.join(", ")));
        if let Some(request) = side.examples.get(group) {
            out.push_str(&format!("      such as {request}\n"));
        }
    }
    if let Some(request) = &side.unpublished {
        out.push_str(&format!("    only requests for what AWS does not publish, such as {request}\n"));
    }
    if !side.undecided.is_empty() {
        let names: Vec<&str> = side.undecided.iter().take(SHOWN).map(Action::as_str).collect();
        out.push_str(&format!(
            "    not decided for {}: {}\n",
            iam_model::text::counted(side.undecided.len() as u64, "action"),
            names.join(", ")
        ));
    } else if side.actions.is_empty() && side.unpublished.is_none() {
        out.push_str("    not decided\n");
    }
}

/// An action of which the other side allows nothing stands alone; one that both allow in part is marked.
fn label(action: &Action, side: &Side) -> String {
    if side.whole.contains(action) { action.name().to_owned() } else { format!("{} (in part)", action.name()) }
}

/// The differences for programs.
pub(crate) fn render_json(found: &[(String, Difference)], not_compared: &[String]) -> String {
    let one = |(name, difference): &(String, Difference)| {
        Value::Object(vec![
            ("name".to_owned(), Value::text(name)),
            ("gained".to_owned(), side_value(&difference.gained)),
            ("lost".to_owned(), side_value(&difference.lost)),
        ])
    };
    let members = vec![
        ("schema".to_owned(), Value::text(SCHEMA)),
        ("differences".to_owned(), Value::Array(found.iter().map(one).collect())),
        ("not_compared".to_owned(), Value::Array(not_compared.iter().map(Value::text).collect())),
    ];
    Value::Object(members).to_pretty()
}

fn side_value(side: &Side) -> Value {
    let names = |actions: &[Action]| Value::Array(actions.iter().map(|action| Value::text(action.as_str())).collect());
    let groups = side.actions.iter().map(|(key, actions)| {
        let in_part: Vec<Action> = actions.iter().filter(|action| !side.whole.contains(action)).cloned().collect();
        Value::Object(vec![
            ("service".to_owned(), Value::text(&*key.prefix)),
            ("access_level".to_owned(), Value::text(key.level.as_str())),
            ("actions".to_owned(), names(actions)),
            ("in_part".to_owned(), names(&in_part)),
            ("example".to_owned(), side.examples.get(key).map_or(Value::Null, counterexample)),
        ])
    });
    Value::Object(vec![
        ("proved_nothing".to_owned(), Value::Bool(side.nothing)),
        ("groups".to_owned(), Value::Array(groups.collect())),
        ("unpublished".to_owned(), side.unpublished.as_ref().map_or(Value::Null, counterexample)),
        ("undecided".to_owned(), names(&side.undecided)),
    ])
}
