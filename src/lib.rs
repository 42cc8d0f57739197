//! floimg-fleet: Luau personas bring a FloImg gallery to life. This page is the architecture; the README is for users.
//!
//! # The one idea
//!
//! **A bot is its script, its durable state and its next wake-up. A VM is only a cache of those.** A tick builds a VM (or
//! takes the warm one), hands it `bot.state`, runs `on_tick`, commits the new state and the next wake-up together, and may
//! drop the VM. Hot reload, crash recovery and 100,000 sleeping bots all follow from that sentence. A change that makes a VM
//! precious is the wrong change.
//!
//! # Floors
//!
//! Imports go down and never up; modules of floor 1 never meet each other. `tests/it/tidy.rs` reads every file and holds this.
//!
//! | floor | modules | what it is |
//! |---|---|---|
//! | 6 | [`app`], [`cli`] | config in, a living fleet out; the only place that knows everything |
//! | 5 | [`http`] | the status API and its page, through a handle |
//! | 4 | [`runtime`] | catalog (what should run), plan (pure), supervisor (owner of all tasks), watch (hints) |
//! | 3 | [`lua`] | sandboxed VMs, the script API, versions, the trial run, tests of scripts; alone names `mlua` |
//! | 2 | [`host`] | what one bot may do: look, act by intents, keep, write, spend; rhythm and limits |
//! | 1 | [`floimg`], [`llm`], [`store`], [`studio`], [`web`] | the client; language models; SQLite; the embedded stand-in; requests to granted hosts |
//! | 0 | [`model`], [`config`], [`clock`], [`text`], [`backoff`], [`breaker`], [`bucket`], [`secret`] | plain data and pure functions |
//!
//! # The straight walk of one saved file
//!
//! 1. [`runtime::watch`] notices, waits until the files are quiet, and says only "look again".
//! 2. [`runtime::supervisor`] sends the [`runtime::catalog`] to look. It reads every script, compiles what changed, and
//!    builds the [`lua::version::Version`] of each persona that uses a changed file, under one digest.
//!    `lua/analysis` reads the texts that changed, and tells what is sure to raise and what is hardly meant.
//! 3. [`lua::rehearse`] lets the version live a few ticks in a gallery of its own. If anything fails, the old version stays
//!    and the diagnostics are published.
//! 4. At the bot's next tick [`runtime::bot`] builds a [`lua::LivingBot`] of the new version around the same state and calls
//!    `on_reload`. A tick holds one version from beginning to end.
//! 5. `lua/modules/floimg` turns a table into a draft; [`host::action`] asks the limits, writes the intent, and sends by
//!    [`floimg::Floimg`]. It runs apart from the VM, to its end.
//!    Between the limits and the intent [`host::hooks`] asks the plugins ([`runtime::plugins`]), each in a VM and task of its
//!    own, and waits for none past its deadline.
//! 6. The outcome and the activity are one write; then [`host::journal`] tells everybody who listens, and the page adds a line.
//!
//! # Invariants
//!
//! - **At most once.** An intent is on disk before its call goes out. A tick that is tried again finds by (bot, tick, kind,
//!   ordinal) what it did the first time and is told the same. What nobody answered is looked up in the gallery; what cannot
//!   be looked up is never repeated ([`host::recovery`]).
//! - **A Luau call is never raced, dropped or timed out.** It is told to stop by a sticky flag and awaited; the interrupt
//!   raises and never yields ([`lua::limits`]). CPU is counted per poll of the tick's future.
//! - **Scripts run on threads of their own**, so that neither an endless loop nor a slow trial holds up I/O or the page.
//! - **A VM belongs to one bot and one version.** It is made new, never patched, never handed on.
//! - **The catalog is the intent, file events are hints.** [`runtime::plan::reconcile`] is pure and idempotent.
//! - **One bot's fault stays its own**: a diagnostic, backoff, quarantine; nothing anywhere counts restarts of the whole.
//! - **Insert, then broadcast.** A stream that fell behind reads on from the store.
//! - **Bots' time is [`clock::Clock`].** Schedules, limits and records go by it; timeouts, retries and money go by the wall.
//! - **A plugin suggests, the host decides.** What a plugin changes passes every hard limit again ([`host::hooks`]); a slow,
//!   broken or paused one is its own affair and its `on_error`'s.
//! - **Nothing is called that is not reserved** ([`host::budget`]). A call is held against every cap and written down in one
//!   job of the store's one writer; what is held counts as spent until it is settled, and for good when nobody settles it.
//! - **A bot reaches only its own things.** [`host::Host`] is scoped to one bot and one tick; no primitive takes a bot's id.
//! - **No state in statics.** An [`app::App`] is a value, and two can live in one process.

// Floor 0: plain data, and what everything else may lean on.
pub mod backoff;
pub mod breaker;
pub mod bucket;
pub mod clock;
pub mod config;
pub mod model;
pub mod secret;
pub mod text;

// Floor 1: the outside world, each module by itself.
pub mod floimg;
pub mod llm;
pub mod store;
pub mod studio;
pub mod web;

// Floor 2: what one bot may do, in plain async Rust.
pub mod host;

// Floor 3: Luau.
pub mod lua;

// Floor 4: many bots.
pub mod runtime;

// Floor 5: the status API.
pub mod http;

// Floor 6: putting it together.
pub mod app;
pub mod cli;
