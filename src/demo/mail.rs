//! Sample mail. Plain Maildir files, as a delivery agent would write them.

/// Messages for one user: file names of a Maildir's `new`, and texts.
pub(super) fn messages(user: &str) -> Vec<(String, String)> {
    let texts = [
        (
            "Welcome to Postern",
            "This mailbox is a Maildir: every message is a file.\n\nTry TOP 1 2, UIDL, and DELE 2 with QUIT.\n",
        ),
        (
            "A line that begins with a dot",
            "The next line begins with a dot, which travels doubled and arrives alone:\n.hidden\n",
        ),
        (
            "Out of office",
            "Wir sind am Montag zurück.\n(This body is UTF-8 and goes out as it is.)\n",
        ),
    ];
    let message = |(number, (subject, body)): (usize, &(&str, &str))| {
        let name = format!("{}.M{number}P1.demo", 1_700_000_000 + number);
        let text = format!(
            "From: Postern <postern@demo.test>\nTo: {user}@demo.test\nSubject: {subject}\n\
             Date: Tue, 14 Nov 2023 22:13:20 +0000\nMessage-ID: <{number}.{user}@demo.test>\n\
             MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: 8bit\n\n{body}"
        );
        (name, text)
    };
    texts.iter().enumerate().map(message).collect()
}
