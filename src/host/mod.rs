//! To be written.

pub mod identity;
pub mod limits;
pub mod offline;
pub mod rhythm;
