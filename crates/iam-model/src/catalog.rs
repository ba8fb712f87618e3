//! What AWS publishes about its actions: names, access levels, resource types, operations and how they are logged.
//!
//! Facts only, decoded from one embedded file made by `cargo xtask catalog`. Which calls a role needs is not decided here.

/// How AWS classes an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessLevel {
    /// Lists names.
    List,
    /// Reads contents.
    Read,
    /// Changes something.
    Write,
    /// Changes tags only.
    Tagging,
    /// Changes who may do what.
    PermissionsManagement,
}
