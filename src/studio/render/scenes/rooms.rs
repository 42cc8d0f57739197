//! Rooms and blocks of houses, seen from above at an angle.
//!
//! No two rooms are furnished alike: what stands where is drawn anew for every picture, and drawn back to front.

use crate::studio::render::canvas::{Canvas, Pt};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{Colour, WHITE, hex};
use crate::studio::render::prompt::Brief;

/// Floor tiles along one side.
const SIDE: f32 = 8.0;
/// How high the walls are.
const WALL: f32 = 5.0;

/// Where a point of the floor plan is on the page; mirrored, the two walls change sides.
#[derive(Clone, Copy)]
struct Plan {
    origin: Pt,
    unit: f32,
    is_mirrored: bool,
}

/// A place and a size on the plan.
#[derive(Clone, Copy)]
struct Spot {
    at: (f32, f32),
    size: (f32, f32),
}

/// What can stand in a room.
#[derive(Clone, Copy, PartialEq)]
enum Thing {
    Shelf,
    Fireplace,
    Cabinet,
    Bed,
    Sofa,
    Desk,
    Tank,
    Table,
    Pool,
    Chest,
    Plant,
    Orb,
    Stool,
    Candle,
    Lamp,
}

/// The colours of one room.
struct Tones {
    main: Colour,
    accent: Colour,
    soft: Colour,
    paper: Colour,
    deep: Colour,
    wood: Colour,
    pane: Colour,
}

impl Plan {
    fn at(&self, x: f32, y: f32, z: f32) -> Pt {
        let (x, y) = if self.is_mirrored { (y, x) } else { (x, y) };
        (self.origin.0 + (x - y) * self.unit * 0.866, self.origin.1 + (x + y) * self.unit * 0.5 - z * self.unit)
    }

    fn cube(&self, c: &mut Canvas, at: (f32, f32, f32), size: (f32, f32, f32), tone: Colour) {
        let ((x, y, z), (dx, dy, dz)) = (at, size);
        // The light comes from one side of the page, whichever way the plan lies.
        let (front, side) = if self.is_mirrored { (-0.14, -0.04) } else { (-0.04, -0.14) };
        let (top, far, near) = (z + dz, x + dx, y + dy);
        c.poly(
            &[self.at(x, near, z), self.at(far, near, z), self.at(far, near, top), self.at(x, near, top)],
            &tone.lift(front).hex(),
        );
        c.poly(
            &[self.at(far, y, z), self.at(far, near, z), self.at(far, near, top), self.at(far, y, top)],
            &tone.lift(side).hex(),
        );
        c.poly(
            &[self.at(x, y, top), self.at(far, y, top), self.at(far, near, top), self.at(x, near, top)],
            &tone.lift(0.09).hex(),
        );
    }

    /// A flat disc on the floor or on a thing.
    fn disc(&self, c: &mut Canvas, (x, y, z): (f32, f32, f32), r: f32, fill: &str) {
        let (px, py) = self.at(x, y, z);
        c.ellipse(px, py, r * self.unit * 1.22, r * self.unit * 0.71, fill);
    }

    fn glow(&self, c: &mut Canvas, (x, y, z): (f32, f32, f32), reach: f32) {
        let (px, py) = self.at(x, y, z);
        let reach = reach * self.unit;
        let stops = [(0.0, hex(0xffd27a), 0.8), (0.3, hex(0xffb04a), 0.3), (1.0, hex(0xff9a3a), 0.0)];
        let fill = c.radial((px, py), reach, &stops);
        c.circle(px, py, reach, &fill);
    }
}

/// A room, or a block of houses.
pub(super) fn draw(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let dark = brief.dark() || brief.has("wizard dungeon");
    let ground = if dark { p.ink.at(0.2) } else { p.soft };
    let fill = c.radial((w / 2.0, h / 2.0), s * 0.8, &[(0.0, ground.lift(0.09), 1.0), (1.0, ground.lift(-0.05), 1.0)]);
    c.page(&fill);
    let (u, o) = (s * 0.064, (w / 2.0, h * 0.4));
    c.blurred(s * 0.02);
    c.poly(
        &[(o.0 - u * 7.2, o.1 + u * 4.3), (o.0, o.1 + u * 0.2), (o.0 + u * 7.2, o.1 + u * 4.3), (o.0, o.1 + u * 8.9)],
        &ground.at(0.1).alpha(0.45),
    );
    c.end();
    let plan = Plan { origin: o, unit: u, is_mirrored: chance.hit(0.5) };
    if brief.has("city village town houses street farm") {
        return houses(brief, c, chance, &plan);
    }
    let wood = hex(chance.pick(&[0x9a6a42, 0x7c5636, 0xb98a5a, 0x6b5a52]));
    let tones = Tones {
        main: p.main,
        accent: p.accent,
        soft: p.soft,
        paper: p.paper,
        deep: p.deep.at(0.45),
        wood: p.accent.mix(wood, 0.7).at(0.5),
        pane: if dark { hex(0x27356b) } else { hex(0xcfe8f5) },
    };
    let wall = if dark { p.main.at(0.42) } else { p.main.at(0.78) };
    shell(c, chance, &plan, &tones, wall);
    rug(c, chance, &plan, &tones);
    let mut things = furnish(brief, chance);
    // What stands further back is drawn first.
    things.sort_by(|a, b| depth(&a.1).total_cmp(&depth(&b.1)));
    for (thing, spot) in things {
        put(c, chance, &plan, &tones, thing, spot);
    }
}

fn depth(spot: &Spot) -> f32 {
    spot.at.0 + spot.at.1 + (spot.size.0 + spot.size.1) / 2.0
}

fn houses(brief: &Brief, c: &mut Canvas, chance: &mut Chance, plan: &Plan) {
    let p = &brief.palette;
    plan.cube(c, (0.0, 0.0, -0.5), (SIDE, SIDE, 0.5), p.main.mix(hex(0x7aa860), 0.5));
    // A square, or a street through the block.
    let open = chance.below(16);
    for i in 0..16 {
        let (x, y) = ((i % 4) as f32 * 2.0 + 0.3, (i / 4) as f32 * 2.0 + 0.3);
        if i == open {
            plan.disc(c, (x + 0.7, y + 0.7, 0.0), 0.7, &p.soft.hex());
            plan.cube(c, (x + 0.5, y + 0.5, 0.0), (0.4, 0.4, 0.7), hex(0x5f8f58));
            continue;
        }
        let tone = chance.pick(&[p.main, p.accent, p.paper, p.soft, p.deep]);
        let tall = chance.between(0.5, 3.4);
        plan.cube(c, (x, y, 0.0), (1.4, 1.4, tall), tone);
        for k in 0..(tall / 0.5) as usize {
            let z = 0.15 + 0.5 * k as f32;
            for dx in [0.25, 0.85] {
                let pane = if chance.hit(0.6) { hex(0xffe09a) } else { p.deep.at(0.45) };
                plan.cube(c, (x + dx, y + 1.39, z), (0.3, 0.02, 0.24), pane);
            }
        }
    }
}

/// Floor, walls, windows and what hangs on the walls.
fn shell(c: &mut Canvas, chance: &mut Chance, plan: &Plan, t: &Tones, wall: Colour) {
    plan.cube(c, (0.0, 0.0, -0.4), (SIDE, SIDE, 0.4), t.wood);
    match chance.below(3) {
        0 => {
            for i in 0..8 {
                plan.cube(c, (0.0, i as f32, 0.0), (SIDE, 0.94, 0.02), t.wood.lift(chance.jitter(0.03)));
            }
        }
        1 => {
            for i in 0..16 {
                let (x, y) = ((i % 4) as f32 * 2.0, (i / 4) as f32 * 2.0);
                let tone = if (i % 4 + i / 4) % 2 == 0 { t.paper.mix(t.wood, 0.5) } else { t.wood.lift(-0.04) };
                plan.cube(c, (x, y, 0.0), (1.96, 1.96, 0.02), tone);
            }
        }
        _ => plan.cube(c, (0.0, 0.0, 0.0), (SIDE, SIDE, 0.02), t.wood.mix(t.soft, 0.35)),
    }
    plan.cube(c, (-0.3, -0.3, -0.4), (SIDE + 0.3, 0.3, WALL + 0.4), wall);
    plan.cube(c, (-0.3, 0.0, -0.4), (0.3, SIDE, WALL + 0.4), wall.lift(-0.05));
    let right = |x0: f32, x1: f32, z0: f32, z1: f32| {
        [plan.at(x0, 0.0, z0), plan.at(x1, 0.0, z0), plan.at(x1, 0.0, z1), plan.at(x0, 0.0, z1)]
    };
    let left = |y0: f32, y1: f32, z0: f32, z1: f32| {
        [plan.at(0.0, y0, z0), plan.at(0.0, y1, z0), plan.at(0.0, y1, z1), plan.at(0.0, y0, z1)]
    };
    c.poly(&right(0.0, SIDE, 0.0, WALL), &wall.lift(0.02).hex());
    c.poly(&left(0.0, SIDE, 0.0, WALL), &wall.lift(-0.05).hex());
    if chance.hit(0.4) {
        // Panelling, or a frieze.
        let (z0, z1) = chance.pick(&[(0.0, 1.3), (4.2, 4.6)]);
        c.poly(&right(0.0, SIDE, z0, z1), &wall.mix(t.paper, 0.25).hex());
        c.poly(&left(0.0, SIDE, z0, z1), &wall.mix(t.paper, 0.2).lift(-0.05).hex());
    }
    let (wide, from) = (chance.between(1.6, 3.0), chance.between(3.0, 4.6));
    c.poly(&left(from, from + wide, 1.8, 4.2), &t.pane.hex());
    let bars = chance.count(1, 3);
    for bar in 1..=bars {
        let y = from + wide * bar as f32 / (bars + 1) as f32;
        c.line(plan.at(0.0, y, 1.8), plan.at(0.0, y, 4.2), &t.paper.hex(), plan.unit * 0.1);
    }
    if chance.hit(0.5) {
        c.line(plan.at(0.0, from, 3.0), plan.at(0.0, from + wide, 3.0), &t.paper.hex(), plan.unit * 0.08);
    }
    if chance.hit(0.5) {
        // A moon or a sun in the window.
        let (x, y) = plan.at(0.0, from + wide * 0.3, 3.7);
        c.circle(x, y, plan.unit * 0.24, &t.paper.alpha(0.9));
    }
    for _ in 0..chance.count(0, 2) {
        let (y, wide, z) = (chance.between(0.6, 2.0), chance.between(0.6, 1.1), chance.between(2.6, 3.2));
        c.poly(&left(y, y + wide, z, z + 1.1), &t.paper.hex());
        c.poly(&left(y + 0.1, y + wide - 0.1, z + 0.1, z + 1.0), &chance.pick(&[t.main, t.accent, t.deep]).hex());
    }
}

fn rug(c: &mut Canvas, chance: &mut Chance, plan: &Plan, t: &Tones) {
    let (outer, inner) = (t.accent.mix(t.paper, 0.2), t.accent.lift(-0.06));
    match chance.below(4) {
        0 => {}
        1 => {
            plan.disc(c, (4.2, 4.4, 0.03), 2.5, &outer.hex());
            plan.disc(c, (4.2, 4.4, 0.03), 2.1, &inner.hex());
            plan.disc(c, (4.2, 4.4, 0.03), 1.2, &outer.lift(0.05).hex());
        }
        2 => {
            for stripe in 0..7 {
                let x = 1.4 + 0.75 * stripe as f32;
                let tone = if stripe % 2 == 0 { outer } else { inner };
                plan.cube(c, (x, 3.2, 0.02), (0.75, 3.0, 0.02), tone);
            }
        }
        _ => {
            let (dx, dy) = (chance.between(3.2, 5.0), chance.between(3.0, 4.4));
            plan.cube(c, (4.1 - dx / 2.0, 4.3 - dy / 2.0, 0.02), (dx, dy, 0.02), outer);
            plan.cube(c, (4.5 - dx / 2.0, 4.7 - dy / 2.0, 0.03), (dx - 0.8, dy - 0.8, 0.02), inner);
        }
    }
}

/// What stands in this room, and where: along both walls, in the middle, and in front.
fn furnish(brief: &Brief, chance: &mut Chance) -> Vec<(Thing, Spot)> {
    let spot = |x: f32, y: f32, dx: f32, dy: f32| Spot { at: (x, y), size: (dx, dy) };
    let is_library = brief.has("book books library archive study wizard");
    let mut things = Vec::new();
    // The far wall, from left to right.
    let mut x = chance.between(0.3, 2.4);
    while x < 6.4 {
        let thing = if is_library && chance.hit(0.6) {
            Thing::Shelf
        } else {
            chance.pick(&[Thing::Shelf, Thing::Cabinet, Thing::Fireplace, Thing::Tank, Thing::Plant])
        };
        let wide = match thing {
            Thing::Shelf => chance.between(1.8, 3.4),
            Thing::Fireplace => 2.4,
            Thing::Plant => 1.0,
            _ => chance.between(1.4, 2.2),
        };
        let wide = wide.min(7.7 - x);
        if things.iter().all(|(other, _)| *other != thing) || thing == Thing::Shelf {
            things.push((thing, spot(x, 0.1, wide, 0.9)));
        }
        x += wide + chance.between(0.2, 1.4);
    }
    let low = if brief.has("bed bedroom sleep nursery dream") {
        Thing::Bed
    } else {
        chance.pick(&[Thing::Bed, Thing::Sofa, Thing::Desk, Thing::Chest])
    };
    things.push((low, spot(0.2, chance.between(1.3, 3.2), 1.5, chance.between(2.0, 2.6))));
    let middle = if brief.has("pool pond bath cauldron aquarium") {
        Thing::Pool
    } else {
        chance.pick(&[Thing::Table, Thing::Table, Thing::Pool, Thing::Desk])
    };
    let (dx, dy) = (chance.between(1.6, 2.6), chance.between(1.4, 2.0));
    things.push((middle, spot(chance.between(2.8, 3.8), chance.between(3.0, 4.0), dx, dy)));
    for _ in 0..chance.count(0, 2) {
        things.push((Thing::Stool, spot(chance.between(2.6, 5.8), chance.between(5.8, 6.2), 0.7, 0.7)));
    }
    things.push((chance.pick(&[Thing::Orb, Thing::Plant, Thing::Chest, Thing::Orb]), spot(6.4, 5.6, 1.1, 1.1)));
    if chance.hit(0.6) {
        things.push((chance.pick(&[Thing::Plant, Thing::Chest, Thing::Lamp]), spot(0.5, 6.5, 1.0, 1.0)));
    }
    let light = if brief.has("lamp neon office modern") { Thing::Lamp } else { Thing::Candle };
    for (x, y) in [(1.2, 6.0), (7.1, 1.7), (7.2, 7.2), (2.2, 1.4)] {
        if chance.hit(0.55) {
            things.push((light, spot(x, y, 0.22, 0.22)));
        }
    }
    things
}

fn put(c: &mut Canvas, chance: &mut Chance, plan: &Plan, t: &Tones, thing: Thing, spot: Spot) {
    let Spot { at: (x, y), size: (dx, dy) } = spot;
    match thing {
        Thing::Shelf => shelf(c, chance, plan, t, spot),
        Thing::Fireplace => {
            plan.cube(c, (x, y, 0.0), (dx, dy, 2.2), t.soft.lift(-0.12));
            plan.cube(c, (x - 0.1, y, 2.2), (dx + 0.2, dy + 0.1, 0.2), t.wood);
            plan.cube(c, (x + 0.5, y + dy, 0.0), (dx - 1.0, 0.02, 1.3), hex(0x2a1c18));
            plan.glow(c, (x + dx / 2.0, y + dy, 0.5), 2.4);
            let (fx, fy) = plan.at(x + dx / 2.0, y + dy, 0.4);
            c.ellipse(fx, fy, plan.unit * 0.32, plan.unit * 0.5, &hex(0xffb04a).hex());
            c.ellipse(fx, fy + plan.unit * 0.15, plan.unit * 0.16, plan.unit * 0.3, &hex(0xfff1bd).hex());
        }
        Thing::Cabinet => {
            let tall = chance.between(1.2, 2.6);
            let tone = chance.pick(&[t.deep, t.wood.lift(-0.05), t.main]);
            plan.cube(c, (x, y, 0.0), (dx, dy, tall), tone);
            plan.cube(c, (x + 0.1, y + dy, 0.15), (dx / 2.0 - 0.15, 0.02, tall - 0.3), tone.lift(0.05));
            plan.cube(c, (x + dx / 2.0 + 0.05, y + dy, 0.15), (dx / 2.0 - 0.15, 0.02, tall - 0.3), tone.lift(0.05));
            plan.cube(c, (x + 0.3, y + 0.3, tall), (0.4, 0.3, chance.between(0.2, 0.7)), t.accent);
        }
        Thing::Tank => {
            plan.cube(c, (x, y, 0.0), (dx, dy, 0.9), t.wood.lift(-0.1));
            plan.cube(c, (x, y, 0.9), (dx, dy, 1.3), t.pane.mix(hex(0x58c0d8), 0.5));
            for _ in 0..chance.count(2, 5) {
                let (fx, fy) = plan.at(x + chance.between(0.2, dx - 0.2), y + dy, chance.between(1.1, 2.0));
                c.ellipse(fx, fy, plan.unit * 0.15, plan.unit * 0.08, &chance.pick(&[t.accent, t.paper, t.main]).hex());
            }
        }
        Thing::Bed => {
            plan.cube(c, (x, y, 0.0), (dx, dy, 0.6), t.wood.lift(-0.06));
            plan.cube(c, (x, y, 0.6), (dx, dy, 0.3), t.paper);
            plan.cube(c, (x, y + dy * 0.35, 0.6), (dx, dy * 0.65, 0.36), t.accent.mix(t.soft, 0.4));
            plan.cube(c, (x + 0.2, y + 0.12, 0.9), (dx - 0.4, 0.5, 0.2), t.soft);
        }
        Thing::Sofa => {
            let tone = chance.pick(&[t.accent, t.deep.lift(0.1), t.main]);
            plan.cube(c, (x, y, 0.0), (0.4, dy, 1.5), tone);
            plan.cube(c, (x + 0.4, y, 0.0), (dx - 0.5, 0.35, 1.0), tone.lift(-0.03));
            plan.cube(c, (x + 0.4, y + 0.35, 0.0), (dx - 0.5, dy - 0.7, 0.65), tone.lift(0.05));
            plan.cube(c, (x + 0.4, y + dy - 0.35, 0.0), (dx - 0.5, 0.35, 1.0), tone.lift(-0.03));
        }
        Thing::Desk | Thing::Table => table(c, chance, plan, t, thing, spot),
        Thing::Pool => {
            let at = (x + dx / 2.0, y + dy / 2.0);
            let r = dx.min(dy) * 0.62;
            for ring in 0..5 {
                plan.disc(c, (at.0, at.1, 0.12 * ring as f32), r, &t.deep.lift(0.03 * ring as f32).hex());
            }
            plan.disc(c, (at.0, at.1, 0.52), r * 0.84, &t.accent.mix(hex(0x58c0d8), 0.6).hex());
            for _ in 0..3 {
                let (bx, by) = (at.0 + chance.jitter(r * 0.5), at.1 + chance.jitter(r * 0.5));
                plan.disc(c, (bx, by, 0.54), r * 0.12, &WHITE.alpha(0.6));
            }
        }
        Thing::Chest => {
            plan.cube(c, (x, y, 0.0), (dx, dy.min(1.4), 0.6), t.wood.lift(-0.06));
            plan.cube(c, (x, y, 0.6), (dx, dy.min(1.4), 0.25), t.wood.lift(0.04));
            plan.cube(c, (x + dx * 0.4, y + dy.min(1.4), 0.45), (0.24, 0.02, 0.3), hex(0xe0b64f));
        }
        Thing::Plant => {
            let at = (x + dx / 2.0, y + dy / 2.0);
            plan.cube(c, (at.0 - 0.28, at.1 - 0.28, 0.0), (0.56, 0.56, 0.6), hex(0xb8694a));
            let leaf = hex(chance.pick(&[0x4f8a52, 0x2f6f5a, 0x7aa860]));
            for i in 0..7 {
                let (bx, by) = plan.at(at.0 + chance.jitter(0.4), at.1 + chance.jitter(0.4), 0.9 + 0.17 * i as f32);
                let tone = leaf.lift(chance.jitter(0.06)).hex();
                c.ellipse(bx, by, plan.unit * chance.between(0.2, 0.42), plan.unit * chance.between(0.16, 0.3), &tone);
            }
        }
        Thing::Orb => {
            plan.cube(c, (x, y, 0.0), (dx, dy, 0.9), t.main.lift(-0.08));
            let (px, py) = plan.at(x + dx / 2.0, y + dy / 2.0, 1.3);
            let r = plan.unit * chance.between(0.4, 0.62);
            c.circle(px, py, r, &t.accent.mix(hex(0x9fe3ff), 0.6).alpha(0.85));
            c.circle(px - r * 0.3, py - r * 0.3, r * 0.26, &WHITE.alpha(0.9));
        }
        Thing::Stool => {
            plan.cube(c, (x + 0.2, y + 0.2, 0.0), (0.3, 0.3, 0.5), t.wood.lift(-0.1));
            plan.cube(c, (x, y, 0.5), (dx, dy, 0.16), t.accent.lift(0.03));
        }
        Thing::Candle => {
            let tall = chance.between(0.4, 0.9);
            plan.cube(c, (x, y, 0.0), (dx, dy, tall), t.paper);
            plan.glow(c, (x + 0.11, y + 0.11, tall + 0.25), 2.6);
            let (fx, fy) = plan.at(x + 0.11, y + 0.11, tall + 0.25);
            c.ellipse(fx, fy, plan.unit * 0.09, plan.unit * 0.2, &hex(0xfff1bd).hex());
        }
        Thing::Lamp => {
            let (lx, ly) = (x + dx / 2.0, y + dy / 2.0);
            c.line(plan.at(lx, ly, 0.0), plan.at(lx, ly, 2.0), &t.deep.hex(), plan.unit * 0.1);
            plan.glow(c, (lx, ly, 2.2), 2.8);
            let (px, py) = plan.at(lx, ly, 2.2);
            c.circle(px, py, plan.unit * 0.34, &hex(0xfff1bd).hex());
        }
    }
}

fn shelf(c: &mut Canvas, chance: &mut Chance, plan: &Plan, t: &Tones, spot: Spot) {
    let Spot { at: (x, y), size: (dx, dy) } = spot;
    let shelves = chance.count(2, 4);
    plan.cube(c, (x, y, 0.0), (dx, dy, 0.96 * shelves as f32 + 0.16), t.wood.lift(-0.1));
    for shelf in 0..shelves {
        let mut book = x + 0.2;
        while book < x + dx - 0.4 {
            let thick = chance.between(0.16, 0.34);
            if chance.hit(0.85) {
                let tone = chance.pick(&[t.main, t.accent, t.soft, t.deep, t.paper]);
                let tall = chance.between(0.4, 0.8);
                plan.cube(c, (book, y + dy + 0.01, 0.15 + 0.96 * shelf as f32), (thick, 0.06, tall), tone);
            }
            book += thick + 0.03;
        }
    }
}

fn table(c: &mut Canvas, chance: &mut Chance, plan: &Plan, t: &Tones, thing: Thing, spot: Spot) {
    let Spot { at: (x, y), size: (dx, dy) } = spot;
    for (lx, ly) in [(0.1, 0.1), (dx - 0.3, 0.1), (0.1, dy - 0.3), (dx - 0.3, dy - 0.3)] {
        plan.cube(c, (x + lx, y + ly, 0.0), (0.2, 0.2, 0.9), t.wood.lift(-0.08));
    }
    plan.cube(c, (x, y, 0.9), (dx, dy, 0.2), t.wood.lift(0.05));
    if thing == Thing::Desk {
        plan.cube(c, (x + 0.15, y + dy * 0.25, 1.1), (0.12, dy * 0.5, 0.9), t.deep);
        plan.cube(c, (x + 0.28, y + dy * 0.29, 1.16), (0.02, dy * 0.42, 0.78), t.pane.lift(0.05));
        plan.cube(c, (x + 0.6, y + dy * 0.3, 1.1), (0.35, dy * 0.4, 0.05), t.paper);
        return;
    }
    for _ in 0..chance.count(1, 3) {
        let (bx, by) = (x + chance.between(0.2, dx - 0.8), y + chance.between(0.2, dy - 0.7));
        match chance.below(3) {
            0 => plan.cube(c, (bx, by, 1.1), (0.7, 0.5, 0.12), t.paper),
            1 => {
                for (place, tone) in [t.accent, t.main, t.soft].into_iter().enumerate() {
                    plan.cube(c, (bx, by, 1.1 + 0.13 * place as f32), (0.6, 0.45, 0.12), tone);
                }
            }
            _ => {
                plan.disc(c, (bx + 0.25, by + 0.25, 1.12), 0.24, &t.paper.hex());
                plan.disc(c, (bx + 0.25, by + 0.25, 1.16), 0.16, &t.accent.hex());
            }
        }
    }
    if chance.hit(0.5) {
        plan.cube(c, (x + dx - 0.5, y + 0.3, 1.1), (0.2, 0.2, 0.5), t.paper);
        plan.glow(c, (x + dx - 0.4, y + 0.4, 1.85), 2.2);
        let (fx, fy) = plan.at(x + dx - 0.4, y + 0.4, 1.8);
        c.ellipse(fx, fy, plan.unit * 0.09, plan.unit * 0.2, &hex(0xfff1bd).hex());
    }
}
