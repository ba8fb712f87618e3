//! Whom principal elements name, and whom a Deny for all others hits.

use iam_model::text::Spanned;

use super::*;

const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/R/s";
const ROLE: &str = "arn:aws:iam::111122223333:role/path/R";
const USER: &str = "arn:aws:iam::111122223333:user/u";
const ACCOUNT: &str = "arn:aws:iam::111122223333:root";

fn compiled(not: bool, entries: &[PrincipalPattern]) -> CompiledPrincipals {
    let patterns = entries.iter().cloned().map(Spanned::synthetic).collect();
    CompiledPrincipals::new(&if not {
        PrincipalElement::NotPrincipal(patterns)
    } else {
        PrincipalElement::Principal(patterns)
    })
}

fn aws(text: &str) -> PrincipalPattern {
    PrincipalPattern::Aws(text.into())
}

#[track_caller]
fn check(entry: &PrincipalPattern, caller: &str, [fully, limited, account]: [Truth; 3]) {
    let named = compiled(false, std::slice::from_ref(entry)).named(&Principal::parse(caller).unwrap());
    assert_eq!(named, Named { fully, limited, account }, "{entry:?} {caller}");
}

#[test]
fn callers_are_named_by_themselves_by_their_role_or_by_their_account() {
    use Truth::{Maybe, No, Yes};
    check(&PrincipalPattern::Everyone, "anonymous", [Yes, No, No]);
    check(&aws(USER), USER, [Yes, No, No]);
    check(&aws(USER), "arn:aws:sts::111122223333:federated-user/u", [No, Yes, No]);
    check(&aws(ROLE), SESSION, [No, Yes, No]);
    check(&aws(SESSION), SESSION, [Yes, No, No]);
    check(&aws(SESSION), "arn:aws:iam::111122223333:role/R", [Maybe, No, No]);
    check(&aws("111122223333"), SESSION, [No, No, Yes]);
    check(&aws(ACCOUNT), "arn:aws:iam::444455556666:user/u", [No, No, No]);
    check(&PrincipalPattern::Service("sns.amazonaws.com".into()), "sns.amazonaws.com", [Yes, No, No]);
    check(&PrincipalPattern::Service("sns.amazonaws.com".into()), USER, [No, No, No]);
}

#[test]
fn a_unique_id_or_an_arn_with_wildcards_names_nobody() {
    for text in ["AROAEXAMPLEROLEID", "arn:aws:iam::111122223333:role/*", "nonsense"] {
        check(&aws(text), SESSION, [Truth::No; 3]);
    }
}

#[test]
fn a_canonical_user_id_is_unknown() {
    check(&PrincipalPattern::CanonicalUser("79a5".into()), USER, [Truth::Maybe, Truth::No, Truth::No]);
}

#[test]
fn not_principal_exempts_only_whoever_is_listed_with_every_name() {
    let denies = |entries: &[&str], caller: &str, has_boundary: bool| {
        let entries: Vec<PrincipalPattern> = entries.iter().map(|text| aws(text)).collect();
        compiled(true, &entries).denies(&Principal::parse(caller).unwrap(), has_boundary)
    };
    assert_eq!(denies(&[USER, ACCOUNT], USER, false), Truth::No);
    assert_eq!(denies(&[SESSION, ROLE, ACCOUNT], SESSION, false), Truth::No);
    assert_eq!(denies(&[USER, ACCOUNT], "arn:aws:iam::444455556666:user/u", false), Truth::Yes);
    assert_eq!(denies(&[USER, ACCOUNT], USER, true), Truth::Yes);
    for partial in [&[USER][..], &[ACCOUNT]] {
        assert_eq!(denies(partial, USER, false), Truth::Maybe, "not_principal_listed_in_part_is_unknown");
    }
}
