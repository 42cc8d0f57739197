//! Plain data with one meaning each.
//!
//! A value that exists here is valid: it is parsed at the border and trusted inside.

pub mod action;
pub mod activity;
pub mod diagnostic;
pub mod failure;
pub mod frame;
pub mod gallery;
pub mod grant;
pub mod llm;
pub mod message;
pub mod name;
pub mod permission;
pub mod persona;
pub mod plugin;
pub mod seconds;
pub mod spend;
pub mod status;
pub mod tally;
