//! Resources that a function's variables name: told where permissions on them go and the logs could not have shown a call.

use crate::run::{Folder, copy, example};

const ROLE: &str = "tuktuk-dispatch-AssignDriverFunctionRole-693B169A42BB";

#[test]
fn a_queue_that_a_variable_names_is_told_before_its_permissions_go() {
    let folder = Folder::new();
    copy(&example(), &folder.path().join("e"));
    let tighten = || {
        folder.paring(&["tighten", "--snapshot", "e/snapshot.json", "--trail", "e/trail", "--iac", "e", "--role", ROLE])
    };
    let told = "told      NOTICES names arn:aws:sqs:ap-northeast-1:111122223333:tuktuk-dispatch-DriverNoticeQueue-24D2983E7123";
    assert!(!tighten().stdout.contains("told "), "what no variable names is not told");
    let key = "          MAPS_API_KEY: !Ref MapsApiKey\n";
    let template = folder.read("e/template.yaml");
    assert_eq!(template.matches(key).count(), 1);
    let queue = format!("{key}          NOTICES: !Ref DriverNoticeQueue\n");
    folder.write("e/template.yaml", template.replace(key, &queue));
    let output = tighten();
    let line = output.stdout.lines().find(|line| line.contains("told ")).unwrap_or_else(|| panic!("{}", output.stdout));
    assert!(line.contains(told), "{line}");
    assert!(line.contains("no call on it was seen, and the logs could not have shown"), "{line}");
    assert!(line.contains("sqs:DeleteMessage"), "{line}");
    // Where its use could have been seen, nothing has to be asked: the table that the other functions use is no such case.
    assert!(!output.stdout.contains("told      RECEIPTS_BUCKET"), "{}", output.stdout);
}
