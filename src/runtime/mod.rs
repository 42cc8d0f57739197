//! Many bots: what should run, what runs, and who owns it.
//!
//! The catalog is the intent, file events are hints, and one supervisor owns every bot's task.

pub mod bot;
pub mod canary;
pub mod catalog;
pub mod fleet;
pub mod plan;
pub mod plugins;
pub mod supervisor;
pub mod view;
pub mod warm;
pub mod watch;
