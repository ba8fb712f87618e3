//! AWS's quotas on policies, as data: how long each kind may be, and how many a role may have attached.
//!
//! Follows the IAM topic "IAM and AWS STS quotas" and the Organizations topic "Quotas and service limits". Which policies
//! fit, and what to do with those that do not, is for the rooms that make and judge them.

/// One set of quotas, under a name that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaProfile {
    /// The name.
    pub name: &'static str,
    /// Whose quotas they are, for people.
    pub title: &'static str,
    /// Characters of a managed policy, without white space.
    pub managed: usize,
    /// Managed policies that a role may have attached.
    pub managed_of_role: usize,
    /// Characters of all inline policies of a role together, without white space.
    pub inline_of_role: usize,
    /// Characters of a trust policy, without white space.
    pub trust: usize,
    /// Characters of a permissions boundary, without white space; it is a managed policy.
    pub boundary: usize,
    /// Characters of a service control policy as it is saved.
    pub service_control: usize,
    /// Service control policies that a root, unit or account may have beside `FullAWSAccess`.
    pub service_controls_of_target: usize,
    /// Characters of a resource control policy as it is saved.
    pub resource_control: usize,
    /// Resource control policies that a root, unit or account may have beside `RCPFullAWSAccess`.
    pub resource_controls_of_target: usize,
    /// Characters of the policy of a VPC endpoint as it is saved.
    pub vpc_endpoint: usize,
    /// Characters of a bucket's policy, and of most other resources'.
    pub resource: usize,
}

impl QuotaProfile {
    /// What every account has from the start.
    pub const AWS: Self = Self {
        name: "aws",
        title: "what every account has from the start",
        managed: 6_144,
        managed_of_role: 10,
        inline_of_role: 10_240,
        trust: 2_048,
        boundary: 6_144,
        service_control: 10_240,
        service_controls_of_target: 9,
        resource_control: 5_120,
        resource_controls_of_target: 4,
        vpc_endpoint: 20_480,
        resource: 20_480,
    };

    /// What AWS raises on request: more policies attached to a role, longer trust policies.
    pub const RAISED: Self = Self {
        name: "aws-raised",
        title: "what AWS raises on request: 20 managed policies of a role, trust policies of 4,096 characters",
        managed_of_role: 20,
        trust: 4_096,
        ..Self::AWS
    };

    /// No new policies: what does not fit where it stands keeps its old resources.
    pub const IN_PLACE: Self = Self {
        name: "in-place",
        title: "as `aws`, and nothing moves into new managed policies",
        managed_of_role: 0,
        ..Self::AWS
    };

    /// Before AWS raised the quotas of service control policies on 15 May 2026.
    pub const AWS_2025: Self = Self {
        name: "aws-2025",
        title: "as until May 2026: service control policies of 5,120 characters, five of a target",
        service_control: 5_120,
        service_controls_of_target: 4,
        ..Self::AWS
    };

    /// Every profile.
    pub const ALL: &'static [Self] = &[Self::AWS, Self::RAISED, Self::AWS_2025, Self::IN_PLACE];

    /// What the policy of a resource of a service may take.
    ///
    /// Follows the quotas pages of the services; those of which nothing is said there have what a bucket has.
    ///
    /// ```
    /// use iam_model::quota::QuotaProfile;
    /// assert_eq!(QuotaProfile::AWS.of_resource("s3").characters, 20_480);
    /// assert_eq!(QuotaProfile::AWS.of_resource("sqs").statements, Some(20));
    /// ```
    #[must_use]
    pub fn of_resource(&self, service: &str) -> ResourceQuota {
        match service {
            "ecr" | "events" => ResourceQuota::of(10_240),
            "kms" => ResourceQuota::of(32_768),
            "sns" => ResourceQuota { statements: Some(100), ..ResourceQuota::of(30_720) },
            "sqs" => ResourceQuota {
                statements: Some(20),
                conditions: Some(10),
                actions_of_statement: Some(7),
                ..ResourceQuota::of(8_192)
            },
            _ => ResourceQuota::of(self.resource),
        }
    }

    /// The profile of a name.
    ///
    /// ```
    /// use iam_model::quota::QuotaProfile;
    /// assert_eq!(QuotaProfile::named("aws"), Some(&QuotaProfile::AWS));
    /// assert_eq!(QuotaProfile::named("azure"), None);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|profile| profile.name == name)
    }
}

/// What one policy may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceQuota {
    /// Characters.
    pub characters: usize,
    /// Statements, where they are counted.
    pub statements: Option<usize>,
    /// Conditions of all statements together, where they are counted.
    pub conditions: Option<usize>,
    /// Actions of one statement, where they are counted.
    pub actions_of_statement: Option<usize>,
}

impl ResourceQuota {
    /// A quota that counts characters alone.
    #[must_use]
    pub const fn of(characters: usize) -> Self {
        Self { characters, statements: None, conditions: None, actions_of_statement: None }
    }
}

impl Default for QuotaProfile {
    fn default() -> Self {
        Self::AWS
    }
}
