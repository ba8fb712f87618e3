//! A stored value as the text that a row of CSV would have.
//!
//! What the text means is for others.

use iam_model::time::Timestamp;

use super::fault::Why;
use super::footer::Element;

/// What stored bytes stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Truth,
    Signed,
    Unsigned,
    Float,
    Double,
    Text,
    /// A whole number, highest byte first.
    Whole,
    /// A point in time: so many of its units make a second.
    Time(i64),
    /// A day, counted from the epoch.
    Day,
    Uuid,
}

impl Meaning {
    /// What a column's values are; nothing where they are nothing that a record has.
    pub(super) fn of(element: &Element) -> Option<Self> {
        let (logical, converted) = (element.logical, element.converted);
        let is_decimal = logical.kind == 5 || converted == Some(5);
        let is_whole = is_decimal && logical.scale == 0 && element.scale == 0;
        Some(match element.physical? {
            0 => Self::Truth,
            1 | 2 if is_decimal => is_whole.then_some(Self::Signed)?,
            2 if logical.kind == 8 || matches!(converted, Some(9 | 10)) => {
                Self::Time(match (logical.unit, converted) {
                    (1, _) | (_, Some(9)) => 1_000,
                    (2, _) | (_, Some(10)) => 1_000_000,
                    (3, _) => 1_000_000_000,
                    _ => return None,
                })
            }
            1 if logical.kind == 6 || converted == Some(6) => Self::Day,
            // Times of day.
            1 | 2 if logical.kind == 7 || matches!(converted, Some(7 | 8)) => return None,
            1 | 2 if logical.unsigned || matches!(converted, Some(11..=14)) => Self::Unsigned,
            1 | 2 => Self::Signed,
            4 => Self::Float,
            5 => Self::Double,
            6 | 7 if is_decimal => is_whole.then_some(Self::Whole)?,
            6 => Self::Text,
            7 if logical.kind == 14 => Self::Uuid,
            _ => return None,
        })
    }

    /// Appends the text of a value.
    pub(super) fn write(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Why> {
        const NO_VALUE: Why = Why::Damaged("a value is not of its column's size");
        match self {
            Self::Text => out.extend_from_slice(value),
            Self::Truth => out.extend_from_slice(if value == [1] { b"true" } else { b"false" }),
            Self::Signed => self.write_number(signed(value, true).ok_or(NO_VALUE)?, out),
            Self::Unsigned => {
                let number = signed(value, true).ok_or(NO_VALUE)?;
                let number = if value.len() == 4 { number & 0xffff_ffff } else { number };
                out.extend_from_slice(number.cast_unsigned().to_string().as_bytes());
            }
            Self::Time(_) | Self::Day => self.write_number(signed(value, true).ok_or(NO_VALUE)?, out),
            Self::Float => write_real(f64::from(f32::from_le_bytes(value.try_into().map_err(|_| NO_VALUE)?)), out),
            Self::Double => write_real(f64::from_le_bytes(value.try_into().map_err(|_| NO_VALUE)?), out),
            Self::Whole => self.write_number(signed(value, false).ok_or(NO_VALUE)?, out),
            Self::Uuid => write_uuid(value, out),
        }
        Ok(())
    }

    /// Appends the text of a value that is a number.
    pub(super) fn write_number(self, number: i64, out: &mut Vec<u8>) {
        match self {
            Self::Time(unit) => {
                let time = Timestamp::from_epoch_seconds(number.div_euclid(unit));
                out.extend_from_slice(time.to_string().as_bytes());
            }
            Self::Day => {
                let day = Timestamp::from_epoch_seconds(number.saturating_mul(86_400)).to_string();
                out.extend_from_slice(day.split('T').next().unwrap_or_default().as_bytes());
            }
            _ => out.extend_from_slice(number.to_string().as_bytes()),
        }
    }
}

/// A number of any size whose value fits 64 bits.
fn signed(value: &[u8], lowest_first: bool) -> Option<i64> {
    let byte = |place: usize| value.get(if lowest_first { place } else { value.len().checked_sub(place + 1)? });
    let highest = *byte(value.len().checked_sub(1)?)?;
    let fill = if highest > 127 { 255 } else { 0 };
    let bytes: [u8; 8] = std::array::from_fn(|place| byte(place).copied().unwrap_or(fill));
    let number = i64::from_le_bytes(bytes);
    let fits = (8..value.len()).all(|place| byte(place) == Some(&fill)) && (number < 0) == (fill == 255);
    fits.then_some(number)
}

/// Engines that have no number large enough for a sum write it as a real one.
fn write_real(number: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(number.to_string().as_bytes());
}

fn write_uuid(value: &[u8], out: &mut Vec<u8>) {
    for (place, byte) in value.iter().enumerate() {
        if [4, 6, 8, 10].contains(&place) {
            out.push(b'-');
        }
        out.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(meaning: Meaning, value: &[u8], expected: Option<&str>) {
        let mut out = Vec::new();
        let written = meaning.write(value, &mut out).ok().map(|()| String::from_utf8(out).unwrap());
        assert_eq!(written.as_deref(), expected, "{meaning:?} {value:?}");
    }

    #[test]
    fn values_become_the_texts_of_csv() {
        check(Meaning::Text, b"a\"b", Some("a\"b"));
        check(Meaning::Truth, &[1], Some("true"));
        check(Meaning::Signed, &(-7_i32).to_le_bytes(), Some("-7"));
        check(Meaning::Signed, &i64::MIN.to_le_bytes(), Some("-9223372036854775808"));
        check(Meaning::Unsigned, &u32::MAX.to_le_bytes(), Some("4294967295"));
        check(Meaning::Unsigned, &u64::MAX.to_le_bytes(), Some("18446744073709551615"));
        check(Meaning::Double, &3.0_f64.to_le_bytes(), Some("3"));
        check(Meaning::Double, &1e15_f64.to_le_bytes(), Some("1000000000000000"));
        check(Meaning::Float, &0.5_f32.to_le_bytes(), Some("0.5"));
        check(Meaning::Whole, &[1, 0], Some("256"));
        check(Meaning::Whole, &(-2_i128).to_be_bytes(), Some("-2"));
        check(Meaning::Time(1000), &1_795_853_730_500_i64.to_le_bytes(), Some("2026-11-28T08:15:30Z"));
        check(Meaning::Day, &20_785_i32.to_le_bytes(), Some("2026-11-28"));
        check(Meaning::Uuid, &[0xab; 16], Some("abababab-abab-abab-abab-abababababab"));
        check(Meaning::Double, &[1], None);
        check(Meaning::Signed, &[], None);
        check(Meaning::Whole, &(1_i128 << 64).to_be_bytes(), None);
    }
}
