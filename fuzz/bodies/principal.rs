//! A principal's text taken apart again (krb5_unparse_name), for the bodies that write one.

/// Its components, and behind them its realm.
pub(crate) fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let kept = match letter {
            '/' | '@' => {
                parts.push(String::new());
                continue;
            }
            '\\' => match letters.next().expect("an escaped letter") {
                'n' => '\n',
                't' => '\t',
                'b' => '\u{8}',
                '0' => '\0',
                other => other,
            },
            other => other,
        };
        parts.last_mut().expect("there is one").push(kept);
    }
    parts
}
