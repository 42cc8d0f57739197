//! A persona's data: what its Luau file returned, checked and typed.

use std::collections::BTreeMap;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::model::name::PersonaName;

/// What a persona's file says about it, without its functions.
#[derive(Debug, Clone)]
pub struct Persona {
    /// The stem of its file.
    pub name: PersonaName,
    /// What people read, like `AI art enthusiast`.
    pub title: String,
    /// Share of a weighted roster; positive.
    pub weight: f64,
    /// Who its bots are.
    pub identity: Identity,
    /// How this persona writes; the stable head of every prompt.
    pub voice: String,
    /// What it cares for, in words.
    pub interests: Vec<String>,
    /// When it is awake.
    pub schedule: Schedule,
    /// How often it comes and how much it does.
    pub pace: Pace,
    /// A role, or a name from `[llm.models]`.
    pub model: Option<String>,
    /// Modules it declares to use; empty means all that the config grants.
    pub needs: Vec<String>,
    /// Texts used where no token is to be spent, by purpose.
    pub templates: BTreeMap<String, Vec<String>>,
    /// Whether a sleeping bot is woken to take a new version.
    pub reload_now: bool,
}

/// Patterns that become names; `{adj}`, `{noun}`, `{first}`, `{last}` and own word lists are drawn, `{n}` is a number that no
/// other bot of the persona has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Patterns of the name shown; one is drawn.
    pub names: Vec<String>,
    /// Pattern of the username; holds `{n}`.
    pub username: String,
    /// Pattern of the line about themselves.
    pub bio: String,
    /// The persona's own word lists, by placeholder.
    pub words: BTreeMap<String, Vec<String>>,
}

/// When a persona is awake, in its own time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// IANA zone.
    pub zone: TimeZone,
    /// The zone's name as written.
    pub zone_name: String,
    /// Awake from the first to the second time of day; the second may be past midnight. Equal means always.
    pub awake: Span,
    /// Which days, Monday first.
    pub days: [bool; 7],
    /// Times of day with more visits.
    pub peaks: Vec<Span>,
}

/// From one time of day to another, which may lie past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// It begins at this time.
    pub from: Time,
    /// It ends before this time.
    pub to: Time,
}

/// How often bots of a persona visit and what they do on a visit. Hard caps live in the config and win.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Mean number of visits on a day that it is awake.
    pub visits_per_day: f64,
    /// Fewest and most ticks of a visit.
    pub actions_per_visit: (u32, u32),
    /// Median pause between two ticks of a visit, in seconds.
    pub pause_secs: f64,
}
