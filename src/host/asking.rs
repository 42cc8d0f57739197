//! Asking: what becomes of an action that somebody else may change or deny.
//!
//! Changed words pass every hard limit again, so that no plugin can say what a script must not.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::action::ActionKind;
use crate::model::activity::{Ending, NewActivity};
use crate::model::failure::{Failure, FailureKind};
use crate::model::gallery::Author;
use crate::model::plugin::PluginName;
use crate::model::seconds::Seconds;

use super::action::Plan;
use super::hooks::{About, Asked, Changed, Outcome, Verdict};
use super::outcome;
use super::refusal::Refusal;
use super::trial::Trial;
use super::words::{Words, addressed, check_comment, check_words, refuse_false_claims};
use super::{Host, World, allow, doubt};

/// Denied actions of one tick that leave an activity; a script may try again and again.
const DENIED_SHOWN: u32 = 10;

/// Asks whether an action may go out. `Some` is what it came to without going out.
pub(super) async fn ask(
    host: &Host,
    world: &Arc<World>,
    plan: &mut Plan,
    now: Timestamp,
) -> Result<Option<Result<Value, Refusal>>, Refusal> {
    if !world.hooks.asks() {
        return Ok(None);
    }
    match world.hooks.before(host.asked(plan)).await {
        Verdict::Allow => Ok(None),
        Verdict::Change(words, changed) => {
            let names: Vec<&str> = changed.iter().map(|changed| changed.by.as_str()).collect();
            if let Err(refusal) = reword(plan, words) {
                let refusal = blame(refusal, &names);
                if let Refusal::Failure(failure) = &refusal {
                    denied(host, world, plan, &names.join(", "), &failure.message).await;
                }
                return Err(refusal);
            }
            plan.detail["changed_by"] = json!(names);
            let reason = |changed: &Changed| Some(format!("{}: {}", changed.by, changed.reason.as_ref()?));
            let reasons: Vec<String> = changed.iter().filter_map(reason).collect();
            if !reasons.is_empty() {
                plan.detail["changed_because"] = json!(reasons);
            }
            if let Some(outcome) = doubt::in_doubt(world, host, plan).await? {
                return Ok(Some(outcome));
            }
            allow::allow(host, world, plan, now).await?;
            Ok(None)
        }
        Verdict::Deny(plugin, reason, retry_after) => {
            let failure = denial(&plugin, &reason, retry_after);
            denied(host, world, plan, plugin.as_str(), &failure.message).await;
            Err(Refusal::Failure(failure))
        }
        Verdict::Unanswered(plugin, problem) => {
            let failure = silence(&plugin, &problem);
            denied(host, world, plan, plugin.as_str(), &failure.message).await;
            Err(Refusal::Failure(failure))
        }
    }
}

/// What a bot is told when a plugin denied its action.
fn denial(plugin: &PluginName, reason: &str, retry_after: Option<Seconds>) -> Failure {
    // What is only put off stops the bot for so long, as any pause does.
    let kind = if retry_after.is_some() { FailureKind::Paused } else { FailureKind::Rejected };
    Failure { retry_after, ..Failure::new(kind, format!("the plugin `{plugin}` denied it: {reason}")) }
}

/// What a bot is told when a plugin that must be asked does not answer.
fn silence(plugin: &PluginName, problem: &str) -> Failure {
    let words = format!("the plugin `{plugin}` must be asked and does not answer: {problem}");
    Failure::new(FailureKind::Unavailable, words)
}

/// Asks whether an action in a trial may happen, where somebody stands there to be asked; answers its words.
pub(super) async fn ask_in_trial(
    host: &Host,
    trial: &Trial,
    kind: ActionKind,
    about: About,
    words: Words,
) -> Result<Words, Refusal> {
    let Some(hooks) = trial.hooks().filter(|hooks| hooks.asks()) else { return Ok(words) };
    let reply_author = about.reply_author.clone();
    match hooks.before(host.asked_of(kind, about, words.clone())).await {
        Verdict::Allow => Ok(words),
        Verdict::Change(mut words, changed) => {
            let names: Vec<&str> = changed.iter().map(|changed| changed.by.as_str()).collect();
            settle(&mut words, reply_author.as_ref()).map_err(|refusal| blame(refusal, &names))?;
            Ok(words)
        }
        Verdict::Deny(plugin, reason, retry_after) => Err(Refusal::Failure(denial(&plugin, &reason, retry_after))),
        Verdict::Unanswered(plugin, problem) => Err(Refusal::Failure(silence(&plugin, &problem))),
    }
}

/// Tells what came of an action.
pub(super) fn tell(host: &Host, world: &World, plan: &Plan, result: &Result<Value, Refusal>) {
    if !world.hooks.tells() {
        return;
    }
    let outcome = match result {
        Ok(outcome) => Outcome { id: outcome::optional_text(outcome, "id"), failure: None },
        Err(Refusal::Failure(failure)) => Outcome { id: None, failure: Some(failure.clone()) },
        Err(Refusal::Wrong(_) | Refusal::Stopping) => return,
    };
    world.hooks.after(host.asked(plan), outcome);
}

impl Host {
    fn asked(&self, plan: &Plan) -> Asked {
        self.asked_of(plan.kind, plan.about.clone(), plan.words.clone())
    }

    fn asked_of(&self, kind: ActionKind, about: About, words: Words) -> Asked {
        Asked {
            kind,
            bot: self.bot.clone(),
            name: self.profile.name.as_str().into(),
            username: self.profile.username.as_str().into(),
            about,
            words,
        }
    }
}

fn reword(plan: &mut Plan, words: Words) -> Result<(), Refusal> {
    plan.words = words;
    settle(&mut plan.words, plan.about.reply_author.as_ref())?;
    match &plan.words {
        Words::None => {}
        Words::Comment(text) => {
            plan.payload["content"] = text.as_str().into();
            plan.summary.clone_from(text);
        }
        Words::Post { title, description } => {
            plan.payload["title"] = title.as_str().into();
            plan.detail["description"] = description.as_str().into();
            plan.summary.clone_from(title);
        }
    }
    Ok(())
}

/// Makes of changed words what a script's would be, and holds them to the same limits.
fn settle(words: &mut Words, reply_author: Option<&Author>) -> Result<(), Refusal> {
    match words {
        Words::None => return Ok(()),
        Words::Comment(text) => {
            *text = text.trim().to_owned();
            check_comment(text)?;
            if let Some(author) = reply_author {
                *text = addressed(std::mem::take(text), author);
            }
        }
        Words::Post { title, description } => check_words(title, description)?,
    }
    words.all().map_or(Ok(()), |all| refuse_false_claims(&all))
}

/// What is wrong with changed words is the plugin's doing, and no mistake of the script.
fn blame(refusal: Refusal, plugins: &[&str]) -> Refusal {
    let what = match refusal {
        Refusal::Wrong(wrong) => wrong,
        Refusal::Failure(failure) => failure.message,
        Refusal::Stopping => return Refusal::Stopping,
    };
    let plugins = plugins.join("`, `");
    Refusal::failure(FailureKind::Rejected, format!("as changed by the plugin `{plugins}`, it cannot go out: {what}"))
}

async fn denied(host: &Host, world: &World, plan: &Plan, plugin: &str, words: &str) {
    if host.count_denied() >= DENIED_SHOWN {
        return;
    }
    let mut detail = if plan.detail.is_object() { plan.detail.clone() } else { json!({}) };
    detail["plugin"] = plugin.into();
    let activity = NewActivity {
        at: world.clock.now(),
        bot: Some(host.bot.clone()),
        persona: Some(host.bot.persona.clone()),
        kind: plan.kind.as_str().to_owned(),
        ending: Ending::Refused,
        target: plan.target.clone(),
        text: format!("{}: {words}", plan.summary),
        detail,
    };
    world.journal.record(activity).await;
}
