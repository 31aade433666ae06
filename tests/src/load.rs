//! Load on a server, by wrk.

use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;

use crate::program::finish_child;

/// Requests without a break, until [`Load::finish`].
pub struct Load {
    child: Option<Child>,
}

impl Load {
    /// Starts eight connections that ask for a path.
    ///
    /// # Panics
    /// If wrk cannot be started.
    pub fn start(port: u16, path: &str) -> Self {
        let child = Command::new("wrk")
            .args(["-t1", "-c8", "-d1800s", "--timeout", "10s"])
            .arg(format!("http://127.0.0.1:{port}{path}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("wrk starts");
        Self { child: Some(child) }
    }

    /// Ends the load and asserts that every request was answered well. Returns how many there were.
    ///
    /// # Panics
    /// If one failed.
    pub fn finish(mut self) -> u64 {
        let child = self.child.take().expect("it runs");
        crate::processes::signal(
            i32::try_from(child.id()).expect("a process id"),
            Signal::SIGINT,
        );
        let report = finish_child(child);
        assert!(
            !report.stdout.contains("Socket errors") && !report.stdout.contains("Non-2xx"),
            "requests failed: {report}"
        );
        let requests = report
            .stdout
            .lines()
            .find_map(|line| line.split_once(" requests in "))
            .and_then(|(count, _)| count.trim().parse().ok())
            .unwrap_or_else(|| panic!("no count of requests: {report}"));
        eprintln!("{requests} requests, none failed");
        assert!(requests > 0, "no request was served");
        requests
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
