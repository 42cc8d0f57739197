//! The picture engine: what steps draw, and that bad steps are refused by name.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use floimg_fleet::studio::render::{Format, Made, Renderer, StepError, avatar, check, generators, transforms};
use image::RgbaImage;
use proptest::prelude::*;
use serde_json::{Value, json};

fn generate(prompt: &str) -> Value {
    json!({ "kind": "generate", "generator": "openai", "params": { "prompt": prompt }, "out": "a" })
}

fn small() -> Vec<Value> {
    vec![
        json!({ "kind": "generate", "generator": "shapes", "out": "s", "params": {
            "shapeType": "star", "width": 96, "height": 64, "fillType": "gradient", "gradientColor1": "#ff3300", "gradientColor2": "#0033ff" } }),
        json!({ "kind": "transform", "op": "convert", "in": "s", "params": { "to": "png" }, "out": "p" }),
    ]
}

fn then(steps: &[(&str, Value)]) -> Vec<Value> {
    let mut all = small();
    for (i, (op, params)) in steps.iter().enumerate() {
        let input = if i == 0 { "p".to_owned() } else { format!("t{}", i - 1) };
        all.push(json!({ "kind": "transform", "op": op, "in": input, "params": params, "out": format!("t{i}") }));
    }
    all
}

fn run(steps: &[Value]) -> Vec<Made> {
    Renderer::new().run(steps, "seed").unwrap()
}

fn pixels(made: &Made) -> RgbaImage {
    image::load_from_memory(&made.bytes).unwrap().to_rgba8()
}

/// Mean difference of the channels, 0–255.
fn difference(a: &Made, b: &Made) -> f64 {
    let (a, b) = (pixels(a), pixels(b));
    assert_eq!(a.dimensions(), b.dimensions());
    let sum: u64 = a.iter().zip(b.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.len() as f64
}

fn fault(step: Value) -> StepError {
    check(&[step]).unwrap_err().remove(0)
}

#[test]
fn the_same_prompt_and_seed_give_the_same_bytes_and_others_another_picture() {
    let renderer = Renderer::new();
    let draw = |prompt: &str, seed: &str| renderer.run(&[generate(prompt)], seed).unwrap().remove(0);
    let first = draw("misty mountains at dawn", "1");
    assert_eq!(first.bytes, draw("misty mountains at dawn", "1").bytes);
    assert!(difference(&first, &draw("misty mountains at dawn", "2")) > 4.0);
    assert!(difference(&first, &draw("perfume bottle, dark moody", "1")) > 8.0);
    assert_eq!((first.format, first.width, first.height), (Format::Jpeg, 1024, 1024));
}

#[test]
fn no_family_or_medium_draws_an_empty_picture() {
    let prompts = [
        "coffee mug",
        "city at night",
        "planet",
        "ridgeline chart",
        "mobile app screen",
        "dashboard",
        "pixel art platformer",
        "isometric room",
        "flow field",
        "poster \"HI\"",
        "wildflowers",
        "latte",
        "lighthouse",
        "fox in a birch forest",
        "floating islands",
        "portrait of a man",
        "jellyfish underwater",
        "oil painting of hills",
        "watercolour lake",
        "low-poly desert",
        "ink drawing, line art of a house",
        "risograph mountains",
        "zxqv",
    ];
    let renderer = Renderer::new();
    for prompt in prompts {
        let made = renderer.run(&[generate(prompt)], "").unwrap().remove(0);
        let image = pixels(&made);
        let mean = image.iter().map(|v| f64::from(*v)).sum::<f64>() / image.len() as f64;
        let spread = image.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / image.len() as f64;
        assert!(spread.sqrt() > 12.0, "{prompt}: {}", spread.sqrt());
    }
}

#[test]
fn sizes_are_the_three_known_ones() {
    let mut step = generate("a lake");
    step["params"]["size"] = json!("512x512");
    let error = fault(step.clone());
    assert_eq!((error.step, error.parameter.as_deref(), error.is_validation), (0, Some("size"), true));
    assert!(error.message.contains("1024x1024, 1792x1024, 1024x1792"), "{error}");
    step["params"]["size"] = json!("1792x1024");
    assert_eq!((run(&[step.clone()])[0].width, run(&[step])[0].height), (1792, 1024));
}

#[test]
fn shapes_are_svg_and_filters_on_them_ask_for_png_first() {
    let made = run(&small());
    assert_eq!(made[0].format, Format::Svg);
    assert!(String::from_utf8_lossy(&made[0].bytes).contains("#ff3300"));
    assert_eq!(pixels(&made[1]).dimensions(), (96, 64));
    let mut steps = small();
    steps[1] = json!({ "kind": "transform", "op": "grayscale", "in": "s", "out": "g" });
    let error = Renderer::new().run(&steps, "").unwrap_err();
    assert_eq!((error.step, error.code), (1, "NEEDS_RASTER"));
    assert!(error.message.contains("convert to png first"), "{error}");
}

#[test]
fn filters_do_what_they_say() {
    let last = |steps: &[(&str, Value)]| pixels(run(&then(steps)).last().unwrap());
    assert!(last(&[("grayscale", json!({}))]).pixels().all(|p| p.0[0] == p.0[1] && p.0[1] == p.0[2]));
    assert!(last(&[("threshold", json!({ "value": 90 }))]).pixels().all(|p| p.0[0] == 0 || p.0[0] == 255));
    let plain = last(&[("modulate", json!({}))]);
    assert_eq!(last(&[("negate", json!({})), ("negate", json!({}))]), pixels(&run(&small())[1]));
    assert_ne!(last(&[("negate", json!({}))]), plain);
    assert_eq!(last(&[("resize", json!({ "width": 40, "height": 50 }))]).dimensions(), (40, 50));
    assert_eq!(last(&[("resize", json!({ "width": 48 }))]).dimensions(), (48, 32));
    assert_eq!(last(&[("extract", json!({ "left": 3, "top": 2, "width": 20, "height": 10 }))]).dimensions(), (20, 10));
    assert_eq!(last(&[("extend", json!({ "top": 5, "left": 7 }))]).dimensions(), (103, 69));
    assert_eq!(last(&[("roundCorners", json!({ "radius": 20 }))]).get_pixel(0, 0).0[3], 0);
    for name in ["vintage", "cool", "warm", "dramatic"] {
        assert_ne!(last(&[("preset", json!({ "name": name }))]), plain, "{name}");
    }
    for (op, params) in [
        ("blur", json!({ "sigma": 3 })),
        ("sharpen", json!({ "sigma": 1 })),
        ("tint", json!({ "color": "teal" })),
        ("addText", json!({ "text": "hello", "x": 4, "y": 40, "size": 24 })),
        ("addCaption", json!({ "text": "hello there" })),
        ("composite", json!({ "overlay": "s", "left": 12, "top": 4 })),
    ] {
        assert_ne!(last(&[(op, params)]), plain, "{op}");
    }
}

#[test]
fn a_code_has_its_three_finder_patterns() {
    let step = json!({ "kind": "generate", "generator": "qr", "out": "q", "params": { "text": "https://floimg.com", "width": 290, "margin": 2 } });
    let image = pixels(&run(&[step])[0]);
    // Version 2 has 25 modules; with a margin of 2 that is 29 modules of 10 pixels.
    let dark = |x: u32, y: u32| image.get_pixel(x * 10 + 25, y * 10 + 25).0[0] < 128;
    for (x, y) in [(0, 0), (18, 0), (0, 18)] {
        let row: Vec<bool> = (0..7).map(|i| dark(x + i, y + 3)).collect();
        assert_eq!(row, [true, false, true, true, true, false, true]);
    }
}

#[test]
fn charts_draw_every_type() {
    for kind in ["bar", "line", "pie", "doughnut", "radar"] {
        let step = json!({ "kind": "generate", "generator": "quickchart", "out": "c", "params": { "type": kind, "width": 320, "height": 200,
            "data": { "labels": ["a", "b", "c"], "datasets": [{ "label": "x", "data": [1, -2, 3.5] }] } } });
        let image = pixels(&run(&[step])[0]);
        assert!(image.pixels().filter(|p| p.0 != [255, 255, 255, 255]).count() > 400, "{kind}");
    }
}

#[test]
fn errors_name_the_step_the_parameter_and_what_is_known() {
    let cases = [
        (
            json!({ "kind": "generate", "generator": "mermaid", "params": {}, "out": "m" }),
            "generator",
            "openai, shapes, qr, quickchart",
        ),
        (json!({ "kind": "paint", "out": "m" }), "kind", "generate, transform, save"),
        (json!({ "kind": "generate", "generator": "openai", "out": "m" }), "prompt", "needs `prompt`"),
        (
            json!({ "kind": "generate", "generator": "shapes", "params": { "width": -4 }, "out": "m" }),
            "width",
            "1 to 2048",
        ),
        (
            json!({ "kind": "generate", "generator": "shapes", "params": { "widht": 4 }, "out": "m" }),
            "widht",
            "shapeType",
        ),
        (json!({ "kind": "transform", "op": "adjust", "in": "x", "out": "m" }), "in", "no earlier step made `x`"),
        (json!({ "kind": "save", "in": "x", "destination": "cloud" }), "in", "made so far: none"),
    ];
    for (step, parameter, says) in cases {
        let error = fault(step);
        assert_eq!(error.parameter.as_deref(), Some(parameter), "{error}");
        assert!(error.message.contains(says) && error.is_validation, "{error}");
    }
    let adjust = then(&[("adjust", json!({}))]);
    let error = check(&adjust).unwrap_err().remove(0);
    assert_eq!((error.step, error.code), (2, "UNKNOWN_OPERATION"));
    assert!(check(&vec![generate("x"); 33]).is_err());
}

#[test]
fn huge_workflows_are_refused_before_they_are_drawn() {
    let mut steps = small();
    for i in 0..20 {
        steps.push(json!({ "kind": "transform", "op": "resize", "in": "s", "params": { "width": 2048, "height": 2048 }, "out": format!("r{i}") }));
    }
    let error = Renderer::new().run(&steps, "").unwrap_err();
    assert_eq!((error.code, error.is_validation), ("TOO_LARGE", false));
}

#[test]
fn what_is_offered_can_be_used() {
    for entry in generators().as_array().unwrap() {
        let error = check(&[
            json!({ "kind": "generate", "generator": entry["name"], "params": { "nonsense": 1 }, "out": "a" }),
        ])
        .unwrap_err();
        assert!(error.iter().all(|e| e.code != "UNKNOWN_GENERATOR"), "{error:?}");
    }
    for entry in transforms().as_array().unwrap() {
        let steps = then(&[(entry["name"].as_str().unwrap(), json!({}))]);
        let codes: Vec<_> = check(&steps).err().unwrap_or_default().into_iter().map(|e| e.code).collect();
        let needs = !entry["required"].as_array().unwrap().is_empty() || entry["name"] == "resize";
        assert_eq!(codes.contains(&"MISSING_PARAMETER"), needs, "{entry} {codes:?}");
    }
}

#[test]
fn avatars_are_stable_and_escape_nothing_into_svg() {
    assert_eq!(avatar("art_misty_1", 64), avatar("art_misty_1", 64));
    assert_ne!(avatar("art_misty_1", 64), avatar("art_misty_2", 64));
    assert!(!avatar("<script>", 64).contains("<script"));
}

fn hostile() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "generate",
        "transform",
        "save",
        "shapes",
        "qr",
        "quickchart",
        "star",
        "pattern",
        "gradient",
        "convert",
        "png",
        "resize",
        "blur",
        "extract",
        "roundCorners",
        "addText",
        "addCaption",
        "a",
        "b",
        "#fff",
        "é<&\"",
        "bar",
        "radar",
        "composite",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3000_i64..3000).prop_map(Value::from),
        prop::sample::select(vec![-1e300, -0.0, 1e-300, 0.3, 1e300, 1e12]).prop_map(Value::from),
        word.prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "kind",
        "generator",
        "op",
        "in",
        "out",
        "params",
        "width",
        "height",
        "shapeType",
        "fillType",
        "text",
        "to",
        "sigma",
        "data",
        "labels",
        "datasets",
        "type",
        "margin",
        "radius",
        "left",
        "top",
        "size",
        "points",
        "strokeWidth",
        "patternScale",
        "overlay",
    ]);
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..7)
                .prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hostile_steps_never_panic(steps in prop::collection::vec(hostile(), 0..5)) {
        let _ = Renderer::new().run(&steps, "x");
    }

    #[test]
    fn hostile_parameters_never_panic(params in hostile(), which in 0..3_usize, op in prop::sample::select(vec!["resize", "extract", "roundCorners", "addText", "addCaption", "extend", "blur", "composite"])) {
        let generator = ["shapes", "qr", "quickchart"][which];
        let renderer = Renderer::new();
        let _ = renderer.run(&[json!({ "kind": "generate", "generator": generator, "params": params, "out": "a" })], "x");
        let _ = renderer.run(&then(&[(op, params)]), "x");
    }
}
