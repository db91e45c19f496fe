//! `postern config`: the pages that are rendered from the option table and the command line.

use std::fs;
use std::path::Path;

use super::{AdminError, Office, Outcome};
use crate::cli::{self, ConfigCommand};
use crate::config::render;

impl Office<'_> {
    pub(super) fn pages(&mut self, command: &ConfigCommand) -> Result<Outcome, AdminError> {
        match command {
            ConfigCommand::Reference => self.out.write_all(render::reference().as_bytes())?,
            ConfigCommand::Example => self.out.write_all(render::example().as_bytes())?,
            ConfigCommand::Man { directory: None } => {
                self.out.write_all(render::man().as_bytes())?;
            }
            ConfigCommand::Man {
                directory: Some(directory),
            } => self.man_pages(directory)?,
        }
        Ok(Outcome::Fine)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "pages are written where the administrator says"
    )]
    fn man_pages(&mut self, directory: &Path) -> Result<(), AdminError> {
        let failed = |path: &Path, source| AdminError::Write {
            path: path.display().to_string(),
            source,
        };
        fs::create_dir_all(directory).map_err(|error| failed(directory, error))?;
        for (name, page) in cli::man_pages()? {
            let path = directory.join(name);
            fs::write(&path, page).map_err(|error| failed(&path, error))?;
            writeln!(self.out, "{}", path.display())?;
        }
        Ok(())
    }
}
