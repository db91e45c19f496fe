//! Pages rendered from the option table.
