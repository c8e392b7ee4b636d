//! Articles of our own, each with a trap in it, through the shipped model.

use std::sync::LazyLock;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::document::{Article, EntityKind, Section};
use crate::text::segment_article;

static MODEL: LazyLock<EntityModel> = LazyLock::new(|| EntityModel::load().unwrap());

struct Found {
    article: Article,
    entities: Vec<Entity>,
}

fn read(title: &str, text: &str) -> Found {
    let article =
        Article { title: title.into(), text: text.into(), language_code: "en".into(), ..Article::default() };
    let entities = MODEL.find(&segment_article(&article));
    Found { article, entities }
}

impl Found {
    fn surface(&self, mention: &Mention) -> &str {
        match mention.span.section {
            Section::Body => mention.span.span.of(&self.article.text),
            Section::Title => mention.span.span.of(&self.article.title),
        }
    }

    fn names(&self) -> Vec<&str> {
        self.entities.iter().map(|entity| entity.name.as_str()).collect()
    }

    fn entity(&self, name: &str) -> &Entity {
        let found = self.entities.iter().find(|entity| entity.name == name);
        found.unwrap_or_else(|| panic!("no {name:?} among {:?}", self.names()))
    }

    /// The texts of an entity's mentions of one kind, in order.
    fn mentions(&self, name: &str, kind: MentionKind) -> Vec<&str> {
        let mentions = self.entity(name).mentions.iter().filter(|mention| mention.kind == kind);
        mentions.map(|mention| self.surface(mention)).collect()
    }

    fn proper(&self, name: &str) -> Vec<&str> {
        self.mentions(name, MentionKind::Proper)
    }
}

#[test]
fn a_word_that_only_begins_a_sentence_is_no_reason_to_look_closer() {
    let looked_at = |text: &str| {
        let article = Article { text: text.into(), ..Article::default() };
        let segmented = segment_article(&article);
        let reading = Reading::new(&segmented, &MODEL.tagger.lexicon);
        let units = reading.lines.iter().flat_map(|line| reading.stretches(line)).flatten();
        units.map(|unit| reading.unit_text(Section::Body, unit).to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(looked_at("The dog and I saw that a door was open. He slept."), "");
    assert_eq!(looked_at("The bus from Leeds was late again."), "from Leeds was");
    assert_eq!(looked_at("The bus was late. He saw The Mail there."), "The bus saw The Mail there .");
    assert_eq!(looked_at("April Haines was late."), "April Haines was");
}

#[test]
fn a_sentence_may_begin_with_a_name_that_is_a_month_too() {
    let found = read("", "April Stone said that the council was wrong. April showers came in May.");
    assert_eq!(found.proper("April Stone"), ["April Stone"]);
}

#[test]
fn short_names_join_the_full_one_and_titles_stay_outside() {
    let found = read(
        "",
        "President Maria Oliveira met business leaders in Lisbon on Monday. Mrs Oliveira said that the \
         economy was growing. \"We have work to do,\" Oliveira told reporters.",
    );
    assert_eq!(found.proper("Maria Oliveira"), ["Maria Oliveira", "Oliveira", "Oliveira"]);
    assert_eq!(found.entity("Maria Oliveira").kind, EntityKind::Person);
    assert_eq!(found.entity("Lisbon").kind, EntityKind::Location);
}

#[test]
fn vietnamese_names_keep_the_family_name_first() {
    let found = read(
        "",
        "General Secretary Nguyen Phu Trong spoke by phone with Joe Biden on Wednesday. Trong thanked Biden \
         for his message. Vietnam and the United States set up ties in 1995.",
    );
    assert_eq!(found.proper("Nguyen Phu Trong"), ["Nguyen Phu Trong", "Trong"]);
    assert_eq!(found.proper("Joe Biden"), ["Joe Biden", "Biden"]);
}

#[test]
fn accents_do_not_make_another_person() {
    let found = read(
        "",
        "Nguyễn Phú Trọng arrived in Hanoi on Monday. Officials said that Nguyen Phu Trong would stay in Hanoi.",
    );
    assert_eq!(found.proper("Nguyễn Phú Trọng").len(), 2);
}

#[test]
fn a_country_is_one_entity_under_all_its_names() {
    let found = read(
        "",
        "The United States said on Friday it would send aid. Officials in the U.S. gave no date. The US has \
         sent aid before. The government of Viet Nam thanked America. Officials in Vietnam were glad.",
    );
    let usa = found.entity("United States");
    assert_eq!(usa.links[0].id, "Q30");
    assert!(usa.mentions.len() >= 3, "{:?}", found.names());
    assert_eq!(found.entity("Viet Nam").mentions.len(), 2);
}

#[test]
fn a_country_of_several_words_is_never_a_person() {
    let found = read(
        "",
        "Viet\u{a0}Nam and Sri\u{a0}Lanka opened an air route on Monday. \"Sri Lanka welcomes us,\" the minister \
         said. Viet Nam said that it would send more planes.",
    );
    for country in ["Viet\u{a0}Nam", "Sri\u{a0}Lanka"] {
        let country = found.entity(country);
        assert_eq!((country.kind, country.mentions.len()), (EntityKind::Location, 2));
    }
}

#[test]
fn a_shared_family_name_alone_means_who_was_spoken_of_most() {
    let found = read(
        "",
        "President Nguyen Van Thanh met Pham Thu Ha, the trade minister, on Monday. Also there was Nguyen Duc \
         Minh. Nguyen said that trade had grown.",
    );
    assert_eq!(found.proper("Nguyen Van Thanh"), ["Nguyen Van Thanh", "Nguyen"]);
}

#[test]
fn a_newspaper_introduced_as_one_is_no_person() {
    let found = read(
        "",
        "The party's newspaper, Lao Minh, reported the visit on Monday. It would last a week, Lao Minh said.",
    );
    assert_eq!(found.entity("Lao Minh").kind, EntityKind::Organization);
}

#[test]
fn an_acronym_joins_the_name_it_stands_for() {
    let found = read(
        "",
        "The World Health Organization (WHO) warned of a new outbreak in Geneva on Tuesday. The WHO said that \
         it had sent experts.",
    );
    assert_eq!(found.proper("World Health Organization"), ["World Health Organization", "WHO", "WHO"]);
}

#[test]
fn namesakes_stay_apart() {
    let found = read(
        "",
        "Joe Biden flew to Delaware on Friday. Hunter Biden was seen in Los Angeles, his lawyer said. Joe Biden \
         did not comment.",
    );
    assert_eq!(found.proper("Joe Biden").len(), 2);
    assert_eq!(found.proper("Hunter Biden").len(), 1);
}

#[test]
fn a_possessive_is_no_part_of_a_name() {
    let found =
        read("", "Germany's economy shrank, and Angela Merkel's party lost votes, officials in Berlin said.");
    assert_eq!(found.proper("Germany"), ["Germany"]);
    assert_eq!(found.proper("Angela Merkel"), ["Angela Merkel"]);
}

#[test]
fn a_headline_in_title_case_is_read_by_the_light_of_the_body() {
    let found = read(
        "Kenya Signs Railway Deal With China After Long Talks",
        "Kenya signed a deal with China on Thursday to build a railway. The talks lasted two years, officials in \
         Nairobi said.",
    );
    assert_eq!(found.proper("China"), ["China", "China"]);
    assert_eq!(found.proper("Kenya"), ["Kenya", "Kenya"]);
}

#[test]
fn a_headline_in_capitals_joins_the_body() {
    let found = read(
        "KENYA SIGNS DEAL WITH CHINA",
        "Kenya signed a deal with China on Thursday to build a railway, officials in Nairobi said.",
    );
    assert_eq!(found.entity("Kenya").mentions.len(), 2);
}

#[test]
fn a_name_ends_at_a_hyphen_before_a_common_word() {
    let found = read("", "A Brussels-based think tank criticised the plan. Lawmakers in Brussels agreed.");
    assert_eq!(found.proper("Brussels"), ["Brussels", "Brussels"]);
}

#[test]
fn a_description_said_of_a_name_is_found_again() {
    let found =
        read("", "Profits at the airline Ryanair rose. Analysts were surprised that the airline had grown.");
    assert_eq!(found.mentions("Ryanair", MentionKind::Common), ["the airline"]);
}

#[test]
fn letters_join_the_name_that_they_stand_for() {
    let found = read(
        "",
        "The Ministry of Defence said on Monday that four men had died. The MOD gave no names, and the MOD's \
         spokesman declined to comment. The Bank of Japan kept its rate. The BoJ will meet again in May. The \
         Workers' Party (PT) won. The PT leads in the polls.",
    );
    assert_eq!(found.proper("Ministry of Defence"), ["Ministry of Defence", "MOD", "MOD"]);
    assert_eq!(found.proper("Bank of Japan"), ["Bank of Japan", "BoJ"]);
    assert_eq!(found.proper("Workers' Party"), ["Workers' Party", "PT", "PT"]);
    let found = read("", "NEW YORK (AP) - Stocks rose in New York on Monday, the AP reported.");
    assert_eq!(found.proper("AP").len(), 2);
}

#[test]
fn a_part_is_not_the_whole() {
    let found = read(
        "",
        "The House voted on Tuesday to fund the army. The White House said the president would sign. The House \
         will adjourn on Friday. The Senate voted on Monday. The Senate Judiciary Committee had approved it in \
         May. Members of the Senate were absent.",
    );
    assert_eq!(found.proper("House"), ["House", "House"]);
    assert_eq!(found.proper("White House"), ["White House"]);
    assert_eq!(found.proper("Senate"), ["Senate", "Senate"]);
    assert_eq!(found.proper("Senate Judiciary Committee"), ["Senate Judiciary Committee"]);
}

#[test]
fn storms_and_ships_are_called_so_before_their_names() {
    let found = read(
        "",
        "Hurricane Melissa hit Jamaica on Monday. Melissa killed nine people. Cyclone Freddy struck Malawi. HMS \
         Prince of Wales sailed to Kingston with aid. The National Hurricane Center warned of floods.",
    );
    for storm in ["Hurricane Melissa", "Cyclone Freddy"] {
        assert_eq!(found.entity(storm).kind, EntityKind::Event);
    }
    assert_eq!(found.entity("HMS Prince of Wales").kind, EntityKind::Product);
    assert_eq!(found.proper("Hurricane Melissa"), ["Hurricane Melissa", "Melissa"]);
}

#[test]
fn he_before_a_name_is_no_pronoun() {
    let found = read(
        "",
        "Scott Bessent flew to Geneva on Sunday. He Lifeng had come the day before. He said little.",
    );
    assert!(!found.mentions("Scott Bessent", MentionKind::Pronoun).contains(&"He"), "{:?}", found.names());
}

#[test]
fn listed_organisations_and_countries_are_found_in_full() {
    let found = read(
        "",
        "The World Trade Organization ruled on Monday. The case is before the World Trade Organization. Bosnia \
         and Herzegovina had asked for help.",
    );
    let organization = found.entity("World Trade Organization");
    assert_eq!((organization.kind, organization.mentions.len()), (EntityKind::Organization, 2));
    assert_eq!(organization.links[0].id, "Q7825");
}

#[test]
fn roads_and_bridges_are_facilities() {
    let found = read("", "Police closed Ashgrove Road on Monday after a fire near Millfield Bridge.");
    assert_eq!(found.entity("Ashgrove Road").kind, EntityKind::Facility);
    assert_eq!(found.entity("Millfield Bridge").kind, EntityKind::Facility);
}

#[test]
fn an_age_means_whose_it_was_said_to_be() {
    let found = read(
        "",
        "Anna Berg, 31, won the race in Oslo on Sunday. Ida Lund, 24, was second. The 31-year-old had been ill \
         for a month.",
    );
    assert_eq!(found.mentions("Anna Berg", MentionKind::Common), ["The 31-year-old"]);
}

#[test]
fn an_organisation_is_described_by_the_last_word_of_its_name() {
    let found = read(
        "",
        "Rother District Council has refused the plan. The council said that the road was too narrow, and \
         that the committee would meet again.",
    );
    assert_eq!(found.mentions("Rother District Council", MentionKind::Common), ["The council"]);
}

#[test]
fn a_pronoun_is_given_to_the_only_person_near() {
    let found = read("", "Angela Merkel spoke in Berlin on Monday. She said that talks would go on.");
    assert_eq!(found.mentions("Angela Merkel", MentionKind::Pronoun), ["She"]);
}

#[test]
fn a_last_name_alone_is_linked_unless_the_text_has_another_of_that_name() {
    let alone =
        read("", "Mr Putin flew to Paris on Monday. Putin is to meet the French president on Tuesday.");
    assert_eq!(alone.entity("Putin").links[0].id, "Q7747");
    let with_initial =
        read("", "President Donald J. Trump spoke on Monday. Mr. Trump said that talks would go on.");
    assert_eq!(with_initial.entity("Donald J. Trump").links[0].id, "Q22686");
    let son = read("", "President Donald Trump spoke on Monday. Donald Trump Jr. was in the first row.");
    assert_eq!(son.entity("Donald Trump").links[0].id, "Q22686");
    assert!(son.entity("Donald Trump Jr.").links.is_empty());
    let another =
        read("", "Ivanka Trump opened the hotel on Monday. Ms. Trump said that she was proud of it.");
    assert!(another.entity("Ivanka Trump").links.is_empty());
}

#[test]
fn a_city_with_the_name_of_a_known_one_is_not_that_city() {
    let found =
        read("", "Firefighters in Paris, Texas, were called on Monday. The mayor of Paris thanked them.");
    assert!(found.entity("Paris").links.is_empty());
    let known =
        read("", "Ministers met in Paris on Monday. They left Paris for Chicago, Illinois, on Tuesday.");
    assert_eq!(known.entity("Paris").links[0].id, "Q90");
    assert_eq!(known.entity("Chicago").links[0].id, "Q1297");
    let own_region = read("", "Police in Boston, Massachusetts, made two arrests on Monday.");
    assert_eq!(own_region.entity("Boston").links[0].id, "Q100");
}

#[test]
fn a_team_called_as_its_country_is_not_the_country() {
    let found = read("", "England won the match on Saturday. England scored two tries.");
    assert_eq!(found.entity("England").kind, EntityKind::Organization);
    assert!(found.entity("England").links.is_empty());
}

#[test]
fn a_name_of_many_things_gets_no_link() {
    let found =
        read("", "Voters in Georgia went to the polls on Tuesday, and many in Georgia stood in line.");
    assert!(found.entity("Georgia").links.is_empty());
}

#[test]
fn saliences_fall_and_add_up_to_at_most_one() {
    let found = read(
        "Ryanair orders planes from Boeing",
        "Ryanair has ordered 70 planes from Boeing. Ryanair said that they would cost less to run. A rival in \
         France did not comment.",
    );
    let saliences: Vec<f32> = found.entities.iter().map(|entity| entity.salience).collect();
    assert!(saliences.is_sorted_by(|a, b| a >= b));
    assert!(saliences.iter().sum::<f32>() <= 1.0);
    assert_eq!(found.entities[0].name, "Ryanair");
}

#[test]
fn many_names_take_time_in_proportion() {
    let many: String =
        (0..10_000).map(|i| format!("John Smith{} met Anna Lee{}. ", letters(i), letters(i * 7))).collect();
    let same = "Ban Ki-moon spoke. ".repeat(50_000);
    let line = "Ban ".repeat(250_000);
    let firms: String = (0..10_000)
        .map(|i| format!("Acme{} Bank rose. Paris said that the company and the bank grew. ", letters(i)))
        .collect();
    let speakers = "Denzel Paris came. ".repeat(20_000) + &"Paris said so. ".repeat(20_000);
    for text in [many, same, line, firms, speakers] {
        let started = Instant::now();
        read("", &text);
        assert!(started.elapsed().as_secs() < 15, "{:?} for {} bytes", started.elapsed(), text.len());
    }
}

/// A number as letters.
fn letters(number: usize) -> String {
    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn mentions_lie_in_the_text_and_in_order(title in "\\PC{0,40}", text in "(\\PC|[A-Z][a-z]{1,5}|[ \n\"'().-]){0,200}") {
        let found = read(&title, &text);
        for entity in &found.entities {
            prop_assert!(entity.mentions.is_sorted_by_key(|mention| mention.span));
            for mention in &entity.mentions {
                prop_assert!(!found.surface(mention).is_empty());
            }
        }
    }
}
