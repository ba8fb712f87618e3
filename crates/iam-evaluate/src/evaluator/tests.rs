//! Deciding against a snapshot, and against one with a change.
