//! The scenes: each composes one kind of picture from a brief.
//!
//! A scene always fills its page, whatever the brief says.

mod landscape;

use super::canvas::Canvas;
use super::chance::Chance;
use super::prompt::{Brief, Family};

/// Composes the picture that the brief asks for.
pub(super) fn compose(brief: &Brief, canvas: &mut Canvas, chance: &mut Chance) {
    match brief.family {
        _ => landscape::draw(brief, canvas, chance),
    }
}
