//! The name of some policy documents in a certificate: a hash of their text.
//!
//! Knows nothing about what the documents say.

use iam_model::certificate::{Certificate, Proof};
use iam_model::policy::{PolicyDocument, PrintStyle, print};
use sha2::{Digest, Sha256};

/// The SHA-256 of some documents, printed without white space, one a line; in hexadecimal.
#[must_use]
pub fn digest(documents: &[PolicyDocument]) -> Box<str> {
    let mut hash = Sha256::new();
    for document in documents {
        hash.update(print(document, PrintStyle::Compact));
        hash.update(b"\n");
    }
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect::<String>().into()
}

/// Seals a proof with the documents it is about.
#[must_use]
pub fn seal(old: &[PolicyDocument], new: &[PolicyDocument], proof: Proof) -> Certificate {
    Certificate { old: digest(old), new: digest(new), proof }
}
