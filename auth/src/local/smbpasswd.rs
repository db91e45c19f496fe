//! NT hashes of Samba: the lines of `smbpasswd`, which `pdbedit -L -w` prints as well.
//!
//! `user:uid:LM hash:NT hash:[flags]:LCT-time:`, one user a line (smbpasswd(5)). The LM hash is
//! never looked at.

use super::entry::User;
use super::import::{ImportNote, Imported};
use super::stored::StoredNtHash;
use crate::NtHash;

/// Reads lines of `smbpasswd`: users who have an NT hash in the clear and no other credential.
/// Those that are disabled there are disabled here. Machines, and users without an NT hash, are
/// left out with a note.
pub fn import_smbpasswd(text: &str) -> Imported {
    let mut imported = Imported::default();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match user(line) {
            Ok(user) => imported.users.push(user),
            Err(why) => imported.notes.push(ImportNote {
                line: number + 1,
                user: line.split(':').next().unwrap_or_default().to_owned(),
                message: why.to_owned(),
            }),
        }
    }
    imported
}

/// The user of a line, or why there is none.
fn user(line: &str) -> Result<User, &'static str> {
    let fields: Vec<&str> = line.splitn(6, ':').collect();
    let &[name, _uid, _lm_hash, nt_hash, flags, _time] = fields.as_slice() else {
        return Err("is no line of smbpasswd; the line was left out");
    };
    if name.ends_with('$') || flags.contains(['W', 'S', 'I']) {
        return Err("is a machine or a domain, not a user; it was left out");
    }
    let Some(hash) = NtHash::from_hex(nt_hash) else {
        return Err(
            "there is no NT hash; the user was left out: `postern user passwd --ntlm` stores one",
        );
    };
    let mut user = User::new(name);
    user.nt_hash = Some(StoredNtHash::Clear(hash));
    user.disabled = flags.contains('D');
    Ok(user)
}
