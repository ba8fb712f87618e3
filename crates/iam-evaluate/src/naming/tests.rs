//! Whom principal elements name, and whom a Deny for all others hits.
