//! Seeded chance and smooth noise.
//!
//! The same words give the same numbers on every machine and in every release of the crates.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A stream of numbers that follows from words.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream for these words.
    pub(super) fn new(words: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for word in words {
            digest.update(word.as_bytes());
            digest.update([0]);
        }
        Self(ChaCha8Rng::from_seed(digest.finalize().into()))
    }

    /// 0..1.
    pub(super) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// A number between two.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// -by..by.
    pub(super) fn jitter(&mut self, by: f32) -> f32 {
        self.between(-by, by)
    }

    /// 0..count (0 when `count` is 0).
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f32) as usize).min(count.saturating_sub(1))
    }

    /// `low..=high`.
    pub(super) fn count(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high + 1 - low)
    }

    /// One of a list, which must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// True with probability `p`.
    pub(super) fn hit(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// About normal, mean 0, deviation 1.
    pub(super) fn bell(&mut self) -> f32 {
        (self.unit() + self.unit() + self.unit() + self.unit() - 2.0) * 1.73
    }

    /// A field of smooth noise.
    pub(super) fn noise(&mut self) -> Noise {
        Noise(self.0.next_u32())
    }
}

/// Smooth value noise.
#[derive(Clone, Copy)]
pub(super) struct Noise(u32);

impl Noise {
    fn lattice(self, x: i32, y: i32) -> f32 {
        let mut h = self.0 ^ (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
        h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
        h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
        ((h ^ (h >> 15)) >> 8) as f32 / (1 << 24) as f32
    }

    /// -1..1, smooth in both directions.
    pub(super) fn at(self, x: f32, y: f32) -> f32 {
        let (fx, fy) = (x.floor(), y.floor());
        let (ix, iy) = (fx as i32, fy as i32);
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (tx, ty) = (ease(x - fx), ease(y - fy));
        let top = self.lattice(ix, iy) * (1.0 - tx) + self.lattice(ix.wrapping_add(1), iy) * tx;
        let low = self.lattice(ix, iy.wrapping_add(1)) * (1.0 - tx)
            + self.lattice(ix.wrapping_add(1), iy.wrapping_add(1)) * tx;
        (top * (1.0 - ty) + low * ty) * 2.0 - 1.0
    }

    /// Several octaves of [`Noise::at`], about -1..1.
    pub(super) fn fractal(self, x: f32, y: f32, octaves: u32) -> f32 {
        let (mut sum, mut size, mut step) = (0.0, 0.55, 1.0);
        for octave in 0..octaves {
            sum += size * self.at(x * step + 17.3 * octave as f32, y * step - 9.1 * octave as f32);
            size *= 0.5;
            step *= 2.03;
        }
        sum
    }
}
