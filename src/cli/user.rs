//! What can be typed to keep the local accounts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Name, PasswordSource};

/// Keep the local accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add an account
    ///
    /// The password is asked for twice, or read from standard input with --password-stdin. It
    /// never stands on the command line, where other users of the host could see it. Its Argon2id
    /// hash is stored, and beside it keys for SCRAM-SHA-256.
    #[command(after_help = "\
Examples:
  postern user add ann@example.test
  printf '%s\\n' \"$PASSWORD\" | postern user add scanner@example.test --password-stdin
  postern user add shared@example.test --delegate ann@example.test --delegate ben@example.test")]
    Add {
        /// The account
        #[command(flatten)]
        name: Name,
        /// Its password
        #[command(flatten)]
        password: PasswordSource,
        /// Store no keys for SCRAM-SHA-256, as nobody will use it
        #[arg(long)]
        no_scram: bool,
        /// Store the NT hash, so that the account can log in by NTLM. Whoever reads it can too
        #[arg(long)]
        ntlm: bool,
        /// A client certificate that opens the mailbox by EXTERNAL, as `sha256:` and the digest;
        /// may be given several times
        #[arg(long = "certificate", value_name = "FINGERPRINT")]
        certificates: Vec<String>,
        /// The site in which the mailbox lives [default: this server's own]
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// The Maildir, when it is not where `maildrop.path` says
        #[arg(long, value_name = "PATH")]
        maildrop: Option<PathBuf>,
        /// An account that may open this mailbox with its own password; may be given several times
        #[arg(long = "delegate", value_name = "NAME")]
        delegates: Vec<String>,
    },

    /// Change the password of an account
    ///
    /// Its Argon2id hash is stored, and beside it keys for SCRAM-SHA-256. Whoever steals the file
    /// can guess at the keys with less work than at the hash: leave them out with --no-scram where
    /// SCRAM is not used.
    ///
    /// NTLM needs the NT hash, which is stored with --ntlm alone, as it is as good as the password:
    /// sealed, where `users.key_file` names a key, else in the clear. An account that has one gets
    /// a new one with every new password, until --no-ntlm removes it.
    #[command(after_help = "\
Examples:
  postern user passwd ann@example.test
  pass show mail/ann | head -n 1 | postern user passwd ann@example.test --password-stdin
  postern user passwd scanner@example.test --ntlm")]
    Passwd {
        /// The account
        #[command(flatten)]
        name: Name,
        /// Its password
        #[command(flatten)]
        password: PasswordSource,
        /// Store no keys for SCRAM-SHA-256, and remove those that are there
        #[arg(long)]
        no_scram: bool,
        /// Which NT hash is kept
        #[command(flatten)]
        nt_hash: NtHashChoice,
    },

    /// List the accounts
    #[command(after_help = "\
Examples:
  postern user list
  postern user list --json | jq -r '.[] | select(.disabled) | .name'")]
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },

    /// Show one account
    Show {
        /// The account
        #[command(flatten)]
        name: Name,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },

    /// Let an account log in no more
    ///
    /// The password and the mail stay; `postern user enable` undoes it.
    Disable {
        /// The account
        #[command(flatten)]
        name: Name,
    },

    /// Let a disabled account log in again
    Enable {
        /// The account
        #[command(flatten)]
        name: Name,
    },

    /// Remove an account; its mail stays where it is
    Remove {
        /// The account
        #[command(flatten)]
        name: Name,
    },

    /// Keep the key under which NT hashes are sealed
    #[command(subcommand)]
    Key(KeyCommand),

    /// Take accounts over from a passwd-file of Dovecot, or NT hashes from Samba
    ///
    /// Each line is `user:password:uid:gid:gecos:home:shell:extra` with a {SCHEME} before the
    /// password, as Dovecot's passwd-file has it. Accounts that are there already are left alone.
    /// It says for each line what was done, or why it could not be.
    ///
    /// With --smbpasswd each line is `user:uid:LM:NT:[flags]:time:`, as Samba has it, and NT hashes
    /// are taken over: to the account that is there, unless it has one, or with a new account that
    /// can log in by NTLM alone.
    #[command(after_help = "\
Examples:
  postern user import --dry-run /etc/dovecot/users
  postern user import /etc/dovecot/users
  pdbedit -L -w > ./smbpasswd && postern user import --smbpasswd ./smbpasswd")]
    Import {
        /// The file
        file: PathBuf,
        /// It is an smbpasswd of Samba, with NT hashes
        #[arg(long)]
        smbpasswd: bool,
        /// Say what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Keep the key under which NT hashes are sealed.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a new key in a new file
    ///
    /// Started as root, the file belongs to the user that the server runs as. It is never written
    /// over. Keep a copy of it, apart from copies of the users file.
    #[command(after_help = "\
Examples:
  postern user key new /etc/postern/users.key   (then set users.key_file, and apply it)
  postern user key new ./new.key && postern user key apply --old /etc/postern/users.key")]
    New {
        /// The file to make
        file: PathBuf,
    },

    /// Seal every stored NT hash under the key of the configuration
    ///
    /// Hashes in the clear are sealed. Those under another key are sealed anew when --old names it.
    /// When one cannot be opened nothing is changed.
    #[command(after_help = "\
Examples:
  postern user key apply
  postern user key apply --old /root/users.key.before")]
    Apply {
        /// The key file that was used before
        #[arg(long, value_name = "FILE")]
        old: Option<PathBuf>,
    },
}

/// Which NT hash an account is to have.
#[derive(Clone, Copy, Debug, Args)]
pub struct NtHashChoice {
    /// Store the NT hash, so that the account can log in by NTLM
    #[arg(long, conflicts_with = "no_ntlm")]
    pub ntlm: bool,
    /// Remove the NT hash, so that the account can no longer log in by NTLM
    #[arg(long)]
    pub no_ntlm: bool,
}
