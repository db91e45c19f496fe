//! Tables for people: columns aligned, nothing cut off, controls shown and not sent.

use std::io::{self, Write};

/// Writes rows under their headings.
pub(super) fn write<const N: usize>(
    out: &mut dyn Write,
    headings: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let headings = headings.map(str::to_owned);
    let rows: Vec<_> = std::iter::once(&headings)
        .chain(rows)
        .map(|row| row.each_ref().map(|cell| shown(cell)))
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &rows {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// A text without controls, so that a name from a file cannot steer a terminal.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let escaped = letter.is_control().then(|| letter.escape_default());
            let plain = escaped.is_none().then_some(letter);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_aligned_and_controls_are_shown() {
        let mut out = Vec::new();
        let rows = [
            ["a\x1b[31m".to_owned(), "1".to_owned()],
            ["bb".to_owned(), String::new()],
        ];
        super::write(&mut out, ["NAME", "N"], &rows).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "NAME         N\na\\u{1b}[31m  1\nbb\n"
        );
    }
}
