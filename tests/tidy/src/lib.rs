//! The rules of the house as tests: what a reviewer would otherwise have to look for in every change.
//!
//! Reads the workspace's files and manifests as text. Needs no other crate of the workspace, so it builds and runs in
//! seconds, before anything else. It judges form only: whether the code is right, the rooms' own tests say.

#[cfg(test)]
mod rust_text;

#[cfg(test)]
mod workspace;

#[cfg(test)]
mod crates;

#[cfg(test)]
mod modules;

#[cfg(test)]
mod sources;

#[cfg(test)]
mod signatures;

#[cfg(test)]
mod documents;

#[cfg(test)]
mod portability;
