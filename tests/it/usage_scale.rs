//! Usage of an organisation in parts: merging, shares of the files, and runs that go on from a state, whatever became of
//! the run before.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use crate::run::{Folder, Output, testdata};

/// A folder with a log for each of thirty days: many objects and sessions, and names nothing explains.
fn month() -> Folder {
    days(30)
}

fn days(days: usize) -> Folder {
    let folder = Folder::new();
    for day in 1..=days {
        let mut records = Vec::new();
        for n in 0..80_usize {
            let id = day * 1000 + n;
            let role = id % 3;
            let name = if id.is_multiple_of(17) { "NewThing" } else { "GetObject" };
            let record = format!(
                r#"{{"eventID": "{id:08x}-0000-4000-8000-00000000{n:04x}", "eventTime": "2026-11-{day:02}T08:{:02}:30Z",
                "eventSource": "s3.amazonaws.com", "eventName": "{name}", "awsRegion": "eu-west-1",
                "recipientAccountId": "111122223333",
                "requestParameters": {{"bucketName": "b{}", "key": "in/{}/{id}"}}, "userIdentity": {{"type": "AssumedRole",
                "arn": "arn:aws:sts::111122223333:assumed-role/r{role}/fn-{}", "sessionContext": {{"sessionIssuer":
                {{"type": "Role", "arn": "arn:aws:iam::111122223333:role/r{role}"}}}}}}}}"#,
                n % 60,
                id % 2,
                id % 5,
                id / 3 % (40 * (role + 1)),
            );
            records.push(record);
        }
        let file = format!(
            "logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/{day:02}/111122223333_CloudTrail_eu-west-1_202611{day:02}T0815Z_x.json"
        );
        folder.write(&file, format!(r#"{{"Records": [{}]}}"#, records.join(",")));
    }
    folder
}

fn stdout(output: Output) -> String {
    assert_eq!(output.code, 0, "{}", output.stderr);
    output.stdout
}

fn whole(folder: &Folder) -> String {
    stdout(folder.paring(&["usage", "logs", "--format", "json"]))
}

#[test]
fn thirty_daily_logs_merged_in_any_order_are_one_run_byte_for_byte() {
    let folder = month();
    let names: Vec<String> = (1..=30).map(|day| format!("{day}.json")).collect();
    for (at, name) in names.iter().enumerate() {
        let day = format!("logs/**/{:02}/*.json", at + 1);
        folder.write(name, stdout(folder.paring(&["usage", &day, "--format", "json"])));
    }
    let whole = whole(&folder);
    assert!(whole.contains("\"folded\": {") && whole.contains("\"functions_folded\": true"), "nothing was folded");
    let mut order: Vec<&str> = names.iter().map(String::as_str).collect();
    for step in [1, 7, 11, 13] {
        order.sort_by_key(|name| name.trim_end_matches(".json").parse::<usize>().unwrap() * step % 31);
        let arguments = [&["usage", "merge"], order.as_slice(), &["-o", "all.json"]].concat();
        assert_eq!(folder.paring(&arguments).code, 0);
        assert!(folder.read("all.json") == whole, "step {step}");
    }
    // Merged parts merge on, and what is there already adds nothing.
    let half = [&["usage", "merge"], &order[..15], &["--output", "half.json"]].concat();
    stdout(folder.paring(&half));
    let rest = [&["usage", "merge", "half.json", order[3]], &order[15..]].concat();
    let output = folder.paring(&rest);
    assert!(output.stdout == whole);
    assert!(output.stderr.contains(&format!("`{}` added nothing", order[3])), "{}", output.stderr);
}

#[test]
fn shares_hold_each_file_once_and_together_all() {
    let folder = month();
    for shares in [1, 4, 50] {
        let names: Vec<String> = (0..shares).map(|share| format!("share{share}.json")).collect();
        for (share, name) in names.iter().enumerate() {
            let share = format!("{share}/{shares}");
            folder.write(name, stdout(folder.paring(&["usage", "logs", "--shard", &share, "--format", "json"])));
        }
        let mut arguments = vec!["usage", "merge"];
        arguments.extend(names.iter().map(String::as_str));
        assert!(stdout(folder.paring(&arguments)) == whole(&folder), "{shares} shares");
    }
    let first = |share: &str| stdout(folder.paring(&["usage", "logs", "--shard", share, "--format", "json"]));
    assert!(first("4/4") == first("0/4"));
    let output = folder.paring(&["usage", "logs", "--shard", "5/4"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("such as 3/16"), "{}", output.stderr);
}

#[test]
fn what_cannot_be_merged_is_refused_with_the_names() {
    let folder = month();
    let save = |name: &str, arguments: &[&str]| {
        let arguments = [&["usage", "--format", "json"], arguments].concat();
        folder.write(name, stdout(folder.paring(&arguments)));
    };
    save("a.json", &["logs/**/01/*", "logs/**/02/*"]);
    save("b.json", &["logs/**/02/*", "logs/**/03/*"]);
    save("r.json", &["logs/**/04/*", "--role", "r1"]);
    folder.write("old.json", r#"{"schema": "paring-usage/2"}"#);
    for (files, expected) in [
        (
            ["a.json", "b.json"],
            "`a.json` and `b.json` were both read from 1 of the same sources (one is 2026-11-02/80/",
        ),
        (["a.json", "r.json"], "`a.json` holds everything, `r.json` holds role r1"),
        (["a.json", "old.json"], "this is `paring-usage/2`"),
    ] {
        let output = folder.paring(&["usage", "merge", files[0], files[1]]);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""));
        assert!(output.stderr.contains(expected) && output.stderr.contains("hint"), "{}", output.stderr);
    }
}

#[test]
fn a_state_reads_only_what_is_new() {
    let folder = month();
    let run = || folder.paring(&["usage", "logs", "--state", "state", "--format", "json"]);
    let all = whole(&folder);
    let late = "logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/30/111122223333_CloudTrail_eu-west-1_20261130T0815Z_x.json";
    let last = folder.read(late);
    std::fs::remove_file(folder.path().join(late)).unwrap();
    stdout(run());
    folder.write(late, &last);
    assert!(stdout(run()) == all, "a new file");
    // What was read is not opened again.
    let first = late.replace("/30/", "/01/").replace("20261130", "20261101");
    let bytes = folder.read(&first).len();
    folder.write(&first, "x".repeat(bytes));
    assert!(stdout(run()) == all, "nothing new");
    folder.write(&first, "other");
    let output = run();
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("was read into `state`") && output.stderr.contains("5 now"), "{}", output.stderr);
}

#[test]
fn a_file_that_is_cut_off_counts_when_it_is_whole() {
    let folder = month();
    let all = whole(&folder);
    let name = "logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/12/111122223333_CloudTrail_eu-west-1_20261112T0815Z_x.json";
    let text = folder.read(name);
    folder.write(name, &text[..text.len() / 2]);
    let run = || folder.paring(&["usage", "logs", "--state", "state", "--format", "json"]);
    let output = run();
    assert_eq!(output.code, 0);
    assert!(output.stderr.contains("the JSON ends within a value"), "{}", output.stderr);
    assert!(!output.stdout.contains("2026-11-12/"), "half a file counted");
    folder.write(name, text);
    assert!(stdout(run()) == all);
}

#[test]
fn a_record_that_comes_again_in_a_later_file_counts_once() {
    let folder = month();
    let name = "logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/12/111122223333_CloudTrail_eu-west-1_20261112T0815Z_x.json";
    let run = || folder.paring(&["usage", "logs", "--state", "state", "--format", "json"]);
    stdout(run());
    let text = folder.read(name);
    let second = text.match_indices("{\"eventID\"").nth(1).unwrap().0;
    let again = format!("{}]}}", text[..second].trim_end_matches(','));
    folder.write(&name.replace("12T0815Z_x", "13T0000Z_y"), again);
    assert!(stdout(run()) == whole(&folder));
}

#[test]
fn a_copy_adds_nothing_to_a_state_wherever_a_batch_ends() {
    let folder = days(3);
    let name = "logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/02/111122223333_CloudTrail_eu-west-1_20261102T0815Z_x.json";
    folder.write("logs/copies/b.json", format!("\n{}", folder.read(name)));
    let run = |checkpoint: &str| {
        let state = format!("state{checkpoint}");
        folder.paring(&["usage", "logs", "--state", &state, "--checkpoint", checkpoint, "--format", "json"])
    };
    let (apart, together) = (run("0"), run("64"));
    let said = "note[log-repeated]: ";
    assert!(apart.stderr.contains(said) && together.stderr.contains(said), "{}", together.stderr);
    assert!(stdout(apart) == stdout(together));
}

#[test]
fn folders_of_parquet_are_read_as_engines_leave_them() {
    let folder = Folder::new();
    let rows = |name: &str| std::fs::read(testdata("rows").join(name)).unwrap();
    folder.write("rows.jsonl", rows("rows.jsonl"));
    let part = "part-00000-0f0e0d0c-1111-2222-3333-444455556666-c000.snappy.parquet";
    folder.write(&format!("spark/{part}"), rows("good-spark-v1.parquet"));
    folder.write(&format!("spark/.{part}.crc"), "crc");
    folder.write("spark/_SUCCESS", "");
    let unloaded = "unload/20261128_081530_00012_a1b2c_0f0e0d0c-1111-2222-3333-444455556666";
    folder.write(unloaded, rows("good-duckdb-gzip.parquet"));
    let usage = |logs: &str| stdout(folder.paring(&["usage", logs, "--format", "json"]));
    let expected = usage("rows.jsonl");
    assert!(usage("spark") == expected && usage("unload") == expected);
    let refused = rows("refused-nested.parquet");
    folder.write("bad/refused.parquet", refused);
    let output = folder.paring(&["usage", "bad"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("column `useridentity` holds structures or lists"), "{}", output.stderr);
    assert!(output.stderr.contains("hint: write the rows of `paring usage sql`"), "{}", output.stderr);
}

/// Kills the run with SIGKILL after the state was written so many times and then so much time passed as so many looks at
/// it take; says whether it was still running.
fn killed(folder: &Folder, writes: u32, looks: u32) -> bool {
    let mut run = Command::new(env!("CARGO_BIN_EXE_paring"))
        .args(["usage", "logs", "--state", "state", "--checkpoint", "0", "--threads", "1", "--format", "json"])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let state = folder.path().join("state");
    let length = || std::fs::metadata(&state).map_or(0, |metadata| metadata.len());
    let (mut seen, mut changes) = (length(), 0);
    while changes < writes && run.try_wait().unwrap().is_none() {
        let now = length();
        changes += u32::from(now != seen);
        seen = now;
    }
    assert!((0..looks).map(|_| length()).all(|length| length < u64::MAX));
    let running = run.try_wait().unwrap().is_none();
    run.kill().unwrap();
    run.wait().unwrap();
    running
}

#[test]
fn twenty_runs_killed_at_random_points_end_with_the_bytes_of_a_clean_run() {
    let folder = days(10);
    let clean = folder.paring(&[
        "usage",
        "logs",
        "--state",
        "clean",
        "--checkpoint",
        "0",
        "--threads",
        "1",
        "--format",
        "json",
    ]);
    let clean = (stdout(clean), folder.read("clean"));
    assert!(clean.0 == whole(&folder));
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut cut = String::new();
    let mut in_time = 0;
    for _ in 0..20 {
        let _ = std::fs::remove_file(folder.path().join("state"));
        let mut next = |below: u32| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            u32::try_from(random % u64::from(below)).unwrap()
        };
        let (writes, looks) = (next(9), next(3000));
        in_time += u32::from(killed(&folder, writes, looks));
        let _ = write!(cut, " {writes}+{looks}");
        let output = folder.paring(&[
            "usage",
            "logs",
            "--state",
            "state",
            "--checkpoint",
            "0",
            "--threads",
            "1",
            "--format",
            "json",
        ]);
        assert!(stdout(output) == clean.0, "killed after{cut}");
        assert!(folder.read("state") == clean.1, "another state after{cut}");
    }
    assert!(in_time >= 10, "only {in_time} of 20 runs were still running when they were killed");
}

#[test]
fn statements_are_printed_for_each_engine() {
    let folder = Folder::new();
    let sql = |arguments: &[&str]| folder.paring(&[&["usage", "sql", "--dialect"], arguments].concat());
    let athena = stdout(sql(&["athena", "--table", "logs.trail", "--since", "2026-11-01", "--until", "2026-11-03"]));
    assert!(athena.contains("FROM logs.trail\n") && athena.contains("REPLACE('2026-11-03', '-', '/')"), "{athena}");
    assert_eq!(
        athena,
        stdout(sql(&["trino", "--table", "logs.trail", "--since", "2026-11-01", "--until", "2026-11-03"]))
    );
    assert!(stdout(sql(&["athena", "--ddl"])).contains("'projection.enabled' = 'true'"));
    assert!(stdout(sql(&["spark", "--job"])).starts_with("\"\"\"What each role did"));
    for (arguments, expected) in [
        (vec!["athena", "--table", "x; DROP TABLE y"], "a name of letters, digits"),
        (vec!["athena", "--job"], "only Spark takes a job"),
        (vec!["cloudtrail-lake", "--ddl"], "this engine has no table to make"),
    ] {
        let output = sql(&arguments);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""));
        assert!(output.stderr.contains(expected), "{}", output.stderr);
    }
}
