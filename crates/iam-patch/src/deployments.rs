//! Which deployed policies one text stands for: a template deployed as several stacks, a module called several times, a
//! loop, a name with a stage in it.
//!
//! A text is edited only where every deployment of it that the snapshot holds wants the same edit. Finds out and says so;
//! edits nothing.

mod candidates;
mod holders;
mod join;
mod names;
mod reach;

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind, Change, RoleSplit};
use iam_model::snapshot::SnapshotIndex;

use self::holders::Verdict;
pub(crate) use self::join::joined;
pub(crate) use self::reach::Sources;
use self::reach::{Planned, Reach, Spot};
use crate::refusal::{Refusal, RefusalCode};

/// A deployed policy and what of the source says it.
struct Member<'c> {
    /// Its number among the changes; nothing for one that nobody asked to change.
    number: Option<usize>,
    change: &'c Change,
    attachment: &'c Attachment,
    reach: Reach,
}

/// What the other deployments of their texts mean for the changes of a run.
#[derive(Debug, Default)]
pub(crate) struct Deployments {
    /// Changes that would give another deployment what is not meant for it.
    refused: BTreeMap<usize, Refusal>,
    /// What a person should know of a change's text.
    reviews: BTreeMap<usize, Vec<String>>,
    /// Changes that are written only together: what one says of a text, the others say too.
    partners: BTreeMap<usize, BTreeSet<usize>>,
    /// Where each change writes.
    edits: BTreeMap<usize, Reach>,
    /// Splits of roles whose text makes other roles too.
    splits: BTreeMap<usize, Refusal>,
}

impl Deployments {
    /// Looks at every change, and at what else the snapshot holds.
    pub(crate) fn read(
        sources: &Sources<'_>,
        index: &SnapshotIndex<'_>,
        changes: &[Change],
        splits: &[RoleSplit],
    ) -> Self {
        let silent = candidates::silent(sources, index, changes, splits);
        let mut found = Self::default();
        let mut members = members(sources, changes, &silent);
        found.look_at_holders(sources, index, &members);
        if changes.len() + splits.len() + silent.len() < 2 {
            return found;
        }
        let near = Neighbours::of(&members.iter().map(|member| &member.reach).collect::<Vec<_>>());
        for (_, member) in members.iter_mut().enumerate().filter(|(at, _)| near.any_of(*at)) {
            member.plan(sources);
            found.edits.extend(member.number.map(|number| (number, member.reach.clone())));
        }
        for (at, member) in members.iter().enumerate() {
            if let Some(number) = member.number {
                found.judge(number, member, near.of_member(at).filter_map(|other| members.get(other)));
            }
        }
        for (number, split) in splits.iter().enumerate() {
            let refusal = split_refusal(sources, split, &members);
            found.splits.extend(refusal.map(|refusal| (number, refusal)));
        }
        found
    }

    /// Looks at whom the texts name that is no member.
    fn look_at_holders(&mut self, sources: &Sources<'_>, index: &SnapshotIndex<'_>, members: &[Member<'_>]) {
        for member in members {
            let Some(number) = member.number else { continue };
            let is_followed = |arn: &Arn| {
                let of = |other: &&Member<'_>| other.attachment.principal_arn.as_ref() == Some(arn);
                members.iter().filter(of).any(|other| other.reach.touches(&member.reach))
            };
            for verdict in holders::of(sources, index, member.change, &is_followed) {
                match verdict {
                    Verdict::Deployed(name) => drop(self.refused.entry(number).or_insert_with(|| named_only(&name))),
                    Verdict::Review(review) => self.review(number, review),
                }
            }
        }
    }

    fn judge<'m, 'c: 'm>(&mut self, number: usize, own: &Member<'c>, others: impl Iterator<Item = &'m Member<'c>>) {
        let speaks_of_text = own.attachment.principal_arn.is_none() && own.attachment.resource_arn.is_none();
        let mut deployed = BTreeSet::new();
        for other in others.filter(|other| !same_object(own.attachment, other.attachment) && !beside(own, other)) {
            let name = named(other.attachment, own.attachment);
            if other.reach.planned == Planned::Drifted {
                let review = format!("`{name}` seems to be deployed from this text too, and is not what it says");
                self.review(number, review);
                continue;
            }
            if speaks_of_text && other.number.is_none() {
                deployed.insert(name);
                continue;
            }
            let (mine, theirs) = (own.reach.edits_in(&other.reach), other.reach.edits_in(&own.reach));
            let same = other.reach.planned != Planned::Unwritable && mine == theirs;
            if !mine.is_empty() && !same {
                self.refused.entry(number).or_insert_with(|| refusal(&name, other));
            }
            if let Some(partner) = other.number.filter(|_| same) {
                self.partners.entry(number).or_default().insert(partner);
            }
        }
        if deployed.len() > 1 {
            let names: Vec<String> = deployed.into_iter().collect();
            self.review(number, format!("the text is deployed {} times: {}", names.len(), names.join(", ")));
        }
    }

    fn review(&mut self, number: usize, review: String) {
        let reviews = self.reviews.entry(number).or_default();
        if !reviews.contains(&review) {
            reviews.push(review);
        }
    }

    /// Why a change cannot be written.
    pub(crate) fn refusal(&self, number: usize) -> Option<&Refusal> {
        self.refused.get(&number)
    }

    /// Why a split cannot be written.
    pub(crate) fn split_refusal(&self, number: usize) -> Option<&Refusal> {
        self.splits.get(&number)
    }

    /// What a person should look at.
    pub(crate) fn reviews(&self, number: usize) -> &[String] {
        self.reviews.get(&number).map(Vec::as_slice).unwrap_or_default()
    }

    /// Takes back what was written although another that goes with it was not; whether there was any such.
    pub(crate) fn withdrawn(
        &mut self,
        sources: &Sources<'_>,
        changes: &[Change],
        refused: &[(usize, &Refusal)],
        written: &BTreeSet<usize>,
    ) -> bool {
        if refused.iter().any(|(_, refusal)| refusal.code == RefusalCode::Overlap) {
            for (number, change) in changes.iter().enumerate() {
                self.edits.entry(number).or_insert_with(|| sources.reach(change));
            }
        }
        let (mut gone, mut because) = (BTreeMap::<usize, Refusal>::new(), Vec::new());
        for (number, refusal) in refused {
            if self.refused.contains_key(number) {
                continue;
            }
            let earlier = gone.len();
            for partner in self.partners.get(number).into_iter().flatten() {
                let message = format!("the text is deployed several times, and for one it is not changed: {refusal}");
                let told = Refusal { code: RefusalCode::SeveralDeployments, message, ..(*refusal).clone() };
                gone.entry(*partner).or_insert(told);
            }
            let overlap = refusal.code == RefusalCode::Overlap;
            let own = self.edits.get(number).filter(|_| overlap);
            let same_place = self.edits.iter().filter(|(_, other)| own.is_some_and(|own| own.writes_where(other)));
            for (other, _) in same_place.filter(|(other, _)| *other != number) {
                gone.entry(*other).or_insert_with(|| (*refusal).clone());
            }
            gone.retain(|number, _| written.contains(number));
            if gone.len() > earlier || overlap {
                because.push((*number, (*refusal).clone()));
            }
        }
        let any = !gone.is_empty();
        // Alone it could be written, which is not what was asked for either.
        self.refused.extend(because.into_iter().chain(gone));
        any
    }
}

/// Every change, and every other deployed policy, with its text.
fn members<'c>(sources: &Sources<'_>, changes: &'c [Change], silent: &'c [Change]) -> Vec<Member<'c>> {
    let numbered = changes.iter().enumerate().map(|(number, change)| (Some(number), change));
    let all = numbered.chain(silent.iter().map(|change| (None, change)));
    let member = |(number, change): (Option<usize>, &'c Change)| {
        let reach = sources.located(change);
        (!reach.places.is_empty()).then_some(Member { number, change, attachment: &change.attachment, reach })
    };
    all.filter_map(member).collect()
}

impl Member<'_> {
    /// Finds out what is written.
    fn plan(&mut self, sources: &Sources<'_>) {
        let reach = sources.reach(self.change);
        self.reach = if self.number.is_some() { reach } else { reach.without_edits() };
    }
}

/// Which members speak of the same text.
struct Neighbours {
    by_member: Vec<BTreeSet<usize>>,
}

impl Neighbours {
    fn of(reaches: &[&Reach]) -> Self {
        let mut by_spot: BTreeMap<&Spot, Vec<usize>> = BTreeMap::new();
        for (at, reach) in reaches.iter().enumerate() {
            for (spot, _) in &reach.places {
                by_spot.entry(spot).or_default().push(at);
            }
        }
        let near = |at: usize, reach: &Reach| {
            let spots = reach.places.iter().filter_map(|(spot, _)| by_spot.get(spot)).flatten();
            let touches = |other: &&usize| **other != at && reaches.get(**other).is_some_and(|o| reach.touches(o));
            spots.filter(touches).copied().collect()
        };
        Self { by_member: reaches.iter().enumerate().map(|(at, reach)| near(at, reach)).collect() }
    }

    fn any_of(&self, at: usize) -> bool {
        self.by_member.get(at).is_some_and(|near| !near.is_empty())
    }

    fn of_member(&self, at: usize) -> impl Iterator<Item = usize> {
        self.by_member.get(at).into_iter().flatten().copied()
    }
}

/// Whether two attachments are about one deployed policy.
fn same_object(a: &Attachment, b: &Attachment) -> bool {
    let managed = |attachment: &Attachment| -> Option<Arn> {
        let arn: Arn = attachment.policy_name.as_ref()?.parse().ok()?;
        (!arn.is_owned_by_aws()).then_some(arn)
    };
    if let (Some(one), Some(other)) = (managed(a), managed(b)) {
        return one == other;
    }
    let last = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let names = match (&a.policy_name, &b.policy_name) {
        (Some(one), Some(other)) => one == other || last(one) == last(other),
        _ => true,
    };
    let same_text = a.logical_id == b.logical_id && a.address == b.address && a.index == b.index;
    let arns = (&a.principal_arn, &a.resource_arn) == (&b.principal_arn, &b.resource_arn);
    let known = a.principal_arn.is_some() || a.resource_arn.is_some();
    a.kind == b.kind && names && arns && (known || same_text)
}

/// Whether both are new policies of one role.
fn beside(a: &Member<'_>, b: &Member<'_>) -> bool {
    a.attachment.principal_arn == b.attachment.principal_arn && a.reach.is_new() && b.reach.is_new()
}

/// What a deployment is called beside another.
fn named(attachment: &Attachment, beside: &Attachment) -> String {
    let arn = |attachment: &Attachment| attachment.principal_arn.clone().or_else(|| attachment.resource_arn.clone());
    match (arn(attachment), arn(beside)) {
        (Some(own), Some(other)) if own == other => {
            format!("{} of {}", attachment.policy_name.as_deref().unwrap_or("another policy"), own.name())
        }
        (Some(own), Some(other)) if own.name() == other.name() => own.to_string(),
        (Some(own), _) if attachment.kind == AttachmentKind::Resource => own.to_string(),
        (Some(own), _) => own.name().to_owned(),
        (None, _) => attachment.logical_id.clone().or_else(|| attachment.address.clone()).unwrap_or_default(),
    }
}

fn refusal(name: &str, other: &Member<'_>) -> Refusal {
    let (message, hint) = match other.number {
        Some(_) => (
            format!("the text is also deployed as `{name}`, which needs something else of it"),
            "give each deployment a text of its own, or keep what any of them needs: `paring tighten` over all of them proposes that",
        ),
        None => (
            format!("the text is also deployed as `{name}`, for which no such change is proposed"),
            "judge the deployments in one run: name each with `--role`, or leave it out; one without evidence keeps the text as it is",
        ),
    };
    Refusal::new(RefusalCode::SeveralDeployments, message).hint(hint)
}

/// Why a text is not edited that names another holder, of which nothing else of the source speaks.
fn named_only(name: &str) -> Refusal {
    let message =
        format!("the text is also deployed for `{name}`, which it names, and for which no such change is proposed");
    Refusal::new(RefusalCode::SeveralDeployments, message).hint("give each holder a text of its own")
}

/// Why a role is not taken apart in a text that makes other roles too.
fn split_refusal(sources: &Sources<'_>, split: &RoleSplit, members: &[Member<'_>]) -> Option<Refusal> {
    let attachment = Attachment::identity(split.role.clone(), String::new());
    let own = sources.homes(&attachment);
    let other = members.iter().find(|member| {
        let another = member.attachment.principal_arn.as_ref().is_some_and(|arn| *arn != split.role);
        another && member.reach.places.iter().any(|(spot, _)| own.contains(spot))
    })?;
    let name = named(other.attachment, &attachment);
    let message = format!("the text that makes the role also makes `{name}`");
    Some(
        Refusal::new(RefusalCode::SeveralDeployments, message)
            .hint("write the functions' roles by hand, for every deployment; the change is printed with this refusal"),
    )
}

#[cfg(test)]
mod tests;
