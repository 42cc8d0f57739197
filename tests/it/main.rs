//! Tests from the outside: a script, a request, a row, a page.

mod cli;
mod client;
mod config;
mod readme;
mod render;
mod status;
mod store;
mod studio;
mod tidy;
