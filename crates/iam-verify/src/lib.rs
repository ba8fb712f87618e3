//! Is a change safe: four claims, each proved, refuted or undecided.
//!
//! Judges any change, whoever made it; it does not know the synthesizer, any file format, or AWS's API.

pub mod outcome;

pub mod digest;

pub mod certificate;

mod reading;

mod confirm;

mod plausible;

pub mod adds_nothing;

pub mod not_granted;

pub mod no_public;

pub mod policy_check;

pub mod semantic_diff;

pub mod guardrails;

pub mod before_after;

pub mod reach;

pub mod keeps_used;

pub mod obeys_guardrails;

pub mod opens_no_path;

pub mod split;

pub mod verify;
