//! floimg-fleet: Luau personas bring a FloImg gallery to life.
//!
//! A bot is its script, its durable state and its next wake-up; a VM is only a cache of those.
//! Imports go down the floors and never up; `tests/it/tidy.rs` holds the arrows.

// Floor 0: plain data, and what everything else may lean on.
pub mod backoff;
pub mod clock;
pub mod config;
pub mod model;
pub mod secret;
pub mod text;

// Floor 1: the outside world, each module by itself.
pub mod floimg;
pub mod store;
pub mod studio;

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
