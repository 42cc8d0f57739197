//! Curated palettes and how words choose one.
//!
//! Every palette runs from its darkest to its lightest colour, so scenes can rely on contrast.

use super::chance::Chance;
use super::colour::{Colour, NAMED, hex};

/// Six colours: ink, deep, main, accent, soft, paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Palette {
    /// Darkest: text, outlines, night.
    pub(super) ink: Colour,
    /// A dark, coloured tone.
    pub(super) deep: Colour,
    /// The colour one would name it by.
    pub(super) main: Colour,
    /// What stands out against it.
    pub(super) accent: Colour,
    /// A light, coloured tone.
    pub(super) soft: Colour,
    /// Lightest: paper, glow.
    pub(super) paper: Colour,
}

impl Palette {
    fn of([ink, deep, main, accent, soft, paper]: [u32; 6]) -> Self {
        Self {
            ink: hex(ink),
            deep: hex(deep),
            main: hex(main),
            accent: hex(accent),
            soft: hex(soft),
            paper: hex(paper),
        }
    }

    /// The four colours between ink and paper.
    pub(super) fn hues(&self) -> [Colour; 4] {
        [self.main, self.accent, self.deep, self.soft]
    }

    /// The palette that the words ask for, or a seeded one.
    pub(super) fn choose(words: &[String], chance: &mut Chance) -> Self {
        let score = |tags: &str| -> usize {
            tags.split(' ').map(|tag| words.iter().filter(|word| matches(word, tag)).count()).sum()
        };
        let best = PALETTES.iter().map(|(tags, _)| score(tags)).max().unwrap_or(0);
        let fitting: Vec<&[u32; 6]> =
            PALETTES.iter().filter(|(tags, _)| score(tags) == best).map(|(_, colours)| colours).collect();
        let mut palette = Self::of(*chance.pick(&fitting));
        let named = named(words);
        // Materials say little about the picture's colours; two named colours say everything.
        match named.as_slice() {
            [] => {}
            [one] => palette = palette.towards(*one, best == 0),
            [one, two, ..] => {
                palette = palette.towards(*one, true);
                palette.accent = two.at(two.lightness().clamp(0.35, 0.85));
            }
        }
        palette
    }

    fn towards(mut self, colour: Colour, whole: bool) -> Self {
        if colour.chroma() < 0.03 {
            // Black, white and grey set the mood, not the hue.
            if whole {
                self.main = self.main.vivid(0.35);
                self.deep = self.deep.vivid(0.35);
                self.soft = self.soft.vivid(0.35);
            }
            return self;
        }
        self.main = colour.at(colour.lightness().clamp(0.38, 0.8));
        if whole {
            self.deep = self.main.at(0.32).vivid(0.9);
            self.ink = self.main.at(0.17).vivid(0.6);
            self.soft = self.main.at(0.86).vivid(0.5);
            self.paper = self.main.at(0.965).vivid(0.2);
        }
        self
    }
}

/// The colours named by the words, in their order.
pub(super) fn named(words: &[String]) -> Vec<Colour> {
    words.iter().filter_map(|word| name(word)).collect()
}

/// The colour a word names, softened to what one would paint.
pub(super) fn name(word: &str) -> Option<Colour> {
    PAINTED
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, rgb)| hex(*rgb))
        .or_else(|| NAMED.iter().find(|(name, _)| *name == word).map(|(_, rgb)| hex(*rgb).vivid(0.75)))
}

/// A word matches a tag when it starts with it; short tags must match whole.
pub(super) fn matches(word: &str, tag: &str) -> bool {
    if tag.len() <= 4 { word == tag || word.strip_suffix('s') == Some(tag) } else { word.starts_with(tag) }
}

/// What painters mean by these names.
const PAINTED: &[(&str, u32)] = &[
    ("black", 0x26262a),
    ("white", 0xf4f1ea),
    ("red", 0xc8382e),
    ("green", 0x4c8c5a),
    ("blue", 0x2f6bb0),
    ("yellow", 0xeebb3a),
    ("orange", 0xe5792f),
    ("purple", 0x74509c),
    ("pink", 0xe58fa6),
    ("brown", 0x7a5236),
    ("gold", 0xc99a3c),
    ("golden", 0xc99a3c),
    ("silver", 0xb4bac2),
    ("navy", 0x1d3157),
    ("teal", 0x1f8a8c),
    ("cyan", 0x3fb8cf),
    ("mint", 0x7fd1ae),
    ("coral", 0xf4765c),
    ("lavender", 0xa993d6),
    ("lilac", 0xb59ad4),
    ("peach", 0xf6b08a),
    ("sage", 0x8fa585),
    ("terracotta", 0xbf6244),
    ("mustard", 0xd29c2b),
    ("burgundy", 0x6e2036),
    ("cream", 0xf2e6cf),
    ("beige", 0xdccbb0),
    ("copper", 0xb66a43),
    ("emerald", 0x1e8a62),
    ("turquoise", 0x3bb5ad),
    ("indigo", 0x3d3a86),
    ("magenta", 0xc23a86),
    ("amber", 0xe59a2d),
    ("rose", 0xd77a86),
    ("ochre", 0xc48a35),
    ("cobalt", 0x2450a8),
    ("charcoal", 0x35383d),
    ("rust", 0xa6502e),
    ("olive", 0x74773c),
    ("crimson", 0xa8213b),
];

const PALETTES: &[(&str, [u32; 6])] = &[
    ("warm cosy morning honey soft", [0x2e1f1a, 0x7a4a33, 0xd98e5f, 0xe9b872, 0xf1d9bd, 0xfbf3e7]),
    ("warm terracotta clay rustic sandstone", [0x2b1b17, 0x7c3f2c, 0xc66b49, 0x4f7a75, 0xe9c4a4, 0xf8ede0]),
    ("sunset dusk golden evening", [0x24163a, 0x6b2d5c, 0xe4572e, 0xf7b05b, 0xf6cba8, 0xfff0dc]),
    ("sunset dusk romantic", [0x2a1a40, 0x7d3c78, 0xdd6e8b, 0xf3a683, 0xf7d6c8, 0xfff5ec]),
    ("sunrise dawn morning", [0x2b2d4a, 0x5c6b9c, 0xf09d83, 0xf8cf8c, 0xf7ded0, 0xfdf6ee]),
    ("neon cyberpunk electric glow", [0x0d0721, 0x2a1065, 0xff2e88, 0x21e6ff, 0x9a7bff, 0xf4ecff]),
    ("neon synthwave arcade acid", [0x0a0a1f, 0x1d1a5c, 0x7a2cff, 0x2cffb3, 0xff8ad8, 0xf2fff9]),
    ("vaporwave retrowave synth", [0x1b0f3b, 0x4a1f7a, 0xff71ce, 0x01cdfe, 0xb967ff, 0xfff4fb]),
    ("pastel soft gentle candy kawaii", [0x4a4063, 0x8d7fb0, 0xf2a7b8, 0x9fd3c7, 0xf8dcc9, 0xfffaf5]),
    ("pastel spring macaron dream", [0x46506b, 0x7c93b8, 0xa8c5e8, 0xf6b5c3, 0xdcd6f2, 0xfbf9ff]),
    ("monochrome noir mono black-and-white", [0x121214, 0x3a3b40, 0x7b7d85, 0xc9472f, 0xc9cacf, 0xf5f5f3]),
    ("monochrome silver fog grey", [0x1a1d22, 0x454c57, 0x8a94a3, 0xd3a04d, 0xcbd1d8, 0xf3f4f6]),
    ("earthy muted natural organic linen", [0x2a2620, 0x5e5642, 0x9a8a5f, 0xb7674a, 0xd9ccb0, 0xf5f0e4]),
    ("earthy autumn fall october harvest", [0x2b1a12, 0x6f3a1c, 0xc4622d, 0xe0a030, 0xe8cda0, 0xfaf2e2]),
    ("night moonlit midnight nocturnal", [0x0b1026, 0x1d2b53, 0x41629e, 0xf2d58a, 0x9db7e0, 0xeef3ff]),
    ("night sleep starry quiet", [0x10122b, 0x2c2a5e, 0x6a5acd, 0xf4a6c0, 0xb9b3ee, 0xf5f2ff]),
    ("ocean sea marine underwater aqua", [0x06202f, 0x0e4d64, 0x1b8a9e, 0xf5b971, 0xa6dcd8, 0xf0faf7]),
    ("ocean coastal beach seaside summer", [0x14324a, 0x2a6f97, 0x57b8c9, 0xff8c69, 0xf5e3c0, 0xfffaf0]),
    ("vintage retro nostalgic faded", [0x2d2a26, 0x6a5147, 0xb5654a, 0x6b8f8b, 0xe0c9a0, 0xf4ead2]),
    ("vintage seventies retro 70s", [0x33211a, 0x7b3f1d, 0xd9702b, 0x3d7068, 0xf0c26e, 0xfaf0d7]),
    ("forest woodland moss jungle green mossy", [0x10201a, 0x234a37, 0x4f8a5b, 0xe0b04c, 0xb8d1a5, 0xf3f6e8]),
    ("forest pine misty cool", [0x14232a, 0x2f4f57, 0x5f8b85, 0xd98c5f, 0xb9cfc8, 0xf1f5f1]),
    ("winter snow ice frost cold arctic", [0x16243a, 0x3a5a80, 0x7fa8cf, 0xe57f6a, 0xcfe2f1, 0xf8fbff]),
    ("desert sand dune arid canyon", [0x3a1d1a, 0x8a4530, 0xd4824f, 0x3f7f8c, 0xf0c896, 0xfdf1de]),
    ("moody dark dramatic noir luxury", [0x0e0d10, 0x2a2630, 0x5b4a55, 0xc89b5a, 0xa79aa0, 0xefe9e3]),
    ("moody storm gothic rain", [0x11161c, 0x2b3742, 0x55697a, 0xb5563c, 0x9fb0bb, 0xe8edef]),
    ("bauhaus primary constructivist", [0x1b1b1b, 0x27496d, 0xd83a2e, 0xf2b632, 0xe8dcc4, 0xf7f1e3]),
    ("minimal clean nordic scandinavian simple", [0x22262a, 0x5a646b, 0x9fb1ab, 0xe2825c, 0xdfe3dd, 0xfaf9f6]),
    ("minimal editorial swiss magazine", [0x16181d, 0x34425a, 0x4d77b5, 0xf0593e, 0xd7dde5, 0xfaf8f4]),
    ("tropical vibrant bold summer vivid", [0x12273a, 0x006d77, 0x06a77d, 0xff6b4a, 0xffd166, 0xfff8e7]),
    ("vibrant colorful colourful playful pop", [0x241b4b, 0x4b3bbd, 0xf0476f, 0xffc43d, 0x5fd6c5, 0xfff9f0]),
    ("ink sumi gold kintsugi", [0x111318, 0x2b3040, 0x52586b, 0xc9a04e, 0xd9cfb8, 0xf6f0e2]),
    ("japanese ukiyo zen indigo", [0x17223b, 0x2b4a6f, 0x6d98b0, 0xd9503f, 0xe6d3ae, 0xf7efdc]),
    ("space cosmic galaxy nebula cosmos", [0x07061a, 0x241452, 0x6b3fb0, 0xff8f6b, 0x8fb6ff, 0xf5f0ff]),
    ("botanical herb sage garden fresh", [0x1c2a22, 0x3e5f4b, 0x7d9d74, 0xe08a7b, 0xd5dfc3, 0xf8f7ee]),
    ("rose blush romantic wedding feminine", [0x3a1f2b, 0x8a4a5e, 0xd98a95, 0xb9a04a, 0xf2d3cf, 0xfdf5f2]),
    ("candle lantern firelight wizard cosy", [0x160f1e, 0x3b2440, 0x7a4a6a, 0xffb347, 0xe0b890, 0xfff0d6]),
    ("tech saas fintech corporate modern", [0x0f1729, 0x27407a, 0x4c7df0, 0x2fd0a5, 0xcfdcf7, 0xf7f9fe]),
    ("berry plum wine grape", [0x1f0f22, 0x56204f, 0x9c3d6f, 0xf0a04b, 0xe3bdd0, 0xfaf1f5]),
    ("citrus lemon fresh juicy", [0x24331a, 0x5d8a2f, 0xf2b705, 0xf25c3d, 0xf6e3a1, 0xfffbea]),
];
