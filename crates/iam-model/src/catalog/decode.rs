//! Reads the bytes `cargo xtask catalog` writes. Every index is checked here, so that the rest may trust it.
//!
//! The form: the magic line; then numbers as unsigned LEB128 and nothing else, but for the text of the string table.
//! 1. Strings: count, each length, the text of all, back to back. String 0 is empty.
//! 2. Lists: count, each length, the items of all, back to back. List 0 is empty.
//! 3. Date (string), provenance (list of strings).
//! 4. Template sets, then context sets: count, each: count, then pairs (string, list of strings). Set 0 is empty.
//! 5. Services: count, each: prefix, event source; condition keys; resource types (name, list of patterns, list of
//!    keys); actions by name (name, flags, list of resource types, list of keys, logging); operations by name (name,
//!    pairs (service or the empty string, name, trigger * 2 + primary, trigger list, template set, context set),
//!    forwarded calls (action, via)).
//! 6. Event sources with their prefixes (string, list), by name; event name aliases (source, name, operation), by source
//!    and name; lists: sources that date their event names, operations that need no permission, event types that are
//!    no API call.
//! 7. Actions that are checked on several resources at once, by name without regard to case: action, list of groups, each
//!    its resource types with `|` between them.

use super::facts::{ActionRow, ResourceTypeRow};
use super::operation::{OperationRow, PairRow, TRIGGER_KINDS, TemplateSetRow};
use super::table::{ListId, Lists, StringId, Strings};
use super::{Catalog, CatalogError, MAGIC, ServiceRow};

type Read<T> = Result<T, CatalogError>;

/// Decodes a whole catalogue.
pub(super) fn decode(bytes: &[u8]) -> Read<Catalog> {
    let at = check_magic(bytes)?;
    let mut reader = Reader { bytes, at, strings: 0, lists: 0 };
    let strings = reader.string_table()?;
    reader.strings = strings.len();
    let lists = reader.list_table()?;
    reader.lists = lists.len();
    let mut catalog = Catalog {
        strings,
        lists,
        date: reader.string()?,
        provenance: reader.list()?,
        template_sets: reader.many(Reader::set)?,
        context_sets: reader.many(Reader::set)?,
        services: Vec::new(),
        actions: Vec::new(),
        resource_types: Vec::new(),
        keys: Vec::new(),
        operations: Vec::new(),
        pairs: Vec::new(),
        forwarded: Vec::new(),
        sources: Vec::new(),
        aliases: Vec::new(),
        dated_sources: ListId(0),
        free_operations: ListId(0),
        other_event_types: ListId(0),
        together: Vec::new(),
        authorisers: std::sync::OnceLock::new(),
    };
    for _ in 0..reader.count()? {
        let service = reader.service(&mut catalog)?;
        catalog.services.push(service);
    }
    catalog.sources = reader.many(|r| Ok((r.string()?, r.list()?)))?;
    catalog.aliases = reader.many(|r| Ok((r.string()?, r.string()?, r.string()?)))?;
    catalog.dated_sources = reader.list()?;
    catalog.free_operations = reader.list()?;
    catalog.other_event_types = reader.list()?;
    catalog.together = reader.many(|r| Ok((r.string()?, r.list()?)))?;
    if reader.at == bytes.len() { Ok(catalog) } else { Err(reader.damaged("the end of the catalogue")) }
}

fn check_magic(bytes: &[u8]) -> Read<usize> {
    if bytes.starts_with(MAGIC) {
        return Ok(MAGIC.len());
    }
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    match std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix("paring-catalog/")) {
        Some(version) if version.len() < 16 => Err(CatalogError::Version { found: version.into() }),
        _ => Err(CatalogError::NotACatalog),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    strings: usize,
    lists: usize,
}

impl Reader<'_> {
    const fn damaged(&self, what: &'static str) -> CatalogError {
        CatalogError::Damaged { offset: self.at, what }
    }

    fn number(&mut self) -> Read<u32> {
        let mut value: u32 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = *self.bytes.get(self.at).ok_or_else(|| self.damaged("a number"))?;
            self.at += 1;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged("a number of at most five bytes"))
    }

    /// A number of things that follow; each takes a byte or more, so a larger one is damage, not a reason to allocate.
    fn count(&mut self) -> Read<usize> {
        let count = self.number()? as usize;
        if count > self.bytes.len().saturating_sub(self.at) { Err(self.damaged("a smaller count")) } else { Ok(count) }
    }

    fn string(&mut self) -> Read<StringId> {
        let id = self.number()?;
        if (id as usize) < self.strings { Ok(StringId(id)) } else { Err(self.damaged("a known string")) }
    }

    fn list(&mut self) -> Read<ListId> {
        let id = self.number()?;
        if (id as usize) < self.lists { Ok(ListId(id)) } else { Err(self.damaged("a known list")) }
    }

    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let count = self.count()?;
        let mut out = Vec::with_capacity(count);
        for _ in 0..count {
            out.push(one(self)?);
        }
        Ok(out)
    }

    /// Where each of the things that follow starts, from their lengths.
    fn starts(&mut self) -> Read<Vec<u32>> {
        let count = self.count()?;
        let mut starts = Vec::with_capacity(count + 1);
        let mut total: u32 = 0;
        starts.push(total);
        for _ in 0..count {
            total = total.checked_add(self.number()?).ok_or_else(|| self.damaged("a smaller table"))?;
            starts.push(total);
        }
        Ok(starts)
    }

    fn string_table(&mut self) -> Read<Strings> {
        let starts = self.starts()?;
        let length = starts.last().copied().unwrap_or_default() as usize;
        let end = self.at.saturating_add(length);
        let text = self.bytes.get(self.at..end).ok_or_else(|| self.damaged("the text of the strings"))?;
        let text = std::str::from_utf8(text).map_err(|_| self.damaged("text in UTF-8"))?;
        self.at = end;
        Ok(Strings::new(text.into(), starts))
    }

    fn list_table(&mut self) -> Read<Lists> {
        let starts = self.starts()?;
        let length = starts.last().copied().unwrap_or_default() as usize;
        if length > self.bytes.len().saturating_sub(self.at) {
            return Err(self.damaged("the items of the lists"));
        }
        let items = (0..length).map(|_| self.number()).collect::<Read<Vec<u32>>>()?;
        Ok(Lists::new(items, starts))
    }

    fn set(&mut self) -> Read<TemplateSetRow> {
        self.many(|r| Ok((r.string()?, r.list()?)))
    }

    fn service(&mut self, into: &mut Catalog) -> Read<ServiceRow> {
        let prefix = self.string()?;
        let source = self.string()?;
        let keys = append(&mut into.keys, self.many(Self::string)?);
        let resource_types = append(&mut into.resource_types, self.many(Self::resource_type)?);
        let actions = append(&mut into.actions, self.many(Self::action)?);
        let count = self.count()?;
        let first = into.operations.len();
        for _ in 0..count {
            let name = self.string()?;
            let pairs = append(&mut into.pairs, self.many(Self::pair)?);
            let forwarded = append(&mut into.forwarded, self.many(|r| Ok((r.string()?, r.string()?)))?);
            into.operations.push(OperationRow { name, pairs, forwarded });
        }
        let operations = first..into.operations.len();
        Ok(ServiceRow { prefix, source, actions, resource_types, keys, operations })
    }

    fn resource_type(&mut self) -> Read<ResourceTypeRow> {
        Ok(ResourceTypeRow { name: self.string()?, patterns: self.list()?, keys: self.list()? })
    }

    fn action(&mut self) -> Read<ActionRow> {
        Ok(ActionRow {
            name: self.string()?,
            flags: self.number()?,
            resource_types: self.list()?,
            keys: self.list()?,
            logging: self.number()?,
        })
    }

    fn pair(&mut self) -> Read<PairRow> {
        let (service, name, trigger) = (self.string()?, self.string()?, self.number()?);
        if trigger / 2 >= TRIGGER_KINDS {
            return Err(self.damaged("a known trigger"));
        }
        Ok(PairRow {
            service,
            name,
            primary: trigger % 2 == 1,
            trigger: trigger / 2,
            trigger_list: self.list()?,
            templates: self.number()? as usize,
            context: self.number()? as usize,
        })
    }
}

fn append<T>(table: &mut Vec<T>, mut rows: Vec<T>) -> std::ops::Range<usize> {
    let first = table.len();
    table.append(&mut rows);
    first..table.len()
}
