//! Thrift's compact protocol, as far as Parquet's footer and page headers need it.
//!
//! Follows the protocol's specification in Apache Thrift. A list's claimed length allocates nothing; what is not asked for is
//! stepped over. What the fields mean is for others.

/// Structures within structures; Parquet's own have seven.
const DEEPEST: usize = 24;

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end within a value.
    More,
    /// A byte cannot stand where it stands.
    Bad,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    True,
    False,
    Byte,
    Int,
    Double,
    Bytes,
    List,
    Map,
    Struct,
}

impl Kind {
    fn of(nibble: u8) -> Result<Self, Stop> {
        Ok(match nibble {
            1 => Self::True,
            2 => Self::False,
            3 => Self::Byte,
            4..=6 => Self::Int,
            7 => Self::Double,
            8 => Self::Bytes,
            9 | 10 => Self::List,
            11 => Self::Map,
            12 => Self::Struct,
            _ => return Err(Stop::Bad),
        })
    }

    /// The kind of an element: a truth value is a byte there, and not part of the kind.
    fn of_element(nibble: u8) -> Result<Self, Stop> {
        Self::of(nibble).map(|kind| if matches!(kind, Self::True | Self::False) { Self::Byte } else { kind })
    }
}

/// Reads values from bytes.
pub(super) struct Thrift<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Thrift<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The offset of what comes next.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Hands each field of a structure, by number and kind, to `each`, which reads or skips it.
    pub(super) fn fields(
        &mut self,
        each: &mut dyn FnMut(&mut Self, i16, Kind) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut number = 0_i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            number = match head >> 4 {
                0 => i16::try_from(self.zigzag()?).map_err(|_| Stop::Bad)?,
                step => number.checked_add(i16::from(step)).ok_or(Stop::Bad)?,
            };
            each(self, number, Kind::of(head & 15)?)?;
        }
    }

    /// Hands each element of a list to `each`, which reads or skips it.
    pub(super) fn list(
        &mut self,
        kind: Kind,
        each: &mut dyn FnMut(&mut Self, Kind) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        expect(kind, Kind::List)?;
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        let kind = Kind::of_element(head & 15)?;
        for _ in 0..count {
            each(self, kind)?;
        }
        Ok(())
    }

    pub(super) fn int(&mut self, kind: Kind) -> Result<i64, Stop> {
        match kind {
            Kind::Byte => Ok(i64::from(self.byte()?.cast_signed())),
            Kind::Int => self.zigzag(),
            _ => Err(Stop::Bad),
        }
    }

    pub(super) fn truth(kind: Kind) -> Result<bool, Stop> {
        match kind {
            Kind::True => Ok(true),
            Kind::False => Ok(false),
            _ => Err(Stop::Bad),
        }
    }

    pub(super) fn bytes(&mut self, kind: Kind) -> Result<&'b [u8], Stop> {
        expect(kind, Kind::Bytes)?;
        let length = usize::try_from(self.varint()?).map_err(|_| Stop::Bad)?;
        let end = self.at.checked_add(length).ok_or(Stop::Bad)?;
        let bytes = self.bytes.get(self.at..end).ok_or(Stop::More)?;
        self.at = end;
        Ok(bytes)
    }

    /// Hands each field of a structure in a field's place to `each`.
    pub(super) fn structure(
        &mut self,
        kind: Kind,
        each: &mut dyn FnMut(&mut Self, i16, Kind) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        expect(kind, Kind::Struct)?;
        self.fields(each)
    }

    /// Steps over a value.
    pub(super) fn skip(&mut self, kind: Kind) -> Result<(), Stop> {
        self.skip_within(kind, 0)
    }

    fn skip_within(&mut self, kind: Kind, depth: usize) -> Result<(), Stop> {
        if depth > DEEPEST {
            return Err(Stop::Bad);
        }
        match kind {
            Kind::True | Kind::False => Ok(()),
            Kind::Byte => self.byte().map(drop),
            Kind::Int => self.varint().map(drop),
            Kind::Double => self.step(8),
            Kind::Bytes => self.bytes(kind).map(drop),
            Kind::List => self.list(kind, &mut |thrift, kind| thrift.skip_within(kind, depth + 1)),
            Kind::Map => self.skip_map(depth),
            Kind::Struct => self.fields(&mut |thrift, _, kind| thrift.skip_within(kind, depth + 1)),
        }
    }

    fn skip_map(&mut self, depth: usize) -> Result<(), Stop> {
        let count = self.varint()?;
        if count == 0 {
            return Ok(());
        }
        let kinds = self.byte()?;
        let (key, value) = (Kind::of_element(kinds >> 4)?, Kind::of_element(kinds & 15)?);
        for _ in 0..count {
            self.skip_within(key, depth + 1)?;
            self.skip_within(value, depth + 1)?;
        }
        Ok(())
    }

    fn step(&mut self, count: usize) -> Result<(), Stop> {
        self.at += count;
        if self.at > self.bytes.len() { Err(Stop::More) } else { Ok(()) }
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = *self.bytes.get(self.at).ok_or(Stop::More)?;
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, Stop> {
        let (number, end) = varint(self.bytes, self.at)?;
        self.at = end;
        Ok(number)
    }

    fn zigzag(&mut self) -> Result<i64, Stop> {
        self.varint().map(zigzag)
    }
}

fn expect(kind: Kind, expected: Kind) -> Result<(), Stop> {
    if kind == expected { Ok(()) } else { Err(Stop::Bad) }
}

/// A number of up to 64 bits in groups of seven, and the offset after it.
pub(super) fn varint(bytes: &[u8], start: usize) -> Result<(u64, usize), Stop> {
    let mut number = 0;
    for place in 0..10 {
        let byte = *bytes.get(start + place).ok_or(Stop::More)?;
        number |= u64::from(byte & 127) << (7 * place);
        if byte < 128 {
            return Ok((number, start + place + 1));
        }
    }
    Err(Stop::Bad)
}

/// A number whose sign is its lowest bit.
pub(super) const fn zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for (bytes, expected) in [
            (&[0][..], Ok((0, 1))),
            (&[0x96, 1], Ok((150, 2))),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Ok((u64::MAX, 10))),
            (&[0x80], Err(Stop::More)),
            (&[0xff; 11], Err(Stop::Bad)),
        ] {
            assert_eq!(varint(bytes, 0), expected, "{bytes:?}");
        }
        assert_eq!([0, 1, 2, 3, u64::MAX].map(zigzag), [0, -1, 1, -2, i64::MIN]);
    }

    #[test]
    fn a_list_that_claims_more_than_there_is_ends() {
        // Field 1, a list of 2^28 structures without fields.
        let bytes = [0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 1, 0, 0];
        let mut seen = 0;
        let read = Thrift::new(&bytes).fields(&mut |thrift, _, kind| {
            thrift.list(kind, &mut |thrift, kind| {
                seen += 1;
                thrift.skip(kind)
            })
        });
        assert_eq!((read, seen), (Err(Stop::More), 3));
    }

    #[test]
    fn structures_nested_too_deep_are_no_structures() {
        let deep = [0x1c; 1000];
        assert_eq!(Thrift::new(&deep).fields(&mut |thrift, _, kind| thrift.skip(kind)), Err(Stop::Bad));
    }
}
