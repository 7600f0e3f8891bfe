//! The open cases by what is asked of them again and again: by host, by domain, by kind.
//!
//! Law K3: the register is that of the open cases, at any time; so nobody who asks for one of them walks all.
//! Not here: what is counted of them (see `tally`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vocabulary::{CaseId, GroupName, HostId, Scope};

use crate::case::Case;

/// A rule, by name, and a group: trouble of one kind is healed in one way (protocol 6.3).
pub(crate) type Kind = (String, GroupName);

/// Numbers of open cases; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Register {
    by_host: Arc<BTreeMap<HostId, CaseId>>,
    domains: Arc<BTreeSet<CaseId>>,
    leased: Arc<BTreeSet<CaseId>>,
    kinds: Arc<BTreeMap<Kind, OfKind>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OfKind {
    open: Arc<BTreeSet<CaseId>>,
    leased: BTreeSet<CaseId>,
}

impl Register {
    pub fn of_host(&self, host: &HostId) -> Option<CaseId> {
        self.by_host.get(host).copied()
    }

    /// Those of whole racks and zones.
    pub fn domains(&self) -> impl Iterator<Item = CaseId> {
        self.domains.iter().copied()
    }

    pub fn of_kind(&self, kind: &Kind) -> impl Iterator<Item = CaseId> {
        self.kinds.get(kind).into_iter().flat_map(|of_kind| of_kind.open.iter().copied())
    }

    /// Those of a kind whose lease counts.
    pub fn leased_of_kind(&self, kind: &Kind) -> impl Iterator<Item = CaseId> {
        self.kinds.get(kind).into_iter().flat_map(|of_kind| of_kind.leased.iter().copied())
    }

    /// Those whose lease counts, of any kind or none.
    pub fn leased(&self) -> impl Iterator<Item = CaseId> {
        self.leased.iter().copied()
    }

    /// A case in the place of what stood under its number; closed ones are in no register.
    pub fn put(&mut self, before: Option<&Case>, after: &Case) {
        let open = (!after.is_closed()).then_some(after);
        let other = self.put_host(before, open);
        assert!(other.is_none(), "law L1: a host has at most one open case");
        self.put_others(before, open, after.id);
    }

    /// One that is read from a snapshot, whatever the snapshot says.
    pub fn add(&mut self, open: &Case) {
        self.put_host(None, Some(open));
        self.put_others(None, Some(open), open.id);
    }

    fn put_others(&mut self, before: Option<&Case>, open: Option<&Case>, id: CaseId) {
        let [domains, leased] = [&mut self.domains, &mut self.leased];
        let is_of_domain = |case: &Case| matches!(case.subject, Scope::Rack(_) | Scope::Zone(_));
        put_where(domains, [before, open].map(|case| case.is_some_and(is_of_domain)), id);
        let is_leased = |case: &Case| case.counted_lease().is_some();
        put_where(leased, [before, open].map(|case| case.is_some_and(is_leased)), id);
        self.put_kind(before, open, id);
    }

    /// The case that stood at the host meanwhile, if there was one.
    fn put_host(&mut self, before: Option<&Case>, open: Option<&Case>) -> Option<CaseId> {
        let [was, is] = [before, open].map(|case| case.and_then(Case::host));
        if was == is {
            return None;
        }
        let by_host = Arc::make_mut(&mut self.by_host);
        was.map(|host| by_host.remove(&host));
        is.zip(open).and_then(|(host, case)| by_host.insert(host, case.id))
    }

    fn put_kind(&mut self, before: Option<&Case>, open: Option<&Case>, id: CaseId) {
        let of = |case: &Case| Some((kind_of(case)?, case.counted_lease().is_some()));
        let [was, is] = [before, open].map(|case| case.and_then(of));
        if was == is {
            return;
        }
        let kinds = Arc::make_mut(&mut self.kinds);
        let has_moved = was.as_ref().map(|(kind, _)| kind) != is.as_ref().map(|(kind, _)| kind);
        if let Some((kind, _)) = was
            && let Some(of_kind) = kinds.get_mut(&kind)
        {
            of_kind.leased.remove(&id);
            if has_moved {
                Arc::make_mut(&mut of_kind.open).remove(&id);
            }
            if of_kind.open.is_empty() {
                kinds.remove(&kind);
            }
        }
        if let Some((kind, is_leased)) = is {
            let of_kind = kinds.entry(kind).or_default();
            if has_moved {
                Arc::make_mut(&mut of_kind.open).insert(id);
            }
            if is_leased {
                of_kind.leased.insert(id);
            }
        }
    }
}

fn put_where(set: &mut Arc<BTreeSet<CaseId>>, [was, is]: [bool; 2], id: CaseId) {
    if was != is {
        let set = Arc::make_mut(set);
        let _ = if is { set.insert(id) } else { set.remove(&id) };
    }
}

/// The kind of a case; `None` where no rule is for it.
pub(crate) fn kind_of(case: &Case) -> Option<Kind> {
    let (rule, _) = case.rule.as_ref()?;
    Some((rule.clone(), case.scopes.as_ref()?.group.clone()))
}
