//! The statements: that they keep what the catalogue's templates need, name the same codes as the reader, and fit where
//! they go.

use std::collections::BTreeSet;

use iam_model::time::Timestamp;

use super::*;
use crate::needed::Needed;
use crate::plan::resolve;
use crate::tests::catalog;

/// Dialects and the characters a statement may have: Athena's and CloudTrail Lake's quotas.
const ALL: [(Dialect, usize); 4] = [
    (Dialect::Athena, 262_144),
    (Dialect::Spark, 262_144),
    (Dialect::CloudTrailLake, 10_000),
    (Dialect::DuckDb, 262_144),
];

fn period() -> Period {
    let day = |text: &str| Timestamp::parse(&format!("{text}T00:00:00Z")).unwrap();
    Period { since: day("2026-11-01"), until: day("2026-11-30") }
}

#[test]
fn the_parameters_kept_are_those_the_templates_need() {
    let (mut needed, mut unfit) = (BTreeSet::new(), Vec::new());
    for (source, names) in FEW {
        for name in *names {
            let resolved = resolve(catalog(), source, name);
            let all = Needed::of(&resolved);
            match all.plain(&resolved) {
                Ok(roots) => needed.extend(roots.iter().map(|root| (*source, root.to_ascii_lowercase()))),
                Err(why) => unfit.push(format!("{source} {name}: {why}")),
            }
        }
    }
    assert_eq!(unfit, Vec::<String>::new());
    needed.retain(|(_, root)| !COMMON.contains(&root.as_str()));
    let kept: BTreeSet<(&str, String)> = PARAMETERS
        .iter()
        .flat_map(|(source, names)| names.iter().map(move |name| (*source, (*name).to_owned())))
        .collect();
    assert_eq!(kept, needed);
}

#[test]
fn codes_and_tools_are_those_the_reader_knows() {
    let (denials, unrecognised) = crate::outcome::codes();
    for code in denials {
        assert!(AGGREGATE.contains(&format!("error_code LIKE '%{code}%'")), "{code}");
    }
    assert!(AGGREGATE.contains(&format!("'(^|[.])({})$'", unrecognised.join("|"))));
    assert!(AGGREGATE.contains(&format!("/({})'", crate::identity::TOOLS.join("|"))));
}

#[test]
fn every_statement_is_complete_and_fits_its_engine() {
    for (dialect, most) in ALL {
        let text = statement(dialect, "my_table", period());
        assert!(text.len() < most, "{dialect:?}: {} characters", text.len());
        assert!(text.contains("FROM my_table\n") && text.contains("2026-11-30"), "{text}");
        assert!(
            !["{table}", "{few}", "{common}", "{parameters}", "{since}", "{until}"]
                .iter()
                .any(|part| text.contains(part))
        );
    }
    assert!(job().contains("FROM cloudtrail\n") && !job().contains("{statement}") && !job().contains("{few}"));
    assert!(ddl(Dialect::Athena, "my_table").unwrap().contains("CREATE EXTERNAL TABLE my_table ("));
    assert_eq!(ddl(Dialect::Spark, "x"), None);
}
