//! The protocol log in the form of Exchange, beside what a client sent and received.

use std::fs;
use std::path::Path;

use crate::wire::client::Client;
use crate::wire::clock::until;
use crate::wire::fixture;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::{Setup, start, try_start};

const COLUMNS: &str =
    "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context";

fn with_log() -> Setup {
    Setup::new()
        .set("protocol_log.enabled", "true")
        .set("protocol_log.folder", "\".\"")
}

/// The texts of all files of the log, by name.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "LOG"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("a file of the log");
            (name.into_owned(), text)
        })
        .collect();
    files.sort();
    files
}

/// The columns of a line, as any reader of CSV takes them.
fn columns(line: &str) -> Vec<String> {
    let mut columns = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let column = columns.last_mut().expect("a column");
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                column.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => columns.push(String::new()),
            _ => column.push(character),
        }
    }
    columns
}

/// The records of the first session, once it has ended.
fn records(house: &House) -> Vec<Vec<String>> {
    until("the end of the session in the log", || {
        let text: String = files(house.ground.path(".").as_path())
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        let records: Vec<_> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(columns)
            .filter(|record| record[1] == "0000000000000001")
            .collect();
        let ended = records.last().is_some_and(|last| last[9] == "CloseSession");
        ended.then_some(records)
    })
}

/// What was asked: command, parameters and context.
fn asked(records: &[Vec<String>]) -> Vec<[&str; 3]> {
    records
        .iter()
        .map(|record| [&record[9][..], &record[10][..], &record[11][..]])
        .collect()
}

#[test]
fn each_command_has_a_record_without_a_secret() {
    let house = start(&with_log());
    let mut client = house.client();
    client.ask("USER alice");
    client.ask("PASS wrong battery");
    client.ask("hunter2 typed too early");
    client.ask("AUTH PLAIN AHgAc2VjcmV0");
    assert_eq!(client.ask("AUTH PLAIN"), "+ ");
    client.ask("AGFsaWNlAGNvcnJlY3QgaG9yc2U=");
    client.ask("STAT");
    client.ask("QUIT");
    let records = records(&house);
    let refused = asked(&records)[2][2].to_owned();
    assert!(refused.starts_with("R=\"-ERR "), "{refused}");
    let commands: Vec<_> = asked(&records).iter().map(|row| (row[0], row[1])).collect();
    let expected = [
        ("OpenSession", ""),
        ("user", "alice"),
        ("pass", "*****"),
        ("", "*****"),
        ("auth", "*****"),
        ("auth", "*****"),
        ("stat", ""),
        ("quit", ""),
        ("CloseSession", ""),
    ];
    assert_eq!(commands, expected);
    for (number, record) in records.iter().enumerate() {
        assert_eq!(record.len(), 12, "{record:?}");
        assert_eq!(record[2], number.to_string(), "{record:?}");
        assert_eq!(record[0].len(), "2012-03-08T21:26:02.937Z".len());
        assert_eq!(record[3], house.clear.to_string());
        assert!(record[4].starts_with("127.0.0.1:"), "{record:?}");
        record[6].parse::<u64>().expect("a duration");
        assert_eq!(
            record[5],
            if number < 5 { "" } else { "alice" },
            "{record:?}"
        );
    }
    assert_eq!(records[6][11], "R=ok");
    let files = files(house.ground.path(".").as_path());
    let [(name, text)] = &files[..] else {
        panic!("{files:?}");
    };
    let date = records[0][0][..10].replace('-', "");
    assert_eq!(*name, format!("POP3{date}-1.LOG"));
    let header: Vec<_> = text.lines().take(5).collect();
    assert_eq!(header[0], "#Software: Postern");
    assert_eq!(header[2], "#Log-type: POP3 Log");
    assert_eq!(header[4], format!("#Fields: {COLUMNS}"));
    for secret in ["battery", "hunter2", "AHgAc2", "AGFsaWNl"] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}

/// All that the server sends, up to the end of the connection.
fn rest(client: &mut Client) -> usize {
    let mut octets = client.unread().len();
    while let Ok(count @ 1..) = client.fill() {
        octets += count;
    }
    octets
}

fn sizes(record: &[String]) -> (usize, usize) {
    let number = |text: &str| text.parse().expect("a number");
    (number(&record[7]), number(&record[8]))
}

#[test]
fn octets_are_those_on_the_wire() {
    let house = start(&with_log().maildrop("empty"));
    let body = ".a line that is stuffed and long enough\n".repeat(5000);
    let message = format!("Subject: big\n\n{body}");
    fixture::deliver(&house.ground.maildir("alice"), message.as_bytes(), 1);
    let mut client = Client::connect(house.clear).expect("connecting");
    let greeting = client.line().expect("a line").expect("a greeting").len();
    let mut expected = vec![(0, greeting)];
    let one = |client: &mut Client, line: &str| {
        client.send(line.as_bytes()).expect("sending");
        let answer = client.line().expect("a line").expect("an answer").len();
        (line.len(), answer)
    };
    for line in [
        "USER alice\r\n",
        "PASS correct horse\r\n",
        "STAT\n",
        "NOOP\r\n",
    ] {
        expected.push(one(&mut client, line));
    }
    // One after the other in one segment, and each counted alone.
    client.send(b"UIDL\r\nRETR 1\r\nNOOP\r\n").expect("sending");
    for asked in ["UIDL\r\n", "RETR 1\r\n"] {
        let mut octets = 0;
        loop {
            let line = client.line().expect("a line").expect("an answer");
            octets += line.len();
            if line == b".\r\n" {
                break;
            }
        }
        expected.push((asked.len(), octets));
    }
    expected.push((6, client.line().expect("a line").expect("an answer").len()));
    client.send(b"QUIT\r\n").expect("sending");
    expected.push((6, rest(&mut client)));
    expected.push((0, 0));
    let counted: Vec<_> = records(&house).iter().map(|record| sizes(record)).collect();
    assert_eq!(counted, expected);
    assert!(expected[6].1 > 64 * 1024, "RETR sent {}", expected[6].1);
}

#[test]
fn a_full_file_is_followed_by_the_next() {
    let house = start(&with_log().set("protocol_log.max_file_size", "4096"));
    let mut client = house.session("alice");
    for _ in 0..100 {
        client.ask("NOOP");
    }
    client.ask("QUIT");
    let records = records(&house);
    assert_eq!(records.len(), 105);
    let files = files(house.ground.path(".").as_path());
    assert!(files.len() > 2, "{}", files.len());
    for (name, text) in &files {
        assert!(text.len() <= 4096, "{name} has {} octets", text.len());
        assert!(text.starts_with("#Software: "), "{name}");
        assert!(text.ends_with("\r\n"), "{name}");
    }
}

#[test]
fn a_name_forges_no_column() {
    let house = start(&with_log());
    let mut client = house.client();
    for name in ["a\"b,c", "\",x,\"", "a\u{1b}[31m", "=cmd"] {
        client.ask(&format!("USER {name}"));
    }
    client.ask("QUIT");
    let records = records(&house);
    assert!(
        records.iter().all(|record| record.len() == 12),
        "{records:?}"
    );
    let names: Vec<_> = records
        .iter()
        .filter(|record| record[9] == "user")
        .map(|record| record[10].as_str())
        .collect();
    assert_eq!(names, ["a\"b,c", "\",x,\"", "a\\x1b[31m", "\\x3dcmd"]);
}

#[test]
fn a_folder_that_is_not_there_stops_the_start_with_a_remedy() {
    let nowhere = with_log().set("protocol_log.folder", "\"nowhere\"");
    let log = try_start(&nowhere).err().expect("a refusal");
    assert!(log.contains("nowhere"), "{log}");
    assert!(log.contains("give it to the service user"), "{log}");
}

#[test]
fn there_is_no_log_unless_it_is_asked_for() {
    let house = start(&Setup::new());
    house.client().ask("QUIT");
    house.logged(&["\"session\"", "quit"]);
    assert!(files(house.ground.path(".").as_path()).is_empty());
}

#[test]
fn a_client_that_leaves_within_an_exchange_has_its_record() {
    let house = start(&with_log());
    let mut client = house.tls_client();
    assert_eq!(client.ask("AUTH PLAIN"), "+ ");
    Box::new(client).hang_up(false);
    let records = records(&house);
    let expected = [
        ["OpenSession", "", "R=ok"],
        ["auth", "*****", "R=\"+\""],
        ["CloseSession", "", ""],
    ];
    assert_eq!(asked(&records), expected);
    assert_eq!(sizes(&records[1]), ("AUTH PLAIN\r\n".len(), "+ \r\n".len()));
    assert_eq!(records[0][3], house.implicit.to_string());
}
