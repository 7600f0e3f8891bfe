//! The Unix socket itself: taking its path, whose it may be opened by, leaving it.
//!
//! Law K1: a path at which another agent answers is not taken; one that a dead agent left behind is.
//! Law K2: the socket never exists with wider rights than it ends with: it is made under another name and moved.
//! Not here: who may ask and order once connected (see `peer`).

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::config::Admin;

/// The listening socket; its file goes with it.
#[derive(Debug)]
pub struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// Device and file number: whoever has taken the path since keeps it.
    made: (u64, u64),
}

/// Why there is no socket; nothing was changed.
#[derive(Debug)]
pub enum SocketFault {
    /// Another agent answers there.
    Held(PathBuf),
    /// Something that is no socket lies there.
    NoSocket(PathBuf),
    /// It cannot be made.
    Unusable {
        /// Where.
        path: PathBuf,
        /// What the kernel said.
        why: io::Error,
    },
}

impl Socket {
    /// Takes the path; needs a running tokio.
    pub fn bind(admin: &Admin) -> Result<Self, SocketFault> {
        let path = admin.socket.clone();
        let unusable = |why| SocketFault::Unusable { path: path.clone(), why };
        check_free(&path)?;
        let draft = draft_of(&path);
        let _ = fs::remove_file(&draft);
        let listener = UnixListener::bind(&draft).map_err(unusable)?;
        let finished = fs::set_permissions(&draft, Permissions::from_mode(mode(admin)))
            .and_then(|()| fs::metadata(&draft))
            .and_then(|about| fs::rename(&draft, &path).map(|()| about));
        match finished {
            Ok(about) => Ok(Self { listener, made: (about.dev(), about.ino()), path }),
            Err(why) => {
                let _ = fs::remove_file(&draft);
                Err(unusable(why))
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let is_ours = |about: &fs::Metadata| (about.dev(), about.ino()) == self.made;
        if fs::symlink_metadata(&self.path).is_ok_and(|about| is_ours(&about)) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Law K1.
fn check_free(path: &Path) -> Result<(), SocketFault> {
    match fs::symlink_metadata(path) {
        Ok(about) if !about.file_type().is_socket() => {
            return Err(SocketFault::NoSocket(path.to_owned()));
        }
        Ok(_) => {}
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(why) => {
            return Err(SocketFault::Unusable { path: path.to_owned(), why });
        }
    }
    match UnixStream::connect(path) {
        Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(why) if why.kind() != io::ErrorKind::WouldBlock => {
            Err(SocketFault::Unusable { path: path.to_owned(), why })
        }
        _ => Err(SocketFault::Held(path.to_owned())),
    }
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Others can reach the socket only where the configuration names some; each is then judged by its number.
fn mode(admin: &Admin) -> u32 {
    let lists = [&admin.read.users, &admin.read.groups, &admin.write.users, &admin.write.groups];
    if lists.iter().all(|list| list.is_empty()) { 0o600 } else { 0o666 }
}

impl fmt::Display for SocketFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(path) => write!(
                out,
                "another agent answers at the admin socket {}: stop it, or give this one another path ([admin] socket)",
                path.display()
            ),
            Self::NoSocket(path) => write!(
                out,
                "{} is there and is no socket: move it away, or give another path ([admin] socket)",
                path.display()
            ),
            Self::Unusable { path, why } => write!(
                out,
                "the admin socket {} cannot be made: {why} (its folder must exist and be writable for the agent's user)",
                path.display()
            ),
        }
    }
}

impl std::error::Error for SocketFault {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Peers;

    fn admin(path: PathBuf) -> Admin {
        Admin { socket: path, read: Peers::default(), write: Peers::default() }
    }

    fn rights(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn only_a_path_that_nobody_answers_at_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let admin = admin(folder.path().join("admin.sock"));
        let first = Socket::bind(&admin).expect("free");
        assert!(matches!(Socket::bind(&admin), Err(SocketFault::Held(_))));
        assert_eq!(rights(&admin.socket), 0o600);

        // A dead agent leaves the file and no listener.
        fs::rename(&admin.socket, folder.path().join("kept")).expect("ours");
        drop(std::os::unix::net::UnixListener::bind(&admin.socket).expect("free"));
        let second = Socket::bind(&admin).expect("nobody answers there");
        drop(first);
        assert!(admin.socket.exists(), "the path is the second one's now");
        drop(second);
        assert!(!admin.socket.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("admin.sock");
        fs::write(&path, "precious").expect("writable");
        let fault = Socket::bind(&admin(path.clone())).expect_err("a file lies there");
        assert!(matches!(fault, SocketFault::NoSocket(_)), "{fault}");
        assert_eq!(fs::read_to_string(&path).expect("still there"), "precious");
        let nowhere = admin(folder.path().join("missing/admin.sock"));
        let fault = Socket::bind(&nowhere).expect_err("no such folder");
        assert!(matches!(fault, SocketFault::Unusable { .. }), "{fault}");
    }

    #[tokio::test]
    async fn others_can_connect_only_where_the_configuration_names_some() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut admin = admin(folder.path().join("admin.sock"));
        admin.read.groups.push(50);
        let _socket = Socket::bind(&admin).expect("free");
        assert_eq!(rights(&admin.socket), 0o666);
    }
}
