//! The world of one test: its gallery, its bots, and what the test has said so far.
//!
//! It is made for one test and dropped with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use mlua::Function;
use serde_json::Value as Json;

use crate::host::Host;
use crate::host::hooks::Hooks;
use crate::host::identity::identity;
use crate::host::service::CastBot;
use crate::host::trial::Trial;
use crate::lua::api::Slot;
use crate::lua::plugins::{Answer, PluginCall};
use crate::lua::trace::Trace;
use crate::lua::vm::Vm;
use crate::model::diagnostic::Diagnostic;
use crate::model::failure::{Failure, FailureKind};
use crate::model::name::BotId;
use crate::model::persona::Persona;
use crate::store::StoredEvent;

use super::plugin::Guest;
use super::subject::{Deeds, Subject};
use super::{Bench, Case, Problem, Test, given};

/// The time at which tests begin: a Wednesday.
const BEGIN: &str = "2026-03-04T12:00:00Z";
/// Most tests of one file.
const TESTS: usize = 500;
/// Most bots of one test.
const BOTS: usize = 100;
/// Most plugins of one test.
const GUESTS: usize = 20;

/// The world of one test.
#[derive(Debug)]
pub(super) struct World {
    pub(super) bench: Arc<Bench>,
    pub(super) trial: Arc<Trial>,
    trace: Arc<Trace>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What is named while the file runs; nothing more after that.
    tests: Vec<Test>,
    is_closed: bool,
    /// A bot that lives a tick is away for so long.
    subjects: Vec<Option<Subject>>,
    /// Plugins, likewise.
    guests: Vec<Option<Guest>>,
    me: (Arc<Persona>, u32),
    deeds: Deeds,
    slot: Option<Arc<Slot>>,
    failure: Option<Failed>,
    because: Vec<Diagnostic>,
    expectations: u32,
    made: u32,
}

/// An expectation that did not hold.
#[derive(Debug)]
struct Failed {
    message: String,
    lines: Vec<String>,
}

impl World {
    pub(super) fn new(bench: Arc<Bench>, seed: &str) -> Arc<Self> {
        let begin = BEGIN.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let trial = Arc::new(Trial::empty(begin, seed, Some(bench.rules)));
        let state = State {
            tests: Vec::new(),
            is_closed: false,
            subjects: Vec::new(),
            guests: Vec::new(),
            me: (Arc::new(given::plain_persona()), 1),
            deeds: Deeds::default(),
            slot: None,
            failure: None,
            because: Vec::new(),
            expectations: 0,
            made: 0,
        };
        let world = Arc::new(Self { bench, trial, trace: Arc::new(Trace::default()), state: Mutex::new(state) });
        world.trial.set_hooks(Arc::new(Guests(Arc::downgrade(&world))));
        world
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a test that the file names.
    pub(super) fn name(&self, name: String, function: Function) -> Result<(), String> {
        let mut state = self.state();
        if state.is_closed {
            return Err("test: only at the top of a file, not inside another test".to_owned());
        }
        if state.tests.iter().any(|test| test.case.name == name) {
            return Err(format!("test: there is a test \"{name}\" in this file already"));
        }
        if state.tests.len() >= TESTS {
            return Err(format!("test: a file has at most {TESTS} tests"));
        }
        let line = function.info().line_defined.and_then(|line| u32::try_from(line).ok());
        state.tests.push(Test { case: Case { file: String::new(), name, line }, function });
        Ok(())
    }

    /// Ends the naming of tests and answers them.
    pub(super) fn close(&self, file: &str) -> Vec<Test> {
        let mut state = self.state();
        state.is_closed = true;
        let mut tests = std::mem::take(&mut state.tests);
        for test in &mut tests {
            file.clone_into(&mut test.case.file);
        }
        tests
    }

    /// Lets the test's own VM be a bot's world from now on.
    pub(super) fn begin(&self, vm: &Vm) -> Result<(), String> {
        // The VM is new, so nobody records it yet.
        let _ = vm.slot.trace.set(self.trace.clone());
        self.state().slot = Some(vm.slot.clone());
        self.become_me();
        Ok(())
    }

    /// Makes the test's VM the world of this bot.
    pub(super) fn set_me(&self, persona: Arc<Persona>, index: u32) {
        self.state().me = (persona, index);
        self.become_me();
    }

    fn become_me(&self) {
        let state = self.state();
        let (persona, index) = state.me.clone();
        let Some(slot) = &state.slot else { return };
        let id = BotId { persona: persona.name.clone(), index };
        let profile = Arc::new(identity(&persona, index));
        self.trial.add_to_fleet(&profile.username);
        slot.set(Some(Host::trial(self.trial.clone(), id, profile, persona, 1)));
    }

    /// Takes a bot in and answers its number, from 1.
    pub(super) fn add(&self, subject: Subject) -> Result<usize, String> {
        let mut state = self.state();
        if state.subjects.len() >= BOTS {
            return Err(format!("given.bot: a test has at most {BOTS} bots"));
        }
        self.trial.add_to_fleet(&subject.profile.username);
        self.trial.add_to_cast(CastBot {
            id: subject.id.clone(),
            name: subject.profile.name.as_str().into(),
            username: subject.profile.username.as_str().into(),
            persona: subject.version.persona.clone(),
        });
        state.subjects.push(Some(subject));
        Ok(state.subjects.len())
    }

    /// Looks at a bot.
    pub(super) fn with<T>(&self, id: usize, look: impl FnOnce(&mut Subject) -> T) -> Result<T, String> {
        let mut state = self.state();
        let subject = id.checked_sub(1).and_then(|place| state.subjects.get_mut(place)).and_then(Option::as_mut);
        subject.map(look).ok_or_else(|| "this bot is in the middle of a tick".to_owned())
    }

    /// Lets a bot live one tick.
    pub(super) async fn tick(&self, id: usize) -> Result<(), String> {
        let take = || id.checked_sub(1).and_then(|place| self.state().subjects.get_mut(place)?.take());
        let Some(mut subject) = take() else { return Err("this bot is in the middle of a tick".to_owned()) };
        let lived = subject.tick().await;
        let mut state = self.state();
        if let Some(place) = id.checked_sub(1).and_then(|place| state.subjects.get_mut(place)) {
            *place = Some(subject);
        }
        lived.map_err(|diagnostic| {
            let message = format!("{}{diagnostic}", raised("tick"));
            state.because.push(diagnostic);
            message
        })
    }

    /// Takes a plugin in and answers its number, from 1.
    pub(super) fn add_guest(&self, guest: Guest) -> Result<usize, String> {
        let mut state = self.state();
        if state.guests.len() >= GUESTS {
            return Err(format!("given.plugin: a test has at most {GUESTS} plugins"));
        }
        let name = &guest.version.manifest.name;
        if state.guests.iter().flatten().any(|known| known.version.manifest.name == *name) {
            return Err(format!("given.plugin: this test has the plugin `{name}` already"));
        }
        state.guests.push(Some(guest));
        Ok(state.guests.len())
    }

    /// Looks at a plugin.
    pub(super) fn with_guest<T>(&self, id: usize, look: impl FnOnce(&Guest) -> T) -> Result<T, String> {
        let state = self.state();
        let guest = id.checked_sub(1).and_then(|place| state.guests.get(place)).and_then(Option::as_ref);
        guest.map(look).ok_or_else(|| "this plugin is in the middle of a call".to_owned())
    }

    /// Lets a plugin do something, and its bots hear what it suggested.
    pub(super) async fn with_guest_away<T>(
        &self,
        id: usize,
        does: impl AsyncFnOnce(&mut Guest) -> Result<T, Diagnostic>,
    ) -> Result<T, String> {
        let take = || id.checked_sub(1).and_then(|place| self.state().guests.get_mut(place)?.take());
        let Some(mut guest) = take() else { return Err("this plugin is in the middle of a call".to_owned()) };
        let done = does(&mut guest).await;
        let (now, suggested) = (self.trial.now(), self.trial.take_suggestions());
        let mut state = self.state();
        for (by, suggestion) in suggested {
            guest.keep(&suggestion);
            state.made += 1;
            let number = i64::from(state.made);
            if let Some(bot) = state.subjects.iter_mut().flatten().find(|bot| bot.id == suggestion.bot) {
                bot.events.push_back(StoredEvent { id: number, what: suggestion.event(&by, now) });
            }
        }
        if let Some(place) = id.checked_sub(1).and_then(|place| state.guests.get_mut(place)) {
            *place = Some(guest);
        }
        done.map_err(|diagnostic| {
            let message = format!("{}{diagnostic}", raised("plugin"));
            state.because.push(diagnostic);
            message
        })
    }

    /// The name and username of a bot, made up for one that the test has not given.
    pub(super) fn who_is(&self, bot: &BotId) -> (String, String) {
        let known = self.trial.cast().into_iter().find(|known| known.id == *bot);
        known.map_or_else(
            || ("Tester".to_owned(), bot.to_string().replace('-', "_")),
            |known| (known.name.to_string(), known.username.to_string()),
        )
    }

    /// What the bot of the test's own VM did.
    pub(super) fn with_deeds<T>(&self, look: impl FnOnce(&Deeds) -> T) -> T {
        let mut state = self.state();
        state.deeds.take(&self.trace, 1);
        look(&state.deeds)
    }

    /// A number that this world has not given before.
    pub(super) fn next_number(&self) -> u32 {
        let mut state = self.state();
        state.made += 1;
        state.made
    }

    pub(super) fn count_expectation(&self) {
        let mut state = self.state();
        state.expectations = state.expectations.saturating_add(1);
    }

    pub(super) fn expectations(&self) -> u32 {
        self.state().expectations
    }

    /// Keeps what did not hold, for whoever tells of the test.
    pub(super) fn fail(&self, message: String, lines: Vec<String>) {
        self.state().failure = Some(Failed { message, lines });
    }

    /// Forgets what a test has caught itself.
    pub(super) fn forget_failure(&self) {
        let mut state = self.state();
        state.failure = None;
        state.because.clear();
    }

    /// Puts what is known of a failure where people look for it.
    pub(super) fn explain(&self, problem: &mut Problem) {
        let mut state = self.state();
        if let Some(failed) = state.failure.take()
            && failed.message.chars().take(200).eq(problem.what.message.chars().take(200))
        {
            problem.diff = failed.lines;
            problem.what.hint = None;
        }
        if let Some(cause) = state.because.pop()
            && let Some(who) = ["tick", "plugin"].into_iter().find(|who| problem.what.message.contains(&raised(who)))
        {
            problem.what.message = format!("the {who} raised");
            problem.what.hint = None;
            problem.because.push(cause);
        }
    }
}

/// How a message begins that tells what a script under test raised.
fn raised(who: &str) -> String {
    format!("the {who} raised: ")
}

/// The plugins of a test, as the bots of it call them.
#[derive(Debug)]
struct Guests(Weak<World>);

impl Hooks for Guests {
    fn call<'a>(
        &'a self,
        plugin: &'a str,
        export: &'a str,
        arguments: Vec<Json>,
    ) -> BoxFuture<'a, Result<Json, Failure>> {
        Box::pin(async move {
            let unavailable = |problem: String| {
                Failure::new(FailureKind::Unavailable, format!("the plugin `{plugin}` does not answer: {problem}"))
            };
            let world = self.0.upgrade().ok_or_else(|| unavailable("the test has ended".to_owned()))?;
            let place =
                world.state().guests.iter().position(|guest| {
                    guest.as_ref().is_some_and(|guest| guest.version.manifest.name.as_str() == plugin)
                });
            let Some(place) = place else { return Err(unavailable("it does not run".to_owned())) };
            let call = PluginCall::Export(export.into(), arguments);
            match world.with_guest_away(place + 1, async |guest| guest.call(&call).await).await {
                Ok(Answer::Value(value)) => Ok(value),
                Ok(Answer::Nothing | Answer::Change(..) | Answer::Deny(..)) => Ok(Json::Null),
                Err(problem) => Err(unavailable(problem)),
            }
        })
    }
}
