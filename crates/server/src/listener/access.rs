//! Who may use a UNIX socket.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use nix::unistd::{Group, User};

/// Who may use a UNIX socket. What is not said is as the process makes files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The permissions of its file: whoever may write may connect.
    pub mode: Option<u32>,
    /// The account that owns it, by name or number.
    pub owner: Option<String>,
    /// The group that owns it, by name or number.
    pub group: Option<String>,
}

impl Access {
    /// Gives the socket at this path to whom it is to belong.
    ///
    /// # Errors
    /// There is no such account or group, or it cannot be given to them.
    pub(super) fn grant(&self, path: &Path) -> io::Result<()> {
        let owner = self.owner.as_deref().map(user).transpose()?;
        let group = self.group.as_deref().map(group).transpose()?;
        if owner.is_some() || group.is_some() {
            chown(path, owner, group).map_err(|error| {
                io::Error::new(error.kind(), format!("it cannot be given away: {error}"))
            })?;
        }
        // Last: a change of owner may take permissions away, and nobody else is to have them.
        match self.mode {
            Some(mode) => std::fs::set_permissions(path, Permissions::from_mode(mode)),
            None => Ok(()),
        }
    }
}

fn user(name: &str) -> io::Result<u32> {
    number(name, "account", || Ok(User::from_name(name)?.map(|user| user.uid.as_raw())))
}

fn group(name: &str) -> io::Result<u32> {
    number(name, "group", || Ok(Group::from_name(name)?.map(|group| group.gid.as_raw())))
}

/// The number of a name that may be one itself.
fn number(
    name: &str,
    what: &str,
    look_up: impl FnOnce() -> io::Result<Option<u32>>,
) -> io::Result<u32> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    look_up()?.ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, format!("there is no {what} `{name}`"))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn access(owner: &str, group: &str) -> Access {
        Access { mode: Some(0o620), owner: Some(owner.to_owned()), group: Some(group.to_owned()) }
    }

    #[test]
    fn names_and_numbers_are_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        std::fs::write(&path, "").unwrap();
        let ours = std::fs::metadata(&path).unwrap();
        let (uid, gid) = (ours.uid().to_string(), ours.gid().to_string());
        let name = User::from_uid(ours.uid().into()).unwrap().unwrap().name;
        for owner in [uid, name] {
            access(&owner, &gid).grant(&path).unwrap();
            let data = std::fs::metadata(&path).unwrap();
            assert_eq!((data.uid(), data.gid()), (ours.uid(), ours.gid()));
            assert_eq!(data.mode() & 0o777, 0o620);
        }
    }

    #[test]
    fn who_does_not_exist_is_named() {
        let error = access("nobody here", "0").grant(Path::new("/nowhere")).unwrap_err();
        assert_eq!(error.to_string(), "there is no account `nobody here`");
        let error = access("0", "no group here").grant(Path::new("/nowhere")).unwrap_err();
        assert_eq!(error.to_string(), "there is no group `no group here`");
    }
}
