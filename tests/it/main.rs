//! Tests from the outside: a script, a request, a row, a page.

mod cli;
mod client;
mod config;
mod contract;
mod crash;
mod faults;
mod hostile;
mod living;
mod readme;
mod render;
mod runtime;
mod scripting;
mod status;
mod store;
mod stubs;
mod studio;
mod tidy;
mod workbench;
mod wrong;
