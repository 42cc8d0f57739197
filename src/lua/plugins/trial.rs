//! The trial run of a plugin: it is asked about a few actions and told a few things before the fleet takes it.
//!
//! Nothing in it reaches the world; timers and exports are not run, since nobody knows what they would do.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::calls::PluginCall;
use super::living::LivingPlugin;
use super::version::PluginVersion;
use crate::host::Host;
use crate::host::hooks::{About, Asked, Outcome};
use crate::host::trial::Trial;
use crate::host::words::Words;
use crate::lua::limits::Limits;
use crate::model::action::ActionKind;
use crate::model::activity::{Activity, Ending, NewActivity};
use crate::model::diagnostic::Diagnostic;
use crate::model::gallery::Author;
use crate::model::name::BotId;

/// Lets a plugin answer for a few actions; it cannot tell them from real ones.
///
/// # Errors
/// The first diagnostic it raised.
pub async fn rehearse(
    version: &Arc<PluginVersion>,
    limits: Limits,
    options: &Json,
    trial: Arc<Trial>,
    now: Timestamp,
) -> Result<(), Diagnostic> {
    let mut plugin = LivingPlugin::new(version.clone(), limits, options, None)?;
    plugin.call(Host::plugin_trial(trial.clone(), &version.role, 0), &PluginCall::Start).await?;
    for (number, asked) in (1..).zip(actions()) {
        let asked = Arc::new(asked);
        let outcome = Arc::new(Outcome { id: Some(format!("made{number}")), failure: None });
        for call in [
            PluginCall::Before(asked.clone()),
            PluginCall::After(asked.clone(), outcome),
            PluginCall::Activity(activity(&asked, number, now)),
        ] {
            let host = Host::plugin_trial(trial.clone(), &version.role, number.unsigned_abs());
            plugin.call(host, &call).await?;
        }
    }
    Ok(())
}

fn actions() -> Vec<Asked> {
    let Ok(bot) = "ai_artist-1".parse::<BotId>() else { return Vec::new() };
    let on_post = About { post: Some("p1".to_owned()), post_author: Some("mira".to_owned()), ..About::default() };
    let asked = |kind, about, words| Asked {
        kind,
        bot: bot.clone(),
        name: "Quiet Prism".into(),
        username: "art_quiet_1".into(),
        about,
        words,
    };
    let picture = || Some("https://trial.invalid/picture.png".to_owned());
    let post = || Words::Post {
        title: "Paper boats on a quiet canal".to_owned(),
        description: "Tried in two ways.".to_owned(),
    };
    vec![
        asked(
            ActionKind::Generate,
            About { prompt: Some("paper boats, watercolour".to_owned()), ..About::default() },
            Words::None,
        ),
        asked(ActionKind::Share, About { image_url: picture(), ..About::default() }, post()),
        asked(ActionKind::Upvote, on_post.clone(), Words::None),
        asked(ActionKind::Comment, on_post.clone(), Words::Comment("The reflections are lovely.".to_owned())),
        asked(
            ActionKind::Comment,
            About {
                reply_to: Some("c1".to_owned()),
                reply_author: Some(Author {
                    id: "u1".to_owned(),
                    username: Some("otto_k".to_owned()),
                    name: Some("Otto K.".to_owned()),
                }),
                reply_text: Some("How did you do the water?".to_owned()),
                ..on_post.clone()
            },
            Words::Comment("@otto_k With a second layer, once the first was dry.".to_owned()),
        ),
        asked(ActionKind::Remix, About { image_url: picture(), ..on_post }, post()),
    ]
}

fn activity(asked: &Asked, id: i64, now: Timestamp) -> Arc<Activity> {
    let what = NewActivity {
        at: now,
        bot: Some(asked.bot.clone()),
        persona: Some(asked.bot.persona.clone()),
        kind: asked.kind.as_str().to_owned(),
        ending: Ending::Done,
        target: asked.about.post.clone().unwrap_or_default(),
        text: asked.words.all().unwrap_or_default(),
        detail: json!({}),
    };
    Arc::new(Activity { id, what })
}
