//! What one VM may use, and the meter that holds it to that.
//!
//! Once a limit is passed the meter stays red: every interrupt raises until the call has ended, so no `pcall` outlives it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::model::seconds::Seconds;
use mlua::{Lua, VmState};
use rustix::time::{ClockId, clock_gettime};

/// What one VM may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of Lua memory, garbage included.
    pub memory_bytes: usize,
    /// CPU time of one tick.
    pub tick_cpu: Duration,
    /// CPU time between two host calls.
    pub poll_cpu: Duration,
    /// Bytes of state as JSON.
    pub state_bytes: usize,
    /// Lines of log in one tick.
    pub log_lines: u32,
    /// Bytes of one source file.
    pub source_bytes: usize,
}

/// Why a VM was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It used more CPU than a tick may.
    TickCpu,
    /// It used more CPU than may lie between two host calls.
    PollCpu,
    /// It used more memory than it may.
    Memory,
    /// The host is going down.
    Shutdown,
    /// It took longer than whoever called it waits.
    Deadline,
}

impl Stop {
    fn code(self) -> u8 {
        match self {
            Self::TickCpu => 1,
            Self::PollCpu => 2,
            Self::Memory => 3,
            Self::Shutdown => 4,
            Self::Deadline => 5,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::TickCpu, Self::PollCpu, Self::Memory, Self::Shutdown, Self::Deadline]
            .into_iter()
            .find(|stop| stop.code() == code)
    }
}

/// Counts what a VM uses while it is polled, and stops it.
#[derive(Debug)]
pub struct Meter {
    limits: Limits,
    epoch: Instant,
    stop: AtomicU8,
    turns: AtomicU32,
    polling: AtomicBool,
    /// Nanoseconds after `epoch` when it must have ended; 0: whenever it likes.
    deadline: AtomicU64,
    /// Nanoseconds of thread CPU when the poll began.
    poll_cpu_from: AtomicU64,
    /// Nanoseconds after `epoch` when the poll began.
    poll_wall_from: AtomicU64,
    /// Nanoseconds of CPU of this tick's earlier polls.
    used: AtomicU64,
    log_lines: AtomicU32,
    /// Calls of this tick that may wait.
    calls: AtomicU32,
    /// Milliseconds of bots' time that this tick slept.
    slept: AtomicU64,
    /// Where the script was when it was stopped.
    place: Mutex<Option<(String, u32)>>,
    /// Where it was when its memory had last grown much, and how much that was.
    grew: Mutex<Option<(String, u32)>>,
    grown_to: AtomicUsize,
}

/// Calls that may wait, in one tick.
const CALLS: u32 = 1000;
/// Seconds of bots' time that one tick may sleep in all.
const SLEEP_SECS: u64 = 300;
/// How many turns of a loop pass between two looks at the clock.
const LOOK_EVERY: u32 = 32;

impl Meter {
    /// A meter at zero.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            epoch: Instant::now(),
            stop: AtomicU8::new(0),
            turns: AtomicU32::new(0),
            polling: AtomicBool::new(false),
            deadline: AtomicU64::new(0),
            poll_cpu_from: AtomicU64::new(0),
            poll_wall_from: AtomicU64::new(0),
            used: AtomicU64::new(0),
            log_lines: AtomicU32::new(0),
            calls: AtomicU32::new(0),
            slept: AtomicU64::new(0),
            place: Mutex::new(None),
            grew: Mutex::new(None),
            grown_to: AtomicUsize::new(0),
        })
    }

    /// The limits it holds to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Starts a tick at zero; a VM that was stopped stays stopped.
    pub fn begin_tick(&self) {
        self.used.store(0, Ordering::Relaxed);
        self.log_lines.store(0, Ordering::Relaxed);
        self.calls.store(0, Ordering::Relaxed);
        self.slept.store(0, Ordering::Relaxed);
        self.grown_to.store(0, Ordering::Relaxed);
        *self.grew.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Stops the VM when it still runs after so long from now.
    pub fn set_deadline(&self, within: Duration) {
        self.deadline.store(nanos(self.epoch.elapsed() + within).max(1), Ordering::Relaxed);
    }

    /// Takes one call that may wait.
    ///
    /// # Errors
    /// What the author is told when the tick has had its share.
    pub fn take_call(&self) -> Result<(), String> {
        if self.calls.fetch_add(1, Ordering::Relaxed) < CALLS {
            return Ok(());
        }
        Err(format!("more than {CALLS} calls that wait in one tick: return the seconds until the next from on_tick"))
    }

    /// Takes time to sleep within the tick, which keeps a place among the bots that act.
    ///
    /// # Errors
    /// What the author is told when the tick has had its share.
    pub fn take_sleep(&self, seconds: Seconds) -> Result<(), String> {
        let millis = u64::try_from(seconds.duration().as_millis()).unwrap_or(u64::MAX);
        if self.slept.fetch_add(millis, Ordering::Relaxed).saturating_add(millis) <= SLEEP_SECS * 1000 {
            return Ok(());
        }
        Err(format!(
            "time.sleep: at most {SLEEP_SECS} seconds in one tick; return the seconds until the next from on_tick"
        ))
    }

    /// Tells the VM to stop; it does so at its next turn or host call. The first reason stays.
    pub fn stop(&self, why: Stop) {
        // Losing this race means that somebody else stopped it first, which is as good.
        let _ = self.stop.compare_exchange(0, why.code(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Why it was told to stop.
    pub fn stopped(&self) -> Option<Stop> {
        Stop::from_code(self.stop.load(Ordering::Relaxed))
    }

    /// CPU time of this tick so far.
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Ordering::Relaxed))
    }

    /// Takes one line of log; false when there are none left.
    pub fn take_log_line(&self) -> LogLine {
        let taken = self.log_lines.fetch_add(1, Ordering::Relaxed);
        match taken.cmp(&self.limits.log_lines) {
            std::cmp::Ordering::Less => LogLine::Granted,
            std::cmp::Ordering::Equal => LogLine::FirstTooMany,
            std::cmp::Ordering::Greater => LogLine::TooMany,
        }
    }

    /// Arms the interrupt of a VM.
    pub fn watch(self: &Arc<Self>, lua: &Lua) {
        let meter = self.clone();
        lua.set_interrupt(move |lua| meter.interrupt(lua));
    }

    /// Runs something that cannot wait, counted as one poll.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let nested = self.begin_poll();
        let result = work();
        if !nested {
            self.end_poll();
        }
        result
    }

    /// Counts the CPU of every poll of a future.
    pub fn count<F: Future>(self: &Arc<Self>, future: F) -> Metered<F> {
        Metered { meter: self.clone(), future }
    }

    fn interrupt(&self, lua: &Lua) -> mlua::Result<VmState> {
        // Only the polling thread comes here, so a plain load and store count well enough and cost less than an addition.
        let turn = self.turns.load(Ordering::Relaxed).wrapping_add(1);
        self.turns.store(turn, Ordering::Relaxed);
        if let Some(stop) = self.stopped() {
            return Err(self.raise(lua, stop));
        }
        let memory = lua.used_memory();
        if memory > self.grown_to.load(Ordering::Relaxed) + self.limits.memory_bytes / 16 {
            // The allocator does not say where it gave up, so the last big step is kept.
            self.grown_to.store(memory, Ordering::Relaxed);
            *self.grew.lock().unwrap_or_else(PoisonError::into_inner) = script_place(lua);
        }
        if turn.is_multiple_of(8) && memory > self.limits.memory_bytes / 8 * 7 {
            // Much of it may be garbage that nobody has collected yet.
            lua.gc_collect()?;
            if lua.used_memory() > self.limits.memory_bytes / 4 * 3 {
                self.stop(Stop::Memory);
                return Err(self.raise(lua, Stop::Memory));
            }
        }
        if turn.is_multiple_of(LOOK_EVERY) && self.polling.load(Ordering::Relaxed) {
            let limit = self.limits.poll_cpu.min(self.limits.tick_cpu.saturating_sub(self.used()));
            let wall = nanos(self.epoch.elapsed()).saturating_sub(self.poll_wall_from.load(Ordering::Relaxed));
            let deadline = self.deadline.load(Ordering::Relaxed);
            if deadline > 0 && nanos(self.epoch.elapsed()) > deadline {
                self.stop(Stop::Deadline);
                return Err(self.raise(lua, Stop::Deadline));
            }
            // The wall is cheap to ask and never behind the CPU, so the dear question is asked only when it may matter.
            if wall > nanos(limit) {
                let cpu = thread_cpu().saturating_sub(self.poll_cpu_from.load(Ordering::Relaxed));
                if cpu > nanos(limit) {
                    let why = if limit < self.limits.poll_cpu { Stop::TickCpu } else { Stop::PollCpu };
                    self.stop(why);
                    return Err(self.raise(lua, why));
                }
            }
        }
        Ok(VmState::Continue)
    }

    fn raise(&self, lua: &Lua, stop: Stop) -> mlua::Error {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_none() {
            *place = script_place(lua);
        }
        drop(place);
        mlua::Error::runtime(self.words(stop))
    }

    /// Where the script was when it was stopped.
    pub fn place(&self) -> Option<(String, u32)> {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        place.or_else(|| self.grew.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// What the author is told.
    pub fn words(&self, stop: Stop) -> String {
        match stop {
            Stop::TickCpu => format!(
                "the tick used more than {} ms of CPU (sandbox.tick_cpu_millis)",
                self.limits.tick_cpu.as_millis()
            ),
            Stop::PollCpu => format!(
                "used more than {} ms of CPU in one go (sandbox.poll_cpu_millis): is there an endless loop?",
                self.limits.poll_cpu.as_millis()
            ),
            Stop::Memory => {
                format!("used more than {} MiB of memory (sandbox.memory_mib)", self.limits.memory_bytes >> 20)
            }
            Stop::Shutdown => "the host is stopping".to_owned(),
            Stop::Deadline => "took longer than anybody waits for a plugin (plugins.deadline_millis, or plugins.background_secs for what nobody waits for)".to_owned(),
        }
    }

    fn begin_poll(&self) -> bool {
        if self.polling.swap(true, Ordering::Relaxed) {
            return true;
        }
        self.poll_wall_from.store(nanos(self.epoch.elapsed()), Ordering::Relaxed);
        self.poll_cpu_from.store(thread_cpu(), Ordering::Relaxed);
        false
    }

    fn end_poll(&self) {
        let cpu = thread_cpu().saturating_sub(self.poll_cpu_from.load(Ordering::Relaxed));
        self.used.fetch_add(cpu, Ordering::Relaxed);
        self.polling.store(false, Ordering::Relaxed);
    }
}

/// Whether a line of log may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLine {
    /// It may.
    Granted,
    /// It may not, and it is the first: say so once.
    FirstTooMany,
    /// It may not.
    TooMany,
}

/// A future whose polls are counted.
#[derive(Debug)]
pub struct Metered<F> {
    meter: Arc<Meter>,
    future: F,
}

impl<F: Future + Unpin> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let nested = self.meter.begin_poll();
        let result = Pin::new(&mut self.future).poll(context);
        if !nested {
            self.meter.end_poll();
        }
        result
    }
}

/// Whether a file is one that an author can look at, and none of the host's own.
pub fn is_script(file: &str) -> bool {
    file.starts_with("scripts/") || file.starts_with("plugins/")
}

/// The innermost line of a script that is running.
fn script_place(lua: &Lua) -> Option<(String, u32)> {
    const LEVELS: usize = 16;
    (0..LEVELS).find_map(|level| {
        lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let file = source.source.as_deref()?.trim_start_matches(['@', '=']).to_owned();
            let line = u32::try_from(debug.current_line()?).ok()?;
            is_script(&file).then_some((file, line))
        })?
    })
}

fn thread_cpu() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec.cast_unsigned().saturating_mul(1_000_000_000).saturating_add(time.tv_nsec.cast_unsigned())
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
