//! The parameters of a property, which most items share: `TYPE=CELL` stands in each of a thousand contacts.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::model::Param;

/// Parameters in the order in which they came. A copy shares them until one of the two is changed.
#[derive(Clone, Default)]
pub struct Params(Option<Arc<Vec<Param>>>);

impl Params {
    /// None.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Puts one behind the others.
    pub fn push(&mut self, param: Param) {
        self.own().push(param);
    }

    /// Puts one before that with the number `index`.
    ///
    /// # Panics
    ///
    /// If there are fewer than `index`.
    pub fn insert(&mut self, index: usize, param: Param) {
        self.own().insert(index, param);
    }

    /// Takes one away.
    ///
    /// # Panics
    ///
    /// If there is none with the number `index`.
    pub fn remove(&mut self, index: usize) -> Param {
        self.own().remove(index)
    }

    /// Keeps those of which `keep` is true.
    pub fn retain(&mut self, keep: impl Fn(&Param) -> bool) {
        if !self.iter().all(&keep) {
            self.own().retain(keep);
        }
    }

    fn own(&mut self) -> &mut Vec<Param> {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl Deref for Params {
    type Target = [Param];

    fn deref(&self) -> &[Param] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl DerefMut for Params {
    fn deref_mut(&mut self) -> &mut [Param] {
        match &mut self.0 {
            Some(params) => Arc::<Vec<Param>>::make_mut(params).as_mut_slice(),
            None => &mut [],
        }
    }
}

impl PartialEq for Params {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Params {}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl FromIterator<Param> for Params {
    fn from_iter<I: IntoIterator<Item = Param>>(params: I) -> Self {
        Vec::from_iter(params).into()
    }
}

impl Extend<Param> for Params {
    fn extend<I: IntoIterator<Item = Param>>(&mut self, params: I) {
        self.own().extend(params);
    }
}

impl From<Vec<Param>> for Params {
    fn from(params: Vec<Param>) -> Self {
        Self((!params.is_empty()).then(|| Arc::new(params)))
    }
}

impl From<&[Param]> for Params {
    fn from(params: &[Param]) -> Self {
        params.to_vec().into()
    }
}

impl<'a> IntoIterator for &'a Params {
    type Item = &'a Param;
    type IntoIter = std::slice::Iter<'a, Param>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Param, Params};

    #[test]
    fn a_copy_is_its_own_as_soon_as_it_is_changed() {
        let first: Params = [Param::one("TYPE", "CELL"), Param::one("X", "1")]
            .into_iter()
            .collect();
        let mut second = first.clone();
        second.retain(|param| param.name == "X");
        second.push(Param::one("Y", "2"));
        second[0].values.push("3".into());
        let mut third = second.clone();
        assert_eq!(third.remove(0).values, ["1", "3"]);
        assert_eq!(
            first,
            Params::from(vec![Param::one("TYPE", "CELL"), Param::one("X", "1")])
        );
        assert_eq!(second.len(), 2);
        assert_eq!(third, Params::from(vec![Param::one("Y", "2")]));
        assert_eq!(Params::new(), Params::from(Vec::new()));
    }
}
