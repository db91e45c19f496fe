//! Changes to the text of a users file that leave everything else in it as it stands.

use std::path::Path;

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::entry::User;
use super::error::UsersError;
use crate::Secret;
use crate::scram::secret_text;

/// The text with one more user, at its very end.
pub(super) fn add(path: &Path, text: &str, user: &User) -> Result<String, UsersError> {
    change(path, text, |_| ())?;
    let more = change(path, "", |users| {
        let mut table = Table::new();
        fill(&mut table, user);
        users.push(table);
    })?;
    let text = text.trim_end();
    let gap = if text.is_empty() { "" } else { "\n\n" };
    Ok(format!("{text}{gap}{more}"))
}

/// The text with the user at `at` changed.
pub(super) fn update(
    path: &Path,
    text: &str,
    at: usize,
    user: &User,
) -> Result<String, UsersError> {
    change(path, text, |users| {
        if let Some(table) = users.get_mut(at) {
            fill(table, user);
        }
    })
}

/// The text with the secret that makes SCRAM keys up, at its very head: after the first user's
/// heading it would be that user's.
pub(super) fn with_secret(text: &str, secret: &Secret) -> String {
    let secret = secret_text(secret);
    format!(
        "# Salts for names that nobody has are made of this, so that they look like the others. \
         Secret, and\n# never to be changed.\nscram_secret = \"{secret}\"\n\n{text}"
    )
}

/// The text without the user at `at`. The comment right above goes with the user; what stands
/// above that, after a blank line, is about more than one user and stays.
pub(super) fn remove(path: &Path, text: &str, at: usize) -> Result<String, UsersError> {
    let mut document = parse(path, text)?;
    let users = users(path, &mut document)?;
    if at >= users.len() {
        return Ok(text.to_owned());
    }
    let above = prefix(&users.remove(at));
    let stays = above.rfind("\n\n").and_then(|end| above.get(..=end));
    if let Some(stays) = stays {
        if let Some(next) = users.get_mut(at) {
            let whole = format!("{stays}{}", prefix(next));
            next.decor_mut().set_prefix(whole);
        } else {
            let whole = format!(
                "{stays}{}",
                document.trailing().as_str().unwrap_or_default()
            );
            document.set_trailing(whole);
        }
    }
    Ok(document.to_string())
}

fn prefix(table: &Table) -> String {
    table
        .decor()
        .prefix()
        .and_then(|text| text.as_str())
        .unwrap_or_default()
        .to_owned()
}

fn change(
    path: &Path,
    text: &str,
    change: impl FnOnce(&mut ArrayOfTables),
) -> Result<String, UsersError> {
    let mut document = parse(path, text)?;
    change(users(path, &mut document)?);
    Ok(document.to_string())
}

fn parse(path: &Path, text: &str) -> Result<DocumentMut, UsersError> {
    text.parse()
        .map_err(|_| UsersError::Inline { path: path.into() })
}

/// The `[[user]]` sections; an error when the users are written otherwise.
fn users<'a>(
    path: &Path,
    document: &'a mut DocumentMut,
) -> Result<&'a mut ArrayOfTables, UsersError> {
    let users = document
        .entry("user")
        .or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    users
        .as_array_of_tables_mut()
        .ok_or_else(|| UsersError::Inline { path: path.into() })
}

/// Writes what differs; what has its usual value and is not there stays away.
fn fill(table: &mut Table, user: &User) {
    set(table, "name", Some(user.name.as_str().into()));
    set(table, "aliases", list(&user.aliases));
    set(
        table,
        "password",
        user.password.as_ref().map(|hash| hash.as_str().into()),
    );
    let scram = user.scram.as_ref().map(|keys| keys.to_text().into());
    set(table, "scram", scram);
    let nt_hash = user.nt_hash.as_ref().map(|hash| hash.to_text().into());
    set(table, "nt_hash", nt_hash);
    set(table, "certificates", list(&user.certificates));
    set(table, "site", user.site.as_deref().map(Value::from));
    set(table, "pop3", (!user.pop3).then_some(false.into()));
    set(table, "disabled", user.disabled.then_some(true.into()));
    set(table, "exact_size", user.exact_size.map(Value::from));
    set(table, "delegates", list(&user.delegates));
    let maildrop = user
        .maildrop
        .as_ref()
        .map(|path| path.to_string_lossy().into_owned());
    set(table, "maildrop", maildrop.map(Value::from));
}

fn list(names: &[String]) -> Option<Value> {
    (!names.is_empty()).then(|| Value::Array(names.iter().collect::<Array>()))
}

/// Puts a value in, keeping the comment behind the old one.
fn set(table: &mut Table, key: &str, new: Option<Value>) {
    let Some(mut new) = new else {
        table.remove(key);
        return;
    };
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) if same(old, &new) => {}
        Some(old) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => {
            table.insert(key, value(new));
        }
    }
}

fn same(old: &Value, new: &Value) -> bool {
    let bare = |value: &Value| {
        let mut value = value.clone();
        value.decor_mut().clear();
        value.to_string()
    };
    bare(old) == bare(new)
}
