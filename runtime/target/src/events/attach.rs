//! Attaching a program to instructions, all but those that the kernel refuses.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use nix::errno::Errno;

use super::attached::close;
use super::error::EventError;
use super::kernel::{self, AttachType, ENOTSUPP, UprobeSites};
use super::perf;
use super::session::Site;

/// After sites were refused, more links than this are made into one.
const FEW_LINKS: usize = 2;

/// Sites of one file.
#[derive(Clone, Debug)]
pub(super) struct FileSites {
    file: Arc<File>,
    offsets: Vec<u64>,
    semaphores: Vec<u64>,
    cookies: Vec<u64>,
    /// The places of the sites in the probe's list.
    places: Vec<usize>,
}

/// Sites that are refused: their place, and the error.
pub(super) type RefusedSites = Vec<(usize, i32)>;

impl FileSites {
    /// Sorts sites by file.
    pub fn of(sites: &[Site]) -> Result<Vec<FileSites>, Errno> {
        let mut files: Vec<((u64, u64), FileSites)> = Vec::new();
        for (place, site) in sites.iter().enumerate() {
            let status = site.file.metadata();
            let status =
                status.map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
            let identity = (status.dev(), status.ino());
            let known = files.iter().position(|(known, _)| *known == identity);
            let known = known.unwrap_or_else(|| {
                let file = FileSites::empty(Arc::clone(&site.file));
                files.push((identity, file));
                files.len() - 1
            });
            let Some((_, sites)) = files.get_mut(known) else {
                continue;
            };
            sites.offsets.push(site.offset);
            sites.semaphores.push(site.semaphore.unwrap_or(0));
            sites.cookies.push(u64::from(site.cookie));
            sites.places.push(place);
        }
        Ok(files.into_iter().map(|(_, sites)| sites).collect())
    }

    fn empty(file: Arc<File>) -> FileSites {
        FileSites {
            file,
            offsets: Vec::new(),
            semaphores: Vec::new(),
            cookies: Vec::new(),
            places: Vec::new(),
        }
    }

    fn part(&self, range: std::ops::Range<usize>) -> FileSites {
        let words = |list: &[u64]| list.get(range.clone()).unwrap_or(&[]).to_vec();
        FileSites {
            file: Arc::clone(&self.file),
            offsets: words(&self.offsets),
            semaphores: words(&self.semaphores),
            cookies: words(&self.cookies),
            places: self.places.get(range.clone()).unwrap_or(&[]).to_vec(),
        }
    }

    fn without(&self, refused: &RefusedSites) -> FileSites {
        let mut rest = FileSites::empty(Arc::clone(&self.file));
        for place in 0..self.places.len() {
            let one = self.part(place..place + 1);
            if one
                .places
                .iter()
                .any(|place| refused.iter().any(|(bad, _)| bad == place))
            {
                continue;
            }
            rest.offsets.extend(one.offsets);
            rest.semaphores.extend(one.semaphores);
            rest.cookies.extend(one.cookies);
            rest.places.extend(one.places);
        }
        rest
    }

    fn link(
        &self,
        program: BorrowedFd<'_>,
        attach: AttachType,
        pid: i32,
        at_return: bool,
    ) -> Result<OwnedFd, i32> {
        let path = self.path().map_err(|errno| errno as i32)?;
        let sites = UprobeSites {
            path: &path,
            offsets: &self.offsets,
            semaphores: &self.semaphores,
            cookies: &self.cookies,
            pid,
            at_return,
        };
        kernel::link_uprobes(program, attach, sites)
    }

    /// The same by an event for each site; `tid` is a thread of the process, or -1 for all processes.
    pub fn attach_one_by_one(
        &mut self,
        program: BorrowedFd<'_>,
        tid: i32,
        at_return: bool,
    ) -> Result<(Vec<OwnedFd>, RefusedSites), EventError> {
        let (mut open, mut refused) = (Vec::new(), Vec::new());
        let path = self.path().map_err(EventError::attach)?;
        let sites = self.offsets.iter().copied();
        let sites: Vec<_> = sites.zip(self.semaphores.iter().copied()).collect();
        let events = perf::probes(&path, &sites, at_return, tid);
        let mut failed = None;
        // After a failure, the events are closed with those that are attached.
        for ((event, &cookie), &site) in events.into_iter().zip(&self.cookies).zip(&self.places) {
            match event {
                Ok(event) => match kernel::link_perf_event(program, event.as_fd(), cookie) {
                    // The link keeps the event.
                    Ok(link) => open.push(link),
                    Err(errno) => {
                        // Before Linux 5.15 an event has no number.
                        let set = match errno {
                            Errno::EINVAL if cookie == 0 => {
                                perf::set_program(event.as_fd(), program)
                            }
                            errno => Err(errno),
                        };
                        failed = failed.or(set.err());
                        open.push(event);
                    }
                },
                Err(errno) if is_of_a_site(errno) => refused.push((site, errno)),
                Err(errno) => failed = failed.or(Some(Errno::from_raw(errno))),
            }
        }
        if let Some(errno) = failed {
            close(open);
            return Err(EventError::attach(errno));
        }
        if !refused.is_empty() {
            *self = self.without(&refused);
        }
        Ok((open, refused))
    }

    /// The kernel wants a path; this one also leads to files that have none any more.
    fn path(&self) -> Result<CString, Errno> {
        let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        CString::new(path).map_err(|_| Errno::EINVAL)
    }

    /// Attaches a program to all sites of the file that the kernel does not refuse, in one process, or in all (0). `self` is left with
    /// these.
    pub fn attach(
        &mut self,
        program: BorrowedFd<'_>,
        attach: AttachType,
        pid: i32,
        at_return: bool,
    ) -> Result<(Vec<OwnedFd>, RefusedSites), EventError> {
        let (mut links, mut refused) = (Vec::new(), Vec::new());
        let mut pending = vec![self.clone()];
        // A link is for all of its sites or for none, so what is refused is found by halving.
        while let Some(sites) = pending.pop() {
            if sites.places.is_empty() {
                continue;
            }
            match sites.link(program, attach, pid, at_return) {
                Ok(link) => links.push(link),
                Err(errno) if !is_of_a_site(errno) => {
                    close(links);
                    return Err(EventError::attach(Errno::from_raw(errno)));
                }
                Err(errno) => match sites.places.as_slice() {
                    [place] => refused.push((*place, errno)),
                    several => {
                        let half = several.len() / 2;
                        pending.push(sites.part(half..several.len()));
                        pending.push(sites.part(0..half));
                    }
                },
            }
        }
        if refused.is_empty() {
            return Ok((links, refused));
        }
        *self = self.without(&refused);
        if links.len() > FEW_LINKS {
            // Each link takes time when it is closed.
            close(links);
            let link = self.link(program, attach, pid, at_return);
            links = vec![link.map_err(|errno| EventError::attach(Errno::from_raw(errno)))?];
        }
        Ok((links, refused))
    }
}

/// Whether an error is about one of the sites and not about all of them.
pub(super) fn is_of_a_site(errno: i32) -> bool {
    matches!(
        errno,
        ENOTSUPP | libc::EINVAL | libc::EIO | libc::ENOENT | libc::EFAULT
    )
}
