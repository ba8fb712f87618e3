//! The change as a lossless edit of the user's own files.
//!
//! SAM and CloudFormation templates in YAML and JSON, and Terraform: the policy is found from the role, its statements are
//! compared with what is deployed, and only the words that must change are written, in the file's own style. Opens no
//! file, knows no AWS API and no rule of evaluation. Nothing is ever re-serialised: an edit is a list of byte spans with
//! new text, and leaves only after the guard has read the result back.
//!
//! Serverless Framework files are templates with other words around them.

mod tree;

mod read;

mod template;

mod intrinsic;

mod kinds;

mod stack;

mod resolve;

mod sam;

mod permission;

mod site;

mod compare;

mod refusal;

mod locate;

mod depends;

mod op;

mod reference;

mod plan;

mod write;

mod diff;

mod guard;

mod pulumi;

mod hcl;

mod deployments;

mod settings;

mod patch;

mod written;

mod routes;

mod draw;

mod change_set;

#[cfg(test)]
mod conformance;

pub use change_set::{ChangeSet, change_set};
pub use draw::Drawn;
pub use locate::Location;
pub use patch::{
    Disposition, FilePatch, PatchSet, Project, Refused, environments, joined, locate, locate_in_source, patch,
    patch_all, places_of_roles, settings_of_functions,
};
pub use refusal::{Refusal, RefusalCode};
pub use site::Form;
pub use written::{Body, Written};
