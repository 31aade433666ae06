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
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use crate::elf::ElfImage;

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
    /// Servers that cannot be had, and why: they are not asked again.
    broken: Mutex<BTreeMap<String, String>>,
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
    /// Servers as `$DEBUGINFOD_URLS` has them: with spaces between them. What is no `http://` or `https://` is left out. `None` if no
    /// server is left.
    ///
    /// `$DEBUGINFOD_CACHE_PATH`, `$DEBUGINFOD_TIMEOUT`, `$DEBUGINFOD_MAXTIME` (seconds) and `$DEBUGINFOD_MAXSIZE` (bytes) mean what
    /// they do for elfutils.
    pub fn new(servers: &str, watcher: Arc<Watcher>) -> Option<Self> {
        let servers: Vec<String> = servers
            .split_whitespace()
            .filter(|url| url.starts_with("http://") || url.starts_with("https://"))
            .map(|url| url.trim_end_matches('/').to_owned())
            .take(MOST_SERVERS)
            .collect();
        let number = |name| std::env::var(name).ok()?.trim().parse::<u64>().ok();
        let seconds = |name| {
            number(name)
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs)
        };
        (!servers.is_empty()).then(|| Self {
            servers,
            cache: cache_directory(),
            silent: seconds("DEBUGINFOD_TIMEOUT").unwrap_or(SILENT),
            whole: seconds("DEBUGINFOD_MAXTIME").unwrap_or(WHOLE),
            largest: number("DEBUGINFOD_MAXSIZE")
                .filter(|bytes| *bytes > 0)
                .map_or(LARGEST, |bytes| bytes.min(LARGEST)),
            watcher,
            shared: Arc::default(),
        })
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
        let place = root.join(&hex).join("debuginfo");
        match fs::metadata(&place) {
            Ok(meta) if meta.len() > 0 => match read(&place, id) {
                Ok(image) => return Ok((image, place)),
                // A file that is damaged is asked for again.
                Err(_) => {
                    let _ = fs::remove_file(&place);
                }
            },
            // An empty file says that no server has it.
            Ok(meta) => {
                let age = meta.modified().ok();
                let age = age.and_then(|time| SystemTime::now().duration_since(time).ok());
                if age.is_some_and(|age| age < MISS) {
                    return Err(vec![(place, Refusal::Missing)]);
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
        let broken = || {
            let known = self.shared.broken.lock();
            known.unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(why) = broken().get(server) {
            return Err(Refusal::Failed(why.clone()));
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
        let stopped = || Refusal::Failed("the download was interrupted".to_owned());
        if !tell(0, None, false) {
            return Err(stopped());
        }
        let result = (|| {
            let response = self.agent().get(url).call().map_err(|error| {
                let why = error.to_string();
                // Nor will it answer for the next module.
                broken().insert(server.to_owned(), why.clone());
                Refusal::Failed(why)
            })?;
            match response.status().as_u16() {
                200 => {}
                404 => return Err(Refusal::Missing),
                status => {
                    return Err(Refusal::Failed(format!(
                        "the server answers with status {status}"
                    )));
                }
            }
            let total = response.body().content_length();
            self.check_size(total.unwrap_or(0))?;
            let failed = |error: io::Error| Refusal::Failed(error.to_string());
            make_parent(place).map_err(failed)?;
            let fresh = Fresh::beside(place).map_err(failed)?;
            let mut body = response.into_body();
            let mut body = body.with_config().limit(self.largest + 1).reader();
            let mut buffer = vec![0; 128 << 10];
            let mut got = 0u64;
            loop {
                let count = body.read(&mut buffer).map_err(failed)?;
                if count == 0 {
                    break;
                }
                got += count as u64;
                self.check_size(got)?;
                (&fresh.file)
                    .write_all(buffer.get(..count).unwrap_or_default())
                    .map_err(failed)?;
                if !tell(got, total, false) {
                    return Err(stopped());
                }
            }
            if total.is_some_and(|total| total != got) {
                return Err(Refusal::Failed(format!(
                    "the connection ended after {got} bytes"
                )));
            }
            let mut image = read(&fresh.path, id)?;
            fresh.keep(place).map_err(failed)?;
            image.path = place.to_owned();
            Ok(image)
        })();
        tell(0, None, true);
        result
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

/// Reads a file of the cache, which must be of the build.
fn read(path: &Path, id: &[u8]) -> Result<ElfImage, Refusal> {
    let failed = |error: &dyn std::fmt::Display| Refusal::Failed(error.to_string());
    let file = File::open(path).map_err(|error| failed(&error))?;
    let image = ElfImage::open(&file, path).map_err(|error| failed(&error))?;
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
    fn beside(place: &Path) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // Two programs, or two threads of one, may ask for the same file at a time.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("debuginfo.{}.{number}.new", std::process::id());
        let path = place.with_file_name(name);
        let _ = fs::remove_file(&path);
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
