//! Pages, throttling, refusals and interruptions, through the real clients against a stand-in on loopback.

use std::fs;
use std::path::Path;

use iam_model::snapshot::SnapshotIndex;

use super::*;
use crate::stub::{CANARY, QUICK, SILENCE, Stub, nothing, serve};
use crate::{file_form, from_path};

const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";

/// A page of `GetAccountAuthorizationDetails` with one role.
fn page(role: &str, marker: Option<&str>) -> (u16, String) {
    let more = marker.map_or_else(
        || "<IsTruncated>false</IsTruncated>".into(),
        |marker| format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"),
    );
    let body = format!(
        "<GetAccountAuthorizationDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">
         <GetAccountAuthorizationDetailsResult>{more}<RoleDetailList><member>
         <RoleName>{role}</RoleName><RoleId>AROA{role}</RoleId><Arn>arn:aws:iam::111122223333:role/{role}</Arn><Path>/</Path>
         <AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument>
         <RolePolicyList><member><PolicyName>p</PolicyName><PolicyDocument>{TRUST}</PolicyDocument></member></RolePolicyList>
         <Tags><member><Key>team</Key><Value>rides</Value></member></Tags>
         </member></RoleDetailList></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"
    );
    (200, body)
}

fn refused(code: &str, status: u16) -> (u16, String) {
    (
        status,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
        ),
    )
}

fn functions(names: &[&str], next: &str) -> (u16, String) {
    let entries: Vec<String> = names
        .iter()
        .map(|name| {
            format!(
                r#"{{"FunctionName": "{name}", "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:{name}",
                    "Role": "arn:aws:iam::111122223333:role/second", "Runtime": "python3.13", "NewInThisYear": [1],
                    "Environment": {{"Variables": {{"PASSWORD": "{CANARY}", "KEY": "AKIA{CANARY}"}}}}}}"#
            )
        })
        .collect();
    (200, format!(r#"{{"Functions": [{}]{next}}}"#, entries.join(",")))
}

/// An account of two roles on two pages, and three functions on two.
fn account(request: &str, before: usize) -> (u16, String) {
    match request {
        r if r.contains("Action=GetAccountAuthorizationDetails") && r.contains("Marker=") => page("second", None),
        r if r.contains("Action=GetAccountAuthorizationDetails") && before == 0 => refused("Throttling", 400),
        r if r.contains("Action=GetAccountAuthorizationDetails") => page("first", Some("next")),
        r if r.contains("/functions?Marker=") || r.contains("/functions/?Marker=") => functions(&["c"], ""),
        r if r.starts_with("GET /2015-03-31/functions ") || r.starts_with("GET /2015-03-31/functions/ ") => {
            functions(&["a", "b"], r#", "NextMarker": "m""#)
        }
        r if r.contains("/policy") && r.contains("function%3Aa") => {
            (200, r#"{"Policy": "{\"Version\": \"2012-10-17\", \"Statement\": []}"}"#.into())
        }
        r if r.contains("/policy") && r.contains("function%3Ac") => {
            (403, r#"{"__type": "AccessDeniedException", "Message": "not you"}"#.into())
        }
        r if r.contains("/policy?Qualifier=live") => {
            (200, r#"{"Policy": "{\"Version\": \"2012-10-17\", \"Statement\": []}"}"#.into())
        }
        r if r.contains("/policy") || r.contains("/url ") || r.contains("/url?") => {
            (404, r#"{"__type": "ResourceNotFoundException", "Message": "none"}"#.into())
        }
        r if r.contains("/tags/") => (200, r#"{"Tags": {"team": "rides"}}"#.into()),
        r if r.contains("/functions/b/aliases") => {
            let alias = "arn:aws:lambda:us-east-1:111122223333:function:b:live";
            (200, format!(r#"{{"Aliases": [{{"AliasArn": "{alias}", "Name": "live", "FunctionVersion": "1"}}]}}"#))
        }
        r if r.contains("/aliases") => nothing(r),
        r if r.contains("/restapis") && r.contains("/resources") => {
            let method = format!(
                r#"{{"methodIntegration": {{"type": "HTTP", "uri": "https://example.com/{CANARY}", "requestParameters": {{"h": "'{CANARY}'"}}}}}}"#
            );
            (200, format!(r#"{{"item": [{{"id": "r", "path": "/", "resourceMethods": {{"GET": {method}}}}}]}}"#))
        }
        r if r.contains("/restapis") && r.contains("position=") => {
            (200, r#"{"item": [{"id": "y", "name": "second"}]}"#.into())
        }
        r if r.contains("/restapis") => {
            let policy = r#"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":\\\"execute-api:Invoke\\\",\\\"Resource\\\":\\\"*\\\"}]}"#;
            (200, format!(r#"{{"item": [{{"id": "x", "name": "first", "policy": "{policy}"}}], "position": "p"}}"#))
        }
        other => nothing(other),
    }
}

fn order() -> Order {
    Order::default()
}

fn collected_by(stub: &Stub, order: &Order) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    block_on(collect_with(&stub.config(), order, QUICK, &|_| ())).unwrap()
}

fn collected(stub: &Stub) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    collected_by(stub, &order())
}

fn roles(snapshot: &Snapshot) -> Vec<String> {
    SnapshotIndex::new(snapshot).0.roles().map(|role| role.identity.name.clone()).collect()
}

/// A folder of its own for one test, gone afterwards.
struct Record(PathBuf);

impl Record {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("paring-record-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn order(&self) -> Order {
        Order { record: Some(self.0.clone()), ..order() }
    }

    /// Every file in it, with its text.
    fn files(&self) -> Vec<(String, String)> {
        fn walk(path: &Path, files: &mut Vec<(String, String)>) {
            for entry in fs::read_dir(path).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, files);
                } else {
                    files.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
                }
            }
        }
        let mut files = Vec::new();
        walk(&self.0, &mut files);
        files.sort();
        files
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn pages_and_throttling_lose_nothing_and_give_nothing_twice() {
    let stub = serve(account);
    let (snapshot, diagnostics) = collected(&stub).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    assert_eq!(roles(&snapshot), ["first", "second"]);
    let first = index.role(&"arn:aws:iam::111122223333:role/first".parse().unwrap()).unwrap();
    assert_eq!(first.trust.statements.len(), 1, "documents are decoded");
    assert_eq!(first.identity.tags["team"], "rides");
    let functions = index.functions_of(&"arn:aws:iam::111122223333:role/second".parse().unwrap());
    assert_eq!(functions.iter().map(|f| f.arn.name()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(functions[0].api.get("Tags").and_then(|tags| tags.get("team")?.as_str()), Some("rides"));
    assert!(functions[0].api.get("NewInThisYear").is_some(), "what this version does not know is kept");
    assert!(index.resource_policy(&functions[0].arn).is_some());
    let alias = "arn:aws:lambda:us-east-1:111122223333:function:b:live".parse().unwrap();
    assert!(index.resource_policy(&alias).is_some(), "an alias has a policy of its own");
    let api = index.resource_policy(&"arn:aws:execute-api:us-east-1:111122223333:x".parse().unwrap()).unwrap();
    assert_eq!(api.statements.len(), 1, "API Gateway's extra escapes are undone");
    let messages: Vec<&str> = diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(messages.len(), 3, "{messages:#?}");
    assert!(messages[0].contains("(AccessDeniedException) when calling the GetPolicy operation: not you"));
    assert_eq!(diagnostics[0].hint.as_deref(), Some("allow `lambda:GetPolicy` to whoever collects, and collect again"));
    assert!(messages[1].contains("only us-east-1 was asked"));
    assert!(messages[2].contains("1 of 3 lambda.functions (`c`): the policies on them are not known"));
    let asked = stub.asked();
    let details = asked.iter().filter(|r| r.contains("GetAccountAuthorizationDetails")).count();
    assert_eq!(details, 3, "one throttled, two pages");
}

#[test]
fn servers_that_fail_or_say_nothing_are_asked_again() {
    let stub = serve(|request, before| match request {
        r if r.contains("Action=GetAccountAuthorizationDetails") && before < 7 => (503, "no".into()),
        r if r.contains(".ListTables ") && before == 0 => (SILENCE, String::new()),
        r if r.contains(".ListKeys ") && before < 4 => {
            (400, r#"{"__type": "ThrottlingException", "message": "slow down"}"#.into())
        }
        r if r.contains(".ListSecrets ") && before < 2 => (200, r#"{"SecretList": [{"ARN": "#.into()),
        r if r.contains("Action=GetAccountAuthorizationDetails") => account(r, 1),
        r => account(r, before),
    });
    let (snapshot, diagnostics) = collected(&stub).unwrap();
    assert_eq!(roles(&snapshot), ["first", "second"]);
    let messages: Vec<&str> = diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert!(messages.iter().all(|m| !m.contains("list-tables") && !m.contains("list-keys")), "{messages:#?}");
}

#[test]
fn pages_that_go_round_end() {
    let stub = serve(|request, before| match request {
        r if r.contains(".ListKeys ") => (200, r#"{"Keys": [], "NextMarker": "again", "Truncated": true}"#.into()),
        r => account(r, before),
    });
    let (_, diagnostics) = collected(&stub).unwrap();
    assert!(diagnostics.iter().any(|d| d.message.contains("a mark came twice")), "{diagnostics:#?}");
    assert!(stub.asked().iter().filter(|r| r.contains(".ListKeys ")).count() <= 4);
}

#[test]
fn secrets_never_come_out() {
    let record = Record::new("secrets");
    let (snapshot, diagnostics) = collected_by(&serve(account), &record.order()).unwrap();
    let form = file_form(&snapshot).unwrap();
    assert!(form.contains("\"PASSWORD\": \"(left out)\""), "names stay: {form}");
    assert!(form.contains("AKIA(the rest"), "what kind of value it was stays");
    assert!(!form.contains(CANARY));
    assert!(!format!("{snapshot:?} {diagnostics:?}").contains(CANARY));
    for (name, text) in record.files() {
        assert!(!text.contains(CANARY) && !name.contains(CANARY), "{name}");
    }
    let error = collected(&serve(|_, _| refused("InvalidClientTokenId", 403))).unwrap_err();
    assert!(!format!("{error:?} {error}").contains(CANARY));
}

#[test]
fn equal_answers_give_equal_bytes() {
    let form = || file_form(&collected(&serve(account)).unwrap().0).unwrap();
    assert_eq!(form(), form());
}

#[test]
fn without_an_identity_there_is_an_error_that_names_the_call() {
    let error = collected(&serve(|_, _| refused("AccessDenied", 403))).unwrap_err();
    assert_eq!(error.to_string(), "`sts:GetCallerIdentity` failed: AccessDenied: no");
}

#[test]
fn a_list_with_a_refused_page_is_not_taken_for_whole() {
    let stub = serve(|request, before| match request {
        r if r.contains("Marker=next") => refused("AccessDenied", 403),
        r => account(r, before),
    });
    let (snapshot, diagnostics) = collected(&stub).unwrap();
    assert_eq!(roles(&snapshot), [""; 0]);
    let said = diagnostics.iter().find(|d| d.message.contains("GetAccountAuthorizationDetails")).unwrap();
    assert!(said.hint.as_deref().unwrap().contains("allow `iam:GetAccountAuthorizationDetails`"));
}

#[test]
fn a_record_read_back_is_the_same_snapshot() {
    let record = Record::new("same");
    let (live, _) = collected_by(&serve(account), &record.order()).unwrap();
    let (replayed, _) = from_path(&record.0).unwrap();
    assert_eq!(file_form(&live).unwrap(), file_form(&replayed).unwrap());
    assert_eq!(roles(&replayed), ["first", "second"]);
}

#[test]
fn a_collection_whose_credentials_end_goes_on_where_it_stopped() {
    let record = Record::new("resumed");
    let expiring = serve(|request, before| match request {
        r if r.contains("function%3Ab") => (403, r#"{"__type": "ExpiredTokenException", "message": "expired"}"#.into()),
        r => account(r, before),
    });
    let error = collected_by(&expiring, &record.order()).unwrap_err();
    assert!(error.to_string().starts_with("the credentials are no longer good"), "{error}");
    assert!(error.hint().unwrap().contains("log in again"), "{:?}", error.hint());
    let kept = record.files().len();
    assert!(kept > 3, "{kept}");

    let good = serve(account);
    let (resumed, _) = collected_by(&good, &record.order()).unwrap();
    let (whole, _) = collected(&serve(account)).unwrap();
    let without_places = |snapshot: &Snapshot| {
        let form = file_form(snapshot).unwrap().replace(&format!("{}/", record.0.display()), "");
        form.lines().filter(|line| !line.contains("\"what\"")).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_places(&resumed), without_places(&whole));
    assert!(good.asked().iter().all(|r| !r.contains("GetAccountAuthorizationDetails")), "what is there is not asked");

    // Once everything was answered, only who one is and the organisation are asked again, and what was refused.
    let again = serve(account);
    collected_by(&again, &record.order()).unwrap();
    let about: Vec<String> = again
        .asked()
        .into_iter()
        .filter(|r| !r.contains("CallerIdentity") && !r.contains(".DescribeOrganization "))
        .collect();
    assert!(about.iter().all(|r| r.contains("function%3Ac")), "{about:#?}");
}

/// Two accounts below a unit, each with a service control policy of its own; one more that is closed.
fn organization(request: &str, before: usize) -> (u16, String) {
    let json = |body: &str| (200, body.to_owned());
    match request {
        r if r.contains(".DescribeOrganization ") => {
            json(r#"{"Organization": {"Id": "o-1", "MasterAccountId": "111122223333"}}"#)
        }
        r if r.contains(".ListRoots ") => json(
            r#"{"Roots": [{"Id": "r-1", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]}"#,
        ),
        r if r.contains(".ListAccountsForParent ") && r.contains("r-1") => {
            json(r#"{"Accounts": [{"Id": "111122223333", "Status": "ACTIVE"}]}"#)
        }
        r if r.contains(".ListAccountsForParent ") && r.contains("NextToken") => {
            json(r#"{"Accounts": [{"Id": "999999999999", "Status": "SUSPENDED"}]}"#)
        }
        r if r.contains(".ListAccountsForParent ") => {
            json(r#"{"Accounts": [{"Id": "444455556666", "Status": "ACTIVE"}], "NextToken": "n"}"#)
        }
        r if r.contains(".ListOrganizationalUnitsForParent ") && r.contains("r-1") => {
            json(r#"{"OrganizationalUnits": [{"Id": "ou-1"}]}"#)
        }
        r if r.contains(".ListOrganizationalUnitsForParent ") => json(r#"{"OrganizationalUnits": []}"#),
        r if r.contains(".ListPolicies ") => {
            json(r#"{"Policies": [{"Id": "p-FullAWSAccess"}, {"Id": "p-1"}, {"Id": "p-unused"}]}"#)
        }
        r if r.contains(".ListTargetsForPolicy ") && r.contains("p-1\"") => {
            json(r#"{"Targets": [{"TargetId": "ou-1"}]}"#)
        }
        r if r.contains(".ListTargetsForPolicy ") && r.contains("p-Full") => json(
            r#"{"Targets": [{"TargetId": "r-1"}, {"TargetId": "ou-1"}, {"TargetId": "111122223333"}, {"TargetId": "444455556666"}]}"#,
        ),
        r if r.contains(".ListTargetsForPolicy ") => json(r#"{"Targets": []}"#),
        r if r.contains(".DescribePolicy ") => {
            let effect = if r.contains("p-1\"") { "Deny" } else { "Allow" };
            json(&format!(
                r#"{{"Policy": {{"Content": "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"{effect}\",\"Action\":\"*\",\"Resource\":\"*\"}}]}}"}}}}"#
            ))
        }
        r if r.contains("Action=AssumeRole") && r.contains("444455556666") => {
            let body = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA444455556666</AccessKeyId>\
                 <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration>\
                 </Credentials></AssumeRoleResult></AssumeRoleResponse>";
            (200, body.into())
        }
        r if r.contains("Action=AssumeRole") => refused("AccessDenied", 403),
        r => account(r, before),
    }
}

#[test]
fn guardrails_come_level_by_level_and_only_where_they_are_switched_on() {
    let (snapshot, diagnostics) = collected(&serve(organization)).unwrap();
    let organization = snapshot.organization.as_ref().unwrap_or_else(|| panic!("{diagnostics:#?}"));
    assert_eq!(organization.management_account.as_ref().map(ToString::to_string).as_deref(), Some("111122223333"));
    let of = |account: &str| {
        let found = &organization.accounts[&account.parse().unwrap()];
        (found.scps.iter().map(Vec::len).collect::<Vec<_>>(), found.rcps.len())
    };
    assert_eq!(of("444455556666"), (vec![1, 2, 1], 0), "root, unit, account");
    assert_eq!(of("111122223333"), (vec![1, 1], 0));
}

#[test]
fn an_account_whose_role_is_refused_is_named_and_costs_no_other() {
    let order = Order {
        accounts: Accounts::These(vec!["111122223333".parse().unwrap(), "777788889999".parse().unwrap()]),
        role_name: Some("auditor".into()),
        ..order()
    };
    let told = Mutex::new(Vec::new());
    let stub = serve(organization);
    let (snapshot, diagnostics) =
        block_on(collect_with(&stub.config(), &order, QUICK, &|progress| told.lock().unwrap().push(progress.clone())))
            .unwrap()
            .unwrap();
    assert_eq!(snapshot.accounts.len(), 2);
    assert_eq!(roles(&snapshot), ["first", "second"]);
    let said = diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(said.contains("777788889999/account-authorization-details.err"), "{said}");
    let mut told = told.into_inner().unwrap();
    told.sort_by(|a, b| a.account.cmp(&b.account));
    assert_eq!(told.iter().map(|p| p.refused.is_some()).collect::<Vec<_>>(), [false, true]);
    assert!(told[0].answered > 10 && told[0].failed == 1, "{told:?}");
}

#[test]
fn other_accounts_need_a_role_and_all_of_them_an_organisation() {
    let all = Order { accounts: Accounts::All, ..order() };
    assert_eq!(collected_by(&serve(account), &all).unwrap_err(), CollectError::NoOrganization);
    assert_eq!(collected_by(&serve(organization), &all).unwrap_err(), CollectError::NoRoleName);
}

#[test]
fn a_tree_that_may_not_be_read_is_said_and_is_not_none() {
    let stub = serve(|request, before| match request {
        r if r.contains(".ListRoots ") => (400, r#"{"__type": "AccessDeniedException", "Message": "no"}"#.into()),
        r => organization(r, before),
    });
    let (snapshot, diagnostics) = collected(&stub).unwrap();
    assert!(snapshot.organization.is_none());
    let said = diagnostics.iter().find(|d| d.message.contains("organizations:ListRoots")).unwrap();
    assert!(said.message.contains("guardrails are not known"), "{said}");
}

#[test]
fn last_uses_are_fetched_once_their_job_is_done_and_kept() {
    let record = Record::new("last");
    let stub = serve(|request, before| {
        let xml = |name: &str, inner: &str| {
            (200, format!("<{name}Response><{name}Result>{inner}</{name}Result></{name}Response>"))
        };
        let get = "GetServiceLastAccessedDetails";
        let job = "<JobCreationDate>2026-11-01T00:00:00Z</JobCreationDate><JobCompletionDate>2026-11-01T00:00:05Z</JobCompletionDate>";
        match request {
            r if r.contains("Action=GenerateServiceLastAccessedDetails") => {
                let job = if r.contains("first") { "j-first" } else { "j-second" };
                xml("GenerateServiceLastAccessedDetails", &format!("<JobId>{job}</JobId>"))
            }
            r if r.contains("Action=GetServiceLastAccessedDetails") && before == 0 => {
                xml(get, &format!("<JobStatus>IN_PROGRESS</JobStatus>{job}<ServicesLastAccessed/>"))
            }
            r if r.contains("j-first") => xml(
                get,
                &format!(
                    "<JobStatus>COMPLETED</JobStatus><JobType>ACTION_LEVEL</JobType>{job}<ServicesLastAccessed><member>
                     <ServiceName>Amazon S3</ServiceName><ServiceNamespace>s3</ServiceNamespace>
                     <LastAuthenticated>2026-10-01T00:00:00Z</LastAuthenticated></member></ServicesLastAccessed>"
                ),
            ),
            r if r.contains("j-second") => refused("NoSuchEntity", 404),
            r => account(r, before),
        }
    });
    let order = Order { last_accessed: true, ..record.order() };
    collected_by(&stub, &order).unwrap();
    let files = record.files();
    let kept =
        |name: &str| files.iter().any(|(path, _)| path.ends_with(&format!("get-service-last-accessed-details/{name}")));
    assert!(kept("first.json") && kept("second.err"), "{:#?}", files.iter().map(|f| &f.0).collect::<Vec<_>>());
    let text = &files.iter().find(|(path, _)| path.ends_with("first.json")).unwrap().1;
    assert!(text.contains("\"ServiceNamespace\": \"s3\"") && text.contains("2026-10-01T00:00:00Z"), "{text}");
    let again = serve(account);
    collected_by(&again, &order).unwrap();
    assert!(again.asked().iter().all(|r| !r.contains("LastAccessed")), "cached");
}

/// A page of roles with two inline policies each, about 2.6 kB a role, as accounts have them.
fn thousand(page: usize, pages: usize) -> (u16, String) {
    let document = |n: usize| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Table","Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query"],"Resource":["arn:aws:dynamodb:us-east-1:111122223333:table/rides-{n}","arn:aws:dynamodb:us-east-1:111122223333:table/rides-{n}/index/*"]}}]}}"#
        );
        text.replace('{', "%7B").replace('}', "%7D").replace('"', "%22").replace('[', "%5B").replace(']', "%5D")
    };
    let mut members = String::new();
    for number in page * 1000..(page + 1) * 1000 {
        members.push_str(&format!(
            "<member><RoleName>r{number:05}</RoleName><RoleId>AROA{number:017}</RoleId><Path>/</Path>\
             <Arn>arn:aws:iam::111122223333:role/r{number:05}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
             <AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument><RolePolicyList>\
             <member><PolicyName>a</PolicyName><PolicyDocument>{}</PolicyDocument></member>\
             <member><PolicyName>b</PolicyName><PolicyDocument>{}</PolicyDocument></member></RolePolicyList>\
             <Tags><member><Key>team</Key><Value>t{}</Value></member></Tags></member>",
            document(number),
            document(number + 1),
            number % 7
        ));
    }
    let more = if page + 1 == pages {
        "<IsTruncated>false</IsTruncated>".to_owned()
    } else {
        format!("<IsTruncated>true</IsTruncated><Marker>page{}</Marker>", page + 1)
    };
    let body = format!(
        "<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult>{more}\
         <RoleDetailList>{members}</RoleDetailList></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"
    );
    (200, body)
}

/// A page of functions, each with a policy and tags.
fn fifty(request: &str) -> (u16, String) {
    const PAGES: usize = 20;
    let page =
        request.split("Marker=").nth(1).and_then(|mark| mark.split([' ', '&']).next()?.parse().ok()).unwrap_or(0);
    let names: Vec<String> = (page * 50..(page + 1) * 50).map(|number| format!("f{number:05}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let next = if page + 1 == PAGES { String::new() } else { format!(r#", "NextMarker": "{}""#, page + 1) };
    functions(&names, &next)
}

/// `docs/performance.md` tells what this takes.
#[test]
fn ten_thousand_roles_and_a_thousand_functions_come_whole() {
    const PAGES: usize = 10;
    let stub = serve(|request, _| match request {
        r if r.contains("/aliases") => nothing(r),
        r if r.contains("/policy") => (200, r#"{"Policy": "{\"Version\": \"2012-10-17\", \"Statement\": []}"}"#.into()),
        r if r.contains("/tags/") || r.contains("/url ") => account(r, 0),
        r if r.contains("/functions") => fifty(r),
        r if r.contains("Action=GetAccountAuthorizationDetails") => {
            let page = r.split("Marker=page").nth(1).and_then(|mark| mark.split('&').next()?.parse().ok());
            thousand(page.unwrap_or(0), PAGES)
        }
        r => nothing(r),
    });
    let (snapshot, _) = collected(&stub).unwrap();
    let names: BTreeSet<String> = roles(&snapshot).into_iter().collect();
    assert_eq!(names.len(), PAGES * 1000);
    let account = snapshot.accounts.values().next().unwrap();
    let functions: BTreeSet<&str> = account.resources.iter().map(|function| function.arn.as_str()).collect();
    assert_eq!((functions.len(), account.resource_policies.len()), (1000, 1000));
    assert!(file_form(&snapshot).unwrap().len() > 10_000_000);
}

/// An account with an analyzer: two findings on two pages, a recommendation that takes a while, a generation.
fn analyzed(request: &str, before: usize) -> (u16, String) {
    let json = |body: &str| (200, body.to_owned());
    let analyzer = "arn:aws:access-analyzer:us-east-1:111122223333:analyzer/unused";
    match request {
        r if r.starts_with("GET /analyzer ") || r.starts_with("GET /analyzer?") => json(&format!(
            r#"{{"analyzers": [{{"arn": "{analyzer}", "name": "unused", "type": "ACCOUNT_UNUSED_ACCESS", "createdAt": "2026-01-01T00:00:00Z", "status": "ACTIVE"}}]}}"#
        )),
        r if r.starts_with("POST /findingv2 ") => {
            let finding = |id: &str, kind: &str| {
                format!(
                    r#"{{"id": "{id}", "findingType": "{kind}", "resource": "arn:aws:iam::111122223333:role/first", "resourceType": "AWS::IAM::Role",
                        "resourceOwnerAccount": "111122223333", "status": "ACTIVE", "analyzedAt": "2026-11-01T00:00:00Z",
                        "createdAt": "2026-11-01T00:00:00Z", "updatedAt": "2026-11-01T00:00:00Z"}}"#
                )
            };
            if r.contains("nextToken") {
                json(&format!(r#"{{"findings": [{}]}}"#, finding("f-2", "ExternalAccess")))
            } else {
                json(&format!(r#"{{"findings": [{}], "nextToken": "n"}}"#, finding("f-1", "UnusedPermission")))
            }
        }
        r if r.starts_with("POST /recommendation/f-1") => json("{}"),
        r if r.starts_with("GET /recommendation/f-1") => {
            let (status, steps) = if before == 0 {
                ("IN_PROGRESS", "[]")
            } else {
                (
                    "SUCCEEDED",
                    r#"[{"unusedPermissionsRecommendedStep": {"recommendedAction": "DETACH_POLICY", "existingPolicyId": "p"}}]"#,
                )
            };
            json(&format!(
                r#"{{"startedAt": "2026-11-01T00:00:00Z", "resourceArn": "arn:aws:iam::111122223333:role/first", "recommendedSteps": {steps},
                    "recommendationType": "UnusedPermissionRecommendation", "status": "{status}"}}"#
            ))
        }
        r if r.starts_with("GET /policy/generation/j-1") => json(
            r#"{"jobDetails": {"jobId": "j-1", "status": "SUCCEEDED", "startedOn": "2026-11-01T00:00:00Z"},
                "generatedPolicyResult": {"properties": {"isComplete": true, "principalArn": "arn:aws:iam::111122223333:role/first"},
                "generatedPolicies": []}}"#,
        ),
        r if r.starts_with("GET /policy/generation") => json(
            r#"{"policyGenerations": [{"jobId": "j-1", "principalArn": "arn:aws:iam::111122223333:role/first", "status": "SUCCEEDED", "startedOn": "2026-11-01T00:00:00Z"},
                {"jobId": "j-2", "principalArn": "arn:aws:iam::111122223333:role/first", "status": "FAILED", "startedOn": "2026-11-01T00:00:00Z"}]}"#,
        ),
        r => account(r, before),
    }
}

#[test]
fn what_access_analyzer_found_recommends_and_generated_is_kept() {
    let record = Record::new("analyzer");
    let stub = serve(analyzed);
    let (_, diagnostics) = collected_by(&stub, &Order { access_analyzer: true, ..record.order() }).unwrap();
    assert!(diagnostics.iter().all(|d| !d.message.contains("not known, and not used")), "{diagnostics:#?}");
    let files = record.files();
    let text = |name: &str| {
        let found = files.iter().find(|(path, _)| path.ends_with(&format!("us-east-1/{name}")));
        &found.unwrap_or_else(|| panic!("no {name} in {:#?}", files.iter().map(|f| &f.0).collect::<Vec<_>>())).1
    };
    assert!(text("list-findings-v2/unused.json").contains("f-2"), "both pages");
    let source = iam_model::text::SourceText {
        name: iam_model::text::SourceName::new("r.json"),
        text: text("get-finding-recommendation/f-1.json").clone(),
    };
    let recommended = crate::generated::recommendations(&source).unwrap();
    assert_eq!(recommended[0].existing.as_deref(), Some("p"));
    assert!(text("get-generated-policy/j-1.json").contains("SUCCEEDED"));
    assert!(stub.asked().iter().all(|r| !r.contains("/recommendation/f-2") && !r.contains("/generation/j-2")));
}

/// What makes services call something, on two pages where AWS has pages.
fn sources(request: &str, before: usize) -> (u16, String) {
    let json = |body: &str| (200, body.to_owned());
    let xml = |name: &str, inner: &str| {
        (200, format!("<{name}Response><{name}Result>{inner}</{name}Result></{name}Response>"))
    };
    let function = "arn:aws:lambda:us-east-1:111122223333:function:a";
    let topic = "arn:aws:sns:us-east-1:111122223333:news";
    match request {
        r if r.contains("max-buckets") => (
            200,
            "<ListAllMyBucketsResult><Buckets><Bucket><Name>data</Name><BucketRegion>us-east-1</BucketRegion></Bucket></Buckets></ListAllMyBucketsResult>".into(),
        ),
        r if r.contains("?notification") => (
            200,
            format!("<NotificationConfiguration><CloudFunctionConfiguration><Id>n</Id><CloudFunction>{function}</CloudFunction><Event>s3:ObjectCreated:*</Event></CloudFunctionConfiguration></NotificationConfiguration>"),
        ),
        r if r.contains("/data?policy") => refused("NoSuchBucketPolicy", 404),
        r if r.contains("/data?publicAccessBlock") => refused("NoSuchPublicAccessBlockConfiguration", 404),
        r if r.contains("Action=ListTopics") => {
            xml("ListTopics", &format!("<Topics><member><TopicArn>{topic}</TopicArn></member></Topics>"))
        }
        r if r.contains("Action=GetTopicAttributes") => xml(
            "GetTopicAttributes",
            &format!("<Attributes><entry><key>TopicArn</key><value>{topic}</value></entry></Attributes>"),
        ),
        r if r.contains("Action=ListSubscriptions") => {
            let one = |protocol: &str, to: &str| {
                format!("<member><TopicArn>{topic}</TopicArn><Protocol>{protocol}</Protocol><Endpoint>{to}</Endpoint></member>")
            };
            let (list, next) = if r.contains("NextToken") {
                (one("https", &format!("https://example.com/{CANARY}")), "")
            } else {
                (one("lambda", function), "<NextToken>n</NextToken>")
            };
            xml("ListSubscriptions", &format!("<Subscriptions>{list}</Subscriptions>{next}"))
        }
        r if r.contains(".ListEventBuses ") => json(r#"{"EventBuses": [{"Name": "default", "Arn": "arn:aws:events:us-east-1:111122223333:event-bus/default"}]}"#),
        r if r.contains(".ListRules ") => json(
            r#"{"Rules": [{"Name": "nightly", "EventBusName": "default", "Arn": "arn:aws:events:us-east-1:111122223333:rule/nightly"}]}"#,
        ),
        r if r.contains(".ListTargetsByRule ") => json(&format!(r#"{{"Targets": [{{"Id": "1", "Arn": "{function}", "Input": "{CANARY}"}}]}}"#)),
        r if r.contains(".ListKeys ") => json(
            r#"{"Keys": [{"KeyId": "k", "KeyArn": "arn:aws:kms:us-east-1:111122223333:key/k"}]}"#,
        ),
        r if r.contains(".GetKeyPolicy ") => json(r#"{"Policy": "{\"Version\": \"2012-10-17\", \"Statement\": []}"}"#),
        r if r.contains(".ListGrants ") => json(
            r#"{"Grants": [{"GrantId": "g", "GranteePrincipal": "arn:aws:iam::111122223333:role/first", "Operations": ["Decrypt"]}]}"#,
        ),
        r => account(r, before),
    }
}

#[test]
fn what_makes_services_call_something_is_collected_without_its_secrets() {
    let record = Record::new("sources");
    let (snapshot, _) = collected_by(&serve(sources), &record.order()).unwrap();
    let held = &snapshot.accounts.values().next().unwrap().resources;
    let part = |arn: &str, part: &str| {
        let found = held.iter().find(|resource| resource.arn.as_str() == arn).and_then(|found| found.api.get(part));
        found.unwrap_or_else(|| panic!("no {part} of {arn}")).to_compact()
    };
    let function = "function:a\"";
    assert!(part("arn:aws:s3:::data", "NotificationConfiguration").contains(function));
    assert!(part("arn:aws:sns:us-east-1:111122223333:news", "Subscriptions").contains(function));
    assert!(part("arn:aws:events:us-east-1:111122223333:rule/nightly", "Targets").contains(function));
    assert!(part("arn:aws:kms:us-east-1:111122223333:key/k", "Grants").contains("role/first"));
    assert!(part("arn:aws:execute-api:us-east-1:111122223333:x", "Resources").contains("\"path\":\"/\""));
    assert!(part("arn:aws:lambda:us-east-1:111122223333:function:b", "Aliases").contains("live"));
    for (name, text) in record.files() {
        assert!(!text.contains(CANARY), "{name}: {text}");
    }
    let (replayed, _) = from_path(&record.0).unwrap();
    assert_eq!(file_form(&snapshot).unwrap(), file_form(&replayed).unwrap());
}

/// Two regions are switched on; of one nothing may be read.
fn regions_of(request: &str, before: usize) -> (u16, String) {
    match request {
        r if r.contains("/listRegions") => (
            200,
            r#"{"Regions": [{"RegionName": "us-east-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"}, {"RegionName": "eu-west-1", "RegionOptStatus": "ENABLED"}]}"#.into(),
        ),
        r => account(r, before),
    }
}

#[test]
fn all_regions_that_are_switched_on_are_asked() {
    let record = Record::new("regions");
    let order = Order { all_regions: true, ..record.order() };
    let stub = serve(regions_of);
    let (_, diagnostics) = collected_by(&stub, &order).unwrap();
    assert!(diagnostics.iter().all(|d| !d.message.contains("was asked")), "{diagnostics:#?}");
    let files = record.files();
    for region in ["us-east-1", "eu-west-1"] {
        assert!(files.iter().any(|(path, _)| path.contains(&format!("{region}/list-functions"))), "{region}");
    }
    assert!(stub.asked().iter().any(|r| r.contains("/listRegions") && r.contains("ENABLED_BY_DEFAULT")));
}

#[test]
fn where_the_regions_are_not_told_the_profiles_own_is_asked_and_that_is_said() {
    let stub = serve(|request, before| match request {
        r if r.contains("/listRegions") => (403, r#"{"__type": "AccessDeniedException", "message": "no"}"#.into()),
        r => account(r, before),
    });
    let (_, diagnostics) = collected_by(&stub, &Order { all_regions: true, ..order() }).unwrap();
    let said = |part: &str| diagnostics.iter().any(|d| format!("{d} {:?}", d.hint).contains(part));
    assert!(said("only us-east-1 was asked") && said("allow `account:ListRegions`"), "{diagnostics:#?}");
}
