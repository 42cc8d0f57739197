//! Tests from the outside: a script, a request, a row, a page.

mod client;
mod cli;
mod config;
mod scratch;
mod status;
