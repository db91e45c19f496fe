//! Pages and scripts made from the definition of the command line.

use std::io;

use clap_complete::Shell;

use super::command;
use crate::config::render;

/// The completion script for a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "postern", &mut script);
    script
}

/// All man pages: file name and text, `postern.toml.5` last.
///
/// # Errors
/// Only what writing into memory could fail with.
pub fn man_pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    let mut root = command();
    root.build();
    collect(&root, &mut pages)?;
    pages.push(("postern.toml.5".to_owned(), render::man().into_bytes()));
    Ok(pages)
}

fn collect(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    pages.push((man.get_filename(), page));
    for inner in command.get_subcommands() {
        collect(inner, pages)?;
    }
    Ok(())
}
