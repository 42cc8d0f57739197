//! The scenes: each composes one kind of picture from a brief.
//!
//! A scene always fills its page, whatever the brief says.

mod abstracts;
mod animal;
mod city;
mod cosmos;
mod dataviz;
mod interface;
mod landscape;
mod place;
mod rooms;
mod still_life;
mod surreal;
mod table;

use super::canvas::Canvas;
use super::chance::Chance;
use super::prompt::{Brief, Family};

/// Composes the picture that the brief asks for.
pub(super) fn compose(brief: &Brief, canvas: &mut Canvas, chance: &mut Chance) {
    let scene = match brief.family {
        Family::Landscape => landscape::draw,
        Family::StillLife => still_life::draw,
        Family::City => city::draw,
        Family::Cosmos => cosmos::draw,
        Family::DataViz => dataviz::draw,
        Family::Interface => interface::draw,
        Family::Abstract => abstracts::draw,
        Family::Surreal => surreal::draw,
        Family::Animal => animal::draw,
        Family::Platformer => place::platformer,
        Family::Isometric => rooms::draw,
        Family::Architecture => place::architecture,
        Family::Underwater => place::underwater,
        Family::Botanical => table::botanical,
        Family::Food => table::food,
        Family::Poster => table::poster,
        Family::Portrait => table::portrait,
    };
    scene(brief, canvas, chance);
}
