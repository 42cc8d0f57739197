//! Tests from the outside: a script, a request, a row, a page.

mod cli;
mod client;
mod config;
mod readme;
mod crash;
mod living;
mod contract;
mod hostile;
mod render;
mod runtime;
mod store;
mod stubs;
mod studio;
mod tidy;
mod status;
mod workbench;
