//! Colours that mix the way eyes expect.
//!
//! All blending happens in OKLab, so a mix of two good colours is a good colour.

/// An sRGB colour with channels in 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour {
    pub(super) r: f32,
    pub(super) g: f32,
    pub(super) b: f32,
}

pub(super) const WHITE: Colour = hex(0xffffff);
pub(super) const BLACK: Colour = hex(0x000000);

/// A colour from `0xRRGGBB`.
pub(super) const fn hex(rgb: u32) -> Colour {
    Colour {
        r: ((rgb >> 16) & 255) as f32 / 255.0,
        g: ((rgb >> 8) & 255) as f32 / 255.0,
        b: (rgb & 255) as f32 / 255.0,
    }
}

impl Colour {
    fn lab(self) -> [f32; 3] {
        let linear = |v: f32| if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
        let (r, g, b) = (linear(self.r), linear(self.g), linear(self.b));
        let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
        let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
        let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
        [
            0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        ]
    }

    fn from_lab([l, a, b]: [f32; 3]) -> Self {
        let cube = |v: f32| v * v * v;
        let (l, m, s) = (
            cube(l + 0.396_337_78 * a + 0.215_803_76 * b),
            cube(l - 0.105_561_346 * a - 0.063_854_17 * b),
            cube(l - 0.089_484_18 * a - 1.291_485_5 * b),
        );
        let gamma = |v: f32| {
            let v = if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
            v.clamp(0.0, 1.0)
        };
        Self {
            r: gamma(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s),
            g: gamma(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s),
            b: gamma(-0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s),
        }
    }

    /// This colour, `t` of the way to `other`.
    pub(super) fn mix(self, other: Self, t: f32) -> Self {
        let (a, b) = (self.lab(), other.lab());
        let t = t.clamp(0.0, 1.0);
        Self::from_lab([a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t])
    }

    /// Lighter by `by` (darker when negative), hue kept.
    pub(super) fn lift(self, by: f32) -> Self {
        let [l, a, b] = self.lab();
        Self::from_lab([(l + by).clamp(0.0, 1.0), a, b])
    }

    /// The same hue with lightness `l`.
    pub(super) fn at(self, l: f32) -> Self {
        let [_, a, b] = self.lab();
        Self::from_lab([l.clamp(0.0, 1.0), a, b])
    }

    /// The same lightness with chroma multiplied.
    pub(super) fn vivid(self, by: f32) -> Self {
        let [l, a, b] = self.lab();
        Self::from_lab([l, a * by, b * by])
    }

    /// Perceived lightness, 0..=1.
    pub(super) fn lightness(self) -> f32 {
        self.lab()[0]
    }

    /// How colourful it is, about 0..=0.3.
    pub(super) fn chroma(self) -> f32 {
        let [_, a, b] = self.lab();
        a.hypot(b)
    }

    /// `#rrggbb`.
    pub(super) fn hex(self) -> String {
        let [r, g, b] = self.bytes();
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// `rgba(…)` with the given opacity.
    pub(super) fn alpha(self, a: f32) -> String {
        let [r, g, b] = self.bytes();
        format!("rgba({r},{g},{b},{:.3})", a.clamp(0.0, 1.0))
    }

    /// Channels as bytes.
    pub(super) fn bytes(self) -> [u8; 3] {
        [self.r, self.g, self.b].map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8)
    }

    /// Reads `#rgb`, `#rrggbb` or a common colour name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(digits) = text.strip_prefix('#') {
            if !digits.is_ascii() {
                return None;
            }
            let value = u32::from_str_radix(digits, 16).ok()?;
            return match digits.len() {
                3 => {
                    let (r, g, b) = ((value >> 8) & 15, (value >> 4) & 15, value & 15);
                    Some(hex(((r * 17) << 16) | ((g * 17) << 8) | (b * 17)))
                }
                6 => Some(hex(value)),
                _ => None,
            };
        }
        NAMED.iter().find(|(name, _)| *name == text).map(|(_, rgb)| hex(*rgb))
    }
}

/// Names that prompts and parameters use.
pub(super) const NAMED: &[(&str, u32)] = &[
    ("black", 0x000000),
    ("white", 0xffffff),
    ("red", 0xff0000),
    ("green", 0x008000),
    ("blue", 0x0000ff),
    ("yellow", 0xffff00),
    ("orange", 0xffa500),
    ("purple", 0x800080),
    ("pink", 0xffc0cb),
    ("brown", 0xa52a2a),
    ("gray", 0x808080),
    ("grey", 0x808080),
    ("silver", 0xc0c0c0),
    ("gold", 0xffd700),
    ("navy", 0x000080),
    ("teal", 0x008080),
    ("cyan", 0x00ffff),
    ("magenta", 0xff00ff),
    ("lime", 0x00ff00),
    ("maroon", 0x800000),
    ("olive", 0x808000),
    ("coral", 0xff7f50),
    ("salmon", 0xfa8072),
    ("crimson", 0xdc143c),
    ("indigo", 0x4b0082),
    ("violet", 0xee82ee),
    ("turquoise", 0x40e0d0),
    ("lavender", 0xe6e6fa),
    ("beige", 0xf5f5dc),
    ("ivory", 0xfffff0),
    ("khaki", 0xf0e68c),
    ("tomato", 0xff6347),
    ("skyblue", 0x87ceeb),
    ("steelblue", 0x4682b4),
    ("slategray", 0x708090),
    ("hotpink", 0xff69b4),
    ("chocolate", 0xd2691e),
    ("tan", 0xd2b48c),
    ("plum", 0xdda0dd),
    ("orchid", 0xda70d6),
];
