//! Short articles of the kinds that news has, and what a summary of each must hold and not hold.

use super::{Length, Options, Summarizer};
use crate::document::Article;
use crate::entities::EntityModel;
use crate::text::segment_article;

/// An article whose summary of two sentences begins with `story` and holds none of `strays`.
struct Golden {
    title: &'static str,
    text: &'static str,
    story: &'static str,
    strays: &'static [&'static str],
}

const GOLDEN: [Golden; 5] = [
    // A sport report.
    Golden {
        title: "Late goal sends Brennport into the cup final",
        text: "Striker Tomas Riel scored in the last minute as Brennport beat league leaders Ostra 2-1 on \
               Saturday to reach the cup final for the first time in 40 years.\n\n\
               Riel celebrates his winning goal. Photo: Club\n\n\
               Ostra had gone ahead after ten minutes through captain Leo Hahn. But they lost him to an injury \
               before the break.\n\n\
               “I cannot describe it,” Riel said. “I just hit the ball.”\n\n\
               Brennport will meet Castle Rovers in the final on May 14.\n\n\
               Follow us for live scores",
        story: "Striker Tomas Riel scored",
        strays: &["celebrates", "But they", "I just hit", "Follow us"],
    },
    // A market report.
    Golden {
        title: "Shares fall as oil price jumps",
        text: "Shares in Ardania fell 2.3 percent on Monday, their worst day since March, after the price of oil \
               rose above 90 dollars a barrel.\n\n\
               The main index closed at 7,412 points. Airlines lost most, with Norjet down 8 percent.\n\n\
               “That surprised us all,” said Ida Moen, an analyst at Kvist Bank.\n\n\
               The central bank decides on interest rates on Thursday, and most economists expect it to raise \
               them by a quarter of a point.\n\n\
               This article is not investment advice.",
        story: "Shares in Ardania fell 2.3 percent",
        strays: &["That surprised", "not investment advice"],
    },
    // A court case.
    Golden {
        title: "",
        text: "By Our Court Reporter\n\n\
               A former accountant who stole 1.2 million pounds from a children's hospital was sentenced to six \
               years in prison on Friday.\n\n\
               Peter Garrow, 52, had admitted 14 counts of fraud at Millbridge Crown Court in June. He had moved \
               the money to accounts in his mother's name over nine years.\n\n\
               Why did nobody notice?\n\n\
               Judge Helen Frost said the hospital had put off buying a scanner because of the loss.\n\n\
               Share this story",
        story: "A former accountant who stole 1.2 million pounds",
        strays: &["By Our", "Why did", "Share this"],
    },
    // An obituary.
    Golden {
        title: "Composer Anna Velde dies at 91",
        text: "Anna Velde, the composer whose opera “The Salt Road” was performed in more than 30 countries, died \
               on Tuesday at her home in Lindhaven. She was 91.\n\n\
               Anna Velde, pictured at the piano in 1964.\n\n\
               Her death was confirmed by her publisher, Nord Music. Ms. Velde was born into a family of \
               fishermen and learned the organ at the village church.\n\n\
               “And then it was summer,” she once wrote.\n\n\
               She is survived by two sons and a granddaughter.",
        story: "Anna Velde, the composer",
        strays: &["at the piano in 1964", "And then it was"],
    },
    // An election.
    Golden {
        title: "",
        text: "The opposition Reform Party won a majority in the parliament of Ostravia on Sunday, ending 16 years \
               of rule by the National Union.\n\n\
               With 98 percent of the votes counted, Reform had 112 of the 200 seats, the electoral commission \
               said. Turnout was 71 percent, the highest since independence.\n\n\
               Prime Minister Karl Dorn conceded defeat shortly before midnight.\n\n\
               This is a great day.\n\n\
               Reform leader Mira Sand, a former judge, has promised to cut taxes and to join the customs union.\n\n\
               Also read: How the voting works",
        story: "The opposition Reform Party won a majority",
        strays: &["This is a great", "Also read"],
    },
];

#[test]
fn summaries_of_every_kind_of_report_open_with_the_story_and_hold_no_strays() {
    let (summarizer, entities) = (Summarizer::load().unwrap(), EntityModel::load().unwrap());
    let options = Options { length: Length::Sentences(2), ..Options::default() };
    for golden in GOLDEN {
        let article = Article { title: golden.title.into(), text: golden.text.into(), ..Article::default() };
        let segmented = segment_article(&article);
        let summary = summarizer.summarize(&segmented, &entities.find(&segmented), &options);
        let chosen: Vec<&str> =
            summary.sentences.iter().map(|sentence| sentence.span.of(golden.text)).collect();
        assert_eq!(chosen.len(), 2, "{chosen:#?}");
        assert!(chosen[0].starts_with(golden.story), "{chosen:#?}");
        for stray in golden.strays {
            assert!(!chosen.iter().any(|sentence| sentence.contains(stray)), "{stray}: {chosen:#?}");
        }
    }
}
