//! Debug information from servers that have it by build-id (`debuginfod`), kept in the cache that elfutils' own client keeps, in its
//! layout: `debuginfod_client/BUILDID/debuginfo`.
//!
//! The protocol is that of debuginfod(8): `GET URL/buildid/BUILDID/debuginfo`; 404 means that the server has none. What comes is held
//! against the build-id before it is used or kept.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use crate::elf::ElfImage;
use crate::error::Error;
use crate::index::cache;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server may be silent, unless `$DEBUGINFOD_TIMEOUT` says otherwise. Servers that unpack archives first take their time.
const SILENT: Duration = Duration::from_secs(90);

/// How long one file may take altogether, unless `$DEBUGINFOD_MAXTIME` says otherwise.
const WHOLE: Duration = Duration::from_secs(20 * 60);

/// The largest file, unless `$DEBUGINFOD_MAXSIZE` says otherwise, in bytes.
const LARGEST: u64 = 4 << 30;

/// How long it is remembered that no server has a file: elfutils' `cache_miss_s`.
const MISS: Duration = Duration::from_secs(600);

/// The most servers that are asked.
const MOST_SERVERS: usize = 16;

/// The longest time that a setting can ask for: more cannot be added to a time of day.
const LONGEST_SECONDS: u64 = 365 * 24 * 60 * 60;

/// After so many failures one after the other a server is not asked again, even if it could be reached each time.
const MOST_FAILURES: u32 = 3;

/// How long it takes at most until a wish to stop is seen.
const LOOK: Duration = Duration::from_millis(100);

/// How far a download has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The module whose debug information is asked for, by its file name.
    pub module: &'a str,
    /// The server.
    pub server: &'a str,
    /// Bytes so far.
    pub got: u64,
    /// All bytes, if the server says so.
    pub total: Option<u64>,
    /// Whether it is over, well or not.
    pub done: bool,
}

/// Is told how far a download has come; gives whether to go on.
pub type Watcher = dyn Fn(Progress<'_>) -> bool + Send + Sync;

/// Why a file was not had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The server has none.
    Missing,
    /// No server had it when they were asked a short time ago.
    Remembered,
    /// It belongs to another build.
    OtherBuild,
    /// Anything else, in words.
    Failed(String),
}

/// A way to get debug information from servers. Clones share what they have learnt of the servers.
#[derive(Clone)]
pub struct Debuginfod {
    servers: Vec<String>,
    cache: Option<PathBuf>,
    silent: Duration,
    whole: Duration,
    largest: u64,
    watcher: Arc<Watcher>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    agent: OnceLock<ureq::Agent>,
    /// What went wrong with servers.
    failures: Mutex<BTreeMap<String, Failures>>,
}

/// What went wrong with a server.
#[derive(Clone, Debug, Default)]
struct Failures {
    /// Failures since it answered last.
    row: u32,
    /// Why it is not asked again.
    given_up: Option<String>,
}

/// Why no server can be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServersError {
    /// No word is a server.
    #[error("no server to ask is known")]
    None {
        /// What was given instead, each with the reason why it is none.
        left_out: Vec<String>,
    },
    /// Signatures are asked for.
    #[error("`{word}` asks for signed files, and signatures are not checked here")]
    Signatures {
        /// The word that does.
        word: String,
    },
}

impl std::fmt::Debug for Debuginfod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Debuginfod")
            .field("servers", &self.servers)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

impl Debuginfod {
    /// Servers as `$DEBUGINFOD_URLS` has them: with spaces between them. Gives, too, the words that are left out, each with the reason,
    /// for people: they name no `http://` or `https://`, or too many come before.
    ///
    /// `$DEBUGINFOD_CACHE_PATH`, `$DEBUGINFOD_TIMEOUT`, `$DEBUGINFOD_MAXTIME` (seconds) and `$DEBUGINFOD_MAXSIZE` (bytes) mean what
    /// they do for elfutils. `ima:ignore` says what is done here anyway.
    ///
    /// # Errors
    /// No server is left, or `ima:enforcing` wants signatures to be checked.
    pub fn new(words: &str, watcher: Arc<Watcher>) -> Result<(Self, Vec<String>), ServersError> {
        let mut servers = Vec::new();
        let mut left_out = Vec::new();
        for word in words.split_whitespace() {
            let is_server = word.starts_with("http://") || word.starts_with("https://");
            match word {
                "ima:ignore" => {}
                _ if word.starts_with("ima:") => {
                    return Err(ServersError::Signatures {
                        word: word.to_owned(),
                    });
                }
                _ if !is_server => {
                    left_out.push(format!("`{word}` begins with neither http:// nor https://"));
                }
                _ if servers.len() == MOST_SERVERS => left_out.push(format!(
                    "`{word}` comes after {MOST_SERVERS} others, and no more are asked"
                )),
                _ => servers.push(word.trim_end_matches('/').to_owned()),
            }
        }
        if servers.is_empty() {
            return Err(ServersError::None { left_out });
        }
        let number = |name| std::env::var(name).ok()?.trim().parse::<u64>().ok();
        let seconds = |name| {
            number(name)
                .filter(|seconds| *seconds > 0)
                .map(|seconds| Duration::from_secs(seconds.min(LONGEST_SECONDS)))
        };
        let this = Self {
            servers,
            cache: cache_directory(),
            silent: seconds("DEBUGINFOD_TIMEOUT").unwrap_or(SILENT),
            whole: seconds("DEBUGINFOD_MAXTIME").unwrap_or(WHOLE),
            largest: number("DEBUGINFOD_MAXSIZE")
                .filter(|bytes| *bytes > 0)
                .map_or(LARGEST, |bytes| bytes.min(LARGEST)),
            watcher,
            shared: Arc::default(),
        };
        Ok((this, left_out))
    }

    /// The servers.
    pub fn servers(&self) -> &[String] {
        &self.servers
    }

    /// The debug information of a build: a file of the cache, which may have been there before. `module` is for people.
    /// Where there is none, what was tried and what came of it.
    pub(crate) fn find(
        &self,
        module: &str,
        id: &[u8],
    ) -> Result<(ElfImage, PathBuf), Vec<(PathBuf, Refusal)>> {
        // Shorter ones are not what linkers make, and could name anything.
        if !(8..=64).contains(&id.len()) {
            return Err(Vec::new());
        }
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let Some(root) = &self.cache else {
            let why = "neither XDG_CACHE_HOME nor HOME says where to keep what is downloaded";
            return Err(vec![(PathBuf::new(), Refusal::Failed(why.to_owned()))]);
        };
        let directory = root.join(&hex);
        let place = directory.join("debuginfo");
        for path in [root.as_path(), &directory, &place] {
            if let Err(why) = check_trusted(path) {
                return Err(vec![(path.to_owned(), Refusal::Failed(why))]);
            }
        }
        match fs::metadata(&place) {
            Ok(meta) if meta.len() > 0 => match read(&place, id) {
                Ok(image) => return Ok((image, place)),
                // One that is damaged or of another build is asked for again.
                Err(Refusal::OtherBuild | Refusal::Missing | Refusal::Remembered) => {
                    let _ = fs::remove_file(&place);
                }
                Err(refusal) => return Err(vec![(place, refusal)]),
            },
            // An empty file says that no server has it.
            Ok(meta) => {
                let age = meta.modified().ok();
                let age = age.and_then(|time| SystemTime::now().duration_since(time).ok());
                if age.is_some_and(|age| age < MISS) {
                    return Err(vec![(place, Refusal::Remembered)]);
                }
                let _ = fs::remove_file(&place);
            }
            Err(_) => {}
        }
        let mut tried = Vec::new();
        for server in &self.servers {
            let url = format!("{server}/buildid/{hex}/debuginfo");
            match self.download(module, server, &url, &place, id) {
                Ok(image) => return Ok((image, place)),
                Err(refusal) => tried.push((PathBuf::from(url), refusal)),
            }
        }
        if tried
            .iter()
            .all(|(_, refusal)| *refusal == Refusal::Missing)
        {
            // It only saves asking again: that it cannot be kept changes nothing.
            let _ = make_parent(&place).and_then(|()| File::create_new(&place));
        }
        Err(tried)
    }

    fn agent(&self) -> &ureq::Agent {
        self.shared.agent.get_or_init(|| {
            ureq::Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(5)
                .timeout_connect(Some(CONNECT))
                .timeout_resolve(Some(CONNECT))
                .timeout_recv_response(Some(self.silent))
                .timeout_per_read(Some(self.silent))
                .timeout_global(Some(self.whole))
                .user_agent(concat!("ytrace/", env!("CARGO_PKG_VERSION")))
                .build()
                .new_agent()
        })
    }

    fn download(
        &self,
        module: &str,
        server: &str,
        url: &str,
        place: &Path,
        id: &[u8],
    ) -> Result<ElfImage, Refusal> {
        if let Some(why) = self.given_up(server) {
            return Err(Refusal::Failed(why));
        }
        let tell = |got, total, done| {
            (self.watcher)(Progress {
                module,
                server,
                got,
                total,
                done,
            })
        };
        let wrong = |why| self.failed(server, why, false);
        let stopped = || Refusal::Failed("the download was interrupted".to_owned());
        // What waits for the server is another thread, so that nobody has to wait for that.
        let pieces = self.fetch(url);
        let next = |got, total| {
            loop {
                if !tell(got, total, false) {
                    return Err(stopped());
                }
                match pieces.recv_timeout(LOOK) {
                    Ok(Piece::Broken { why, unreachable }) => {
                        return Err(self.failed(server, why, unreachable));
                    }
                    Ok(piece) => return Ok(Some(piece)),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return Ok(None),
                }
            }
        };
        let result = (|| {
            let total = match next(0, None)? {
                Some(Piece::Answer(200, total)) => total,
                Some(Piece::Answer(404, _)) => {
                    self.answered(server);
                    return Err(Refusal::Missing);
                }
                Some(Piece::Answer(status, _)) => {
                    return Err(wrong(format!("the server answers with status {status}")));
                }
                _ => return Err(wrong("there is no answer".to_owned())),
            };
            self.check_size(total.unwrap_or(0))?;
            let failed = |error: io::Error| Refusal::Failed(error.to_string());
            make_parent(place).map_err(failed)?;
            let fresh = Fresh::beside(place, self.whole).map_err(failed)?;
            let mut got = 0u64;
            while let Some(piece) = next(got, total)? {
                let Piece::Bytes(bytes) = piece else {
                    continue;
                };
                got += bytes.len() as u64;
                self.check_size(got)?;
                (&fresh.file).write_all(&bytes).map_err(failed)?;
            }
            if total.is_some_and(|total| total != got) {
                return Err(wrong(format!("the connection ended after {got} bytes")));
            }
            let mut image = match read(&fresh.path, id) {
                Err(Refusal::Missing) => {
                    return Err(wrong("what it sends is no ELF file".to_owned()));
                }
                Err(Refusal::OtherBuild) => {
                    wrong("what it sends is of another build".to_owned());
                    return Err(Refusal::OtherBuild);
                }
                other => other?,
            };
            self.answered(server);
            fresh.keep(place).map_err(failed)?;
            image.path = place.to_owned();
            Ok(image)
        })();
        tell(0, None, true);
        result
    }

    fn failures(&self) -> MutexGuard<'_, BTreeMap<String, Failures>> {
        let known = self.shared.failures.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a server is not asked again, if that is so.
    fn given_up(&self, server: &str) -> Option<String> {
        self.failures().get(server)?.given_up.clone()
    }

    /// A request went wrong. A server that cannot be reached will not be for the next module either, but one download that breaks off
    /// says nothing of others.
    fn failed(&self, server: &str, why: String, unreachable: bool) -> Refusal {
        let mut all = self.failures();
        let failures = all.entry(server.to_owned()).or_default();
        failures.row = failures.row.saturating_add(1);
        if unreachable || failures.row >= MOST_FAILURES {
            failures.given_up = Some(format!("it is not asked again: {why}"));
        }
        Refusal::Failed(why)
    }

    /// A server did what it should.
    fn answered(&self, server: &str) {
        self.failures().remove(server);
    }

    /// Asks a server, in a thread of its own, which ends when nobody listens any more or the server has been silent for too long.
    fn fetch(&self, url: &str) -> Receiver<Piece> {
        let (sender, receiver) = sync_channel(4);
        let (agent, url, largest) = (self.agent().clone(), url.to_owned(), self.largest);
        let work = move || {
            let response = match agent.get(&url).call() {
                Ok(response) => response,
                Err(error) => {
                    let _ = sender.send(Piece::Broken {
                        why: error.to_string(),
                        unreachable: is_unreachable(&error),
                    });
                    return;
                }
            };
            let answer =
                Piece::Answer(response.status().as_u16(), response.body().content_length());
            if sender.send(answer).is_err() {
                return;
            }
            let mut body = response.into_body();
            let mut body = body.with_config().limit(largest + 1).reader();
            loop {
                let mut buffer = vec![0; 128 << 10];
                match body.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(count) => {
                        buffer.truncate(count);
                        if sender.send(Piece::Bytes(buffer)).is_err() {
                            return;
                        }
                    }
                    Err(error) => {
                        let _ = sender.send(Piece::Broken {
                            why: error.to_string(),
                            unreachable: false,
                        });
                        return;
                    }
                }
            }
        };
        let builder = std::thread::Builder::new().name("ytrace-download".to_owned());
        // One that cannot be started is as a server that does not answer.
        let _ = builder.spawn(work);
        receiver
    }

    fn check_size(&self, size: u64) -> Result<(), Refusal> {
        match size > self.largest {
            true => Err(Refusal::Failed(format!(
                "it is larger than {} bytes (DEBUGINFOD_MAXSIZE)",
                self.largest
            ))),
            false => Ok(()),
        }
    }
}

/// What comes from a server.
enum Piece {
    /// The status of its answer, and how many bytes follow, if it says so.
    Answer(u16, Option<u64>),
    Bytes(Vec<u8>),
    /// It cannot be had, or does not go on.
    Broken {
        why: String,
        /// There is no connection to the server.
        unreachable: bool,
    },
}

/// Whether an error says that there is no connection to the server, rather than that this request went wrong.
fn is_unreachable(error: &ureq::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable};
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Tls(_)
        | ureq::Error::Pem(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::BadUri(_)
        | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => true,
        ureq::Error::Io(error) => matches!(
            error.kind(),
            ConnectionRefused | HostUnreachable | NetworkDown | NetworkUnreachable
        ),
        _ => false,
    }
}

/// Reads a file of the cache, which must be of the build; [`Refusal::Missing`] if it is no ELF file.
fn read(path: &Path, id: &[u8]) -> Result<ElfImage, Refusal> {
    let failed = |error: &dyn std::fmt::Display| Refusal::Failed(error.to_string());
    let file = File::open(path).map_err(|error| failed(&error))?;
    let image = match ElfImage::open(&file, path) {
        Err(Error::Elf { .. }) => return Err(Refusal::Missing),
        other => other.map_err(|error| failed(&error))?,
    };
    match image.build_id.as_deref() == Some(id) {
        true => Ok(image),
        false => Err(Refusal::OtherBuild),
    }
}

/// Where elfutils' client keeps what it downloads; `None` where the environment does not say.
fn cache_directory() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if let Some(path) = absolute("DEBUGINFOD_CACHE_PATH") {
        return Some(path);
    }
    let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(base.join("debuginfod_client"))
}

/// Whether only this user and root can have put something there. What is not there can be made.
fn check_trusted(path: &Path) -> Result<(), String> {
    let Ok(meta) = fs::metadata(path) else {
        return Ok(());
    };
    match cache::trusted(&meta) {
        true => Ok(()),
        false => Err(
            "others can write there, or it is another user's, so it is not used (DEBUGINFOD_CACHE_PATH names another place)"
                .to_owned(),
        ),
    }
}

/// Makes the directories of a file of the cache, for this user alone.
fn make_parent(place: &Path) -> io::Result<()> {
    let parent = place.parent().unwrap_or(place);
    DirBuilder::new().recursive(true).mode(0o700).create(parent)
}

/// A file that is being written, and goes away unless it is kept.
struct Fresh {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Fresh {
    /// A new one in the same directory. Those that programs left which were killed, longer ago than a download takes, go.
    fn beside(place: &Path, longest: Duration) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // Two programs, or two threads of one, may ask for the same file at a time.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("debuginfo.{}.{number}.new", std::process::id());
        let path = place.with_file_name(name);
        let _ = fs::remove_file(&path);
        for entry in fs::read_dir(place.parent().unwrap_or(place))?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let age = entry.metadata().and_then(|meta| meta.modified());
            let age = age
                .ok()
                .and_then(|time| SystemTime::now().duration_since(time).ok());
            if name.starts_with("debuginfo.")
                && name.ends_with(".new")
                && age.is_some_and(|age| age > longest)
            {
                let _ = fs::remove_file(entry.path());
            }
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .open(&path)?;
        Ok(Self {
            path,
            file,
            kept: false,
        })
    }

    fn keep(mut self, place: &Path) -> io::Result<()> {
        fs::rename(&self.path, place)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}
