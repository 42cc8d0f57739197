//! What a prompt asks for: family, subject, palette, light and medium.
//!
//! Every prompt gives a brief; words nobody knows only move the dice.

use super::chance::Chance;
use super::palette::{Palette, matches};

/// What kind of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    StillLife,
    Landscape,
    City,
    Cosmos,
    DataViz,
    Interface,
    Platformer,
    Isometric,
    Abstract,
    Poster,
    Botanical,
    Food,
    Architecture,
    Animal,
    Surreal,
    Portrait,
    Underwater,
}

/// The hour and its light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Light {
    Day,
    Dawn,
    Golden,
    Dusk,
    Night,
    Overcast,
    Neon,
    Studio,
    Dark,
}

/// How it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    Clean,
    Photo,
    Film,
    Pixel,
    Watercolour,
    Ink,
    LowPoly,
    Oil,
    Riso,
}

/// A prompt, understood.
#[derive(Clone, Debug)]
pub(super) struct Brief {
    /// Lower-case words, in order.
    pub(super) words: Vec<String>,
    /// What stood in quotes, shortened to what fits a page.
    pub(super) quoted: Vec<String>,
    /// A short title made from the prompt's first words.
    pub(super) title: String,
    pub(super) family: Family,
    pub(super) palette: Palette,
    pub(super) light: Light,
    pub(super) medium: Medium,
}

impl Brief {
    /// Reads a prompt; `style` is the generator's own style parameter.
    pub(super) fn read(prompt: &str, style: &str, chance: &mut Chance) -> Self {
        let quoted = quotes(prompt);
        let words = words(prompt);
        let family = family(&words, !quoted.is_empty(), chance);
        let palette = Palette::choose(&words, chance);
        let mut brief = Self {
            light: Light::Day,
            medium: medium(&words, family),
            title: title(prompt),
            words,
            quoted,
            family,
            palette,
        };
        brief.light = light(&brief, chance);
        if style == "natural" {
            let p = &mut brief.palette;
            for colour in [&mut p.main, &mut p.accent, &mut p.deep, &mut p.soft] {
                *colour = colour.vivid(0.8);
            }
        }
        brief
    }

    /// Whether any of the stems (separated by spaces) is among the words.
    pub(super) fn has(&self, stems: &str) -> bool {
        stems.split(' ').any(|stem| self.words.iter().any(|word| matches(word, stem)))
    }

    /// The first of the keys whose stems occur earliest in the prompt.
    pub(super) fn first<T: Copy>(&self, table: &[(&str, T)]) -> Option<T> {
        self.words.iter().find_map(|word| {
            table.iter().find(|(stems, _)| stems.split(' ').any(|stem| matches(word, stem))).map(|(_, value)| *value)
        })
    }

    /// Whether the picture is dark overall.
    pub(super) fn dark(&self) -> bool {
        matches!(self.light, Light::Night | Light::Neon | Light::Dark)
    }
}

fn words(prompt: &str) -> Vec<String> {
    prompt
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(400)
        .map(|word| word.chars().take(40).collect())
        .collect()
}

fn quotes(prompt: &str) -> Vec<String> {
    let text: String = prompt.chars().map(|c| if matches!(c, '“' | '”' | '„' | '«' | '»') { '"' } else { c }).collect();
    text.split('"')
        .skip(1)
        .step_by(2)
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(48).collect::<String>())
        .filter(|part| !part.is_empty())
        .take(3)
        .collect()
}

fn title(prompt: &str) -> String {
    const SKIP: &[&str] =
        &["a", "an", "the", "of", "in", "on", "with", "and", "for", "at", "to", "over", "above", "by"];
    let plain = prompt.split(['"', ',', ';', '.', ':']).find(|part| part.chars().any(char::is_alphanumeric));
    let words: Vec<String> = plain
        .unwrap_or("Untitled")
        .split_whitespace()
        .filter(|word| !SKIP.contains(&word.to_lowercase().as_str()))
        .take(3)
        .map(|word| {
            let mut letters = word.chars().filter(|c| c.is_alphanumeric() || *c == '-').take(14);
            letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
        })
        .collect();
    words.join(" ").trim().to_owned()
}

fn family(words: &[String], quoted: bool, chance: &mut Chance) -> Family {
    let mut scores: Vec<(f32, Family)> = Vec::new();
    for (stems, family, weight) in FAMILIES {
        let mut score = 0.0;
        for (place, word) in words.iter().enumerate() {
            if stems.split(' ').any(|stem| matches(word, stem)) {
                // What comes first is what the picture is of.
                score += weight / (1.0 + 0.06 * place as f32);
            }
        }
        if quoted && *family == Family::Poster {
            score += 2.5;
        }
        scores.push((score, *family));
    }
    let best = scores.iter().map(|(score, _)| *score).fold(0.0, f32::max);
    if best > 0.0 {
        return scores.iter().find(|(score, _)| *score == best).map_or(Family::Abstract, |(_, family)| *family);
    }
    chance.pick(&[
        Family::Landscape,
        Family::Abstract,
        Family::Surreal,
        Family::StillLife,
        Family::Cosmos,
        Family::Botanical,
        Family::City,
        Family::Architecture,
        Family::Abstract,
        Family::Landscape,
    ])
}

fn medium(words: &[String], family: Family) -> Medium {
    let any = |stems: &str| stems.split(' ').any(|stem| words.iter().any(|word| matches(word, stem)));
    if family == Family::Platformer {
        return Medium::Pixel;
    }
    if matches!(family, Family::DataViz | Family::Interface) {
        return Medium::Clean;
    }
    if any("pixel pixels 8bit 16bit") || (any("bit") && any("8 16 32")) {
        return Medium::Pixel;
    }
    if any("watercolor watercolour aquarelle gouache wash") {
        return Medium::Watercolour;
    }
    if any("polygon lowpoly poly origami facet") {
        return Medium::LowPoly;
    }
    if any("oil impressionis painterly impasto gogh monet brushstrok acrylic expressionis painting painted") {
        return Medium::Oil;
    }
    if any("lineart etching engraving sketch pencil blueprint woodcut doodle linocut")
        || (any("line") && any("art drawing"))
    {
        return Medium::Ink;
    }
    if any("risograph riso halftone screenprint comic popart") {
        return Medium::Riso;
    }
    if any("film analog analogue grain kodak 35mm polaroid vintage cinematic") {
        return Medium::Film;
    }
    if any("photo photograph photography product realistic bokeh macro") || family == Family::StillLife {
        return Medium::Photo;
    }
    Medium::Clean
}

fn light(brief: &Brief, chance: &mut Chance) -> Light {
    let known = brief.first(&[
        ("night midnight moonlit moonlight moon starry stars nocturnal sleep nighttime", Light::Night),
        ("neon cyberpunk glowing vaporwave synthwave retrowave", Light::Neon),
        ("sunrise dawn morning", Light::Dawn),
        ("golden sunset", Light::Golden),
        ("dusk twilight evening lavender", Light::Dusk),
        ("moody dark darkness noir candle candlelight lantern rim gothic", Light::Dark),
        ("overcast fog foggy misty mist rain rainy storm stormy snow winter cloudy", Light::Overcast),
        ("daylight noon sunny bright summer midday", Light::Day),
        ("studio seamless softbox", Light::Studio),
    ]);
    known.unwrap_or_else(|| match brief.family {
        Family::Cosmos => Light::Night,
        Family::City => chance.pick(&[Light::Night, Light::Dusk, Light::Golden, Light::Day, Light::Dawn]),
        Family::StillLife => chance.pick(&[Light::Studio, Light::Studio, Light::Dawn, Light::Dark]),
        Family::Landscape | Family::Surreal => {
            chance.pick(&[Light::Dawn, Light::Golden, Light::Dusk, Light::Day, Light::Overcast, Light::Night])
        }
        _ => chance.pick(&[Light::Day, Light::Day, Light::Golden, Light::Dusk, Light::Dawn]),
    })
}

/// Stems, family, weight; on a tie the earlier row wins.
const FAMILIES: &[(&str, Family, f32)] = &[
    ("platformer sprite metroidvania sidescroller", Family::Platformer, 4.0),
    ("isometric voxel diorama", Family::Isometric, 4.0),
    (
        "chart graph ridgeline heatmap scatter histogram infographic dataviz visualization visualisation sparkline \
         streamgraph treemap donut",
        Family::DataViz,
        3.0,
    ),
    ("data bars plot statistics radial report", Family::DataViz, 1.2),
    (
        "dashboard app ui ux wireframe onboarding interface website landing screen saas login mockup kanban settings \
         widget browser",
        Family::Interface,
        2.2,
    ),
    (
        "poster typographic typography flyer banner headline lettering letterpress announcement invitation",
        Family::Poster,
        2.4,
    ),
    ("sale cover logo slogan event festival", Family::Poster, 1.0),
    (
        "surreal surrealist dreamlike dreamscape floating melting levitating impossible magritte dali",
        Family::Surreal,
        2.2,
    ),
    (
        "bauhaus mandala truchet voronoi fractal kaleidoscope generative abstract spirograph moire",
        Family::Abstract,
        2.6,
    ),
    (
        "flow geometric geometry waves pattern gradient fluid marble swirl tessellation cubist shapes",
        Family::Abstract,
        1.3,
    ),
    (
        "mug bottle perfume watch sneaker shoe headphone camera lamp chair vase candle teapot jar",
        Family::StillLife,
        2.0,
    ),
    ("product packaging ceramic still cosmetic skincare pottery bookshelf books", Family::StillLife, 1.0),
    (
        "coffee latte espresso ramen noodle pizza cake burger sushi breakfast donut doughnut pancake croissant food \
         fruit lemon bowl soup tea cocktail dessert cupcake avocado bakery",
        Family::Food,
        1.9,
    ),
    (
        "cat kitten fox bird owl whale dog puppy bear deer stag rabbit hare wolf fish koi penguin elephant butterfly \
         horse swan crow raven heron crane hummingbird sparrow robin parrot",
        Family::Animal,
        2.2,
    ),
    ("underwater jellyfish reef octopus aquarium seahorse", Family::Underwater, 2.4),
    (
        "planet galaxy nebula cosmos cosmic saturn orbit comet spaceship starship spacecraft rocket asteroid eclipse space \
         astronaut moons solar",
        Family::Cosmos,
        1.9,
    ),
    (
        "flower leaf leaves botanical monstera fern rose tulip poppy peony bouquet succulent cactus mushroom wildflower \
         sunflower lotus orchid herbarium bloom petals eucalyptus plants plant daisy",
        Family::Botanical,
        1.7,
    ),
    (
        "city skyline skyscraper cyberpunk metropolis downtown street tokyo manhattan rooftop urban cityscape alley \
         megacity",
        Family::City,
        1.8,
    ),
    (
        "architecture brutalist staircase villa house building temple cathedral pavilion facade lighthouse cottage cabin \
         arches arch courtyard museum tower interior stairs castle",
        Family::Architecture,
        1.5,
    ),
    ("dungeon room tower shop tavern", Family::Isometric, 0.9),
    ("game rpg level arcade 8bit 16bit", Family::Platformer, 1.4),
    (
        "portrait woman man girl boy face character selfie grandmother grandfather musician dancer queen king person self",
        Family::Portrait,
        1.8,
    ),
    (
        "mountain sea ocean desert dune forest lake valley hill beach landscape meadow river waterfall canyon aurora \
         coast cliff island sunset sunrise fjord volcano glacier horizon field countryside tundra birch wood woods pine \
         retrowave synthwave vaporwave",
        Family::Landscape,
        1.2,
    ),
];
