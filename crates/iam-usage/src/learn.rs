//! Takes a record that was read apart into a layout by which others like it are told: they may differ in their time, their
//! id, and in what does not matter for what they mean.
//!
//! What matters of the parameters is told by [`crate::needed::Needed`]. What becomes of such records is told elsewhere.

use std::ops::Range;

use crate::event::Event;
use crate::json::{LONGEST_KEY, Raw, small};
use crate::layout::{Filled, Hole, Layout, Mark, Parts};
use crate::needed::Needed;

/// What a usual record starts with, up to the caller: a version between these.
const START: [&[u8]; 2] = [b"{\"eventVersion\":\"", b"\",\"userIdentity\":"];

/// Bytes of the longest version that is looked past.
const LONGEST_VERSION: usize = 8;

/// Where in the text behind the caller the service stands, in a usual record: behind `,"eventTime":"…","eventSource":"`.
const SERVICE: usize = 51;

/// Bytes of that text that tell slots apart: mostly the service, the name, and the start of the region.
pub(crate) const TELLING: usize = 64;

/// A record's layout behind the caller, and where in it stands what differs.
#[derive(Debug)]
pub(crate) struct Learned {
    pub(crate) layout: Layout,
    time: usize,
    id: usize,
    resources: Option<[Mark; 2]>,
    request: Option<[Mark; 2]>,
    /// Holes in the resources or parameters.
    pub(crate) holes_within: bool,
    /// Holes of the event's own ARNs, where they may differ.
    pub(crate) arns: Vec<usize>,
}

/// The offset of the caller in a usual record, which starts at 0.
#[inline]
pub(crate) fn caller_of(bytes: &[u8]) -> Option<usize> {
    let [start, behind] = START;
    let rest = bytes.strip_prefix(start)?;
    let version = rest.get(..LONGEST_VERSION)?.iter().position(|byte| *byte == b'"')?;
    rest.get(version..)?.starts_with(behind).then_some(start.len() + version + behind.len())
}

/// What tells slots apart of the text behind the caller.
#[inline]
pub(crate) fn telling(bytes: &[u8], at: usize) -> Option<&[u8; TELLING]> {
    bytes.get(at + SERVICE..)?.first_chunk()
}

impl Learned {
    /// Takes a record apart, and tells where its caller ends; `own_arns`: the ARNs among its resources may differ too.
    /// Nothing where it is not usual.
    pub(crate) fn of(event: &Event<'_>, needed: &Needed, own_arns: bool, parts: &mut Parts) -> Option<(Self, usize)> {
        let whole = event.whole;
        let caller = event.caller_bytes()?;
        let start = range_of(whole, caller).filter(|range| caller_of(whole) == Some(range.start))?.end;
        let mut holes = Holes::default();
        let (mut time, mut id, mut resources, mut request) = (None, None, None, None);
        for (key, value) in Raw(whole).members() {
            let range = range_of(whole, value.0)?;
            if range.start < start {
                continue;
            }
            match small(key, &mut [0; LONGEST_KEY]) {
                b"eventtime" if time.is_none() => time = Some(holes.text(whole, value)?),
                b"eventid" if id.is_none() => id = Some(holes.text(whole, value)?),
                b"eventname"
                | b"eventsource"
                | b"eventtype"
                | b"errorcode"
                | b"errormessage"
                | b"readonly"
                | b"recipientaccountid"
                | b"awsregion"
                | b"vpcendpointid" => {}
                b"requestparameters" if request.is_none() => {
                    holes.request(whole, value, needed)?;
                    request = Some(range);
                }
                b"resources" if resources.is_none() => {
                    if own_arns {
                        holes.arns(whole, value)?;
                    }
                    resources = Some(range);
                }
                b"eventtime" | b"eventid" | b"requestparameters" | b"resources" | b"useridentity" => return None,
                _ => holes.value(whole, value)?,
            }
        }
        let marks = |range: Option<Range<usize>>| {
            range.map(|range| [range.start, range.end].map(|place| Mark::of(place, start, &holes.holes)))
        };
        let (resources, request) = (marks(resources), marks(request));
        let layout = Layout::new(whole, start, &holes.holes, parts)?;
        let Holes { within: holes_within, arns, .. } = holes;
        Some((Self { layout, time: time?, id: id?, resources, request, holes_within, arns }, start))
    }

    /// The time of a record of this layout.
    #[inline]
    pub(crate) fn time<'a>(&self, bytes: &'a [u8], filled: &Filled) -> Option<&'a str> {
        std::str::from_utf8(bytes.get(filled.hole(self.time))?).ok()
    }

    /// Its id, without quotes, and with them.
    #[inline]
    pub(crate) fn id<'a>(&self, bytes: &'a [u8], filled: &Filled) -> Option<(&'a [u8], &'a [u8])> {
        let Range { start, end } = filled.hole(self.id);
        Some((bytes.get(start..end)?, bytes.get(start.checked_sub(1)?..end + 1)?))
    }

    /// Its resources and parameters; nothing where a place is out of the text.
    #[inline]
    pub(crate) fn told<'a>(&self, bytes: &'a [u8], filled: &Filled) -> Option<[Option<&'a [u8]>; 2]> {
        let text = |marks: Option<[Mark; 2]>| match marks {
            Some([start, end]) => bytes.get(filled.place(start)..filled.place(end)).map(Some),
            None => Some(None),
        };
        Some([text(self.resources)?, text(self.request)?])
    }
}

/// Holes of a record, in order.
#[derive(Default)]
struct Holes {
    holes: Vec<(Range<usize>, Hole)>,
    within: bool,
    arns: Vec<usize>,
}

impl Holes {
    /// A hole for the text of a string; its number.
    fn text(&mut self, whole: &[u8], value: Raw<'_>) -> Option<usize> {
        let Range { start, end } = range_of(whole, value.0)?;
        let is_plain = value.0.len() >= 2 && value.0.starts_with(b"\"") && !value.0.contains(&b'\\');
        self.holes.push((start + 1..end.checked_sub(1)?, Hole::Text));
        is_plain.then(|| self.holes.len() - 1)
    }

    /// A hole for a value, unless it is one of few.
    fn value(&mut self, whole: &[u8], value: Raw<'_>) -> Option<()> {
        match value.0 {
            b"true" | b"false" | b"null" => {}
            text if text.starts_with(b"\"") && !text.contains(&b'\\') => {
                self.text(whole, value)?;
            }
            _ => self.holes.push((range_of(whole, value.0)?, Hole::Value)),
        }
        Some(())
    }

    /// Holes for the parameters that do not matter.
    fn request(&mut self, whole: &[u8], request: Raw<'_>, needed: &Needed) -> Option<()> {
        let before = self.holes.len();
        for value in needed.not_needed(request) {
            self.value(whole, value)?;
        }
        self.within |= self.holes.len() > before;
        Some(())
    }

    /// Holes for the ARNs of resources, as [`crate::resource::named_arn`] finds them.
    fn arns(&mut self, whole: &[u8], resources: Raw<'_>) -> Option<()> {
        for item in resources.items() {
            if let Some(arn) = crate::resource::named_arn(item) {
                let hole = self.text(whole, arn)?;
                self.arns.push(hole);
                self.within = true;
            }
        }
        Some(())
    }
}

/// Where a part of a text stands in it.
fn range_of(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start + part.len();
    (end <= whole.len()).then_some(start..end)
}
