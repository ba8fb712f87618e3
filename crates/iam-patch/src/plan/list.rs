//! A value or list of values (`Action`, `Resource`): only the words that change are touched.

use super::statement::copied;
use super::{Author, narrow};
use crate::compare::matched;
use crate::intrinsic::{self, CONCAT};
use crate::op::{New, Op};
use crate::refusal::{Refusal, RefusalCode};
use crate::resolve::{Text, Value};
use crate::tree::{Node, Path};

/// What the list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Action,
    Resource,
    /// Written as it is: a principal need not be of the project.
    Principal,
}

impl Element {
    fn write(self, author: &mut Author<'_>, text: &str) -> New {
        match self {
            Self::Action | Self::Principal => New::text(text),
            Self::Resource => author.resource(text),
        }
    }

    /// A text in the place of an item that stood for `old`.
    fn narrowed(self, author: &mut Author<'_>, node: &Node, old: &[String], text: &str) -> New {
        let old = if let [only] = old { Some(only.as_str()) } else { None };
        match self {
            Self::Resource => narrow::resource(author, node, old, text),
            Self::Action | Self::Principal => self.write(author, text),
        }
    }

    fn same(self, a: &str, b: &str) -> bool {
        match self {
            Self::Action => a.eq_ignore_ascii_case(b),
            Self::Resource | Self::Principal => a == b,
        }
    }

    fn explains(self, text: &Text, concrete: &str) -> bool {
        match self {
            Self::Action => text.map(&|t: &str| t.to_ascii_lowercase()).explains(&concrete.to_ascii_lowercase()),
            Self::Resource => text.explains(concrete),
            // The account of a root is the same principal.
            Self::Principal => {
                text.explains(concrete) || concrete_account(concrete).is_some_and(|id| text.explains(id))
            }
        }
    }
}

/// The operations that make the list at `place` say `new` instead of `old`.
pub(super) fn edit(
    author: &mut Author<'_>,
    node: &Node,
    place: &Path,
    old: &[String],
    new: &[String],
    element: Element,
) -> Result<Vec<Op>, Refusal> {
    let has = |list: &[String], text: &str| list.iter().any(|t| element.same(t, text));
    if new.is_empty() {
        return Err(Refusal::new(RefusalCode::Unsupported, "a statement would be left without actions or resources"));
    }
    if old.iter().all(|t| has(new, t)) && new.iter().all(|t| has(old, t)) {
        return Ok(Vec::new());
    }
    if !node.is_seq() || intrinsic::call(node).is_some() {
        return single(author, node, place, old, new, element);
    }
    let mut slots = slots(node, place);
    if slots.iter().any(|slot| author.language.value(slot.node) == Value::Unknown) {
        return Err(Refusal::new(
            RefusalCode::Conditional,
            "an item of the list stands for values that cannot be told",
        )
        .at(author.language.place(node.span)));
    }
    for slot in &mut slots {
        slot.written &= !matches!(author.language.value(slot.node), Value::AnyOf(_));
    }
    let Some(said) = assign(author, &slots, old, new, element) else {
        let message = "which list item stands for which deployed value cannot be told";
        return Err(Refusal::new(RefusalCode::Ambiguous, message)
            .hint("edit the list by hand; the change is printed with this refusal")
            .at(author.language.place(node.span)));
    };
    let kept: Vec<bool> = said.iter().map(|texts| texts.iter().all(|t| has(new, t))).collect();
    if said.iter().zip(&kept).any(|(texts, kept)| !kept && texts.iter().any(|t| has(new, t))) {
        return Err(Refusal::new(RefusalCode::Ambiguous, "one list item stands for several deployed values")
            .at(author.language.place(node.span)));
    }
    let added: Vec<&String> = new.iter().filter(|t| !has(old, t)).collect();
    let made = || {
        Err(Refusal::new(RefusalCode::Conditional, "the list is made by a function")
            .at(author.language.place(node.span)))
    };
    if slots.iter().zip(&kept).any(|(slot, kept)| !slot.written && !kept) {
        return made();
    }
    let ops = item_ops(author, &slots, &said, &kept, &added, element);
    ops.map_or_else(made, Ok)
}

fn single(
    author: &mut Author<'_>,
    node: &Node,
    place: &Path,
    old: &[String],
    new: &[String],
    element: Element,
) -> Result<Vec<Op>, Refusal> {
    if let Value::List(_) | Value::AnyOf(_) | Value::Unknown = author.language.value(node) {
        return Err(Refusal::new(RefusalCode::Conditional, "the list is made by a function")
            .at(author.language.place(node.span)));
    }
    let known = matches!(author.language.value(node), Value::Text(text) if text.known().is_some());
    if !known && old.len() > 1 {
        return Err(Refusal::new(RefusalCode::Conditional, "one expression stands for several deployed values")
            .hint("change what the expression gives, or write the values out and run again")
            .at(author.language.place(node.span)));
    }
    let mut values = Vec::new();
    for text in new {
        let is_old = old.iter().any(|t| element.same(t, text));
        values.push(match copied(node).filter(|_| is_old) {
            Some(copy) => copy,
            None => element.narrowed(author, node, old, text),
        });
    }
    let with = match values.as_slice() {
        [only] => only.clone(),
        _ => New::Seq(values),
    };
    Ok(vec![Op::Replace { at: place.clone(), with, whole_line: false }])
}

/// An item of a list, and where it stands.
struct Slot<'t> {
    node: &'t Node,
    place: Path,
    /// Whether the item is no choice, and stands in a list that is written out.
    written: bool,
}

/// The items of a list; of `concat`, those of the lists that are written out, and its other arguments.
fn slots<'t>(node: &'t Node, place: &Path) -> Vec<Slot<'t>> {
    let joined = node.tag.as_deref() == Some(CONCAT);
    let items = node.items().iter().enumerate();
    items
        .flat_map(|(at, item)| match joined && item.is_seq() {
            true => slots(item, &place.child(at)),
            false => vec![Slot { node: item, place: place.child(at), written: !joined }],
        })
        .collect()
}

/// What an item is: one text, or several that are known.
enum Item {
    One(Text),
    Known(Vec<String>),
    /// One of several, or nothing: a condition decides.
    Choice {
        texts: Vec<Text>,
        optional: bool,
    },
}

fn item(value: Value) -> Option<Item> {
    match value {
        Value::Text(text) => Some(Item::One(text)),
        Value::List(values) => {
            let known = |value: Value| if let Value::Text(text) = value { text.known() } else { None };
            values.into_iter().map(known).collect::<Option<_>>().map(Item::Known)
        }
        Value::AnyOf(branches) => {
            let (optional, mut texts) = (branches.contains(&Value::Absent), Vec::new());
            for branch in branches.into_iter().filter(|branch| *branch != Value::Absent) {
                let Value::Text(text) = branch else { return None };
                texts.push(text);
            }
            Some(Item::Choice { texts, optional })
        }
        Value::Absent => Some(Item::Known(Vec::new())),
        _ => None,
    }
}

impl Item {
    /// Whether the item can stand for a value that it may not say word for word.
    fn explains(&self, text: &str, element: Element) -> bool {
        match self {
            Self::One(one) => element.explains(one, text),
            Self::Choice { texts, .. } => texts.iter().any(|one| element.explains(one, text)),
            Self::Known(_) => false,
        }
    }

    /// Whether the item says a value word for word, whatever is chosen.
    fn says(&self, text: &str, element: Element) -> bool {
        match self {
            Self::One(one) => one.known().is_some_and(|known| element.same(&known, text)),
            Self::Known(texts) => texts.iter().any(|known| element.same(known, text)),
            Self::Choice { .. } => false,
        }
    }

    /// Whether the item may stand for nothing.
    fn is_optional(&self) -> bool {
        match self {
            Self::Known(texts) => texts.is_empty(),
            Self::Choice { optional, .. } => *optional,
            Self::One(_) => false,
        }
    }
}

/// The items of a list, and the deployed values that each stands for so far.
struct Assignment {
    items: Vec<Item>,
    said: Vec<Vec<String>>,
    element: Element,
}

impl Assignment {
    fn is_free(&self, at: usize) -> bool {
        self.said.get(at).is_some_and(Vec::is_empty)
    }

    /// The free items that can stand for a value.
    fn fitting(&self, text: &str) -> Vec<usize> {
        let items = self.items.iter().enumerate();
        items.filter(|(at, item)| self.is_free(*at) && item.explains(text, self.element)).map(|(at, _)| at).collect()
    }

    /// A value with only one item left for it, or that only is left for an item: its number, and the item's.
    fn forced(&self, rest: &[&String]) -> Option<(usize, usize)> {
        let of_value = rest.iter().enumerate().find_map(|(index, text)| match self.fitting(text).as_slice() {
            [only] => Some((index, *only)),
            _ => None,
        });
        let of_item = |(at, item): (usize, &Item)| {
            let open = !item.is_optional() && !matches!(item, Item::Known(_)) && self.is_free(at);
            let mut fits = rest.iter().enumerate().filter(|(_, text)| open && item.explains(text, self.element));
            match (fits.next(), fits.next()) {
                (Some((index, _)), None) => Some((index, at)),
                _ => None,
            }
        };
        of_value.or_else(|| self.items.iter().enumerate().find_map(of_item))
    }

    fn give(&mut self, at: usize, text: &str) -> Option<()> {
        self.said.get_mut(at)?.push(text.to_owned());
        Some(())
    }
}

/// For each item, the deployed values it stands for; nothing where that cannot be told.
///
/// The order of deployed values says nothing: services and Terraform sort them. An item that is not known stands for one
/// value, and for this one only where no other item or value could be meant, or where all that could be meant stay, or
/// all go.
fn assign(
    author: &mut Author<'_>,
    slots: &[Slot<'_>],
    old: &[String],
    new: &[String],
    element: Element,
) -> Option<Vec<Vec<String>>> {
    let values = slots.iter().map(|slot| item(author.language.value(slot.node)));
    let items = values.collect::<Option<Vec<Item>>>()?;
    let mut all = Assignment { said: vec![Vec::new(); items.len()], items, element };
    let mut rest: Vec<&String> = Vec::new();
    for text in old {
        // A value that an item says word for word belongs to that item.
        let exact: Vec<usize> =
            (0..slots.len()).filter(|at| all.items.get(*at).is_some_and(|i| i.says(text, element))).collect();
        exact.iter().try_for_each(|at| all.give(*at, text))?;
        if !exact.is_empty() {
            continue;
        }
        let written = element.write(author, text);
        match slots.iter().position(|slot| copied(slot.node).as_ref() == Some(&written)) {
            Some(at) => all.give(at, text)?,
            None => rest.push(text),
        }
    }
    while let Some((index, at)) = all.forced(&rest) {
        let text = rest.remove(index);
        all.give(at, text)?;
    }
    let staying = rest.iter().filter(|text| new.iter().any(|t| element.same(t, text))).count();
    if staying > 0 && staying < rest.len() {
        return None;
    }
    let candidates: Vec<Vec<usize>> = rest.iter().map(|text| all.fitting(text)).collect();
    rest.iter().zip(matched(&candidates)?).try_for_each(|(text, at)| all.give(at, text))?;
    let told = all.said.iter().zip(&all.items).all(|(texts, item)| !texts.is_empty() || item.is_optional());
    told.then_some(all.said)
}

/// The operations on the items; nothing where what is added has no list to stand in.
fn item_ops(
    author: &mut Author<'_>,
    slots: &[Slot<'_>],
    said: &[Vec<String>],
    kept: &[bool],
    added: &[&String],
    element: Element,
) -> Option<Vec<Op>> {
    let place = |at: usize| slots.get(at).map(|slot| slot.place.clone());
    let mut free: Vec<usize> = kept.iter().enumerate().filter(|(_, kept)| !**kept).map(|(at, _)| at).collect();
    let replaced = |author: &mut Author<'_>, at: usize, text: &str| match slots.get(at).zip(said.get(at)) {
        Some((slot, said)) => element.narrowed(author, slot.node, said, text),
        None => element.write(author, text),
    };
    let mut ops = Vec::new();
    let mut anchor = kept.iter().zip(slots).rposition(|(kept, slot)| *kept && slot.written);
    let mut left = Vec::new();
    for text in added {
        let alike =
            free.iter().position(|at| said.get(*at).is_some_and(|s| s.iter().any(|old| same_service(old, text))));
        match alike {
            Some(index) => {
                let at = free.remove(index);
                anchor = anchor.max(Some(at));
                ops.push(Op::Replace { at: place(at)?, with: replaced(author, at, text), whole_line: false });
            }
            None => left.push(*text),
        }
    }
    for text in left {
        if free.is_empty() {
            let with = element.write(author, text);
            ops.push(Op::InsertItem { after: place(anchor?)?, with });
            continue;
        }
        let at = free.remove(0);
        anchor = anchor.max(Some(at));
        ops.push(Op::Replace { at: place(at)?, with: replaced(author, at, text), whole_line: false });
    }
    for at in free {
        ops.push(Op::Remove { at: place(at)? });
    }
    Some(ops)
}

/// The account in `arn:aws:iam::ACCOUNT:root`.
fn concrete_account(concrete: &str) -> Option<&str> {
    concrete.strip_suffix(":root")?.rsplit(':').next()
}

/// Whether two action patterns or ARNs speak of the same service.
fn same_service(a: &str, b: &str) -> bool {
    let service = |text: &str| {
        let part = if text.starts_with("arn:") { text.split(':').nth(2) } else { text.split(':').next() };
        part.unwrap_or(text).to_ascii_lowercase()
    };
    service(a) == service(b)
}
