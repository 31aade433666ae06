//! Who can write a file or directory, by its mode, its access list (POSIX ACL, acl(5)) and the groups of the system.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Group, Uid, User};
use rustix::io::Errno;

use crate::trusted::is_own;

/// The attribute that holds an access list.
const ACCESS_LIST: &str = "system.posix_acl_access";

/// The most bytes of one: attributes have no more (XATTR_SIZE_MAX).
const MOST_LIST: usize = 64 << 10;

// As in linux/posix_acl.h and linux/posix_acl_xattr.h.
const VERSION: u32 = 2;
const TAG_OWNER: u16 = 0x01;
const TAG_USER: u16 = 0x02;
const TAG_OWNING_GROUP: u16 = 0x04;
const TAG_GROUP: u16 = 0x08;
const TAG_MASK: u16 = 0x10;
const TAG_OTHER: u16 = 0x20;
const MAY_WRITE: u16 = 2;

/// Why others can write an open file; `None` if they cannot.
pub(crate) fn of_file(file: &File, meta: &Metadata) -> Option<String> {
    judge_read(meta, |bytes| {
        rustix::fs::fgetxattr(file, ACCESS_LIST, bytes)
    })
}

/// The same of a directory.
pub(crate) fn of_directory(path: &Path, meta: &Metadata) -> Option<String> {
    judge_read(meta, |bytes| rustix::fs::getxattr(path, ACCESS_LIST, bytes))
}

/// The same of what has an access list that can be read so, into bytes of which it gives the number.
fn judge_read(
    meta: &Metadata,
    read: impl FnOnce(&mut [u8]) -> Result<usize, Errno>,
) -> Option<String> {
    let mut bytes = vec![0; MOST_LIST];
    let read = read(&mut bytes);
    judge(
        meta,
        read.map(|length| bytes.get(..length).unwrap_or(&bytes)),
    )
}

fn judge(meta: &Metadata, list: Result<&[u8], Errno>) -> Option<String> {
    let mode = meta.mode() & 0o7777;
    if mode & 0o002 != 0 {
        return Some(format!("everybody can write it (mode {mode:o})"));
    }
    let list = match list {
        Ok(bytes) => match entries(bytes) {
            Some(list) => list,
            None => return Some("its access list makes no sense".to_owned()),
        },
        // There is none, or this file system has no such lists.
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Vec::new(),
        Err(error) => return Some(format!("its access list cannot be read: {error}")),
    };
    if list.is_empty() {
        return (mode & 0o020 != 0 && !is_private(meta.gid(), meta.uid()))
            .then(|| format!("its group {} can write it (mode {mode:o})", meta.gid()));
    }
    let mask = list.iter().find(|entry| entry.tag == TAG_MASK);
    let mask = mask.map_or(MAY_WRITE, |mask| mask.rights);
    list.iter().find_map(|entry| {
        // The mask bounds all but the owner and everybody else.
        let writes = entry.rights & MAY_WRITE != 0;
        let masked = writes && mask & MAY_WRITE != 0;
        let who = match entry.tag {
            TAG_USER if masked && !is_own(entry.id) => format!("the user {}", entry.id),
            TAG_GROUP if masked && !is_private(entry.id, meta.uid()) => {
                format!("the group {}", entry.id)
            }
            TAG_OWNING_GROUP if masked && !is_private(meta.gid(), meta.uid()) => {
                format!("its group {}", meta.gid())
            }
            TAG_OTHER if writes => "everybody".to_owned(),
            TAG_OWNER | TAG_USER | TAG_OWNING_GROUP | TAG_GROUP | TAG_MASK | TAG_OTHER => {
                return None;
            }
            unknown => format!("what its access list calls {unknown:#x}"),
        };
        Some(format!("{who} can write it (by its access list)"))
    })
}

/// Of an access list.
struct Entry {
    tag: u16,
    rights: u16,
    id: u32,
}

/// The entries of an access list, if it is one.
fn entries(bytes: &[u8]) -> Option<Vec<Entry>> {
    let (version, rest) = bytes.split_first_chunk::<4>()?;
    let (entries, rest) = rest.as_chunks::<8>();
    if u32::from_le_bytes(*version) != VERSION || !rest.is_empty() {
        return None;
    }
    let entry = |bytes: &[u8; 8]| {
        let [a, b, c, d, id @ ..] = *bytes;
        Entry {
            tag: u16::from_le_bytes([a, b]),
            rights: u16::from_le_bytes([c, d]),
            id: u32::from_le_bytes(id),
        }
    };
    Some(entries.iter().map(entry).collect())
}

/// Whether nobody is in a group but the owner of a file and root: it is named like one of them, as many systems give each user a
/// group of their own, and the system's databases put nobody else into it. An equal number alone tells nothing.
fn is_private(group: u32, owner: u32) -> bool {
    let Ok(Some(group)) = Group::from_gid(Gid::from_raw(group)) else {
        return false;
    };
    let name_of = |user: u32| Some(User::from_uid(Uid::from_raw(user)).ok()??.name);
    let owners = [name_of(owner), name_of(0)];
    let is_owner = |name: &str| owners.iter().flatten().any(|owner| owner == name);
    // Whose own group it is, is told by the list of users alone: group databases do not name them.
    let users = std::fs::read_to_string("/etc/passwd");
    is_owner(&group.name)
        && group.mem.iter().all(|member| is_owner(member))
        && users.is_ok_and(|users| {
            let mut others = users.lines().filter_map(|line| {
                let mut fields = line.split(':');
                let (name, own_group) = (fields.next()?, fields.nth(2)?);
                (own_group.parse() == Ok(group.gid.as_raw())).then_some(name)
            });
            others.all(is_owner)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_list_is_read_as_the_kernel_writes_it() {
        let entry = |tag: u16, rights: u16, id: u32| {
            let parts = [
                &tag.to_le_bytes()[..],
                &rights.to_le_bytes(),
                &id.to_le_bytes(),
            ];
            parts.concat()
        };
        let list = |entries: &[Vec<u8>]| [&VERSION.to_le_bytes()[..], &entries.concat()].concat();
        let folder = tempfile::tempdir().unwrap();
        let meta = folder.path().metadata().unwrap();
        let none = u32::MAX;
        let owner = entry(TAG_OWNER, 7, none);
        let shared = entry(TAG_USER, 6, 12345);
        let other = entry(TAG_OTHER, 5, none);
        let judge = |bytes: &[u8]| judge(&meta, Ok(bytes));
        let refused = |bytes: &[u8], reason: &str| {
            let said = judge(bytes).unwrap_or_default();
            assert!(said.contains(reason), "{said}");
        };
        assert_eq!(judge(&list(&[owner.clone(), other.clone()])), None);
        refused(&list(&[owner.clone(), shared.clone()]), "the user 12345");
        let closed = entry(TAG_MASK, 5, none);
        assert_eq!(judge(&list(&[owner.clone(), shared, closed])), None);
        refused(&list(&[entry(TAG_GROUP, 2, 12345)]), "the group 12345");
        refused(&list(&[entry(TAG_OTHER, 2, none)]), "everybody");
        refused(&list(&[entry(0x40, 2, none)]), "0x40");
        refused(&list(&[owner])[..11], "makes no sense");
        refused(&[1, 0, 0, 0], "makes no sense");
    }

    #[test]
    fn a_group_is_private_by_the_databases() {
        // Nothing names it, whatever its number.
        assert!(!is_private(12345, 12345));
        let (users, groups) = (
            std::fs::read_to_string("/etc/passwd").unwrap(),
            std::fs::read_to_string("/etc/group").unwrap(),
        );
        let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let users: Vec<_> = users.lines().map(fields).collect();
        for group in groups.lines().map(fields) {
            let [name, _, number, members] = group.as_slice() else {
                continue;
            };
            let gid: u32 = number.parse().unwrap();
            for user in users
                .iter()
                .filter(|user| user.len() > 3 && user[0] != "root")
            {
                let mut inside = users
                    .iter()
                    .filter(|one| one.len() > 3 && one[3] == *number);
                let others = members
                    .split(',')
                    .any(|member| !member.is_empty() && member != "root" && *member != user[0])
                    || inside.any(|one| one[0] != "root" && one[0] != user[0]);
                let named = *name == user[0] || name == "root";
                let uid: u32 = user[2].parse().unwrap();
                assert_eq!(
                    is_private(gid, uid),
                    named && !others,
                    "{name}, {}",
                    user[0]
                );
            }
        }
    }
}
