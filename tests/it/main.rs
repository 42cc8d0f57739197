//! Tests from the outside: a script, a request, a row, a page.

mod cli;
mod client;
mod config;
mod contract;
mod hostile;
mod render;
mod scripting;
mod store;
mod stubs;
mod studio;
mod tidy;
mod workbench;
