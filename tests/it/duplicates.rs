//! Nothing is said twice: ten thousand texts of the template writer, and a model that repeats itself.

#![expect(clippy::print_stdout, reason = "figures, for whoever asks with --nocapture")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use floimg_fleet::host::Host;
use floimg_fleet::host::identity::identity;
use floimg_fleet::host::rhythm::Visit;
use floimg_fleet::host::trial::{Scripted, Trial, TrialRules};
use floimg_fleet::lua::version::Version;
use floimg_fleet::lua::{LivingBot, Tick};
use floimg_fleet::model::name::BotId;
use floimg_fleet::text::Prints;
use serde_json::{Value, json};

use super::workbench::{HEAD, PATIENT, build};

const RULES: TrialRules = TrialRules { duplicate_days: 30, duplicate_similarity: 0.8 };

/// Lives one tick of each of so many bots in one gallery.
async fn live(version: &Arc<Version>, trial: &Arc<Trial>, bots: u32) -> Vec<Value> {
    let mut states = Vec::new();
    for index in 1..=bots {
        let id = BotId { persona: version.persona.name.clone(), index };
        let profile = Arc::new(identity(&version.persona, index));
        let mut bot = LivingBot::new(version.clone(), PATIENT, None).expect("a VM");
        let host = Host::trial(trial.clone(), id, profile, version.persona.clone(), 1);
        let visit = Visit { number: 1, tick: 1, ticks_left: 3 };
        let lived = bot.live(Tick { host, visit, old_version: None, events: Vec::new() }).await.expect("lived");
        states.push(serde_json::from_str(&lived.state).expect("JSON"));
    }
    states
}

fn version(body: &str) -> Arc<Version> {
    build(&[("personas/test.luau", &format!("{HEAD}\nP.on_tick = function(bot)\n{body}\nend\nreturn P"))], &PATIENT)
        .expect("a version")
}

/// How often each text was posted, but for case, accents and punctuation.
fn counts(texts: impl Iterator<Item = String>) -> BTreeMap<i64, Vec<String>> {
    let mut counts: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for text in texts {
        counts.entry(Prints::of(&text).expect("words").exact).or_default().push(text);
    }
    counts
}

#[tokio::test]
async fn no_two_of_ten_thousand_texts_of_the_template_writer_are_the_same() {
    // Few subjects, so that the built-in templates meet themselves often.
    let body = "
        local one = { 'paper', 'tin', 'neon', 'old', 'blue', 'small', 'quiet', 'broken', 'salted', 'wooden', 'red', 'lost', 'folded',
            'silver', 'sunken', 'tall', 'wet', 'golden', 'lonely', 'painted' }
        local two = { 'boats', 'robots', 'streets', 'foxes', 'glass', 'harbours', 'lamps', 'hills', 'moons', 'chairs', 'doors', 'maps',
            'bridges', 'kites', 'trams', 'gardens', 'herons', 'clocks', 'stairs', 'shells', 'towers', 'roofs', 'masks', 'wells' }
        local s = bot.state
        s.texts, s.refused = 0, 0
        for i = 1, 5 do
            local about = { subject = one[(i + bot.index) % #one + 1] .. ' ' .. two[(i * 3 + bot.index // #one) % #two + 1] }
            local title = llm.write { purpose = 'title', about = about, max_chars = 80 }
            about.title = title
            local caption = llm.write { purpose = 'caption', about = about, max_chars = 240 }
            if title then s.texts += 1 end
            if caption then s.texts += 1 end
            if title and caption then
                local post, failure = floimg.share { picture = { url = 'https://trial.invalid/p.png' }, title = title, description = caption }
                if not post then s.refused += 1 end
            end
        end";
    let version = version(body);
    let trial = Arc::new(Trial::empty("2026-03-04T17:30:00Z".parse().expect("a time"), "ten thousand", Some(RULES)));
    let states = live(&version, &trial, 1000).await;
    let texts: u64 = states.iter().filter_map(|state| state["texts"].as_u64()).sum();
    let refused: u64 = states.iter().filter_map(|state| state["refused"].as_u64()).sum();
    let posts = trial.posts();
    println!("{texts} texts written, {} posts, {refused} refused", posts.len());
    assert!(texts >= 8_000, "{texts}");
    let posted = posts.into_iter().flat_map(|post| [post.title, post.description.expect("one")]);
    let twice: Vec<_> = counts(posted).into_values().filter(|texts| texts.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[tokio::test]
async fn a_model_that_repeats_itself_is_heard_once() {
    let body = "
        for _, post in floimg.feed { limit = 50 } do
            local said = llm.write { purpose = 'comment', prompt = 'One sentence.', about = { title = post.title } }
            if said then
                local comment, failure = floimg.comment { post = post.id, text = said }
                bot.state.kind = failure and failure.kind
            end
        end";
    let version = version(body);
    let trial = Trial::new("2026-03-04T17:30:00Z".parse().expect("a time"), false).with_rules("again", RULES);
    let says = ["Such quiet water.", "such QUIET water", "“Such quiet water!”", "Such quiet water. Such quiet water."];
    let queue = (0..1000).map(|at| json!(says[at % says.len()])).collect();
    trial.script("comment", Scripted::InTurn(queue));
    let trial = Arc::new(trial);
    let before = trial.all_comments().len();
    let states = live(&version, &trial, 40).await;
    assert!(states.iter().skip(1).all(|state| state["kind"] == "duplicate_text"), "{states:?}");
    let posted: BTreeSet<String> =
        trial.all_comments().into_iter().skip(before).map(|(_, comment)| comment.content).collect();
    assert_eq!(posted.len(), 1, "{posted:?}");
    assert_eq!(trial.all_comments().len(), before + 1);
}
