//! Identity providers from which everyone can get a token, and what such a token says of whom it was made for.
//!
//! Follows the IAM User Guide topics "Create a role for OpenID Connect federation" and "Available keys for AWS web identity
//! federation". A trust that asks for none of what tells one holder from another lets everyone in.

/// A provider that serves everyone.
pub(super) struct Provider {
    host: &'static str,
    /// What a stranger's token holds under each key of the provider's.
    pub(super) stranger: &'static [(&'static str, &'static str)],
    /// What a trust has to ask for, in words.
    pub(super) asks: &'static str,
}

const SUBJECT: &[(&str, &str)] = &[
    ("sub", "repo:a-stranger/of-nobody:ref:refs/heads/main"),
    ("repository", "a-stranger/of-nobody"),
    ("repository_owner", "a-stranger"),
];

const fn by_subject(host: &'static str) -> Provider {
    Provider { host, stranger: SUBJECT, asks: "its subject" }
}

const PROVIDERS: &[Provider] = &[
    by_subject("token.actions.githubusercontent.com"),
    by_subject("gitlab.com"),
    by_subject("app.terraform.io"),
    by_subject("agent.buildkite.com"),
    by_subject("api.bitbucket.org"),
    by_subject("oidc.circleci.com"),
    by_subject("oidc.vercel.com"),
    Provider {
        host: "cognito-identity.amazonaws.com",
        stranger: &[
            ("aud", "us-east-1:00000000-0000-4000-8000-00000000000a"),
            ("sub", "us-east-1:00000000-0000-4000-8000-00000000000b"),
        ],
        asks: "the identity pool (`aud`)",
    },
    Provider {
        host: "accounts.google.com",
        stranger: &[
            ("aud", "000000000000-a-stranger.apps.googleusercontent.com"),
            ("oaud", "000000000000-a-stranger.apps.googleusercontent.com"),
            ("sub", "100000000000000000000"),
        ],
        asks: "the application (`aud`)",
    },
    Provider {
        host: "graph.facebook.com",
        stranger: &[("app_id", "100000000000000"), ("id", "100000000000001")],
        asks: "the application (`app_id`)",
    },
    Provider {
        host: "www.amazon.com",
        stranger: &[
            ("app_id", "amzn1.application-oa2-client.00000000000000000000000000000000"),
            ("user_id", "amzn1.account.0000000000000000000000000000"),
        ],
        asks: "the application (`app_id`)",
    },
];

/// The host of a provider as trust policies name it: by itself, or by the ARN of what the account has of it.
pub(super) fn host(name: &str) -> &str {
    name.rsplit("oidc-provider/").next().unwrap_or(name)
}

/// The provider that serves everyone, if it is one.
pub(super) fn open_to_all(name: &str) -> Option<&'static Provider> {
    let host = host(name);
    PROVIDERS
        .iter()
        .find(|known| host.strip_prefix(known.host).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
