//! The `postern` command.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command prints"
)]

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let done = match arguments.get(1).map(String::as_str) {
        Some("serve") => postern::serve::run(
            arguments
                .get(3)
                .map(std::path::Path::new)
                .unwrap_or(std::path::Path::new("/etc/postern/postern.toml")),
            |_| {},
        )
        .map_err(|e| e.to_string()),
        _ => postern::demo::run(|text| println!("{text}")).map_err(|e| e.to_string()),
    };
    if let Err(error) = done {
        eprintln!("postern: {error}");
        std::process::exit(1);
    }
}
