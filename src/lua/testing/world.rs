//! The world of one test: its gallery, its bots, and what the test has said so far.
//!
//! It is made for one test and dropped with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use mlua::Function;

use crate::host::Host;
use crate::host::identity::identity;
use crate::host::trial::Trial;
use crate::lua::api::Slot;
use crate::lua::trace::Trace;
use crate::lua::vm::Vm;
use crate::model::diagnostic::Diagnostic;
use crate::model::name::BotId;
use crate::model::persona::Persona;

use super::subject::{Deeds, Subject};
use super::{Bench, Case, Problem, Test, given};

/// The time at which tests begin: a Wednesday.
const BEGIN: &str = "2026-03-04T12:00:00Z";
/// Most tests of one file.
const TESTS: usize = 500;
/// Most bots of one test.
const BOTS: usize = 100;

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
            me: (Arc::new(given::plain_persona()), 1),
            deeds: Deeds::default(),
            slot: None,
            failure: None,
            because: Vec::new(),
            expectations: 0,
            made: 0,
        };
        Arc::new(Self { bench, trial, trace: Arc::new(Trace::default()), state: Mutex::new(state) })
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
            let message = format!("the tick raised: {diagnostic}");
            state.because.push(diagnostic);
            message
        })
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
            && problem.what.message.contains("the tick raised: ")
        {
            "the tick raised".clone_into(&mut problem.what.message);
            problem.what.hint = None;
            problem.because.push(cause);
        }
    }
}
