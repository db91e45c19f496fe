//! Changes to the text of a users file that leave everything else in it as it stands.

use std::path::Path;

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::entry::User;
use super::error::UsersError;

/// The text with one more user.
pub(super) fn add(path: &Path, text: &str, user: &User) -> Result<String, UsersError> {
    change(path, text, |users| {
        let mut table = Table::new();
        fill(&mut table, user);
        users.push(table);
    })
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

/// The text without the user at `at`.
pub(super) fn remove(path: &Path, text: &str, at: usize) -> Result<String, UsersError> {
    change(path, text, |users| {
        if at < users.len() {
            users.remove(at);
        }
    })
}

fn change(
    path: &Path,
    text: &str,
    change: impl FnOnce(&mut ArrayOfTables),
) -> Result<String, UsersError> {
    let inline = || UsersError::Inline { path: path.into() };
    let mut document: DocumentMut = text.parse().map_err(|_| inline())?;
    let users = document
        .entry("user")
        .or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    change(users.as_array_of_tables_mut().ok_or_else(inline)?);
    Ok(document.to_string())
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
