//! Ids for names that open tables know.

use rustc_hash::FxHashSet;

use super::words;
use crate::document::EntityKind;
use crate::model::table::Table;
use crate::model::{ModelError, ModelFile, ModelWriter};

/// What sort of thing a link's table lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LinkSort {
    Country = 0,
    Person = 1,
    Title = 2,
    City = 3,
    Organization = 4,
    Region = 5,
    /// A person's last name that means nobody else where no first name is given.
    LastName = 6,
}

impl LinkSort {
    const ALL: [Self; 7] = [
        Self::Country,
        Self::Person,
        Self::Title,
        Self::City,
        Self::Organization,
        Self::Region,
        Self::LastName,
    ];
}

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Wikidata's number.
    pub number: u32,
    pub sort: LinkSort,
}

impl Link {
    /// How likely the thing is meant: of such links in annotated news so many are right, one right and one
    /// wrong added to each sort (docs/quality.md).
    pub fn confidence(self) -> f32 {
        match self.sort {
            // Where it is not meant, it is mostly the country's team.
            LinkSort::Country => 0.95,
            LinkSort::Region => 0.97,
            LinkSort::City => 0.98,
            LinkSort::Person => 0.97,
            LinkSort::LastName => 0.95,
            LinkSort::Organization => 0.97,
            LinkSort::Title => 0.85,
        }
    }

    /// Whether it may be an entity of this type.
    pub fn fits(self, kind: EntityKind) -> bool {
        use LinkSort::{City, Country, LastName, Organization, Person, Region, Title};
        match kind {
            EntityKind::Location => matches!(self.sort, Country | City | Region | Title),
            EntityKind::Person => matches!(self.sort, Person | LastName | Title),
            // Organisations share their names ("Communist Party"), so no title is sure to be theirs, and
            // an organisation called as a country is its team or its government.
            EntityKind::Organization => self.sort == Organization,
            EntityKind::Norp => false,
            // The White House is a building, too.
            _ => matches!(self.sort, Title | Organization),
        }
    }
}

/// Towns called as a city that everyone knows, by the regions that tell them from it ("Paris, Texas").
const NAMESAKES: [(&str, &[&str]); 36] = [
    ("Amsterdam", &["New York"]),
    ("Athens", &["Alabama", "Georgia", "Ohio", "Tennessee", "Texas"]),
    ("Austin", &["Minnesota"]),
    ("Berlin", &["Connecticut", "Maryland", "New Hampshire", "Wisconsin"]),
    ("Bethlehem", &["Pennsylvania"]),
    ("Boston", &["England", "Lincolnshire"]),
    ("Bristol", &["Connecticut", "Rhode Island", "Tennessee", "Virginia"]),
    ("Cairo", &["Georgia", "Illinois"]),
    ("Christchurch", &["Dorset", "England"]),
    ("Dallas", &["Georgia", "Oregon"]),
    ("Damascus", &["Maryland", "Oregon"]),
    ("Delhi", &["California", "New York"]),
    ("Dublin", &["California", "Georgia", "Ohio"]),
    ("Edmonton", &["England", "Kentucky"]),
    ("Florence", &["Alabama", "Arizona", "Kentucky", "Oregon", "South Carolina"]),
    ("Geneva", &["Illinois", "New York", "Ohio"]),
    ("Las Vegas", &["New Mexico"]),
    ("Lima", &["Ohio"]),
    ("Lisbon", &["Connecticut", "Maine", "Ohio"]),
    ("Liverpool", &["New South Wales", "New York"]),
    ("London", &["Kentucky", "Ohio", "Ontario"]),
    ("Madrid", &["Iowa", "New Mexico"]),
    ("Manchester", &["Connecticut", "Missouri", "New Hampshire", "Tennessee", "Vermont"]),
    ("Medina", &["New York", "Ohio", "Washington"]),
    ("Melbourne", &["Florida"]),
    ("Milan", &["Michigan", "Tennessee"]),
    ("Monrovia", &["California"]),
    ("Moscow", &["Idaho"]),
    ("Naples", &["Florida"]),
    ("Ottawa", &["Illinois", "Kansas"]),
    ("Paris", &["Illinois", "Kentucky", "Ontario", "Tennessee", "Texas"]),
    ("Rome", &["Georgia", "New York"]),
    ("Sydney", &["Nova Scotia"]),
    ("Vancouver", &["Washington"]),
    ("Venice", &["California", "Florida"]),
    ("Vienna", &["Virginia"]),
];

/// Wikidata's numbers by name; a name that may mean several things is not in it.
pub struct Links {
    names: Table,
    /// By the name's place in the table.
    links: Vec<Link>,
    /// [`NAMESAKES`], a hash of town and region each.
    namesakes: FxHashSet<u32>,
}

#[derive(Clone, Default)]
pub struct LinkParts {
    /// Hashes of phrases, as [`super::words::phrase`] over plain words.
    pub names: Vec<u32>,
    pub ids: Vec<u32>,
    pub sorts: Vec<u8>,
}

impl LinkParts {
    pub fn read(file: &ModelFile) -> Result<Self, ModelError> {
        Ok(Self {
            names: file.u32s("link names")?,
            ids: file.u32s("link ids")?,
            sorts: file.bytes("link sorts")?.to_vec(),
        })
    }

    pub fn write<'a>(&'a self, file: &mut ModelWriter<'a>) {
        file.u32s("link names", &self.names)
            .u32s("link ids", &self.ids)
            .bytes("link sorts", self.sorts.as_slice());
    }
}

impl Links {
    /// # Errors
    /// If the parts do not fit together, or a sort is not known.
    pub fn new(parts: LinkParts) -> Result<Self, ModelError> {
        if parts.names.len() != parts.ids.len() || parts.names.len() != parts.sorts.len() {
            return Err(ModelError::MissingSection("an id for every link".to_owned()));
        }
        let phrase = |name: &str| name.split(' ').filter_map(words::plain_hash).fold(0, words::phrase);
        let namesakes = NAMESAKES.iter().flat_map(|(town, regions)| {
            regions.iter().map(move |region| words::mix(phrase(town), phrase(region)))
        });
        let link = |(number, byte): (u32, u8)| {
            let sort = LinkSort::ALL.into_iter().find(|&sort| sort as u8 == byte);
            let sort = sort.ok_or_else(|| ModelError::MissingSection(format!("links of the sort {byte}")))?;
            Ok(Link { number, sort })
        };
        let links: Result<_, ModelError> = parts.ids.into_iter().zip(parts.sorts).map(link).collect();
        Ok(Self { names: Table::new(&parts.names), links: links?, namesakes: namesakes.collect() })
    }

    /// What the tables list under a name.
    fn find(&self, name: u32) -> Option<Link> {
        self.names.get(name).map(|place| self.links[place as usize])
    }

    pub fn is_country(&self, name: u32) -> bool {
        self.find(name).is_some_and(|link| link.sort == LinkSort::Country)
    }

    /// The type of the country or organisation called so.
    pub fn listed(&self, name: u32) -> Option<EntityKind> {
        match self.find(name)?.sort {
            LinkSort::Country => Some(EntityKind::Location),
            LinkSort::Organization => Some(EntityKind::Organization),
            _ => None,
        }
    }

    /// What is called so and of this type, or of one that the same name may have elsewhere in the text; not by
    /// a last name alone. Whether it is that thing shows only when the type is known: [`Link::fits`].
    pub fn get(&self, name: u32, kind: EntityKind) -> Option<Link> {
        let country = |link: &Link| kind == EntityKind::Organization && link.sort == LinkSort::Country;
        self.find(name).filter(|link| link.sort != LinkSort::LastName && (link.fits(kind) || country(link)))
    }

    /// Whether a town is meant that is called as a well-known city, by the region behind its name.
    pub fn is_namesake(&self, town: u32, region: u32) -> bool {
        self.namesakes.contains(&words::mix(town, region))
    }

    /// The one person who is meant where a text has only this last name.
    pub fn by_last_name(&self, name: u32) -> Option<Link> {
        self.find(name).filter(|link| link.sort == LinkSort::LastName)
    }
}
