//! What is folded, what is not, and what a forbidden fold falls back to.

use super::*;

fn patterns(seen: &[&str], forbidden: &str) -> Vec<String> {
    let seen: Vec<_> = seen.iter().map(|text| ResourcePattern::new(text)).collect();
    fold(&seen, &|pattern| pattern.as_str() == forbidden).iter().map(|f| f.pattern.as_str().to_owned()).collect()
}

#[track_caller]
fn check(seen: &[&str], expected: &[&str]) {
    assert_eq!(patterns(seen, ""), expected);
    let reversed: Vec<&str> = seen.iter().rev().copied().collect();
    assert_eq!(patterns(&reversed, ""), expected, "in any order");
}

#[test]
fn objects_become_the_folder_they_share() {
    check(&["arn:aws:s3:::b/config.json"], &["arn:aws:s3:::b/config.json"]);
    check(&["arn:aws:s3:::b/a/1.png", "arn:aws:s3:::b/a/2.png"], &["arn:aws:s3:::b/a/*"]);
    check(&["arn:aws:s3:::b/ab/1", "arn:aws:s3:::b/ac/1"], &["arn:aws:s3:::b/ab/1", "arn:aws:s3:::b/ac/1"]);
    check(
        &["arn:aws:s3:::b/x/y/1", "arn:aws:s3:::b/x/z/1", "arn:aws:s3:::c/q"],
        &["arn:aws:s3:::b/x/*", "arn:aws:s3:::c/q"],
    );
    check(&["arn:aws:s3:::b/é/1", "arn:aws:s3:::b/é/2"], &["arn:aws:s3:::b/é/*"]);
    check(&["arn:aws:s3:::b/prefix/*", "arn:aws:s3:::b/prefix/a"], &["arn:aws:s3:::b/prefix/*"]);
    check(&["arn:aws:s3:::b/1/x", "arn:aws:s3:::b/2/x", "arn:aws:s3:::b/3/x"], &["arn:aws:s3:::b/*"]);
}

#[test]
fn a_settings_file_beside_data_does_not_open_the_bucket() {
    check(
        &["arn:aws:s3:::b/config.json", "arn:aws:s3:::b/in/1.json", "arn:aws:s3:::b/in/2.json"],
        &["arn:aws:s3:::b/config.json", "arn:aws:s3:::b/in/*"],
    );
}

#[test]
fn few_objects_with_generated_names_stand_for_their_top_folder() {
    check(&["arn:aws:s3:::b/in/acme/0f8fad5b-d9cb-469f-a165-70867728950e.json"], &["arn:aws:s3:::b/in/*"]);
    check(
        &["arn:aws:s3:::b/in/acme/5f1c2d3e4a5b.json", "arn:aws:s3:::b/in/acme/6f1c2d3e4a5b.json"],
        &["arn:aws:s3:::b/in/*"],
    );
    check(&["arn:aws:s3:::b/a/1/5f1c2d3e4a5b", "arn:aws:s3:::b/c/2/6f1c2d3e4a5b"], &["arn:aws:s3:::b/*"]);
    let many: Vec<String> = (0..9).map(|n| format!("arn:aws:s3:::b/in/acme/{n}f1c2d3e4a5b.json")).collect();
    check(&many.iter().map(String::as_str).collect::<Vec<_>>(), &["arn:aws:s3:::b/in/acme/*"]);
}

#[test]
fn names_that_are_configuration_stay() {
    check(&["arn:aws:s3:::b", "arn:aws:s3:::c"], &["arn:aws:s3:::b", "arn:aws:s3:::c"]);
    for name in ["table/Orders", "table/Orders/index/byDay"] {
        let arn = format!("arn:aws:dynamodb:us-east-1:111122223333:{name}");
        check(&[&arn], &[&arn]);
    }
    let key = |id: &str| format!("arn:aws:kms:us-east-1:111122223333:key/{id}");
    let keys = [key("0f8fad5b-d9cb-469f-a165-70867728950e"), key("7c9e6679-7425-40de-944b-e07fc1f90ae7")];
    check(&[&keys[0], &keys[1]], &[&keys[0], &keys[1]]);
    let instances = [
        "arn:aws:ec2:eu-west-1:1:instance/i-0a1b2c3d4e5f6a7b8",
        "arn:aws:ec2:eu-west-1:1:instance/i-1a1b2c3d4e5f6a7b8",
    ];
    check(&instances, &instances);
}

#[test]
fn generated_parts_of_names_become_a_star_where_two_were_seen() {
    check(
        &["arn:aws:logs:us-east-1:111122223333:log-group:g:log-stream:s1"],
        &["arn:aws:logs:us-east-1:111122223333:log-group:g:*"],
    );
    let run = |id: &str| format!("arn:aws:logs:us-east-1:111122223333:delivery:flow:{id}");
    let (a, b) = (run("0f8fad5b-d9cb-469f-a165-70867728950e"), run("7c9e6679-7425-40de-944b-e07fc1f90ae7"));
    check(&[&a, &b], &["arn:aws:logs:us-east-1:111122223333:delivery:flow:*"]);
    check(&[&a], &[&a]);
    let day = |day: &str| format!("arn:aws:dynamodb:us-east-1:111122223333:table/events_{day}");
    check(&[&day("2026_05_01"), &day("2026_05_02")], &[&day("*")]);
    check(&[&day("2026-05"), &day("2026-06"), &day("archive")], &[&day("*"), &day("archive")]);
}

#[test]
fn a_month_that_ends_does_not_deny_the_next_months_calls() {
    let key = |key: &str| format!("arn:aws:s3:::lake/{key}");
    let days: Vec<String> = (1..20).map(|day| key(&format!("raw/year=2026/month=11/day={day:02}/x.json"))).collect();
    check(&days.iter().map(String::as_str).collect::<Vec<_>>(), &[&key("raw/*")]);
    check(&[&key("exports/2026/11/report.csv")], &[&key("exports/*")]);
    check(&[&key("2026/11/03/04/part-1.gz"), &key("2026/11/03/05/part-2.gz")], &[&key("*")]);
    let hours: Vec<String> = (0..9).map(|hour| key(&format!("raw/dt=2026-11-03/{hour}.json"))).collect();
    check(&hours.iter().map(String::as_str).collect::<Vec<_>>(), &[&key("raw/*")]);
    let chosen: Vec<String> = (1..10).map(|n| key(&format!("year=2026/orders/05/{n}.json"))).collect();
    check(&chosen.iter().map(String::as_str).collect::<Vec<_>>(), &[&key("year=2026/orders/05/*")]);
}

#[test]
fn the_next_execution_task_or_revision_has_another_name() {
    let arn = |rest: &str| format!("arn:aws:{rest}");
    let once = |seen: &str, expected: &str| check(&[&arn(seen)], &[&arn(expected)]);
    once(
        "states:eu-west-1:1:execution:flow:3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "states:eu-west-1:1:execution:flow:*",
    );
    once("ecs:eu-west-1:1:task/c1/0123456789abcdef0123456789abcdef", "ecs:eu-west-1:1:task/c1/*");
    once("rds:eu-west-1:1:snapshot:db1-2026-11-01", "rds:eu-west-1:1:snapshot:db1-*");
    once("rds:eu-west-1:1:snapshot:golden", "rds:eu-west-1:1:snapshot:golden");
    once("ecs:eu-west-1:1:task-definition/td:3", "ecs:eu-west-1:1:task-definition/td:3");
    let many = |count: usize, name: &dyn Fn(usize) -> String, expected: &str| {
        let seen: Vec<String> = (0..count).map(|n| arn(&name(n))).collect();
        check(&seen.iter().map(String::as_str).collect::<Vec<_>>(), &[&arn(expected)]);
    };
    many(2, &|n| format!("ecs:eu-west-1:1:task-definition/td:{n}"), "ecs:eu-west-1:1:task-definition/td:*");
    many(2, &|n| format!("ec2:eu-west-1:1:snapshot/snap-0123456789abcdef{n}"), "ec2:eu-west-1:1:snapshot/*");
    many(8, &|n| format!("ec2:eu-west-1:1:instance/i-0123456789abcdef{n}"), "ec2:eu-west-1:1:instance/*");
}

#[test]
fn a_forbidden_fold_falls_back_to_what_was_seen() {
    let seen = ["arn:aws:s3:::b/a/1.png", "arn:aws:s3:::b/a/2.png"];
    assert_eq!(patterns(&seen, "arn:aws:s3:::b/a/*"), seen);
}
