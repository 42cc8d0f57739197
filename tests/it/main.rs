//! Tests from the outside: a script, a request, a row, a page.

mod render;
