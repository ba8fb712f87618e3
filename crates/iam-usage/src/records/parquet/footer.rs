//! What a Parquet file says of itself at its end: its columns, and where the parts of each lie.
//!
//! Follows the format's `parquet.thrift`. Only flat columns are taken; every number is checked against the file's length
//! before it is used, and none of them allocates.

use std::io::{Read, SeekFrom};

use super::fault::Why;
use super::text::Meaning;
use super::thrift::{Kind, Stop, Thrift};
use crate::source::Seekable;

/// Bytes of the largest footer that is read; a thousand row groups of thirty columns have some 4 MiB.
const LARGEST: u64 = 64 << 20;

/// The first and last bytes of a Parquet file.
pub(crate) const MAGIC: &[u8; 4] = b"PAR1";

/// The last bytes of one whose footer is encrypted.
const ENCRYPTED: &[u8; 4] = b"PARE";

/// What the file holds.
#[derive(Debug, Default)]
pub(super) struct Footer {
    pub(super) columns: Vec<Leaf>,
    pub(super) groups: Vec<Group>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Its name, in small letters.
    pub(super) name: String,
    pub(super) meaning: Meaning,
    /// Bytes of a value, where all have as many.
    pub(super) size: Option<usize>,
    /// Whether a row may have none.
    pub(super) optional: bool,
}

/// Rows that are stored together.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) rows: u64,
    pub(super) chunks: Vec<Chunk>,
}

/// A column's part of a group.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) codec: i64,
    pub(super) values: u64,
    pub(super) start: u64,
    pub(super) end: u64,
}

impl From<Stop> for FooterStop {
    fn from(stop: Stop) -> Self {
        Self(stop)
    }
}

/// A stop while the footer was read: both kinds are the same there, as its length is known.
struct FooterStop(Stop);

impl From<FooterStop> for Why {
    fn from(FooterStop(stop): FooterStop) -> Self {
        match stop {
            Stop::More => Self::Damaged("its footer ends within a value"),
            Stop::Bad => Self::Damaged("its footer is not one"),
        }
    }
}

/// Reads the footer of a file of so many bytes.
pub(super) fn read(file: &mut dyn Seekable, length: u64) -> Result<Footer, Why> {
    const CUT: Why = Why::Damaged("its end is missing, where a Parquet file says what it holds");
    let last = length.checked_sub(8).filter(|last| *last >= 4).ok_or(CUT)?;
    file.seek(SeekFrom::Start(last))?;
    let mut tail = [0; 8];
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    if &magic == ENCRYPTED {
        return Err(Why::NotRead("the Parquet file is encrypted".into()));
    }
    if &magic != MAGIC {
        return Err(CUT);
    }
    let size = u64::from(u32::from_le_bytes([a, b, c, d]));
    let start = last.checked_sub(size).filter(|start| *start >= 4).ok_or(CUT)?;
    if size > LARGEST {
        return Err(Why::TooLarge("the Parquet file says more of itself than is read"));
    }
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    parse(&bytes, start)
}

/// The footer's own structure; `data` is the offset where the data must have ended.
fn parse(bytes: &[u8], data: u64) -> Result<Footer, Why> {
    let (mut elements, mut groups, mut rows) = (Vec::new(), Vec::new(), 0);
    let mut encrypted = false;
    let read = Thrift::new(bytes).fields(&mut |thrift, field, kind| match field {
        2 => thrift.list(kind, &mut |thrift, kind| {
            elements.push(Element::read(thrift, kind)?);
            Ok(())
        }),
        3 => thrift.int(kind).map(|count| rows = count),
        4 => thrift.list(kind, &mut |thrift, kind| {
            groups.push(RawGroup::read(thrift, kind)?);
            Ok(())
        }),
        8 => {
            encrypted = true;
            thrift.skip(kind)
        }
        _ => thrift.skip(kind),
    });
    read.map_err(FooterStop)?;
    if encrypted {
        return Err(Why::NotRead("the Parquet file is encrypted".into()));
    }
    let columns = leaves(&elements)?;
    let groups: Result<Vec<Group>, Why> = groups.into_iter().map(|group| group.check(&columns, data)).collect();
    let groups = groups?;
    let total = groups.iter().try_fold(0_u64, |total, group| total.checked_add(group.rows));
    if total != u64::try_from(rows).ok() {
        return Err(Why::Damaged("its row groups hold more or fewer rows than it says"));
    }
    Ok(Footer { columns, groups })
}

/// A node of the schema.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) physical: Option<i64>,
    pub(super) size: Option<i64>,
    repetition: Option<i64>,
    name: String,
    children: i64,
    pub(super) converted: Option<i64>,
    pub(super) scale: i64,
    pub(super) logical: Logical,
}

/// The newer way to say what a value is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Logical {
    /// The number of the kind in the format's union; 0 where it is not said.
    pub(super) kind: i16,
    pub(super) scale: i64,
    /// Of a time, the number of its unit in the format's union.
    pub(super) unit: i16,
    pub(super) unsigned: bool,
}

impl Element {
    fn read(thrift: &mut Thrift<'_>, kind: Kind) -> Result<Self, Stop> {
        let mut own = Self::default();
        thrift.structure(kind, &mut |thrift, field, kind| {
            match field {
                1 => own.physical = Some(thrift.int(kind)?),
                2 => own.size = Some(thrift.int(kind)?),
                3 => own.repetition = Some(thrift.int(kind)?),
                4 => own.name = String::from_utf8_lossy(thrift.bytes(kind)?).into_owned(),
                5 => own.children = thrift.int(kind)?,
                6 => own.converted = Some(thrift.int(kind)?),
                7 => own.scale = thrift.int(kind)?,
                10 => own.logical = Logical::read(thrift, kind)?,
                _ => thrift.skip(kind)?,
            }
            Ok(())
        })?;
        Ok(own)
    }
}

impl Logical {
    fn read(thrift: &mut Thrift<'_>, kind: Kind) -> Result<Self, Stop> {
        let mut own = Self::default();
        thrift.structure(kind, &mut |thrift, field, kind| {
            own.kind = field;
            thrift.structure(kind, &mut |thrift, inner, kind| match (field, inner) {
                (5, 1) => thrift.int(kind).map(|scale| own.scale = scale),
                (8, 2) => thrift.structure(kind, &mut |thrift, unit, kind| {
                    own.unit = unit;
                    thrift.skip(kind)
                }),
                (10, 2) => Thrift::truth(kind).map(|signed| own.unsigned = !signed),
                _ => thrift.skip(kind),
            })
        })?;
        Ok(own)
    }
}

/// The columns below the root, which must be all there is.
fn leaves(elements: &[Element]) -> Result<Vec<Leaf>, Why> {
    let (root, rest) = elements.split_first().ok_or(Why::Damaged("it has no columns"))?;
    let nested = rest.iter().find(|element| element.children > 0 || element.repetition == Some(2));
    if let Some(nested) = nested {
        let name = shown(&nested.name);
        return Err(Why::NotRead(format!("its column `{name}` holds structures or lists, and plain values are read")));
    }
    if usize::try_from(root.children).ok() != Some(rest.len()) || rest.is_empty() {
        return Err(Why::Damaged("its schema holds more or fewer columns than it says"));
    }
    rest.iter().map(leaf).collect()
}

fn leaf(element: &Element) -> Result<Leaf, Why> {
    let meaning = Meaning::of(element).ok_or_else(|| {
        Why::NotRead(format!(
            "its column `{}` is of a type that is not read: texts and numbers are",
            shown(&element.name)
        ))
    })?;
    let size = match element.physical {
        Some(1 | 4) => Some(4),
        Some(2 | 5) => Some(8),
        Some(3) => Some(12),
        Some(7) => {
            let size = element.size.and_then(|size| usize::try_from(size).ok()).filter(|size| (1..=64).contains(size));
            Some(size.ok_or(Why::Damaged("a column's values have no such size"))?)
        }
        _ => None,
    };
    Ok(Leaf { name: element.name.to_ascii_lowercase(), meaning, size, optional: element.repetition == Some(1) })
}

/// A name as it is shown.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(80).map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// A row group as it is written.
#[derive(Default)]
struct RawGroup {
    rows: i64,
    chunks: Vec<RawChunk>,
}

#[derive(Default)]
struct RawChunk {
    elsewhere: bool,
    encrypted: bool,
    codec: i64,
    values: i64,
    bytes: i64,
    data: i64,
    dictionary: Option<i64>,
}

impl RawGroup {
    fn read(thrift: &mut Thrift<'_>, kind: Kind) -> Result<Self, Stop> {
        let mut own = Self::default();
        thrift.structure(kind, &mut |thrift, field, kind| match field {
            1 => thrift.list(kind, &mut |thrift, kind| {
                own.chunks.push(RawChunk::read(thrift, kind)?);
                Ok(())
            }),
            3 => thrift.int(kind).map(|rows| own.rows = rows),
            _ => thrift.skip(kind),
        })?;
        Ok(own)
    }

    fn check(self, columns: &[Leaf], data: u64) -> Result<Group, Why> {
        let rows = u64::try_from(self.rows).map_err(|_| Why::Damaged("a row group has fewer than no rows"))?;
        if self.chunks.len() != columns.len() {
            return Err(Why::Damaged("a row group has more or fewer columns than the file"));
        }
        let chunks: Result<Vec<Chunk>, Why> = self.chunks.iter().map(|chunk| chunk.check(rows, data)).collect();
        Ok(Group { rows, chunks: chunks? })
    }
}

impl RawChunk {
    fn read(thrift: &mut Thrift<'_>, kind: Kind) -> Result<Self, Stop> {
        let mut own = Self::default();
        thrift.structure(kind, &mut |thrift, field, kind| match field {
            1 => {
                own.elsewhere = true;
                thrift.skip(kind)
            }
            3 => own.describe(thrift, kind),
            8 | 9 => {
                own.encrypted = true;
                thrift.skip(kind)
            }
            _ => thrift.skip(kind),
        })?;
        Ok(own)
    }

    fn describe(&mut self, thrift: &mut Thrift<'_>, kind: Kind) -> Result<(), Stop> {
        thrift.structure(kind, &mut |thrift, field, kind| {
            match field {
                4 => self.codec = thrift.int(kind)?,
                5 => self.values = thrift.int(kind)?,
                7 => self.bytes = thrift.int(kind)?,
                9 => self.data = thrift.int(kind)?,
                11 => self.dictionary = Some(thrift.int(kind)?),
                _ => thrift.skip(kind)?,
            }
            Ok(())
        })
    }

    fn check(&self, rows: u64, data: u64) -> Result<Chunk, Why> {
        const OUTSIDE: Why = Why::Damaged("a column lies outside of the file");
        if self.encrypted {
            return Err(Why::NotRead("the Parquet file is encrypted".into()));
        }
        if self.elsewhere {
            return Err(Why::NotRead("the Parquet file keeps its values in another file".into()));
        }
        // A dictionary comes first; older writers left 0 where there is none.
        let start = self.dictionary.filter(|start| *start > 0).map_or(self.data, |start| start.min(self.data));
        let start = u64::try_from(start).map_err(|_| OUTSIDE)?;
        let bytes = u64::try_from(self.bytes).map_err(|_| OUTSIDE)?;
        let end = start.checked_add(bytes).filter(|end| *end <= data && start >= 4).ok_or(OUTSIDE)?;
        let values = u64::try_from(self.values).ok().filter(|values| *values == rows);
        let values = values.ok_or(Why::Damaged("a column has more or fewer values than there are rows"))?;
        Ok(Chunk { codec: self.codec, values, start, end })
    }
}
