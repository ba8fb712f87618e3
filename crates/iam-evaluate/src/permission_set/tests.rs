//! Inclusion of whole policies: recorded and documented verdicts, named traps, and brute force.

mod conformance;
