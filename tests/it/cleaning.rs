//! What becomes of a model's answer: each rule shown through a script whose model says just that.

#![expect(clippy::print_stdout, reason = "figures, for whoever asks with --nocapture")]

use std::collections::BTreeMap;
use std::sync::Arc;

use floimg_fleet::host::offline;
use floimg_fleet::host::prompt::{self, Prompting, Wanted};
use floimg_fleet::host::trial::{Scripted, Trial};
use floimg_fleet::lua::version::{Version, Workshop};
use floimg_fleet::runtime::catalog::{self, Origin};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;

use super::workbench::{HEAD, Life, PATIENT, build};

/// A persona that writes one text of every purpose it is given an answer for.
fn persona(voice: &str, templates: &str) -> Arc<Version> {
    let body = format!(
        "P.voice = '{voice}'
P.templates = {{ captions = {{ {templates} }} }}
P.on_tick = function(bot)
    local about = {{ title = 'Paper boats', author = 'mira', subject = 'boats', said = 'How long did the folding of all these boats take you?' }}
    local text, failure = llm.write {{ purpose = bot.state.purpose, prompt = 'Write it in your own voice, about what is really in this picture.', about = about, max_chars = bot.state.chars }}
    bot.state.text = text
    bot.state.why = failure and (failure.kind .. ': ' .. failure.message)
end
return P"
    );
    build(&[("personas/test.luau", &format!("{HEAD}\n{body}"))], &PATIENT).expect("a version")
}

fn english() -> Arc<Version> {
    persona(
        "Calm and exact.",
        "'The quiet water holds everything that the boats let go of.', 'I moved the light until it stopped being clever.'",
    )
}

/// The text that comes of an answer, or why there is none.
async fn cleaned(version: &Arc<Version>, purpose: &str, chars: usize, answer: &str) -> Result<String, String> {
    let state = serde_json::json!({ "purpose": purpose, "chars": chars }).to_string();
    let mut life = Life::new(version.clone(), PATIENT, Some(state)).expect("a VM");
    let trial = Trial::new("2026-03-04T17:30:00Z".parse().expect("a time"), false);
    trial.script(purpose, Scripted::Always(Value::String(answer.to_owned())));
    life.trial = Arc::new(trial);
    let lived = life.live().await.expect("lived");
    let state: Value = serde_json::from_str(&lived.state).expect("JSON");
    match state["text"].as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(state["why"].as_str().expect("a failure").to_owned()),
    }
}

#[tokio::test]
async fn what_stands_around_a_text_is_taken_away() {
    let version = english();
    let mut wrong = Vec::new();
    for (purpose, answer, want) in MENDED {
        let got = cleaned(&version, purpose, 240, answer).await;
        if got.as_deref() != Ok(*want) {
            wrong.push(format!("{purpose} {answer:?}\n  want {want:?}\n  got  {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const MENDED: &[(&str, &str, &str)] = &[
    // Nothing to mend.
    ("comment", "The fold lines do all the work here.", "The fold lines do all the work here."),
    (
        "comment",
        "small thing (but a good one): the left hull leans",
        "small thing (but a good one): the left hull leans",
    ),
    (
        "comment",
        "Contrast first → then the type. Which came first?",
        "Contrast first → then the type. Which came first?",
    ),
    ("comment", "I'm a bot, so I count: seven folds 🚣", "I'm a bot, so I count: seven folds 🚣"),
    ("comment", "3 boats < 4 shadows, and I <3 it", "3 boats < 4 shadows, and I <3 it"),
    ("comment", "@mira the hulls are lovely", "@mira the hulls are lovely"),
    // Thoughts.
    (
        "comment",
        "<think>The user wants a comment.\n\nOk.</think>\n\nThe hulls lean like tired swimmers.",
        "The hulls lean like tired swimmers.",
    ),
    ("comment", "Okay, boats. Let me be brief.</think>The hulls lean.", "The hulls lean."),
    ("comment", "◁think▷hm◁/think▷The hulls lean.", "The hulls lean."),
    (
        "comment",
        "<|channel|>analysis<|message|>We need a comment.<|end|><|start|>assistant<|channel|>final<|message|>The hulls lean.",
        "The hulls lean.",
    ),
    // Marks of the template, and a model that talks on for both.
    ("comment", "The hulls lean.<|im_end|>", "The hulls lean."),
    ("comment", "The hulls lean.</s>\nUser: thanks", "The hulls lean."),
    ("comment", "The hulls lean.\nUser: and the water?\nAssistant: Green.", "The hulls lean."),
    // Lead-ins and labels.
    ("comment", "Sure, here is a comment:\n\nThe hulls lean.", "The hulls lean."),
    ("comment", "Here's a short comment for this picture: \"The hulls lean.\"", "The hulls lean."),
    ("comment", "Comment: The hulls lean.", "The hulls lean."),
    ("comment", "**Comment:** The hulls lean.", "The hulls lean."),
    ("comment", "Certainly! The hulls lean.", "The hulls lean."),
    ("reply", "Sure! It took three evenings of folding.", "Sure! It took three evenings of folding."),
    ("title", "Title: Paper Fleet", "Paper Fleet"),
    ("comment", "Okay, one doubt: the left edge.", "Okay, one doubt: the left edge."),
    // Quotes and emphasis.
    ("comment", "\"The hulls lean.\"", "The hulls lean."),
    ("comment", "“The hulls lean.”", "The hulls lean."),
    ("comment", "„The hulls lean.“", "The hulls lean."),
    ("comment", "\"The hulls lean.\" (I kept it short.)", "The hulls lean."),
    ("comment", "“Fleet” is a good word for the lot", "“Fleet” is a good word for the lot"),
    ("comment", "The **hulls** lean, the _water_ does not.", "The hulls lean, the water does not."),
    ("title", "# Paper Fleet", "Paper Fleet"),
    ("comment", "```\nThe hulls lean.\n```", "The hulls lean."),
    // Lists and remarks.
    ("comment", "1. The hulls lean.\n2. The water waits.", "The hulls lean."),
    ("comment", "Here are two options:\n\n- The hulls lean.\n- The water waits.", "The hulls lean."),
    ("comment", "The hulls lean.\n\nLet me know if you want another one!", "The hulls lean."),
    ("comment", "The hulls lean. (15 characters)", "The hulls lean."),
    ("comment", "The hulls lean.\n\n---\nThis comment is short and specific.", "The hulls lean."),
    // Titles.
    ("title", "Paper Fleet\nAnother Title\nA third one", "Paper Fleet"),
    // Hashtags, emoji, shouting, white space, the unseen.
    ("caption", "The hulls lean. #paper #boats #art", "The hulls lean."),
    ("caption", "The #paper leans.", "The paper leans."),
    ("comment", "Lovely 🔥🔥🔥🔥🔥🔥 hulls ✨✨", "Lovely 🔥🔥 hulls"),
    ("comment", "The hulls lean!!!!!", "The hulls lean!!"),
    ("comment", "The\u{200b} hulls \u{202e}lean.\n", "The hulls lean."),
    ("comment", "The hulls lean. The hulls lean. The hulls lean.", "The hulls lean."),
];

#[tokio::test]
async fn a_long_text_ends_with_a_sentence() {
    let version = english();
    let long = "The hulls lean like swimmers. The water does not mind. Above it all somebody has forgotten a small grey cloud.";
    for (chars, want) in [
        (200, long),
        (80, "The hulls lean like swimmers. The water does not mind."),
        (40, "The hulls lean like swimmers."),
        (15, "The hulls lean…"),
    ] {
        assert_eq!(cleaned(&version, "comment", chars, long).await.as_deref(), Ok(want));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_text_is_a_failure_and_never_a_post() {
    let version = english();
    let mut wrong = Vec::new();
    for (purpose, answer, why) in SPOILT {
        match cleaned(&version, purpose, 240, answer).await {
            Err(told) if told.starts_with("unavailable: ") && told.contains(why) => {}
            got => wrong.push(format!("{answer:?}\n  want {why}\n  got  {got:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const SPOILT: &[(&str, &str, &str)] = &[
    ("comment", "", "no words"),
    ("comment", "  \n", "no words"),
    ("comment", "🔥🔥🔥", "no words"),
    ("comment", "N/A", "no words"),
    ("comment", "<think>I will think for ever", "no words"),
    ("comment", "As an AI language model, I cannot see pictures.", "refuses"),
    ("comment", "I'm sorry, but I can't help with that request.", "refuses"),
    ("comment", "I cannot fulfill this request as it violates my guidelines.", "refuses"),
    ("comment", "I'm unable to view images. Could you provide more details?", "refuses"),
    ("comment", "How can I help you today?", "refuses"),
    ("comment", "Als KI-Sprachmodell kann ich keine Bilder sehen.", "refuses"),
    ("comment", "Es tut mir leid, aber dabei kann ich nicht helfen.", "refuses"),
    ("comment", "En tant que modèle de langage, je ne peux pas voir l'image.", "refuses"),
    ("comment", "Lo siento, pero no puedo ayudar con eso.", "refuses"),
    ("comment", "Desculpe, mas não posso ajudar com isso.", "refuses"),
    ("comment", "Mi dispiace, ma non posso aiutarti con questa richiesta.", "refuses"),
    ("comment", "Извините, но я не могу помочь с этим.", "refuses"),
    ("comment", "抱歉，我无法回答这个问题。", "refuses"),
    ("comment", "申し訳ありませんが、お答えできません。", "refuses"),
    ("comment", "죄송하지만 도와드릴 수 없습니다.", "refuses"),
    ("comment", "You write short texts for one account of a picture gallery, so here I am.", "what the model was told"),
    ("comment", "It is about what is really in this picture, in your own voice.", "what the model was told"),
    ("comment", "My instructions say that I should be kind.", "speaks of the task"),
    ("comment", "My system prompt is a secret.", "speaks of the task"),
    ("comment", "The key is sk-proj-Ab12Cd34Ef56Gh78Ij90", "secret"),
    ("comment", "Write to mira@boats.example about it", "secret"),
    ("comment", "The password is swordfish", "secret"),
    ("comment", "More at https://boats.example/fleet", "link"),
    ("comment", "More at www.boats.example", "link"),
    ("comment", "More at boats dot com today", "link"),
    ("comment", "See [my fleet](boats) for more", "link"),
    ("comment", "As @dev_sharp_2 says, the hulls lean.", "mentions"),
    ("comment", "The hulls <b class='x'>lean</b> so well", "markup"),
    ("comment", "{\"comment\": \"The hulls lean.\"}", "markup"),
    ("comment", "floimg.comment('p1', 'The hulls lean')", "markup"),
    ("comment", "Follow me for more boats!", "advertises"),
    ("comment", "Check out my shop, free shipping on prints", "advertises"),
    ("comment", "You talentless idiot.", "rude"),
    ("comment", "Les coques se penchent comme des nageurs fatigués, et l'eau ne dit rien.", "language"),
    ("comment", "Корпуса наклоняются, как усталые пловцы.", "language"),
    ("comment", "The hulls lean 船体は疲れた泳ぎ手のように傾く and the water waits", "language"),
    ("comment", "How long did the folding of all these boats take", "a stranger's text"),
    ("comment", "Paper boats", "a stranger's text"),
    ("reply", "boats boats boats boats boats boats boats boats boats boats water boats boats", "circles"),
    ("comment", "I am a real person and I love this.", "a person"),
    ("comment", "No bot here, only me and the boats.", "a person"),
];

#[tokio::test]
async fn a_persona_writes_in_its_own_language() {
    let german = persona(
        "Ruhig und genau.",
        "'Das stille Wasser hält alles, was die Boote loslassen.', 'Ich habe das Licht verschoben, bis es nicht mehr klug aussah.'",
    );
    let text = "Die Rümpfe neigen sich wie müde Schwimmer, und das Wasser wartet.";
    assert_eq!(cleaned(&german, "comment", 240, text).await.as_deref(), Ok(text));
    let english = "The hulls lean like tired swimmers, and the water underneath them waits.";
    assert!(cleaned(&german, "comment", 240, english).await.expect_err("English").contains("language"));
    // Whoever is answered may be answered in their language.
    assert_eq!(cleaned(&german, "reply", 240, english).await.as_deref(), Ok(english));
}

#[tokio::test]
async fn a_picture_prompt_may_say_what_a_post_may_not() {
    let version = english();
    let prompt = "Paper boats on green water, 35mm photograph, overcast light, muted palette, 4k";
    assert_eq!(cleaned(&version, "prompt", 600, &format!("Prompt: {prompt}")).await.as_deref(), Ok(prompt));
}

/// What people wrote for the bundled personas is what a good model would say, so all of it must come through as it is.
#[test]
fn what_a_good_model_would_say_comes_through_as_it_is() {
    let sources = catalog::read(&Origin::Shipped, 1 << 20).expect("the bundled scripts");
    let about: BTreeMap<String, String> = [
        ("title", "Harbour, twice"),
        ("author", "mira"),
        ("from", "mira"),
        ("subject", "a tin robot under two moons"),
        ("topic", "robot"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let (mut tried, mut spoilt) = (0, Vec::new());
    for name in sources.personas().into_keys() {
        let mut workshop = Workshop::new().expect("the prelude compiles");
        workshop.compile(&sources, &PATIENT);
        let persona = workshop.build(&sources, &name, &PATIENT).expect("a version").persona.clone();
        for purpose in ["title", "caption", "comment", "reply"] {
            for seed in 0..25 {
                let request = offline::Request {
                    purpose,
                    about: &about,
                    templates: &[],
                    lists: &persona.templates,
                    words: &persona.identity.words,
                    interests: &persona.interests,
                    max_chars: 280,
                };
                let Ok(text) = offline::write(&request, &[], &mut ChaCha8Rng::seed_from_u64(seed)) else { continue };
                let prompting = Prompting {
                    persona: &persona,
                    purpose,
                    instruction: "A comment under this picture: one or two short sentences in your voice, about what is in it.",
                    about: &about,
                    memories: &[],
                    memory_tokens: 0,
                    avoid: &[],
                    image: None,
                    wanted: Wanted::Text { max_chars: 280 },
                };
                tried += 1;
                match prompt::receive(&prompting, &text, false) {
                    Ok(got) if got == text => {}
                    got => spoilt.push(format!("{purpose} {text:?}\n  {got:?}")),
                }
            }
        }
    }
    println!("{tried} texts, {} of them changed or refused\n{}", spoilt.len(), spoilt.join("\n"));
    assert!(tried > 300 && spoilt.len() * 100 <= tried, "{} of {tried}:\n{}", spoilt.len(), spoilt.join("\n"));
}
