//! The types of resource whose policies can be checked for public access, and which actions those policies govern.
//!
//! Follows the IAM Access Analyzer API topic "CheckNoPublicAccess", whose list this is. A type that is not on it is an
//! error, never a pass: nobody has said what a stranger could ask of it.

use std::fmt;
use std::str::FromStr;

use iam_model::action::ActionPattern;

macro_rules! resource_types {
    ($($name:ident => $text:literal, [$($action:literal),+];)*) => {
        /// A type of resource that has a resource policy.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is the CloudFormation type of the same name")]
        pub enum ResourceType { $($name,)* }

        impl ResourceType {
            /// Every type, as AWS lists them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name as AWS writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The actions that a policy on such a resource can allow.
            #[must_use]
            pub fn actions(self) -> Vec<ActionPattern> {
                let patterns: &[&str] = match self { $(Self::$name => &[$($action),+],)* };
                patterns.iter().map(|pattern| ActionPattern::new(pattern)).collect()
            }
        }
    };
}

resource_types! {
    DynamodbTable => "AWS::DynamoDB::Table", ["dynamodb:*"];
    DynamodbStream => "AWS::DynamoDB::Stream", ["dynamodb:*"];
    EfsFileSystem => "AWS::EFS::FileSystem", ["elasticfilesystem:*"];
    OpensearchDomain => "AWS::OpenSearchService::Domain", ["es:*"];
    KinesisStream => "AWS::Kinesis::Stream", ["kinesis:*"];
    KinesisStreamConsumer => "AWS::Kinesis::StreamConsumer", ["kinesis:*"];
    KmsKey => "AWS::KMS::Key", ["kms:*"];
    LambdaFunction => "AWS::Lambda::Function", ["lambda:*"];
    S3Bucket => "AWS::S3::Bucket", ["s3:*"];
    S3AccessPoint => "AWS::S3::AccessPoint", ["s3:*"];
    S3ExpressDirectoryBucket => "AWS::S3Express::DirectoryBucket", ["s3express:*"];
    S3ExpressAccessPoint => "AWS::S3Express::AccessPoint", ["s3express:*", "s3:*"];
    S3Glacier => "AWS::S3::Glacier", ["glacier:*"];
    S3OutpostsBucket => "AWS::S3Outposts::Bucket", ["s3-outposts:*"];
    S3OutpostsAccessPoint => "AWS::S3Outposts::AccessPoint", ["s3-outposts:*"];
    S3TablesTableBucket => "AWS::S3Tables::TableBucket", ["s3tables:*"];
    S3TablesTable => "AWS::S3Tables::Table", ["s3tables:*"];
    SecretsManagerSecret => "AWS::SecretsManager::Secret", ["secretsmanager:*"];
    SnsTopic => "AWS::SNS::Topic", ["sns:*"];
    SqsQueue => "AWS::SQS::Queue", ["sqs:*"];
    AssumeRolePolicyDocument => "AWS::IAM::AssumeRolePolicyDocument", ["sts:*"];
    ApigatewayRestApi => "AWS::ApiGateway::RestApi", ["execute-api:*"];
    CodeartifactDomain => "AWS::CodeArtifact::Domain", ["codeartifact:*"];
    BackupVault => "AWS::Backup::BackupVault", ["backup:*"];
    CloudtrailDashboard => "AWS::CloudTrail::Dashboard", ["cloudtrail:*"];
    CloudtrailEventDataStore => "AWS::CloudTrail::EventDataStore", ["cloudtrail:*"];
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A type that cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the resource type `{text}` cannot be checked for public access")]
pub struct ResourceTypeError {
    text: String,
}

impl ResourceTypeError {
    /// What to do.
    #[must_use]
    pub fn hint(&self) -> String {
        let known: Vec<&str> = ResourceType::ALL.iter().map(|known| known.as_str()).collect();
        format!("one of {}; or no type, to ask about every action", known.join(", "))
    }
}

impl FromStr for ResourceType {
    type Err = ResourceTypeError;

    fn from_str(text: &str) -> Result<Self, ResourceTypeError> {
        let found = Self::ALL.iter().copied().find(|known| known.as_str() == text);
        found.ok_or_else(|| ResourceTypeError { text: text.chars().take(80).collect() })
    }
}
