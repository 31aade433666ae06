//! Lines that nobody types: of the command line, or of standard input.

use std::io::{BufRead, Read};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use ytrace_lang::fragment;

use super::lines::Prompt;
use super::probes::counted;
use super::{After, INTERRUPTED, MOST_TEXT, commands};
use crate::failure::Failure;

/// How long probes are followed before it is looked whether there is another line.
const SLICE: Duration = Duration::from_millis(10);

/// How many lines are read ahead.
const AHEAD: usize = 16;

/// Runs the lines of the command line.
pub(crate) fn run(prompt: &mut Prompt<'_>, lines: &[String]) -> Result<(), Failure> {
    let mut script = Script::new(prompt);
    let mut left = lines.iter();
    for line in left.by_ref() {
        if !script.take(line.as_bytes())? {
            break;
        }
    }
    if script.interrupted && left.len() > 0 {
        script.prompt.leave_out(&counted(left.len() as u64, "line"));
    }
    script.end();
    Ok(())
}

/// Runs the lines of standard input. Probes are followed while the next one is waited for.
pub(crate) fn run_standard_input(prompt: &mut Prompt<'_>) -> Result<(), Failure> {
    let (sender, lines) = mpsc::sync_channel(AHEAD);
    // It may wait for ever, and ends with the process.
    std::thread::Builder::new()
        .name("lines".to_owned())
        .spawn(move || {
            let mut input = std::io::stdin().lock();
            loop {
                let mut line = Vec::new();
                let most = MOST_TEXT as u64 + 1;
                let read = (&mut input).take(most).read_until(b'\n', &mut line);
                let last = !matches!(read, Ok(count) if count > 0);
                let sent = match read {
                    Ok(0) => Ok(()),
                    Ok(_) => sender.send(Ok(line)),
                    Err(error) => sender.send(Err(error)),
                };
                if last || sent.is_err() {
                    return;
                }
            }
        })
        .map_err(|error| Failure::usage(format!("cannot start a thread: {error}")))?;
    let mut script = Script::new(prompt);
    loop {
        let line = match script.prompt.has_probes() {
            false => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
            true => match lines.recv_timeout(Duration::ZERO) {
                Err(RecvTimeoutError::Timeout) => {
                    script.prompt.follow(Instant::now() + SLICE);
                    if INTERRUPTED.load(Ordering::Relaxed) {
                        script.interrupt();
                        break;
                    }
                    continue;
                }
                line => line,
            },
        };
        match line {
            Ok(Ok(line)) => {
                if !script.take(&line)? {
                    break;
                }
            }
            Ok(Err(error)) => {
                return Err(Failure::usage(format!(
                    "standard input cannot be read: {error}"
                )));
            }
            Err(_) => break,
        }
    }
    // One that is not written yet is missed by nobody.
    if script.interrupted && lines.try_recv().is_ok() {
        script.prompt.leave_out("what is left of standard input");
    }
    script.end();
    Ok(())
}

/// Lines on their way.
struct Script<'p, 'o> {
    prompt: &'p mut Prompt<'o>,
    /// What is not complete yet.
    text: String,
    ended: bool,
    /// Whether Ctrl-C has ended it.
    interrupted: bool,
}

impl<'p, 'o> Script<'p, 'o> {
    fn new(prompt: &'p mut Prompt<'o>) -> Self {
        Self {
            prompt,
            text: String::new(),
            ended: false,
            interrupted: false,
        }
    }

    /// Takes a line, and runs what is complete with it; whether to go on. One that went wrong does not keep the others from running,
    /// but shows in the status.
    fn take(&mut self, line: &[u8]) -> Result<bool, Failure> {
        let line = match std::str::from_utf8(line) {
            Ok(line) => line,
            Err(error) => {
                self.prompt.refuse_bytes(error.valid_up_to());
                self.text.clear();
                return Ok(true);
            }
        };
        self.text.push_str(line);
        if !line.ends_with('\n') {
            self.text.push('\n');
        }
        if self.text.len() > MOST_TEXT {
            return Err(Failure::usage(format!(
                "one input has more than {MOST_TEXT} bytes; is a bracket left open?"
            )));
        }
        if fragment::is_incomplete(&self.text) && !commands::is_command(&self.text) {
            return Ok(true);
        }
        Ok(self.run())
    }

    fn run(&mut self) -> bool {
        let after = self.prompt.run(&std::mem::take(&mut self.text));
        self.ended = after == After::End;
        // An interrupt is for all that is left.
        match INTERRUPTED.load(Ordering::Relaxed) {
            true => self.interrupt(),
            false => self.prompt.follow(Instant::now()),
        }
        !self.ended
    }

    fn interrupt(&mut self) {
        self.interrupted = !self.ended;
        self.ended = true;
    }

    /// Runs what was left open.
    fn end(mut self) {
        if !self.text.is_empty() && !self.ended {
            self.run();
        }
    }
}
