//! Terraform: policies in HCL found, compared with what is deployed, and edited in place.
//!
//! A file is split into blocks by a reader of our own that knows every byte's place; the blocks of a change are read
//! again by `hcl-edit` before and after the edit, and both must agree on what stands there. Edits are splices of
//! bytes: nothing is ever printed from a tree, and `terraform fmt` is never run.

mod lex;

mod parse;

mod heredoc;

mod second;

mod document;

mod state;

mod project;

mod functions;

mod provider;

mod kinds;

mod evaluate;
mod explain;

mod outside;

mod policies;

mod inputs;

mod mention;
mod permission;

mod gather;

mod owner;

mod uses;

mod effect;

mod find;

mod refer;

mod style;

mod render;

mod blocks;

mod write;

mod compose;

mod attach;

mod file;

mod new_policy;

mod split;

mod work;

mod settings;

mod reach;

#[cfg(test)]
mod conformance;

pub(crate) use new_policy::endpoint_to;
pub(crate) use project::{Terraform, is_terraform};
pub(crate) use reach::{Reach, aligned, other_holders, owners_of, principal_names, reach};
pub(crate) use settings::TerraformSettings;
pub(crate) use uses::Holder;
pub(crate) use work::{Edited, Work, locate, locations, of_role};
