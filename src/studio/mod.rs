//! The embedded studio: a stand-in that speaks FloImg's wire API.

pub mod render;
