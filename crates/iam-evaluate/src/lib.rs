//! May a principal do an action on a resource, and why; and is one set of permissions inside another.
//!
//! Pure: no files, network, clock or randomness. Knows nothing about usage, graphs or file formats.

pub mod glob;

pub mod permission_set;
