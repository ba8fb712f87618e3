//! What a name in a request does not tell of an ARN, and what other parameters do: an id that is not the name, the version
//! of a parameter, the scope of a web ACL, the alias of a function, the version of what is copied.
//!
//! An ARN that was guessed would be "observed", and the grant that really served the call would go. So what is not
//! certain becomes a star here, or the form that AWS checks. Follows the Service Authorization Reference and the
//! services' own topics on resource names.

use std::collections::BTreeSet;

use iam_model::action::Action;

use crate::functions::Function;
use crate::plan::Pair;
use crate::template::Call;

/// The parameter that names a function's version or alias.
pub(crate) const QUALIFIER: &str = "qualifier";

/// The parameter that holds a new identity's path.
pub(crate) const PATH: &str = "path";

/// Parameters that hold the account whose resource is meant, which need not be the caller's.
pub(crate) const OWNERS: [&str; 2] = ["registryId", "queueOwnerAWSAccountId"];

/// Whether a parameter of this name holds something other than the variable asks for: a name where an id belongs, or an
/// id where a name does.
pub(crate) fn names_another(variable: &str, parameter: &str) -> bool {
    let kind = |text: &str| {
        let text = text.to_ascii_lowercase();
        let text = text.strip_suffix('s').unwrap_or(&text);
        let ends = |tails: &[&str]| tails.iter().any(|tail| text.ends_with(tail));
        match (ends(&["id", "uuid"]), ends(&["name"])) {
            (true, _) => Some(Kind::Id),
            (_, true) => Some(Kind::Name),
            _ => None,
        }
    };
    matches!((kind(variable), kind(parameter)), (Some(a), Some(b)) if a != b)
}

/// Services whose `…Identifier` is an id or an ARN, and never a name.
const ID_OR_ARN: &[&str] = &[
    "bedrock",
    "bedrock-agentcore",
    "cleanrooms",
    "cleanrooms-ml",
    "datazone",
    "gameliftstreams",
    "refactor-spaces",
    "vpc-lattice",
];

/// Whether a parameter of this name may hold a name where an id belongs: `applicationIdentifier` of AWS AppConfig.
pub(crate) fn may_name_another(service: &str, variable: &str, parameter: &str) -> bool {
    let ends = |text: &str, tail: &str| text.to_ascii_lowercase().ends_with(tail);
    ends(variable, "id") && ends(parameter, "identifier") && !ID_OR_ARN.contains(&service)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Id,
    Name,
}

/// A parameter's ARN without the version or label that a call may ask for: `…:parameter/a/b:3`.
pub(crate) fn without_selector(arn: String) -> String {
    let mut colons = arn.match_indices(':').map(|(at, _)| at);
    match colons.nth(5) {
        Some(at) if arn.contains(":parameter/") => arn.get(..at).unwrap_or(&arn).to_owned(),
        _ => arn,
    }
}

/// A web ACL's ARN with its scope as ARNs spell it: calls say `REGIONAL` and `CLOUDFRONT`.
pub(crate) fn with_scope(arn: &str) -> String {
    arn.replacen(":REGIONAL/", ":regional/", 1).replacen(":CLOUDFRONT/", ":global/", 1)
}

/// A function's ARN with the version or alias that the call asks for: that is what the permission is asked for then.
pub(crate) fn qualified(call: &Call<'_>, found: BTreeSet<String>) -> BTreeSet<String> {
    let text = |name: &str| call.request.get(name).and_then(crate::json::Raw::text);
    let name = text("functionName");
    let in_name = name.as_deref().and_then(Function::parse).and_then(|function| function.qualifier);
    let asked = text(QUALIFIER);
    let Some(qualifier) = asked.as_deref().or(in_name) else { return found };
    let one = |arn: String| match arn.matches(':').count() {
        6 if arn.contains(":function:") => format!("{arn}:{}", crate::template::escape(qualifier)),
        _ => arn,
    };
    found.into_iter().map(one).collect()
}

/// Events that name no bus go to the default one, whatever the others of the same call name.
pub(crate) fn default_bus(call: &Call<'_>) -> Option<String> {
    let open =
        |entry: crate::json::Raw<'_>| ["eventBusName", "EventBusName"].iter().all(|key| entry.get(key).is_none());
    let entries = call.request.get("entries")?;
    let default = || format!("arn:{}:events:{}:{}:event-bus/default", call.partition, call.region, call.account);
    entries.items().any(open).then(default)
}

/// The action that a call needs on what it copies: another one where it asks for a version.
pub(crate) fn on_copied(pair: &Pair<'_>, call: &Call<'_>) -> Option<Action> {
    let name = pair.action.as_str().strip_prefix("s3:GetObject").filter(|rest| !rest.starts_with("Version"))?;
    let versioned = |(key, value): (&[u8], crate::json::Raw<'_>)| {
        key.eq_ignore_ascii_case(b"x-amz-copy-source")
            && value.text().is_some_and(|source| source.contains("?versionId="))
    };
    let asked = pair.copies && call.request.members().any(versioned);
    if asked { format!("s3:GetObjectVersion{name}").parse().ok() } else { None }
}

/// A secret's ARN as the call gives it, or without the six characters at its end. Words of six letters look like them,
/// so that both may be meant.
pub(crate) fn secret(arn: String, into: &mut BTreeSet<String>) {
    let name = arn.splitn(7, ':').nth(6).filter(|_| arn.contains(":secretsmanager:"));
    let Some(tail) = name.map(|name| name.rsplit_once('-').map_or("", |(_, tail)| tail)) else {
        into.insert(arn);
        return;
    };
    let suffix = tail.len() == 6 && tail.bytes().all(|byte| byte.is_ascii_alphanumeric());
    // AWS draws from letters of both cases and digits; a word keeps to one case after its first letter.
    let word = tail.bytes().skip(1).all(|byte| !byte.is_ascii_uppercase())
        || tail.bytes().all(|byte| !byte.is_ascii_lowercase());
    if !suffix || word {
        into.insert(format!("{arn}-??????"));
    }
    if suffix {
        into.insert(arn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_id_and_an_id_no_name() {
        for (variable, parameter, another) in [
            ("NamespaceId", "namespaceName", true),
            ("ClusterUuid", "clusterName", true),
            ("BrokerName", "brokerId", true),
            ("ConformancePackId", "conformancePackNames", true),
            ("RoleNameWithPath", "roleName", false),
            ("Id", "id", false),
            ("TableName", "tableName", false),
            ("InstanceId", "instanceIds", false),
            ("BucketName", "bucket", false),
        ] {
            assert_eq!(names_another(variable, parameter), another, "{variable} from {parameter}");
        }
    }

    #[test]
    fn words_at_the_end_of_a_secret_may_be_part_of_its_name() {
        for (name, expected) in [
            ("prod/key-mK4vQz", vec!["prod/key-mK4vQz"]),
            ("prod/key", vec!["prod/key-??????"]),
            ("prod-db-master", vec!["prod-db-master", "prod-db-master-??????"]),
            ("prod-202401", vec!["prod-202401", "prod-202401-??????"]),
        ] {
            let arn = |name: &str| format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}");
            let mut found = BTreeSet::new();
            secret(arn(name), &mut found);
            assert_eq!(found, expected.into_iter().map(arn).collect(), "{name}");
        }
    }
}
