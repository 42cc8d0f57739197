//! Static analysis: what can be told of scripts without running them.
//!
//! An error is only what is sure to raise where it stands; all else is a warning, and a doubt is nothing. The compiler
//! judges the syntax, and what the parser here does not know is left alone.

pub mod across;
mod bind;
mod calls;
pub mod explain;
mod infer;
mod life;
mod names;
mod outline;
mod parse;
mod place;
mod shape;
pub mod study;
pub mod surface;
mod tree;
mod types;
mod values;

use self::study::Study;
use self::surface::Surface;

/// Studies several files, each by its path and text; nothing for those the parser does not know.
pub fn study_all(files: &[(&str, &str)], surface: &Surface) -> Vec<Option<Study>> {
    let one = |(path, text): &(&str, &str)| {
        let tree = parse::parse_here(text)?;
        Some(Study::new(path, text, &tree, surface))
    };
    let all = parse::on_deep_stack(|| files.iter().map(one).collect());
    // What made the parser panic is left out, and the others are looked at by themselves.
    all.unwrap_or_else(|| files.iter().map(|file| parse::on_deep_stack(|| one(file)).flatten()).collect())
}
