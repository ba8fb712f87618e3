//! Operators as documented: what each says of present, missing and unknown keys.
