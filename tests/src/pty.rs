//! A program on a pseudo-terminal, typed to as a user would.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};

/// How long what is expected may take, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What has come so far, and whether the terminal is closed.
#[derive(Default)]
struct Seen {
    bytes: Vec<u8>,
    closed: bool,
}

/// A program whose terminal this is.
pub struct Terminal {
    child: Child,
    master: File,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    /// How much of the text that came has been looked at.
    read: usize,
}

impl Terminal {
    /// Starts a command on a terminal of so many columns, in a session of its own.
    ///
    /// # Panics
    /// If there is no pseudo-terminal, or the command cannot be started.
    pub fn start(command: &Command, columns: u16) -> Self {
        let size = Winsize {
            ws_row: 40,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pair = openpty(Some(&size), None).expect("a pseudo-terminal");
        let side = |slave: &OwnedFd| Stdio::from(slave.try_clone().expect("a descriptor"));
        // It makes the terminal that of a new session, so that Ctrl-C is a signal, and becomes the program.
        let mut started = Command::new("setsid");
        started
            .arg("--ctty")
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(side(&pair.slave))
            .stdout(side(&pair.slave))
            .stderr(side(&pair.slave));
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => started.env(name, value),
                None => started.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            started.current_dir(folder);
        }
        let child = started.spawn().expect("the command starts");
        drop(started);
        drop(pair.slave);
        let master = File::from(pair.master);
        let mut reader = master.try_clone().expect("a descriptor");
        let seen: Arc<(Mutex<Seen>, Condvar)> = Arc::default();
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                // The end of the last program on a terminal is an error of reading.
                let count = reader.read(&mut buffer).unwrap_or(0);
                let (lock, changed) = &*shared;
                let mut seen = lock.lock().unwrap_or_else(PoisonError::into_inner);
                seen.bytes
                    .extend_from_slice(buffer.get(..count).unwrap_or_default());
                seen.closed = count == 0;
                changed.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self {
            child,
            master,
            seen,
            read: 0,
        }
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// Types text; `\r` is Enter, `\t` Tab, `\x03` Ctrl-C, `\x04` Ctrl-D.
    ///
    /// # Panics
    /// If the terminal is closed.
    #[track_caller]
    pub fn send(&mut self, text: &str) {
        self.master
            .write_all(text.as_bytes())
            .expect("the terminal takes text");
    }

    /// Waits until a text comes; gives what came up to its end, without the sequences that move the cursor and colour.
    ///
    /// # Panics
    /// If it does not come.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let (lock, changed) = &*self.seen;
        let mut seen = lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let all = plain(&seen.bytes);
            let fresh = all.get(self.read..).unwrap_or_default();
            if let Some(at) = fresh.find(text) {
                let end = at + text.len();
                self.read += end;
                return fresh.get(..end).unwrap_or_default().to_owned();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !seen.closed,
                "{text:?} does not come; what did: {fresh}"
            );
            (seen, _) = changed
                .wait_timeout(seen, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Makes the window another size, as a user does with the mouse.
    ///
    /// # Panics
    /// If the terminal does not take it.
    pub fn resize(&self, columns: u16) {
        let size = rustix::termios::Winsize {
            ws_row: 40,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&self.master, size).expect("the terminal takes a size");
    }

    /// All that has come, with the sequences that move the cursor and colour.
    pub fn raw(&self) -> String {
        let (lock, _) = &*self.seen;
        let seen = lock.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&seen.bytes).into_owned()
    }

    /// Types a line and waits for the prompt that follows what it gives. What is typed before a prompt is there may be lost.
    ///
    /// # Panics
    /// If none comes.
    #[track_caller]
    pub fn ask(&mut self, line: &str, prompt: &str) -> String {
        self.send(&format!("{line}\r"));
        self.expect(&format!("\n{prompt}"))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    #[track_caller]
    pub fn wait(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        {
            let (lock, changed) = &*self.seen;
            let mut seen = lock.lock().unwrap_or_else(PoisonError::into_inner);
            while !seen.closed {
                let left = deadline.saturating_duration_since(Instant::now());
                assert!(!left.is_zero(), "it does not end");
                (seen, _) = changed
                    .wait_timeout(seen, left)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
        self.child.wait().expect("our child")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Text without control sequences (ECMA-48) and carriage returns.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => match chars.next() {
                Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                Some(']') => while chars.next().is_some_and(|c| c != '\x07') {},
                _ => {}
            },
            '\r' | '\x07' => {}
            c => out.push(c),
        }
    }
    out
}
