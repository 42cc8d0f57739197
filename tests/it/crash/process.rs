//! The real program in a process of its own, which ends with its handle.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use crate::living::{Home, LONGEST};

pub struct Process {
    child: Child,
    out: PathBuf,
    log: PathBuf,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// `fleet run` in a home.
    pub fn run(home: &Home, flags: &[&str], abort_at: Option<&str>, token: Option<&str>) -> Self {
        let mut command = Self::fleet(home, token);
        command.arg("run").arg("--config").arg(home.path().join("config.toml"));
        for flag in home.flags(flags) {
            command.arg("--set").arg(flag);
        }
        if let Some(step) = abort_at {
            command.arg("--abort-at").arg(step);
        }
        Self::start(home, command, "run")
    }

    /// `fleet run` in a home, with these variables in its environment.
    pub fn run_knowing(home: &Home, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Self::fleet(home, None);
        command.envs(variables.iter().copied());
        command.arg("run").arg("--config").arg(home.path().join("config.toml"));
        for flag in home.flags(flags) {
            command.arg("--set").arg(flag);
        }
        Self::start(home, command, "run")
    }

    /// Everything that it logged.
    pub fn whole_log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// `fleet studio` beside a home.
    pub fn studio(home: &Home, token: &str) -> Self {
        let mut command = Self::fleet(home, Some(token));
        command.args(["studio", "--set", "studio.listen=127.0.0.1:0", "--data"]).arg(home.path().join("studio"));
        Self::start(home, command, "studio")
    }

    fn fleet(home: &Home, token: Option<&str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleet"));
        command.env_clear().current_dir(home.path()).stdin(Stdio::null());
        if let Some(token) = token {
            command.env("FLOIMG_SERVICE_TOKEN", token);
        }
        command
    }

    fn start(home: &Home, mut command: Command, name: &str) -> Self {
        let (out, log) = (home.path().join(format!("{name}.out")), home.path().join(format!("{name}.log")));
        let file = |path: &PathBuf| std::fs::File::create(path).expect("a file");
        let child = command.stdout(file(&out)).stderr(file(&log)).spawn().expect("the program starts");
        Self { child, out, log }
    }

    fn log(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().rev().take(40).collect::<Vec<_>>().join("\n")
    }

    /// Waits until a look finds something.
    pub async fn until<T>(&mut self, what: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
        let end = Instant::now() + LONGEST;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < end, "never came: {what}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until it says where the gallery is, and answers that.
    pub async fn until_it_serves(&mut self) -> String {
        self.until("an address", |process| {
            if let Ok(Some(status)) = process.child.try_wait() {
                panic!("it ended with {status}\n{}", process.log());
            }
            let out = std::fs::read_to_string(&process.out).ok()?;
            let (line, _) = out.split_once('\n')?;
            Some(line.trim_start_matches("the gallery").trim().trim_end_matches('/').to_owned())
        })
        .await
    }

    /// Waits until it has ended by itself.
    pub async fn until_end(&mut self) -> ExitStatus {
        self.until("its end", |process| process.child.try_wait().ok().flatten()).await
    }

    /// Lets it live for some part of a time: when a blow falls must not be foreseen.
    pub async fn at_some_moment(&mut self, most: Duration) {
        let part = rand::random_range(0.05..1.0);
        tokio::time::sleep(most.mul_f64(part)).await;
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        self.child.kill().expect("a signal");
        let status = self.until_end().await;
        assert!(status.code().is_none(), "it ended by itself before: {status}\n{}", self.log());
    }

    /// `SIGTERM`, after which it must end by itself, in order.
    pub async fn terminate(&mut self) {
        let sent = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().expect("a signal");
        assert!(sent.success());
        let status = self.until_end().await;
        assert!(status.success(), "{status}\n{}", self.log());
    }
}
