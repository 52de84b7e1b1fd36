//! Variables of scripts that are set to plain values.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::passage::Passage;

/// What a script sets, and what is set around it. A script in another sees the variables of both; none are copied for
/// it, since there may be many of either.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    /// `None` for those that are set again to something else.
    own: BTreeMap<String, Option<Passage<'static>>>,
    outer: Option<Rc<Variables>>,
}

impl Variables {
    /// Those of a script within another.
    pub(super) fn within(outer: Rc<Variables>) -> Self {
        Self { own: BTreeMap::new(), outer: Some(outer) }
    }

    /// Sets one. One that is set twice, to different values, is none.
    pub(super) fn set(&mut self, name: &str, value: Passage<'static>) {
        let same = match self.known(name) {
            Some(Some(old)) => old.text() == value.text(),
            Some(None) => false,
            None => true,
        };
        self.own.insert(name.to_owned(), same.then_some(value));
    }

    /// The value of one.
    pub(super) fn get(&self, name: &str) -> Option<&Passage<'static>> {
        self.known(name)?.as_ref()
    }

    fn known(&self, name: &str) -> Option<&Option<Passage<'static>>> {
        self.own.get(name).or_else(|| self.outer.as_ref()?.known(name))
    }
}
