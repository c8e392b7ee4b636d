//! What a page offers for one field of its metadata: values, each with where it was found.
//!
//! The places in which a field's value can be found (its origins) are numbered by the field.
//! A value found in several of them is one candidate, so that the model sees which origins
//! agree and which say something else.

/// Values beyond this number are not looked at; pages with more are lists of articles.
const MOST_CANDIDATES: usize = 40;

/// What stands in a feature where a page shows the value nowhere.
const NOT_SHOWN: f32 = 99.0;

/// Features that all fields share, beside one for each origin.
const SHARED: usize = 7;

/// A value that a page gives for a field.
#[derive(Clone, Debug)]
pub(in crate::extract) struct Candidate<V> {
    pub value: V,
    /// Equal for values that say the same.
    key: String,
    /// For each origin 1 if this was the first value found there, 1/2 if it was the second,
    /// and so on; 0 if it was not found there.
    ranks: Vec<f32>,
    seen: usize,
    /// Blocks between the title and the nearest place that shows the value, negative above
    /// the title.
    distance: Option<isize>,
}

impl<V> Candidate<V> {
    pub fn is_from(&self, origin: usize) -> bool {
        self.ranks[origin] > 0.0
    }
}

/// All values that a page gives for a field.
#[derive(Clone, Debug)]
pub(in crate::extract) struct Candidates<V> {
    pub list: Vec<Candidate<V>>,
    /// How many different values were found in each origin.
    found: Vec<usize>,
}

impl<V> Candidates<V> {
    pub fn new(origins: usize) -> Self {
        Self { list: Vec::new(), found: vec![0; origins] }
    }

    /// Features of a candidate beside those that the field adds.
    pub const fn width(origins: usize) -> usize {
        origins + SHARED
    }

    /// Notes a value found in `origin`; `distance` is how many blocks behind the title it is
    /// shown, if it is shown. Returns the candidate, if there is room for it.
    pub fn add(
        &mut self,
        key: &str,
        origin: usize,
        distance: Option<isize>,
        value: impl FnOnce() -> V,
    ) -> Option<&mut Candidate<V>> {
        let place = match self.list.iter().position(|known| known.key == key) {
            Some(place) => place,
            None if self.list.len() >= MOST_CANDIDATES || key.is_empty() => return None,
            None => {
                let ranks = vec![0.0; self.found.len()];
                let key = key.to_owned();
                self.list.push(Candidate { value: value(), key, ranks, seen: 0, distance: None });
                self.list.len() - 1
            }
        };
        let candidate = &mut self.list[place];
        candidate.seen += 1;
        if candidate.ranks[origin] == 0.0 {
            self.found[origin] += 1;
            candidate.ranks[origin] = 1.0 / self.found[origin] as f32;
        }
        if let Some(distance) = distance
            && candidate.distance.is_none_or(|known| distance.abs() < known.abs())
        {
            candidate.distance = Some(distance);
        }
        Some(candidate)
    }

    /// The features of all candidates end to end; `own` adds those of the field.
    pub fn rows<const OWN: usize>(&self, own: impl Fn(&Candidate<V>) -> [f32; OWN]) -> Vec<f32> {
        let support = |candidate: &Candidate<V>| candidate.ranks.iter().filter(|&&rank| rank > 0.0).count();
        let supports: Vec<usize> = self.list.iter().map(support).collect();
        let behind = |known: &Candidate<V>| known.distance.filter(|&distance| distance >= 0);
        let nearest = self.list.iter().filter_map(behind).min();
        let mut rows = Vec::with_capacity(self.list.len() * (Self::width(self.found.len()) + OWN));
        for (number, candidate) in self.list.iter().enumerate() {
            rows.extend(candidate.ranks.iter().zip(&self.found).map(|(&rank, &found)| {
                // Empty, or filled with something else.
                if rank == 0.0 && found > 0 { -1.0 } else { rank }
            }));
            let others = supports.iter().enumerate().filter(|&(other, _)| other != number);
            rows.extend([
                supports[number] as f32,
                others.map(|(_, &support)| support).max().unwrap_or(0) as f32,
                self.list.len() as f32,
                number as f32,
                candidate.seen.min(10) as f32,
                candidate.distance.map_or(NOT_SHOWN, |distance| distance.clamp(-30, 90) as f32),
                f32::from(u8::from(nearest.is_some() && candidate.distance == nearest)),
            ]);
            rows.extend(own(candidate));
        }
        rows
    }
}
