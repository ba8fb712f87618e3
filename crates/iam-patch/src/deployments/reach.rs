//! What of the source a change reads, and what it would write there.

use iam_model::change::{Attachment, AttachmentKind, Change};

use crate::hcl::{self, Terraform};
use crate::locate::{self, Found};
use crate::plan;
use crate::reference::Referrer;
use crate::refusal::{Refusal, RefusalCode};
use crate::stack::Deployed;
use crate::template::{Dialect, Template};
use crate::tree::Path;

/// The sources of a project, and what is deployed of them.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'p> {
    pub(crate) templates: &'p [Template],
    pub(crate) terraform: &'p Terraform,
    pub(crate) deployed: &'p Deployed,
}

/// A document of the project that places speak of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spot {
    /// A template, by its number.
    Template(usize),
    /// A block of Terraform, by the numbers of its file and in it.
    Block(usize, usize),
    /// What makes a role, beside which new policies are written: in a template, or a block.
    Home(usize, String),
    HomeBlock(usize, usize),
}

pub(super) type Place = (Spot, Path);

/// What a change would write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Planned {
    /// These edits, each with its place and in words that are equal for equal edits.
    Edits(Vec<(Place, String)>),
    /// The text does not say what is deployed.
    Drifted,
    /// Nothing: the text cannot be edited so.
    Unwritable,
    /// What it writes was not asked.
    Open,
}

/// The text of a deployed policy.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) places: Vec<Place>,
    pub(super) planned: Planned,
}

impl Reach {
    const NOWHERE: Self = Self { places: Vec::new(), planned: Planned::Unwritable };

    /// The same for a policy that stays as it is.
    pub(super) fn without_edits(self) -> Self {
        let planned = match self.planned {
            Planned::Drifted => Planned::Drifted,
            _ => Planned::Edits(Vec::new()),
        };
        Self { planned, ..self }
    }

    /// Whether the policy does not exist yet.
    pub(super) fn is_new(&self) -> bool {
        self.places.iter().all(|(spot, _)| matches!(spot, Spot::Home(..) | Spot::HomeBlock(..)))
    }

    /// Whether two policies share text.
    pub(super) fn touches(&self, other: &Self) -> bool {
        self.places.iter().any(|place| other.places.iter().any(|theirs| shares(place, theirs)))
    }

    /// Whether two changes write in the same place.
    pub(super) fn writes_where(&self, other: &Self) -> bool {
        let (Planned::Edits(own), Planned::Edits(theirs)) = (&self.planned, &other.planned) else { return false };
        own.iter().any(|(place, _)| theirs.iter().any(|(there, _)| shares(place, there)))
    }

    /// What is written in the other's text, in a fixed order.
    pub(super) fn edits_in(&self, other: &Self) -> Vec<&str> {
        let Planned::Edits(edits) = &self.planned else { return Vec::new() };
        let there = edits.iter().filter(|(place, _)| other.places.iter().any(|theirs| shares(place, theirs)));
        let mut found: Vec<&str> = there.map(|(_, edit)| edit.as_str()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn shares((spot, path): &Place, (other, theirs): &Place) -> bool {
    spot == other && (path.holds(theirs) || theirs.holds(path))
}

impl<'p> Sources<'p> {
    /// Whether a change is Terraform's: its address says so, or no template holds it.
    pub(crate) fn is_for_terraform(&self, attachment: &Attachment, result: Option<&Refusal>) -> bool {
        if self.terraform.is_empty() || attachment.logical_id.is_some() {
            return false;
        }
        attachment.address.is_some()
            || result.is_some_and(|refusal| refusal.code == RefusalCode::NotInSource && refusal.place.is_none())
    }

    /// What a change reads; nothing where it has no place.
    pub(super) fn located(&self, change: &Change) -> Reach {
        self.looked_at(change, false)
    }

    /// What a change reads and writes.
    pub(super) fn reach(&self, change: &Change) -> Reach {
        self.looked_at(change, true)
    }

    fn looked_at(&self, change: &Change, planned: bool) -> Reach {
        if change.before.is_none() && change.attachment.kind == AttachmentKind::Identity {
            let new = self.new_policy(change);
            if !new.places.is_empty() {
                return new;
            }
        }
        let found = locate::find(self.templates, self.deployed, &change.attachment, Some(change));
        if self.is_for_terraform(&change.attachment, found.as_ref().err()) {
            return self.in_terraform(change, planned);
        }
        found.map_or(Reach::NOWHERE, |found| self.in_template(&found, change, planned))
    }

    /// A policy that does not exist yet is written beside what makes its role.
    fn new_policy(&self, change: &Change) -> Reach {
        let is_arn = change.attachment.policy_name.as_ref().is_some_and(|name| name.starts_with("arn:"));
        let homes = if is_arn { self.homes(&change.attachment) } else { Vec::new() };
        let places: Vec<Place> = homes.into_iter().map(|spot| (spot, Path::default())).collect();
        let edit = format!("{:?}", change.after);
        let edits = places.iter().map(|place| (place.clone(), edit.clone())).collect();
        Reach { places, planned: Planned::Edits(edits) }
    }

    /// What may make the role of an attachment.
    pub(super) fn homes(&self, attachment: &Attachment) -> Vec<Spot> {
        let owners = locate::owners_of(self.templates, self.deployed, attachment);
        let in_templates = owners.into_iter().map(|(template, id)| Spot::Home(template, id));
        let blocks = hcl::owners_of(self.terraform, attachment);
        in_templates.chain(blocks.into_iter().map(|(file, block)| Spot::HomeBlock(file, block))).collect()
    }

    /// For each statement of a policy's text, the deployed one it stands for; nothing where the text does not say what is
    /// deployed.
    pub(super) fn aligned(&self, change: &Change) -> Option<Vec<Option<usize>>> {
        let found = locate::find(self.templates, self.deployed, &change.attachment, Some(change));
        if self.is_for_terraform(&change.attachment, found.as_ref().err()) {
            return hcl::aligned(self.terraform, change);
        }
        let found = found.ok()?;
        plan::aligned(self.templates.get(found.template)?, &found, change.before.as_ref()?)
    }

    /// The change with the statements that a framework writes by itself kept as they are; nothing where it keeps them.
    pub(super) fn with_generated(&self, change: &Change) -> Option<Change> {
        if !self.templates.iter().any(|template| template.dialect == Dialect::Serverless) {
            return None;
        }
        let found = locate::find(self.templates, self.deployed, &change.attachment, Some(change)).ok()?;
        plan::with_generated(self.templates.get(found.template)?, &found, change)
    }

    fn in_template(&self, found: &Found<'p>, change: &Change, planned: bool) -> Reach {
        let Some(template) = self.templates.get(found.template) else { return Reach::NOWHERE };
        let spot = Spot::Template(found.template);
        let document = found.site.document.as_ref().map(|(_, place)| place.clone());
        let place = document.unwrap_or_else(|| found.site.place.clone());
        if !planned {
            return Reach { places: vec![(spot, place)], planned: Planned::Open };
        }
        let referrer = Referrer::new(template, &found.stack, self.deployed);
        let planned = match plan::plan(template, found, &referrer, change) {
            Ok(plan) => {
                let edit = |op: &crate::op::Op| ((spot.clone(), op.place().clone()), format!("{op:?}"));
                Planned::Edits(plan.ops.iter().map(edit).collect())
            }
            Err(refusal) => unplanned(&refusal),
        };
        Reach { places: vec![(spot, place)], planned }
    }

    fn in_terraform(&self, change: &Change, planned: bool) -> Reach {
        let Ok(hcl::Reach { places, edits }) = hcl::reach(self.terraform, change, planned) else {
            return Reach::NOWHERE;
        };
        let spot = |((file, block), path): ((usize, usize), Path)| (Spot::Block(file, block), path);
        let planned = match edits {
            None => Planned::Open,
            Some(Ok(edits)) => {
                Planned::Edits(edits.into_iter().map(|(at, path, edit)| (spot((at, path)), edit)).collect())
            }
            Some(Err(refusal)) => unplanned(&refusal),
        };
        Reach { places: places.into_iter().map(spot).collect(), planned }
    }
}

fn unplanned(refusal: &Refusal) -> Planned {
    if refusal.code == RefusalCode::Drift { Planned::Drifted } else { Planned::Unwritable }
}
