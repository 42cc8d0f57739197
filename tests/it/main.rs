//! Tests from the outside: a script, a request, a row, a page.

mod authors;
mod cli;
mod client;
mod config;
mod console;
mod contract;
mod crash;
mod docs;
mod faults;
mod hostile;
mod living;
mod permissions;
mod plugins;
mod readme;
mod render;
mod runtime;
mod scripting;
mod status;
mod store;
mod stubs;
mod studio;
mod tidy;
mod trying;
mod web;
mod workbench;
mod wrong;
