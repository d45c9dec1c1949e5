//! The unprivileged user that PostgreSQL runs as when we are root: `initdb` and `postgres` refuse root.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A user and group of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The login name.
    pub name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// The account to run PostgreSQL as: None where we are not root and stay who we are.
    ///
    /// # Errors
    /// As root, when the machine has neither a user `postgres` nor `nobody`.
    pub fn for_server() -> Result<Option<Account>> {
        let id = Command::new("id").arg("-u").output().context("cannot run `id`")?;
        if id.stdout.trim_ascii() != b"0" {
            return Ok(None);
        }
        let users = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        match ["postgres", "nobody"].iter().find_map(|name| find(&users, name)) {
            Some(account) => Ok(Some(account)),
            None => bail!("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`: add one"),
        }
    }

    /// Whether this account may pass through every folder above `path`.
    pub fn can_reach(&self, path: &Path) -> bool {
        path.ancestors().skip(1).filter_map(|folder| folder.metadata().ok()).all(|meta| {
            let bit = match () {
                () if meta.uid() == self.uid => 0o100,
                () if meta.gid() == self.gid => 0o010,
                () => 0o001,
            };
            meta.mode() & bit != 0
        })
    }

    /// Hands a file or folder over.
    pub fn own(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("cannot hand {} over to {}", path.display(), self.name))
    }
}

/// A command that runs as the account, if there is one.
pub fn command(program: &Path, account: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

fn find(users: &str, name: &str) -> Option<Account> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { name: name.to_string(), uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:1:1::/:\npostgres:x:101:104:,,,:/var:/bin/sh\n";
        let expected = Account { name: "postgres".to_string(), uid: 101, gid: 104 };
        assert_eq!(find(users, "postgres"), Some(expected));
        assert_eq!(find(users, "nobody"), None);
    }

    #[test]
    fn a_closed_folder_is_out_of_reach() {
        use std::os::unix::fs::PermissionsExt;
        let closed = std::env::temp_dir().join(format!("spindle-reach-{}", std::process::id()));
        std::fs::create_dir_all(&closed).unwrap();
        let stranger = Account { name: "stranger".to_string(), uid: 4_000_000, gid: 4_000_000 };
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o755)).unwrap();
        assert!(stranger.can_reach(&closed.join("x")));
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
        assert!(!stranger.can_reach(&closed.join("x")));
        std::fs::remove_dir(&closed).unwrap();
    }
}
