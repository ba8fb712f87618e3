//! How the actions of one role stand: seen, not seen, and not to be seen. Renders; weighs nothing.

use std::collections::BTreeMap;

use iam_model::action::Action;
use iam_model::json::Value;
use iam_model::usage::{Standing, Witness};

use super::{Stands, object, texts};
use crate::terminal::Paint;

/// Actions or services named on a line for people.
const NAMED: usize = 4;

/// Services with a line of their own for one reason; of more there is one line for all.
const MOST_SERVICES: usize = 12;

/// Actions of one class, by service and by why.
type Grouped<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a Action>>;

fn grouped<'a>(stands: &'a Stands, why: impl Fn(&'a Standing) -> Option<&'a str>) -> Grouped<'a> {
    let mut groups = Grouped::new();
    for (action, standing) in &stands.actions {
        if let Some(why) = why(standing) {
            groups.entry((action.service(), why)).or_default().push(action);
        }
    }
    groups
}

fn not_seen(standing: &Standing) -> Option<&str> {
    match standing {
        Standing::NotSeen { by: Witness::Logs } => Some(""),
        Standing::NotSeen { .. } => Some("by AWS's own record"),
        _ => None,
    }
}

fn blind(standing: &Standing) -> Option<&str> {
    match standing {
        Standing::CouldNotBeSeen { why } => Some(why),
        _ => None,
    }
}

/// For people.
pub(super) fn text(stands: &Stands, paint: Paint) -> String {
    let mut out = format!("\n{}\n", paint.bold(&format!("{}: of {}", stands.role, stands.scope)));
    if !stands.has_records {
        return out + "  nothing was read of what it did, so nothing can be said\n";
    }
    let seen = |by_logs: bool| {
        let is = move |standing: &&Standing| matches!(standing, Standing::Seen { by, .. } if (*by == Witness::Logs) == by_logs);
        stands.actions.iter().filter(move |(_, standing)| is(&standing))
    };
    out += &format!("  {} seen\n", seen(true).count());
    for (action, standing) in seen(false) {
        let Standing::Seen { last, .. } = standing else { continue };
        let day = last.date();
        out += &format!("    {}: {action}, last used on {day}\n", paint.yellow("only by AWS's own record"));
    }
    out += &class("not seen, and would have been", &grouped(stands, not_seen), paint);
    out += &class("could not have been seen", &grouped(stands, blind), paint);
    out
}

fn class(title: &str, groups: &Grouped<'_>, paint: Paint) -> String {
    let count: usize = groups.values().map(Vec::len).sum();
    let mut out = format!("  {count} {title}\n");
    let mut by_why: BTreeMap<&str, Vec<(&str, &Vec<&Action>)>> = BTreeMap::new();
    for ((service, why), actions) in groups {
        by_why.entry(why).or_default().push((service, actions));
    }
    for (why, services) in by_why {
        let why = if why.is_empty() { String::new() } else { paint.dim(&format!(": {why}")) };
        if services.len() > MOST_SERVICES {
            out += &format!("    {}{why}\n", of_many(&services));
            continue;
        }
        for (service, actions) in services {
            let names: Vec<&str> = actions.iter().take(NAMED).map(|action| action.name()).collect();
            let more = actions.len().saturating_sub(NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            out += &format!("    {service}: {}{more}{why}\n", names.join(", "));
        }
    }
    out
}

/// Actions of more services than anyone reads lines about.
fn of_many(services: &[(&str, &Vec<&Action>)]) -> String {
    let actions: usize = services.iter().map(|(_, actions)| actions.len()).sum();
    let named: Vec<&str> = services.iter().take(NAMED).map(|(service, _)| *service).collect();
    let more = services.len().saturating_sub(NAMED);
    format!(
        "{actions} actions of {} services ({} and {more} more; --format json lists them)",
        services.len(),
        named.join(", ")
    )
}

/// For programs.
pub(super) fn json(stands: &Stands) -> Value {
    let seen = stands.actions.iter().filter_map(|(action, standing)| match standing {
        Standing::Seen { last, by } => Some(object([
            ("action", Value::text(action.as_str())),
            ("last", Value::text(last.to_string())),
            ("by", Value::text(by.as_str())),
        ])),
        _ => None,
    });
    let not_seen = stands.actions.iter().filter_map(|(action, standing)| match standing {
        Standing::NotSeen { by } => {
            Some(object([("action", Value::text(action.as_str())), ("by", Value::text(by.as_str()))]))
        }
        _ => None,
    });
    let blind = grouped(stands, blind).into_iter().map(|((service, why), actions)| {
        object([
            ("service", Value::text(service)),
            ("why", Value::text(why)),
            ("actions", texts(actions.into_iter().map(ToString::to_string))),
        ])
    });
    object([
        ("of", Value::text(stands.scope)),
        ("has_records", Value::Bool(stands.has_records)),
        ("seen", Value::Array(seen.collect())),
        ("not_seen", Value::Array(not_seen.collect())),
        ("could_not_be_seen", Value::Array(blind.collect())),
    ])
}
