//! Policy documents as the checker of certificates reads them: statements of patterns and claims.
//!
//! The prover has a reading of its own; neither knows the other's. Decides nothing.

pub(crate) mod claim;
pub(crate) mod pattern;
pub(crate) mod statement;
