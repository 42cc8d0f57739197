//! Tests from the outside: a script, a request, a row, a page.

mod cli;
mod client;
mod config;
mod crash;
mod living;
mod render;
mod runtime;
mod store;
mod studio;
mod tidy;
